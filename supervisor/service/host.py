"""What all services of one supervisor share: its loop, its voice, its children."""

import os
import time

from s6log.unix.fds import STDERR, STDIN, STDOUT, replace_by_null
from supervisor.adoption.processes import Orphans, own_place
from supervisor.adoption.safe import Safe
from supervisor.service.machine import Now

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from s6log.unix.loop import Loop
    from s6log.unix.messages import Messages
    from supervisor.service.spawner import Spawner
    from supervisor.warm.loggers import WarmLoggers


INDEX_AGE_NS = 1_000_000_000


class Streams:
    """The three descriptors that run and finish of a service get, not owned here."""

    __slots__ = ("stderr", "stdin", "stdout")

    def __init__(
        self, stdin: int = STDIN, stdout: int = STDOUT, stderr: int = STDERR
    ) -> None:
        self.stdin = stdin
        self.stdout = stdout
        self.stderr = stderr

    def let_go(self, null: int) -> None:
        """Use /dev/null, open as `null`, for stdin and stdout from now on."""
        self.stdin = self.stdout = null


class OwnStreams(Streams):
    """Those of a process that supervises one service: its own 0, 1 and 2."""

    __slots__ = ()

    def let_go(self, null: int) -> None:  # noqa: ARG002 - it needs no number
        """Close the process's own stdin and stdout, so that their readers know."""
        replace_by_null(STDIN)
        replace_by_null(STDOUT)


class Host:
    """One supervisor, as its services see it.

    `named`: say which service a message is about (s6-supervise has that in its
    own name). `locked` holds (device, inode) of the supervise/lock files here.
    `place` names the boot and the PID namespace, where services may outlive it;
    `safe` is where it puts their pipes by for that case. `warm` makes loggers
    that need not be executed, if it may.

    `on_change` is called when something has happened to a service, after all that
    was to be done about it. `on_essential`, if it is set, is told the name and the
    wait status of an essential service that has died though nobody asked for it.
    """

    __slots__ = (
        "_orphans",
        "_orphans_ns",
        "environment",
        "locked",
        "loop",
        "messages",
        "named",
        "null",
        "on_change",
        "on_essential",
        "place",
        "safe",
        "spawner",
        "umask",
        "warm",
    )

    def __init__(
        self,
        loop: "Loop",
        messages: "Messages",
        environment: dict[bytes, bytes],
        spawner: "Spawner",
        named: bool = True,
    ) -> None:
        self.loop = loop
        self.messages = messages
        self.environment = environment
        self.spawner = spawner
        self.named = named
        self.locked: set[tuple[int, int]] = set()
        self.null = os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC)
        self.umask = os.umask(0)
        os.umask(self.umask)
        self.place = _place(messages)
        self.safe = Safe()
        self.warm: WarmLoggers | None = None
        self.on_change: Callable[[], None] = _nothing
        self.on_essential: Callable[[bytes, int], None] | None = None
        self._orphans = Orphans()
        self._orphans_ns = 0

    def now(self) -> Now:
        """Read both clocks."""
        return Now(time.time_ns(), time.monotonic_ns())

    def orphans(self) -> Orphans:
        """Give an index of the processes without a supervisor, made just now.

        One for all services that begin together.
        """
        now_ns = time.monotonic_ns()
        if now_ns - self._orphans_ns > INDEX_AGE_NS:
            self._orphans = Orphans()
            self._orphans_ns = now_ns
        return self._orphans

    def warn(self, service: bytes, text: bytes, error: OSError | None = None) -> None:
        """Print a warning about a service."""
        about = service + b": " if self.named else b""
        self.messages.warn(about + text, error)


def _nothing() -> None:
    """Be told of a change that nobody waits for."""


def _place(messages: "Messages") -> str | None:
    """Name where our pids mean something; None where services die with us."""
    if os.getpid() == 1:
        return None
    try:
        return own_place()
    except OSError as error:
        messages.warn(b"services cannot outlive their supervisor", error)
        return None
