"""What a scan directory holds: services, each with its logger or without. Pure."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    Identity = tuple[int, int]

# States of one side.
DUE = "due"  # to be begun at `due_ns`
RUNNING = "running"
OVER = "over"  # and not to be begun again

LOG = b"/log"
CATCH_ALL = b"s6-svscan-log"  # logs what s6-svscan and unlogged services say


class Found:
    """A directory that a scan came across; `log` is the identity of its logger's.

    An identity is (device, inode): names and links do not matter.
    """

    __slots__ = ("identity", "log", "name")

    def __init__(
        self, name: bytes, identity: "Identity", log: "Identity | None" = None
    ) -> None:
        self.name = name
        self.identity = identity
        self.log = log


class Side:
    """A service, or the logger of one: what one s6-supervise would be for.

    `kept`: still where it was at the last scan. `failures` counts attempts to
    begin in a row that failed, `reason` says why the last one did. `revived`: a
    logger that died too early while it should have drained its pipe.
    """

    __slots__ = (
        "begun_ns",
        "due_ns",
        "entry",
        "failures",
        "identity",
        "is_log",
        "kept",
        "reason",
        "revived",
        "state",
    )

    def __init__(
        self, entry: "Entry", identity: "Identity", is_log: bool, now_ns: int
    ) -> None:
        self.entry = entry
        self.identity = identity
        self.is_log = is_log
        self.state = DUE
        self.due_ns = now_ns
        self.begun_ns = 0
        self.kept = True
        self.failures = 0
        self.reason = b""
        self.revived = False

    @property
    def name(self) -> bytes:
        """`foo`, or `foo/log`: also its path."""
        return self.entry.name + LOG if self.is_log else self.entry.name

    @property
    def active(self) -> bool:
        """Whether it is to be begun again when its supervision ends."""
        return self.entry.active and self.kept


class Entry:
    """A service with its logger and the pipe between them.

    `writing` and `reading`: that end of the pipe is held. `active`: found by the
    last scan. `returned`: found again, when half of it was gone already.
    `killed`: its logger was told to end without draining. `successor`: a logger
    that takes over when the present one has ended.
    """

    __slots__ = (
        "active",
        "identity",
        "killed",
        "logger",
        "name",
        "reading",
        "returned",
        "service",
        "successor",
        "writing",
    )

    def __init__(self, name: bytes, identity: "Identity", now_ns: int) -> None:
        self.name = name
        self.identity = identity
        self.active = True
        self.returned = False
        self.killed = False
        self.service = Side(self, identity, False, now_ns)
        self.logger: Side | None = None
        self.successor: Identity | None = None
        self.writing = self.reading = False

    @property
    def sides(self) -> tuple[Side, ...]:
        """The service, and the logger if there is one."""
        return (self.service,) if self.logger is None else (self.service, self.logger)

    @property
    def is_catch_all(self) -> bool:
        """Whether it reads what the supervisor itself writes."""
        return self.name == CATCH_ALL
