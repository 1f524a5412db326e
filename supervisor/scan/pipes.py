"""The pipe between a service and its logger: both ends, held until both are gone.

As long as the supervisor has them, whatever dies, restarts or is replaced: what
was written stays in the pipe, and nobody gets SIGPIPE or an end of file.
"""

import fcntl
import os
import struct
from termios import FIONREAD

from supervisor.adoption.pipes import take
from supervisor.adoption.record import NO_INODE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from supervisor.adoption.record import Record
    from supervisor.adoption.safe import Safe

CLOSED = -1
FULL_BYTES = 1 << 16  # of a pipe whose user has not too many of them (pipe(7))


class LogPipe:
    """The ends are descriptors of the supervisor, CLOSED when they are closed.

    What happens to them is told to `safe`, which holds copies under `key`.
    """

    __slots__ = ("_key", "_safe", "reading", "writing")

    def __init__(self, safe: "Safe", key: bytes, ends: tuple[int, int]) -> None:
        self._safe = safe
        self._key = key
        self.reading, self.writing = ends
        safe.keep(key, ends)

    def waiting(self) -> int:
        """Count the bytes that the logger has not read yet."""
        if self.reading == CLOSED:
            return 0
        answer = fcntl.ioctl(self.reading, FIONREAD, bytes(4))
        return int(struct.unpack("i", answer)[0])

    def size(self) -> int:
        """Tell how many bytes fit."""
        return fcntl.fcntl(self.reading, fcntl.F_GETPIPE_SZ)

    @property
    def closed(self) -> bool:
        """Whether neither end is held any more."""
        return self.writing == self.reading == CLOSED

    def close_writing(self) -> None:
        """Let the logger see the end, once nobody else can write either."""
        if self.writing != CLOSED:
            writing, self.writing = self.writing, CLOSED
            self._close(writing)

    def close_reading(self) -> None:
        """Throw away what is left, once nobody else can read either."""
        if self.reading != CLOSED:
            reading, self.reading = self.reading, CLOSED
            self._close(reading)

    def _close(self, end: int) -> None:
        left = [fd for fd in (self.reading, self.writing) if fd != CLOSED]
        if left:
            self._safe.keep(self._key, left)
        else:
            self._safe.drop(self._key)
        os.close(end)


def make() -> tuple[int, int]:
    """Make a pipe; give its ends, for reading and for writing. OSError."""
    return os.pipe2(os.O_CLOEXEC)


def ends_of(fds: "Sequence[int]") -> tuple[int, int]:
    """Put the ends of a pipe that a keeper had in order, one or both. OSError.

    The keeper lets one go when its side has ended: that is opened anew.
    """
    ends = {fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE: fd for fd in fds}
    for mode in (os.O_RDONLY, os.O_WRONLY):
        if mode not in ends:
            ends[mode] = os.open(f"/proc/self/fd/{fds[0]}", mode | os.O_CLOEXEC)
    return ends[os.O_RDONLY], ends[os.O_WRONLY]


def recover(
    service: "Record | None", logger: "Record | None"
) -> tuple[int, int] | None:
    """Take a pipe back from the service or the logger that has it still; else None.

    The records are those of their supervise/process. OSError when we may not look.
    """
    for record, pipe in (
        (logger, logger.stdin if logger else NO_INODE),
        (service, service.stdout if service else NO_INODE),
    ):
        if record is None or pipe == NO_INODE:
            continue
        reading = take(record.pid, pipe, writable=False)
        if reading is None:
            continue
        writing = take(record.pid, pipe, writable=True)
        if writing is not None:
            return reading, writing
        os.close(reading)
    return None
