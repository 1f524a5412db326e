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

    def __init__(self, pid: int, fields: list[bytes]) -> None:
        self.pid = pid
        self.alive = fields[0] not in DEAD
        self.parent = int(fields[1])
        self.session = int(fields[3])


def others(spared: "Collection[int]") -> list[int]:
    """Give the pids of all who live here, but for ourselves.

    Whose session is spared is left out: loggers and what they have started. As
    process 1 all processes are ours, else our descendants only.
    """
    table = {found.pid: found for found in _all()}
    own = os.getpid()
    return [
        found.pid
        for found in table.values()
        if found.alive
        and found.pid != own
        and found.session not in spared
        and (own == 1 or _descends(found, own, table))
    ]


def send(pids: "Collection[int]", *signals: int) -> None:
    """Send signals to processes, of which some may be gone or not ours."""
    for pid in pids:
        for signum in signals:
            try:
                os.kill(pid, signum)
            except OSError:
                break


def terminate(spared: "Collection[int]") -> None:
    """Tell all others to end. What is stopped must go on to hear of it."""
    send(others(spared), signal.SIGTERM, signal.SIGCONT)


def kill(spared: "Collection[int]") -> None:
    """End all others, also those that are born meanwhile."""
    known: set[int] = set()
    while new := set(others(spared)) - known:
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
        # The name comes in parentheses, and may have some itself.
        found.append(Found(int(name), text.rpartition(b") ")[2].split()))
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
