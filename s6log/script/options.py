"""The options of s6-log: their table, and how a command line is read. Pure.

Plain `__slots__` classes: this is in the import closure of every logger.
"""

from s6log.unix.getopt import NO_VALUE, UINT32_MAX, decimal, scan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

USAGE = (
    b"s6-log [ -d notif ] [ -q | -v ] [ -b ] [ -p ] [ -l linelimit ] "
    b"[ -t lastlinetimeout ] [ -- ] logging_script"
)
LINE_LIMIT = 8192
LINE_LIMIT_LEAST = 48  # smaller limits are raised to it, silently
LAST_LINE_TIMEOUT_MS = 2000
INT32_MAX = 2**31 - 1
NOTIFY_FD_LEAST = 3


class OptionError(Exception):
    """An option is the user's mistake; `reason` says which and why.

    s6-log answers a plain one with its usage line. It has a message for the
    mistakes that are `explained`.
    """

    def __init__(self, reason: bytes, explained: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.explained = explained


class Options:
    """What the options of one logger say; nobody changes it once it is read.

    verbosity: 0 silences warnings; blocking (`-b`), protect (`-p`); line_limit:
    bytes, 0 for none; notify_fd: None for none; last_line_timeout_ms: None for
    ever.
    """

    __slots__ = (
        "blocking",
        "last_line_timeout_ms",
        "line_limit",
        "notify_fd",
        "protect",
        "verbosity",
    )

    def __init__(self) -> None:
        self.verbosity = 1
        self.blocking = False
        self.protect = False
        self.line_limit = LINE_LIMIT
        self.notify_fd: int | None = None
        self.last_line_timeout_ms: int | None = LAST_LINE_TIMEOUT_MS

    def copy(self) -> "Options":
        """Make one that is equal."""
        twin = Options()
        for name in Options.__slots__:
            setattr(twin, name, getattr(self, name))
        return twin


class Option:
    """One row of the table: `shape` stands for the value, "" where there is none."""

    __slots__ = ("letter", "meaning", "shape", "take")

    def __init__(
        self,
        letter: bytes,
        shape: str,
        meaning: str,
        take: "Callable[[Options, int], None]",
    ) -> None:
        self.letter = letter
        self.shape = shape
        self.meaning = meaning
        self.take = take


def _quieter(options: Options, _: int) -> None:
    options.verbosity = max(0, options.verbosity - 1)


def _louder(options: Options, _: int) -> None:
    options.verbosity += 1


def _block(options: Options, _: int) -> None:
    options.blocking = True


def _protect(options: Options, _: int) -> None:
    options.protect = True


def _limit_lines(options: Options, limit: int) -> None:
    options.line_limit = max(LINE_LIMIT_LEAST, limit) if limit else 0


def _notify(options: Options, fd: int) -> None:
    if fd < NOTIFY_FD_LEAST:
        reason = f"notification fd must be {NOTIFY_FD_LEAST} or more".encode()
        raise OptionError(reason, explained=True)
    options.notify_fd = fd


def _wait(options: Options, timeout_ms: int) -> None:
    forever = timeout_ms == 0 or timeout_ms > INT32_MAX
    options.last_line_timeout_ms = None if forever else timeout_ms


_ROWS = (
    Option(b"d", "FD", "write a newline to FD, then close it, when ready", _notify),
    Option(b"q", "", "say less: no warnings", _quieter),
    Option(b"v", "", "say more: takes one -q back", _louder),
    Option(b"b", "", "read on only when what was read is written", _block),
    Option(b"p", "", "do not end on SIGTERM, only at the end of the input", _protect),
    Option(
        b"l",
        "N",
        f"split lines after N bytes, at least {LINE_LIMIT_LEAST} "
        f"(default {LINE_LIMIT}); 0: never",
        _limit_lines,
    ),
    Option(
        b"t",
        "MS",
        "milliseconds to wait, when a signal ends it, for the rest of a line "
        f"(default {LAST_LINE_TIMEOUT_MS}); 0: for ever",
        _wait,
    ),
)

OPTIONS = {row.letter: row for row in _ROWS}
"""The rows by letter, in the order of the usage line."""

_FLAGS = b"".join(row.letter for row in _ROWS if not row.shape)
_VALUED = b"".join(row.letter for row in _ROWS if row.shape)


def parse_options(
    arguments: "Sequence[bytes]",
    check_fd: "Callable[[int], None]",
    base: Options | None = None,
) -> tuple[Options, list[bytes]]:
    """Read options on top of `base`; give them and the words after them.

    `check_fd` is called with the value of a `-d` as soon as that is read, because
    s6-log looks at the descriptor before it reads on; what it raises goes
    through. Raises OptionError.
    """
    options = Options() if base is None else base.copy()
    pairs, rest = scan(arguments, _FLAGS, _VALUED)
    for letter, value in pairs:
        row = OPTIONS.get(letter)
        if row is None:
            raise _misused(letter, value)
        number = _number(row, value)
        row.take(options, number)
        if row.take is _notify:
            check_fd(number)
    return options, rest


def _number(row: Option, value: bytes) -> int:
    if not row.shape:
        return 0
    number = decimal(value, UINT32_MAX)
    if number is None:
        what = b"-" + row.letter + b" takes a number from 0 to "
        raise OptionError(what + str(UINT32_MAX).encode() + b", not " + value)
    return number


def _misused(kind: bytes, letter: bytes) -> OptionError:
    if kind == NO_VALUE:
        return OptionError(b"-" + letter + b" lacks its number")
    return OptionError(b"unknown option -" + letter)
