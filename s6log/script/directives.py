"""The directives of a logging script, and how a list of them becomes one. Pure.

`DIRECTIVES` is the table of what s6-log has: the parser, the hints in errors,
`--help`, `--explain` and the reference page all read it; that of our own words,
`@name`, is in `extensions`, which only a script that has one loads. Plain
`__slots__` classes, and no import that is not needed: this is in the import
closure of every logger.
"""

from s6log.script.builder import SIZE_LEAST, SIZE_MOST, Builder
from s6log.script.model import Script
from s6log.script.words import (
    ALWAYS,
    NEVER,
    UNRECOGNIZED,
    Argument,
    Directive,
    Role,
    ScriptError,
    Word,
    located,
    printable,
)
from s6log.unix.getopt import UINT32_MAX, UINT64_MAX

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["DIRECTIVES", "ScriptError", "classify", "parse"]

INT32_MAX = 2**31 - 1

SELECTION = Role("selection")
ACTION = Role("action")
EXTENSION = b"@"

PIPE = b"@pipe"
LOGDIRS = (b".", b"/")
FOR_ACTIONS = Role("action", b"1", b"2", b"=", *LOGDIRS, PIPE)
FOR_LOGDIRS = Role("log directory", *LOGDIRS)
FOR_RETRIES = Role("log directory or pipe", *LOGDIRS, PIPE)
FOR_ALERTS = Role("alert", b"2")
FOR_STATUS = Role("status file", b"=")


def _number(default: int, limit: int = UINT32_MAX, none: str = "") -> Argument:
    return Argument("N", f"a number from 0 to {limit}", none, default, limit)


KEPT = "leave archives as they are"
NOTHING = Argument("", "nothing after it", given=NEVER)
FILE = Argument("FILE", "the name of a file", given=ALWAYS)
EXECLINE = Argument("COMMAND", "a command, quoted as for execlineb", KEPT)
SHELL = Argument("COMMAND", "a command for /bin/sh", KEPT)
PATH = Argument("DIR", "the rest of a directory's path")

_ROWS = (
    Directive(
        b"+",
        SELECTION,
        Argument("RE", "a regular expression", "select every line"),
        "also select the lines that match",
        Builder.select,
    ),
    Directive(
        b"-",
        SELECTION,
        Argument("RE", "a regular expression", "deselect every line"),
        "deselect the lines that match",
        Builder.select,
    ),
    Directive(
        b"f",
        SELECTION,
        NOTHING,
        "select just the lines that no action has had yet",
        Builder.select,
    ),
    Directive(
        b"n",
        FOR_LOGDIRS,
        _number(10, none="archives are deleted at once"),
        "how many archives to keep",
        Builder.set_number,
    ),
    Directive(
        b"s",
        FOR_LOGDIRS,
        _number(99999),
        f"bytes at which a log is rotated, from {SIZE_LEAST} to {SIZE_MOST}",
        Builder.set_size,
    ),
    Directive(
        b"S",
        FOR_LOGDIRS,
        _number(0, UINT64_MAX, "no limit"),
        "bytes that all archives together may have",
        Builder.set_number,
    ),
    Directive(
        b"l",
        FOR_LOGDIRS,
        _number(2000),
        "how many bytes before s a rotation may come, at the end of a line",
        Builder.set_tolerance,
    ),
    Directive(
        b"r",
        FOR_RETRIES,
        _number(2000, INT32_MAX),
        "milliseconds to wait before trying again what failed",
        Builder.set_number,
    ),
    Directive(
        b"R",
        FOR_LOGDIRS,
        _number(0, none="only by size"),
        "seconds after which a log is rotated, whatever its size",
        Builder.set_number,
    ),
    Directive(
        b"E",
        FOR_ALERTS,
        _number(200, none="whole lines"),
        "bytes of a line that an alert shows",
        Builder.set_number,
    ),
    Directive(
        b"^",
        FOR_STATUS,
        _number(1001, none="those of the line"),
        "bytes that a status file has",
        Builder.set_number,
    ),
    Directive(
        b"p",
        FOR_ACTIONS,
        Argument("TEXT", "any text", "put nothing before lines"),
        "text to put before lines, with a space after it",
        Builder.set_prefix,
    ),
    Directive(
        b"!",
        FOR_LOGDIRS,
        EXECLINE,
        "command that rewrites each archive",
        Builder.set_processor,
    ),
    Directive(
        b"?",
        FOR_LOGDIRS,
        SHELL,
        "shell command that rewrites each archive",
        Builder.set_shell_processor,
    ),
    Directive(
        b"t",
        FOR_ACTIONS,
        NOTHING,
        "put a TAI64N stamp before the lines of the next action",
        Builder.set_stamp,
        once=True,
    ),
    Directive(
        b"T",
        FOR_ACTIONS,
        NOTHING,
        "put local date and time before the lines of the next action",
        Builder.set_iso,
        once=True,
    ),
    Directive(b"1", ACTION, NOTHING, "forward to standard output", Builder.add_stdout),
    Directive(
        b"2", ACTION, NOTHING, "show as an alert on standard error", Builder.add_alert
    ),
    Directive(b"=", ACTION, FILE, "keep the last line in a file", Builder.add_status),
    Directive(b".", ACTION, PATH, "append to a log directory", Builder.add_logdir),
    Directive(b"/", ACTION, PATH, "append to a log directory", Builder.add_logdir),
)

