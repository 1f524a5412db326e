"""What a directive is made of, and how a mistake in one is told. Pure.

The vocabulary of the table in `directives`: roles, arguments, rows; a word of a
script that belongs to a row; the error that names it.
"""

from s6log.unix.getopt import decimal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from s6log.script.builder import Builder
    from s6log.script.model import Logdir

UNRECOGNIZED = b"unrecognized directive: "

NEVER, MAYBE, ALWAYS = range(3)


class ScriptError(Exception):
    """The script is the user's mistake; `text` is what s6-log says of it.

    `hints` are further lines for the user. `position` is that of the directive
    at fault, counted from 1; 0 when it is the script as a whole. s6-log has by
    then opened the `logdirs` before it, and warned when the script's last
    selections are `extraneous`.
    """

    def __init__(self, text: bytes, hint: str, position: int = 0) -> None:
        super().__init__(text)
        self.text = text
        self.hints = (hint.encode(),)
        self.position = position
        self.logdirs: tuple[Logdir, ...] = ()
        self.extraneous = False


class Role:
    """Why a directive is there; `users` are the letters of the actions it is for."""

    __slots__ = ("name", "users")

    def __init__(self, name: str, *users: bytes) -> None:
        self.name = name
        self.users = users


class Argument:
    """What follows the letter in the same word.

    `shape` stands for it in a synopsis and `expects` says what is valid. `none`
    is what an empty one (a 0, when it is a number) means, where that is special.
    `given` tells whether there may be one, or must.
    """

    __slots__ = ("default", "expects", "given", "limit", "none", "shape")

    def __init__(  # noqa: PLR0913, PLR0917 - a row of a table
        self,
        shape: str,
        expects: str,
        none: str = "",
        default: int = 0,
        limit: int = 0,
        given: int = MAYBE,
    ) -> None:
        self.shape = shape
        self.expects = expects
        self.none = none
        self.default = default
        self.limit = limit
        self.given = given

    def fits(self, text: bytes | None) -> bool:
        """Tell whether something follows, None for nothing at all, as it must."""
        if self.given == NEVER:
            return text is None
        return bool(text) or (self.given == MAYBE and text is None)


class Directive:
    """One row of a table; `take` puts a word of this kind into the script.

    `letter` is what a word begins with: a byte, or the `@name` of an extension.
    `once` says that the next action uses the setting up, whatever it is.
    """

    __slots__ = ("argument", "letter", "meaning", "once", "role", "take")

    def __init__(  # noqa: PLR0913, PLR0917 - a row of a table
        self,
        letter: bytes,
        role: Role,
        argument: Argument,
        meaning: str,
        take: "Callable[[Builder, Word], None]",
        once: bool = False,
    ) -> None:
        self.letter = letter
        self.role = role
        self.argument = argument
        self.meaning = meaning
        self.take = take
        self.once = once


class Word:
    """A directive as the user wrote it; its position counts from 1."""

    __slots__ = ("position", "row", "text")

    def __init__(self, position: int, row: Directive, text: bytes) -> None:
        self.position = position
        self.row = row
        self.text = text

    @property
    def argument(self) -> bytes:
        """What follows the letter; the `=` after an extension's name is left out."""
        letter = self.row.letter
        return self.text[len(letter) + (len(letter) > 1) :]

    @property
    def given(self) -> bytes | None:
        """The argument; None when there is none, as in `@tag` but not in `@tag=`."""
        return self.argument if len(self.text) > len(self.row.letter) else None

    def number(self) -> int:
        """Read the argument as a number within the limit that the table sets."""
        value = decimal(self.argument, self.row.argument.limit)
        if value is None:
            raise self.misused()
        return value

    def misused(self, what: bytes = UNRECOGNIZED) -> ScriptError:
        """Make the error for an argument of the wrong form, saying the right one."""
        row = self.row
        hint = f"{row.letter.decode()} takes {row.argument.expects}: {row.meaning}"
        return self.refused(hint, what)

    def refused(
        self, hint: str, what: bytes = UNRECOGNIZED, after: bytes = b""
    ) -> ScriptError:
        """Make the error that names this directive between `what` and `after`."""
        text = what + self.text + after
        return ScriptError(text, located(self.position, self.text, hint), self.position)


def located(position: int, text: bytes, hint: str) -> str:
    """Say which directive a hint is about."""
    return f'directive {position}, "{printable(text)}": {hint}'


def printable(text: bytes) -> str:
    """Write any bytes so that they can stand in a message on one line."""
    decoded = text.decode(errors="backslashreplace")
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode()
        for char in decoded
    )
