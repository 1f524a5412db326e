"""The pipe between a service and its logger: both ends, held until both are gone.

As long as the supervisor has them, whatever dies, restarts or is replaced: what
was written stays in the pipe, and nobody gets SIGPIPE or an end of file.
"""

import fcntl
import os
import struct
from termios import FIONREAD

CLOSED = -1
FULL_BYTES = 1 << 16  # of a pipe whose user has not too many of them (pipe(7))


class LogPipe:
    """The ends are descriptors of the supervisor, CLOSED when they are closed."""

    __slots__ = ("reading", "writing")

    def __init__(self) -> None:
        self.reading, self.writing = os.pipe2(os.O_CLOEXEC)

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
            os.close(self.writing)
            self.writing = CLOSED

    def close_reading(self) -> None:
        """Throw away what is left, once nobody else can read either."""
        if self.reading != CLOSED:
            os.close(self.reading)
            self.reading = CLOSED
