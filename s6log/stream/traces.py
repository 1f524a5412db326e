"""What stack traces look like: the kinds that can be joined by name. Pure.

Patterns are for `re`, over whole lines with their LFs; events.py goes by them.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    Firsts = tuple[bytes, ...]

TAIL = "tail"
"""The group of what stands at the end of a block and may yet go on."""


class Lines:
    """A kind of event told by single lines: those that go on with one.

    `firsts` are what such lines can begin with: a byte or two, each first one once.
    """

    __slots__ = ("about", "firsts", "goes_on")

    def __init__(self, about: str, firsts: "Firsts", goes_on: bytes) -> None:
        self.about = about
        self.firsts = firsts
        self.goes_on = goes_on


class Traces:
    """A kind of event that begins with a certain line, and has a grammar.

    A pattern matches whole lines, and nothing if need be. The name of the group
    that matched last is the state that follows; without one the event ends where
    the match does. Group `tail` is at the end of the block: nobody can know yet.
    `firsts` are what `heads` can begin with, as in Lines.
    """

    __slots__ = ("about", "firsts", "heads", "states")

    def __init__(
        self, about: str, firsts: "Firsts", heads: bytes, states: dict[str, bytes]
    ) -> None:
        self.about = about
        self.firsts = firsts
        self.heads = heads
        self.states = states


# Throwable.printStackTrace; "common frames omitted" and "Wrapped by" are Logback's,
# "suppressed N lines" is Log4j's, the two that need no blank are Reactor's; "- locked"
# and the like stand in thread dumps.
_JAVA = rb"""(?x:
    [ \t]++ (?: at[ ] | \.\.\.[ ](?:\d+|suppressed)[ ] | \(Coroutine[ ]boundary
        | -[ ](?:locked|waiting|parking|eliminated)[ ] | java\.lang\.Thread\.State:
        | \|_[ ] | \*__checkpoint )
    | [ \t]*+ (?:Caused[ ]by|Suppressed|Wrapped[ ]by):[ ]
    | [ \t]*+ \[CIRCULAR[ ]REFERENCE:
    | Error[ ]has[ ]been[ ]observed[ ]at[ ]the[ ]following[ ]site
    | Original[ ]Stack[ ]Trace:
)"""

# Python's traceback module. The quotes are multiprocessing's, around a worker's trace.
_LAST = rb"Traceback \(most recent call last\):\n"
_TRACEBACK = (
    rb"(?:(?P<body>%b)|(?P<deep>[ \t]++%b)|(?P<group>[ \t]*+\+ Exception Group %b))"
    % (_LAST, _LAST, _LAST)
)
_CHAIN = (
    rb"[ \t]*+(?:During handling of the above exception, another exception occurred:"
    rb"|The above exception was the direct cause of the following exception:)\n"
)
_CHAINED = rb'(?:(?:"""\n)?\n%b\n%b|(?P<tail>(?:"""\n)?(?:\n(?:%b\n?)?)?\Z)|)' % (
    _CHAIN,
    _TRACEBACK,
    _CHAIN,
)
_INDENTED = rb"(?:[ \t].*\n)*+"
_PYTHON = {
    "body": rb"%b(?:(?P<after>(?!%b)\S.*\n)|(?P<tail>\Z)|)" % (_INDENTED, _LAST),
    # An error that the compiler found has no traceback, and must be one of three.
    "syntax": rb"%b(?:(?P<after>(?:Syntax|Indentation|Tab)Error: .*\n)|(?P<tail>\Z)|)"
    % _INDENTED,
    "after": _CHAINED,
    # Here the line with the exception is indented too.
    "deep": _INDENTED + _CHAINED,
    "group": rb"(?:[ \t]++[|+].*\n)*+" + _CHAINED,
}

# Go's runtime: printpanics, traceback and dumpregs. A blank line or the line of a
# function counts only with what belongs behind it.
_ROUTINE = (
    rb"(?P<frames>(?:goroutine \d+(?: [^\[\n]*)? \[[^\]\n]*\]:|runtime stack:)\n)"
)
_CALL = rb"(?:created by .*|[^ \t\n(]++\(.*+(?<=\)))\n"
_NOTE = (
    rb"\.\.\.(?:additional|\d+) frames elided\.\.\.|\[originating from goroutine \d+\]:"
    rb"|\tgoroutine running on other thread.*|\n?[a-z][a-z0-9]{1,6} +0x[0-9a-f]+"
)
_EXIT = rb"(?:\n?exit status \d+\n)?"
_GO = {
    "panic": rb"(?:(?:\t|\[signal |PC=0x|signal arrived ).*\n)*+"
    rb"(?:\n{0,2}%b|(?P<tail>\n{0,2}\Z)|%b)" % (_ROUTINE, _EXIT),
    "frames": rb"(?:%b\t.*:\d.*\n|(?:%b)\n)*+"
    rb"(?:\n{1,2}%b|(?P<tail>(?:%b|\n{0,2})\Z)|%b)"
    % (_CALL, _NOTE, _ROUTINE, _CALL, _EXIT),
}

KINDS: "dict[bytes, Lines | Traces]" = {
    b"python": Traces(
        "a Python traceback, from its first line to the exception, and those that"
        " are chained to it",
        (b" ", b"\t", b"Tr"),
        rb'(?:%b|(?P<syntax>  File "[^"\n]*", line \d+\n))' % _TRACEBACK,
        _PYTHON,
    ),
    b"java": Lines(
        "the stack frames and causes of a Java exception, and the line before them",
        (b" ", b"\t", b"[C", b"Ca", b"Su", b"Wr", b"Er", b"Or"),
        _JAVA,
    ),
    b"go": Traces(
        "a Go panic, fatal error or signal, and the goroutines behind it",
        (b"pa", b"fa", b"SI", b"go", b"ru"),
        rb"(?:(?P<panic>(?:panic|fatal error|SIG[A-Z0-9]++): .*\n)|%b)" % _ROUTINE,
        _GO,
    ),
    b"indent": Lines(
        "a line, and all behind it that begin with a blank",
        (b" ", b"\t"),
        rb"[ \t]",
    ),
}
"""What can be joined by name; the patterns are for `re`, and compiled when used."""
