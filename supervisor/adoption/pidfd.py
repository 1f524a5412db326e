"""A process that is not our child: signals to it, and how it ended.

By pidfd, so that a reused pid is never hit. The wait status of somebody else's
child is in /proc until its parent collects it (where we may see it: proc(5),
exit_code), and from then on it comes from PIDFD_GET_INFO (linux/pidfd.h), with
Linux 6.15 and later.
"""

import fcntl
import os
import select
import struct

from s6log.unix.signals import signal
from supervisor.adoption import processes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from s6log.unix.loop import Loop, Timer
    from supervisor.adoption.record import Record

# struct pidfd_info in its first size: a mask at its head, the wait status at its end.
INFO = "=Q52xi"
EXIT = 1 << 3  # PIDFD_INFO_EXIT, in the mask
GET_INFO = 3 << 30 | struct.calcsize(INFO) << 16 | 0xFF << 8 | 11  # PIDFD_GET_INFO
PATIENCE_MS = 1000  # for a parent that does not collect its dead at once


def adopt(record: "Record", place: str) -> "Adopted | None":
    """Take hold of the recorded process; None when it is gone.

    `place` is our own: a process of another boot or PID namespace is gone. One that
    has died but was not collected yet is held, and its end reported. OSError when
    it cannot be told, and where there is no pidfd_open(2).
    """
    if record.place != place:
        return None
    try:
        adopted = Adopted(record.pid)
    except ProcessLookupError:
        return None
    # In this order: what is held cannot become another process.
    found = processes.stat(record.pid)
    if found is not None and found.start_ticks == record.start_ticks:
        return adopted
    hidden = found is None and not adopted.ended
    adopted.close()
    if hidden:
        raise processes.unseen()  # by the mount option hidepid (proc(5))
    return None


class Adopted:
    """A process held by a descriptor, until it has ended or `close` lets it go."""

    __slots__ = ("_callback", "_fd", "_loop", "_timer", "pid")

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._fd = os.pidfd_open(pid)
        self._loop: Loop | None = None
        self._callback: Callable[[int | None], None] | None = None
        self._timer: Timer | None = None

    @property
    def ended(self) -> bool:
        """Whether it has died, with all its threads."""
        poll = select.poll()
        poll.register(self._fd, select.POLLIN)
        return bool(poll.poll(0))

    def send(self, signum: int) -> None:
        """Send a signal; ProcessLookupError when it has ended."""
        signal.pidfd_send_signal(self._fd, signum)

    def on_exit(self, loop: "Loop", callback: "Callable[[int | None], None]") -> None:
        """Call `callback` once, when it has ended, with its wait status.

        None: that cannot be known. The process is not held any more then.
        """
        self._loop = loop
        self._callback = callback
        loop.watch(self._fd, select.POLLIN, self._on_death)

    def close(self) -> None:
        """Let go of it."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._loop is not None:
            self._loop.unwatch(self._fd)
            self._loop = None
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _on_death(self, _events: int) -> None:
        found = processes.stat(self.pid)
        if found is None or not found.dead:
            self._tell()  # collected, and the pid free or taken by another
        elif found.exit_code or processes.may_know(self.pid):
            self._tell(found.exit_code)
        elif self._loop is not None:
            # poll(2) would go on to report POLLIN. POLLHUP comes, unasked, when it
            # is collected (Linux 6.9).
            self._loop.watch(self._fd, 0, lambda _: self._tell())
            self._timer = self._loop.after(PATIENCE_MS, self._tell)

    def _tell(self, wait_status: int | None = None) -> None:
        if wait_status is None:
            wait_status = _wait_status(self._fd)
        self.close()
        if self._callback is not None:
            self._callback(wait_status)


def _wait_status(fd: int) -> int | None:
    """Ask how a process ended that was collected; None when the kernel cannot say."""
    request = struct.pack(INFO, EXIT, 0)
    try:
        mask, wait_status = struct.unpack(INFO, fcntl.ioctl(fd, GET_INFO, request))
    except OSError:
        return None  # before Linux 6.13
    return wait_status if mask & EXIT else None