DIRECTIVES = {row.letter: row for row in _ROWS}
"""The rows by the first byte of a word, in the order of the documentation."""


def parse(words: "Sequence[bytes]") -> Script:
    """Read a script: one directive a word, without NUL.

    Raises ScriptError. As in s6-log, the form of all words is checked first,
    then their values from left to right.
    """
    directives = classify(words)
    extraneous = _check_actions(directives)
    builder = Builder(defaults())
    try:
        for word in directives:
            word.row.take(builder, word)
    except ScriptError as error:
        error.logdirs = tuple(builder.logdirs)
        error.extraneous = extraneous
        raise
    return Script(builder.finish(), extraneous, builder.metrics)


def defaults() -> dict[bytes, int]:
    """Give the settings in force at the start of a script, by letter."""
    return {row.letter: row.argument.default for row in _ROWS if row.argument.limit}


def classify(words: "Sequence[bytes]") -> list[Word]:
    """Find each word's row; raise ScriptError where none has that form."""
    directives = []
    for position, text in enumerate(words, 1):
        row = _extension(text) if text[:1] == EXTENSION else DIRECTIVES.get(text[:1])
        if row is None:
            hint = located(position, text, _first_letters(text))
            raise ScriptError(UNRECOGNIZED + text, hint, position)
        word = Word(position, row, text)
        if not row.argument.fits(word.given):
            raise word.misused(b"syntax error at directive: ")
        directives.append(word)
    return directives


def _extension(text: bytes) -> Directive | None:
    """Find the row of an `@name` or `@name=value`."""
    from s6log.script.extensions import EXTENSIONS

    return EXTENSIONS.get(text.partition(b"=")[0])


def _check_actions(words: list[Word]) -> bool:
    """Tell whether selections follow the last action; raise if there is none."""
    roles = [word.row.role for word in words if word.row.role in (SELECTION, ACTION)]
    if ACTION not in roles:
        hint = (
            "nothing says where lines go: add 1 (standard output), 2 (alert), "
            "=FILE, ./DIR, /DIR or @pipe=COMMAND"
        )
        raise ScriptError(b"no action directive specified", hint)
    return roles[-1] is SELECTION


def _first_letters(text: bytes) -> str:
    """Say what a directive may begin with."""
    if text[:1] == EXTENSION:
        from s6log.script.extensions import EXTENSIONS

        names = " ".join(name.decode() for name in EXTENSIONS)
        return f"no directive has this name; there are {names}"
    letters: dict[str, list[str]] = {"selections": [], "settings": [], "actions": []}
    kinds = {SELECTION: "selections", ACTION: "actions"}
    for row in _ROWS:
        letters[kinds.get(row.role, "settings")].append(row.letter.decode())
    known = [f"{kind} begin with {' '.join(row)}" for kind, row in letters.items()]
    first = printable(text[:1])
    fault = f'no directive begins with "{first}"' if text else "it is empty"
    return f"{fault}; {', '.join(known)}"
