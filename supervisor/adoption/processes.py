"""Processes as /proc shows them: when they started, and who was left behind.

Nothing here is guessed: what cannot be known is an OSError, so that the caller can
say so, and never starts twice what may run already.
"""

import errno
import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.adoption.record import Inode

    Born = tuple[int, int]  # pid, start time

BOOT_ID = "/proc/sys/kernel/random/boot_id"
READ = os.O_RDONLY | os.O_CLOEXEC
STAT_BYTES = 4096  # more than a line of 52 fields has
NANOSECONDS = 1_000_000_000
UNKNOWN = 1 << 63  # a start time: later than any
DEAD = (b"Z", b"X", b"x")
# Fields of /proc/PID/stat, counted from the first after the name (proc(5)).
STATE, PARENT, SESSION, START, EXIT_CODE = 0, 1, 3, 19, 49


class Stat:
    """What /proc/PID/stat says of a process, as far as it matters here.

    `exit_code` is the wait status of a dead one that nobody has collected yet, and
    0 for those who may not know.
    """

    __slots__ = ("dead", "exit_code", "parent", "session", "start_ticks")

    def __init__(self, line: bytes) -> None:
        # The name, in parentheses, may hold anything, a parenthesis as well.
        fields = line[line.rindex(b")") + 2 :].split()
        self.dead = fields[STATE] in DEAD
        self.parent = int(fields[PARENT])
        self.session = int(fields[SESSION])
        self.start_ticks = int(fields[START])
        self.exit_code = int(fields[EXIT_CODE])


def stat(pid: int) -> Stat | None:
    """Look at a process; None when /proc shows none of that pid. OSError."""
    try:
        fd = os.open(f"/proc/{pid}/stat", READ)
    except FileNotFoundError:
        return None
    try:
        return Stat(os.read(fd, STAT_BYTES))
    except ProcessLookupError:
        return None  # it was collected in between
    finally:
        os.close(fd)


def start_time(pid: int) -> int | None:
    """Tell when a process started, in clock ticks since boot; None without one."""
    found = stat(pid)
    return None if found is None else found.start_ticks


def ticks_now() -> int:
    """Give the start time of a process that started now."""
    ticks = os.sysconf("SC_CLK_TCK")
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) * ticks // NANOSECONDS


def own_place() -> str:
    """Name what a pid and a start time are unique in: this boot, our PID namespace.

    OSError where there is no /proc.
    """
    fd = os.open(BOOT_ID, READ)
    try:
        boot = os.read(fd, STAT_BYTES).decode("ascii").strip()
    finally:
        os.close(fd)
    return f"{boot}/{os.stat('/proc/self/ns/pid').st_ino}"


def may_know(pid: int) -> bool:
    """Tell whether a dead process shows us its exit code: what /proc/PID/cwd asks."""
    try:
        os.stat(f"/proc/{pid}/cwd")
    except PermissionError:
        return False
    except FileNotFoundError:
        pass  # a dead process has none, but that is looked at last
    return True


def unseen() -> PermissionError:
    """Give the error for a process that exists but cannot be looked at."""
    return PermissionError(errno.EACCES, os.strerror(errno.EACCES))


class Orphans:
    """Session leaders by their working directories: for records without a pid.

    /proc is read once for all services, at the first question.
    """

    __slots__ = ("_hidden", "_leaders")

    def __init__(self) -> None:
        self._leaders: dict[Inode, list[Born]] | None = None
        self._hidden: list[int] = []  # start times of those we cannot look at

    def find(self, directory: "Inode", since_ticks: int) -> list[int]:
        """Give the pids of those there that started then or later.

        Our children are not among them. OSError without /proc, and when one that
        may be there cannot be looked at.
        """
        if self._leaders is None:
            self._leaders = {}
            for name in os.listdir("/proc"):
                if name.isdecimal():
                    self._note(int(name), self._leaders)
        if any(start_ticks >= since_ticks for start_ticks in self._hidden):
            raise unseen()
        found = self._leaders.get(directory, ())
        return [pid for pid, start_ticks in found if start_ticks >= since_ticks]

    def _note(self, pid: int, leaders: "dict[Inode, list[Born]]") -> None:
        start_ticks = UNKNOWN
        try:
            found = stat(pid)
            if found is None or found.session != pid or found.parent == os.getpid():
                return
            start_ticks = found.start_ticks
            directory = os.stat(f"/proc/{pid}/cwd")
        except FileNotFoundError:
            return  # it has just ended
        except PermissionError:
            # Whom we may not even signal is nobody we started.
            if _may_signal(pid):
                self._hidden.append(start_ticks)
            return
        key = (directory.st_dev, directory.st_ino)
        leaders.setdefault(key, []).append((pid, start_ticks))


def _may_signal(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True
