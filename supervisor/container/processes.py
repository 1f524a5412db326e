"""Who lives in the container besides us, and signals to all of them.

Not kill(2) with -1: some are to be spared; and without a PID namespace of our own
it would reach the whole machine.
"""

import os

from s6log.unix.signals import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

PROC = "/proc"
ZOMBIE = b"Z"
DEAD = (ZOMBIE, b"X")


class Found:
    """A process: what /proc/PID/stat says of it (proc(5))."""

    __slots__ = ("alive", "parent", "pid", "session")

    def __init__(self, pid: int, stat: bytes) -> None:
        # The name comes in parentheses, and may have some itself.
        state, parent, _, session, *_ = stat.rpartition(b") ")[2].split()
        self.pid = pid
        self.alive = state not in DEAD
        self.parent = int(parent)
        self.session = int(session)

    @property
    def program(self) -> tuple[int, int]:
        """What it executes (device, inode); (0, 0) where that is not for us to see."""
        try:
            found = os.stat(f"{PROC}/{self.pid}/exe")
        except OSError:
            return 0, 0
        return found.st_dev, found.st_ino


def others(spared: "Collection[int]") -> list[Found]:
    """Give all who live here, but for ourselves.

    Whose session is spared is left out: loggers and what they have started. As
    process 1 all processes are ours, else our descendants only.
    """
    table = {found.pid: found for found in _all()}
    own = os.getpid()
    return [
        found
        for found in table.values()
        if found.alive
        and found.pid != own
        and found.session not in spared
        and (own == 1 or _descends(found, own, table))
    ]


class Farewell:
    """Tells everybody to end, each once.

    Also those who are born meanwhile, and who become another program: a shell that
    was about to execute one has noted the signal, and the program never heard of it.
    """

    __slots__ = ("_told",)

    def __init__(self) -> None:
        self._told: set[tuple[int, tuple[int, int]]] = set()

    def tell(self, spared: "Collection[int]") -> bool:
        """Tell all others who have not been told; whether there is nobody left."""
        left = others(spared)
        for found in left:
            identity = found.pid, found.program
            if identity not in self._told:
                self._told.add(identity)
                # What is stopped must go on to hear of it.
                send((found.pid,), signal.SIGTERM, signal.SIGCONT)
        return not left


def send(pids: "Collection[int]", *signals: int) -> None:
    """Send signals to processes, of which some may be gone or not ours."""
    for pid in pids:
        for signum in signals:
            try:
                os.kill(pid, signum)
            except OSError:
                break


def kill(spared: "Collection[int]") -> None:
    """End all others, also those that are born meanwhile."""
    known: set[int] = set()
    while new := {found.pid for found in others(spared)} - known:
        send(new, signal.SIGKILL)
        known |= new


def _all() -> list[Found]:
    found = []
    try:
        names = os.listdir(PROC)
    except OSError:
        return []
    for name in names:
        if not name.isdigit():
            continue
        try:
            with open(f"{PROC}/{name}/stat", "rb", buffering=0) as file:
                text = file.read()
        except OSError:
            continue  # it has ended meanwhile
        found.append(Found(int(name), text))
    return found


def _descends(found: Found, ancestor: int, table: dict[int, Found]) -> bool:
    seen: set[int] = set()
    while found.parent not in seen:
        if found.parent == ancestor:
            return True
        seen.add(found.parent)
        parent = table.get(found.parent)
        if parent is None:
            return False
        found = parent
    return False
