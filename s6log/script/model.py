"""What a logging script means: elements of selectors and actions. Pure.

Plain `__slots__` classes instead of dataclasses: this is in the import closure
of every logger, and importing dataclasses alone costs as much as Python itself.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from s6log.script.tree import Node


class Format:
    """What becomes of a line: TAI64N stamp, date, tag, prefix before it; or JSON.

    `prefix` is as the user wrote it; empty means none. A space follows it. `date`
    is the form (`@time`) and the zone (`@tz`) of `T`, each empty for the usual one.
    `tag` is the name of `@tag`, empty for the service's own, None for no tag;
    `tagged` is what that comes to on an output, once it is known. With `json` the
    line becomes an object, with nothing before it.
    """

    __slots__ = ("date", "iso", "json", "prefix", "stamp", "tag", "tagged")

    def __init__(
        self, stamp: bool = False, iso: bool = False, prefix: bytes = b""
    ) -> None:
        self.stamp = stamp
        self.iso = iso
        self.prefix = prefix
        self.date = (b"", b"")
        self.tag: bytes | None = None
        self.tagged = b""
        self.json = False

    @property
    def formed(self) -> bool:
        """More is done to a line than to put something before it."""
        return self.json or self.tag is not None


class Selector:
    """One of `+RE`, `-RE`, `f`. An empty RE matches every line.

    `kind` is the directive's first byte; `tree` is None for `f` and for an
    empty pattern.
    """

    __slots__ = ("kind", "pattern", "tree")

    def __init__(
        self, kind: bytes, pattern: bytes = b"", tree: "Node | None" = None
    ) -> None:
        self.kind = kind
        self.pattern = pattern
        self.tree = tree


class Processor:
    """A command that rewrites an archive; `shell` tells `?` from `!`.

    `argv` is ready to be executed: ("/bin/sh", "-c", command) for `?`.
    """

    __slots__ = ("argv", "command", "shell")

    def __init__(self, command: bytes, shell: bool, argv: tuple[bytes, ...]) -> None:
        self.command = command
        self.shell = shell
        self.argv = argv


class Rules:
    """When a logdir rotates and what it keeps.

    keep: archives (`n`); size_bytes: of current (`s`); total_bytes: of all
    archives, 0 for any (`S`); tolerance_bytes (`l`); retry_ms (`r`);
    period_s: 0 for never (`R`).
    """

    __slots__ = (
        "keep",
        "period_s",
        "retry_ms",
        "size_bytes",
        "tolerance_bytes",
        "total_bytes",
    )

    def __init__(  # noqa: PLR0913, PLR0917 - one for each directive
        self,
        keep: int = 10,
        size_bytes: int = 99999,
        total_bytes: int = 0,
        tolerance_bytes: int = 2000,
        retry_ms: int = 2000,
        period_s: int = 0,
    ) -> None:
        self.keep = keep
        self.size_bytes = size_bytes
        self.total_bytes = total_bytes
        self.tolerance_bytes = tolerance_bytes
        self.retry_ms = retry_ms
        self.period_s = period_s


class Join:
    """`@join`: lines of one stack trace are one event; `kind` tells which lines.

    `tree` is the pattern of `start:ERE`, else None.
    """

    __slots__ = ("kind", "pattern", "tree")

    def __init__(
        self, kind: bytes, pattern: bytes = b"", tree: "Node | None" = None
    ) -> None:
        self.kind = kind
        self.pattern = pattern
        self.tree = tree


class Rate:
    """`@rate`: at most so many lines in a period."""

    __slots__ = ("lines", "period_ms")

    def __init__(self, lines: int, period_ms: int) -> None:
        self.lines = lines
        self.period_ms = period_ms


BLOCK, DROP_OLDEST, DROP_NEWEST = b"block", b"drop-oldest", b"drop-newest"
BUFFER_BYTES = 16 << 20


class Limit:
    """How much an output may have pending (`@buffer`), and what gives way (`@full`)."""

    __slots__ = ("buffer_bytes", "full")

    def __init__(self, buffer_bytes: int = BUFFER_BYTES, full: bytes = BLOCK) -> None:
        self.buffer_bytes = buffer_bytes
        self.full = full

    def is_like(self, other: "Limit") -> bool:
        """Tell whether two say the same."""
        return (self.buffer_bytes, self.full) == (other.buffer_bytes, other.full)


USUAL_LIMIT = Limit()


class Action:
    """Something done with each selected line; the subclasses are all there are."""

    __slots__ = ("format", "join", "limit", "rate")

    def __init__(self, format_: Format) -> None:
        self.format = format_
        self.limit = USUAL_LIMIT
        self.join: Join | None = None
        self.rate: Rate | None = None


class Stdout(Action):
    """`1`: forward to descriptor 1."""

    __slots__ = ()


class Alert(Action):
    """`2`: `s6-log: alert: LINE` on descriptor 2, cut after `most` bytes (`E`)."""

    __slots__ = ("most",)

    def __init__(self, format_: Format, most: int) -> None:
        super().__init__(format_)
        self.most = most


class Status(Action):
    """`=FILE`: keep the last selected line in a file of `size` bytes (`^`)."""

    __slots__ = ("path", "size")

    def __init__(self, format_: Format, path: bytes, size: int) -> None:
        super().__init__(format_)
        self.path = path
        self.size = size


class Logdir(Action):
    """`./dir` or `/dir`: append to an automatically rotated log directory."""

    __slots__ = ("path", "processor", "rules")

    def __init__(
        self, format_: Format, path: bytes, rules: Rules, processor: Processor | None
    ) -> None:
        super().__init__(format_)
        self.path = path
        self.rules = rules
        self.processor = processor


class Pipe(Action):
    """`@pipe=COMMAND`: feed a command that goes on running; again after `r`."""

    __slots__ = ("command", "retry_ms")

    def __init__(self, format_: Format, command: bytes, retry_ms: int) -> None:
        super().__init__(format_)
        self.command = command
        self.retry_ms = retry_ms


class Element:
    """Selectors, then the actions for the lines they leave selected."""

    __slots__ = ("actions", "selectors")

    def __init__(
        self, selectors: tuple[Selector, ...], actions: tuple[Action, ...]
    ) -> None:
        self.selectors = selectors
        self.actions = actions


class Script:
    """A whole script; `extraneous` when selectors follow the last action.

    `metrics` is the file for figures, empty for none.
    """

    __slots__ = ("elements", "extraneous", "metrics")

    def __init__(
        self, elements: tuple[Element, ...], extraneous: bool, metrics: bytes = b""
    ) -> None:
        self.elements = elements
        self.extraneous = extraneous
        self.metrics = metrics

    @property
    def actions(self) -> tuple[tuple[int, Action], ...]:
        """All actions, each with the number of its element."""
        return tuple(
            (number, action)
            for number, element in enumerate(self.elements)
            for action in element.actions
        )
