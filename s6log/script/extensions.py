"""The directives that s6-log does not have: `@name` and `@name=value`. Pure.

Loaded only for a script that has one, and for texts about all of them. `EXTENSIONS`
is the one table: the parser, the hints in errors, `--help`, `--explain` and the
reference page read it.
"""

from s6log.script.builder import Builder, pattern_of
from s6log.script.directives import (
    ACTION,
    DIRECTIVES,
    FOR_ACTIONS,
    LOGDIRS,
    PIPE,
    SHELL,
)
from s6log.script.model import (
    BLOCK,
    BUFFER_BYTES,
    DROP_NEWEST,
    DROP_OLDEST,
    Join,
    Limit,
    Rate,
)
from s6log.script.words import ALWAYS, NEVER, Argument, Directive, Role, Word
from s6log.stream import times, traces
from s6log.unix.getopt import UINT32_MAX, UINT64_MAX, decimal

FOR_RECORDS = Role("1, =, directory or pipe", b"1", b"=", *LOGDIRS, PIPE)
FOR_QUEUES = Role("1, 2, directory or pipe", b"1", b"2", *LOGDIRS, PIPE)
FOR_ALL = Role("logger")

POLICIES = (BLOCK, DROP_OLDEST, DROP_NEWEST)
UNITS = {b"": 1, b"k": 1 << 10, b"m": 1 << 20, b"g": 1 << 30}
PERIODS_MS = {b"s": 1000, b"m": 60_000, b"h": 3_600_000, b"d": 86_400_000}
START = b"start"
FILE = Argument("=FILE", "the name of a file", given=ALWAYS)


def _tag(builder: Builder, word: Word) -> None:
    name = word.argument
    try:
        printable = name.decode().isprintable()
    except UnicodeDecodeError:
        printable = False
    if not printable:
        raise word.refused("a name is printable UTF-8: it stands before every line")
    builder.tag = name


def _json(builder: Builder, _: Word) -> None:
    builder.json = True


def _time(builder: Builder, word: Word) -> None:
    if word.argument and (fault := times.check(word.argument)):
        raise word.refused(fault)
    builder.date = word.argument, builder.date[1]


def _zone(builder: Builder, word: Word) -> None:
    # Whether there is such a zone is for those to say who can look: zones.py.
    builder.date = builder.date[0], word.argument


def _join(builder: Builder, word: Word) -> None:
    kind, colon, pattern = word.argument.partition(b":")
    if kind == START and pattern:
        builder.join = Join(kind, pattern, pattern_of(word, pattern))
    elif kind in traces.KINDS and not colon:
        builder.join = Join(kind)
    else:
        raise word.misused()


def _rate(builder: Builder, word: Word) -> None:
    count, _, period = word.argument.partition(b"/")
    lines = decimal(count, UINT32_MAX)
    times_ = decimal(period[:-1] or b"1", UINT32_MAX)
    unit_ms = PERIODS_MS.get(period[-1:])
    if not lines or not times_ or unit_ms is None:
        raise word.misused()
    builder.rate = Rate(lines, times_ * unit_ms)


def _buffer(builder: Builder, word: Word) -> None:
    digits = word.argument.rstrip(b"kKmMgG")
    number = decimal(digits, UINT64_MAX)
    unit = UNITS.get(word.argument[len(digits) :].lower())
    if not number or unit is None:
        raise word.misused()
    builder.limit = Limit(number * unit, builder.limit.full)


def _full(builder: Builder, word: Word) -> None:
    if word.argument not in POLICIES:
        raise word.misused()
    builder.limit = Limit(builder.limit.buffer_bytes, word.argument)


def _metrics(builder: Builder, word: Word) -> None:
    if builder.metrics:
        raise word.refused("there is one file of metrics for a logger")
    builder.metrics = word.argument


def _needed(shape: str, expects: str) -> Argument:
    return Argument(shape, expects, given=ALWAYS)


_ROWS = (
    Directive(
        b"@tag",
        FOR_ACTIONS,
        Argument("[=NAME]", "a name, or nothing for the service's own"),
        "put the service's name before the lines of the next action, or into them "
        "when they are JSON objects",
        _tag,
        once=True,
    ),
    Directive(
        b"@json",
        FOR_RECORDS,
        Argument("", "nothing after it", given=NEVER),
        "make each line of the next action a JSON object: ts, service, stream, msg",
        _json,
        once=True,
    ),
    Directive(
        b"@time",
        FOR_ACTIONS,
        Argument(
            "[=FORM]",
            "rfc3339, rfc3339ms, us, ns, unix or a format with %",
            "as without it",
        ),
        "how T writes date and time",
        _time,
    ),
    Directive(
        b"@tz",
        FOR_ACTIONS,
        Argument(
            "[=ZONE]",
            "the name of a time zone, such as UTC or Europe/Paris",
            "local time",
        ),
        "the time zone of T",
        _zone,
    ),
    Directive(
        b"@join",
        FOR_ACTIONS,
        _needed("=KIND", "python, java, go, indent or start:RE"),
        "make the lines of one stack trace one line of the next action",
        _join,
        once=True,
    ),
    Directive(
        b"@rate",
        FOR_ACTIONS,
        _needed("=N/PERIOD", "a number of lines and a period: 100/s, 5000/10m"),
        "give the next action at most so many lines in a period",
        _rate,
        once=True,
    ),
    Directive(
        b"@buffer",
        FOR_QUEUES,
        _needed("=SIZE", "a number of bytes, 1 or more, or of k, M or G"),
        f"how much may wait for an output (at first {BUFFER_BYTES >> 20}M)",
        _buffer,
    ),
    Directive(
        b"@full",
        FOR_QUEUES,
        _needed("=POLICY", "block, drop-oldest or drop-newest"),
        "what happens when that is reached: reading stops (block, as at first), or "
        "lines are dropped",
        _full,
    ),
    Directive(
        PIPE,
        ACTION,
        Argument("=COMMAND", SHELL.expects, given=ALWAYS),
        "feed a shell command that goes on running",
        Builder.add_pipe,
    ),
    Directive(
        b"@metrics",
        FOR_ALL,
        FILE,
        "keep figures for Prometheus in a file",
        _metrics,
    ),
)

EXTENSIONS = {row.letter: row for row in _ROWS}
"""The rows by name, in the order of the documentation."""

EVERY = {**DIRECTIVES, **EXTENSIONS}
"""All directives there are."""
