"""Taking turns on a descriptor that several of our loggers write to.

A line longer than PIPE_BUF can leave in several writes, and another logger's
lines could come between them (pipe(7)). So whoever writes holds an fcntl(2) lock
on the first byte of the file. POSIX locks, not those of the open file
description: loggers that inherited one description share the latter. They go
with the process, however it dies. Programs that take no lock are not held off.

A logger that waits locks another byte, its own, which tells the holder that it
is not alone and must let go at the next end of a line.
"""

import errno
import fcntl
import os
import stat
import struct

from s6log.unix.locks import FLOCK

WRITER = 0
WAITERS = 1  # + pid


class Turns:
    """The right to write to `fd`: taken, held until given back, asked for.

    `possible` is False where there is nothing to share (nobody else writes; regular
    files take one write whole; so do devices such as /dev/null) or no lock can be had.
    """

    __slots__ = ("_asking", "_fd", "held", "possible")

    def __init__(self, fd: int, alone: bool = False) -> None:
        mode = os.fstat(fd).st_mode
        self.possible = not alone and (
            stat.S_ISFIFO(mode)
            or stat.S_ISSOCK(mode)
            or (stat.S_ISCHR(mode) and os.isatty(fd))
        )
        self._fd = fd
        self.held = False
        self._asking = False

    def take(self) -> bool:
        """Get the turn, or keep it; False when another logger has it."""
        if self.held or not self.possible:
            return True
        self.held = self._lock(fcntl.F_WRLCK, WRITER)
        if self.held == self._asking:
            self._ask(not self.held)
        return self.held or not self.possible

    def give_back(self) -> None:
        """Let the others write."""
        if self.held:
            self.held = False
            self._lock(fcntl.F_UNLCK, WRITER)

    def wanted(self) -> bool:
        """Tell whether another logger waits for its turn."""
        if not self.possible:
            return False
        probe = struct.pack(FLOCK, fcntl.F_WRLCK, os.SEEK_SET, WAITERS, 0, 0)
        try:
            answer = fcntl.fcntl(self._fd, fcntl.F_GETLK, probe)
        except OSError:
            return False
        return bool(struct.unpack(FLOCK, answer)[0] != fcntl.F_UNLCK)

    def _ask(self, asking: bool) -> None:
        self._asking = asking
        self._lock(fcntl.F_WRLCK if asking else fcntl.F_UNLCK, WAITERS + os.getpid())

    def _lock(self, kind: int, byte: int) -> bool:
        request = struct.pack(FLOCK, kind, os.SEEK_SET, byte, 1, 0)
        try:
            fcntl.fcntl(self._fd, fcntl.F_SETLK, request)
        except OSError as error:
            if error.errno not in (errno.EACCES, errno.EAGAIN):
                # No locks on this kind of file, or none left (ENOLCK).
                self.possible = False
            return False
        return True
