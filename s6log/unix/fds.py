"""Descriptors: reading and writing them without ever changing them.

O_NONBLOCK belongs to the open file description, which other processes share, so
it is never set on an inherited descriptor (fcntl(2), F_SETFL). What serves
instead is chosen once for each descriptor, by what it is.
"""

import errno
import fcntl
import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Buffer = bytes | bytearray | memoryview

NANOSECONDS_PER_MS = 1_000_000
MS_PER_SECOND = 1000
LARGE_PIPE_BYTES = 256 << 10
OFTEN_FULL = 8  # times
INT_BYTES = 4
NO_PIPE = 1 << 62  # more than any read gives
PIPE_BUF = 4096  # pipe(7): writes up to this size are atomic on Linux
STDIN, STDOUT, STDERR, FIRST_FREE_FD = range(4)

# Not answered by the kernel or the file system for this kind of file.
_UNSUPPORTED = (errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS, errno.ESPIPE)


def ensure_standard() -> None:
    """Open /dev/null on whichever of descriptors 0, 1, 2 is closed.

    Else the first log file would get one of these numbers, and whatever is said
    on stderr would go into it.
    """
    for fd in range(FIRST_FREE_FD):
        if not is_open(fd):
            # The lowest free number, which is this one (open(2)).
            null = os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC)
            os.set_inheritable(null, True)


def replace_by_null(fd: int) -> None:
    """Let go of what `fd` refers to, but keep its number occupied.

    A freed 0 or 1 would be the number of the next file opened (open(2)), which
    s6-log 2.11 then closes by mistake: the log file itself.
    """
    try:
        null = os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        # No descriptor left, or no /dev: anything else that is open will do.
        if fd != STDERR:
            os.dup2(STDERR, fd)
        return
    os.dup2(null, fd)
    os.close(null)


def same_stream(one: int, other: int) -> bool:
    """Tell whether two descriptors write to the same pipe, socket or device.

    Regular files do not count: each description has its own offset there.
    """
    first, second = os.fstat(one), os.fstat(other)
    same = (first.st_dev, first.st_ino) == (second.st_dev, second.st_ino)
    return same and not stat.S_ISREG(first.st_mode)


def unread(fd: int) -> int:
    """Give the bytes in a pipe that nobody has read; 0 for anything else."""
    import sys
    import termios

    try:
        answer = fcntl.ioctl(fd, termios.FIONREAD, bytes(4))
    except OSError:
        return 0
    return int.from_bytes(answer, sys.byteorder)


def rights(*fds: int) -> bytes:
    """Write descriptors as the data of an SCM_RIGHTS message (unix(7)): C ints.

    Without `array`, which imports all of `collections`.
    """
    import sys

    return b"".join(fd.to_bytes(INT_BYTES, sys.byteorder) for fd in fds)


def is_open(fd: int) -> bool:
    """Tell whether the number refers to an open descriptor."""
    try:
        fcntl.fcntl(fd, fcntl.F_GETFD)
    except OSError:
        return False
    return True


class Reader:
    """Reads an inherited descriptor after poll(2) said that there is something.

    RWF_NOWAIT (preadv2(2)) covers two readers on one pipe, where the other was
    faster: BlockingIOError. Where it is not supported (named FIFOs, terminals),
    a plain read, which may block; `nowait` then is False. Regular files are read
    plainly too: pages that are not in the cache would answer EAGAIN, and poll(2)
    never waits for a file.
    """

    __slots__ = ("fd", "nowait")

    def __init__(self, fd: int) -> None:
        self.fd = fd
        mode = os.fstat(fd).st_mode
        self.nowait = stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)

    def read(self, view: memoryview) -> int:
        """Fill the view from its start; return the number of bytes, 0 at the end."""
        if self.nowait:
            try:
                return os.preadv(self.fd, [view], -1, os.RWF_NOWAIT)
            except OSError as error:
                if error.errno not in _UNSUPPORTED:
                    raise
                self.nowait = False
        return os.readv(self.fd, [view])


class PipeSize:
    """Enlarges a pipe that is found full again and again.

    Whoever reads a full pipe wakes its writer, on another processor, and the
    other way round: with 256 KiB instead of 64 that takes a third less time. Not
    for every pipe, since a user without privileges may have 64 MiB in all of them
    together (pipe(7), pipe-user-pages-soft).
    """

    __slots__ = ("_fd", "_full", "bytes")

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._full = 0
        try:
            self.bytes = fcntl.fcntl(fd, fcntl.F_GETPIPE_SZ)
        except OSError:
            self.bytes = NO_PIPE

    def was_full(self) -> bool:
        """Take notice that the pipe was full; tell whether its size has changed."""
        self._full += 1
        if self._full != OFTEN_FULL or self.bytes >= LARGE_PIPE_BYTES:
            return False
        try:
            self.bytes = fcntl.fcntl(self._fd, fcntl.F_SETPIPE_SZ, LARGE_PIPE_BYTES)
        except OSError:
            return False  # not allowed: never mind
        return True


class Writer:
    """Writes to an inherited descriptor that may be slow, without blocking.

    `write` returns how much was taken and raises BlockingIOError when that is
    nothing. `fd` is what to poll for POLLOUT. The inherited descriptor stays
    the caller's; one that the writer opened is its own, and `fd` changes when it
    does (in the first write).
    """

    __slots__ = ("_own", "_write", "fd")

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self._own = False
        self._write: Callable[[Sequence[Buffer]], int] = self._nowait
        if stat.S_ISREG(os.fstat(fd).st_mode):
            # Written plainly and never reopened: without O_APPEND a second
            # description would start at offset 0 and overwrite the file.
            self._write = self._plain

    def write(self, pieces: "Sequence[Buffer]") -> int:
        """Write as much of the pieces, in order, as is taken at once."""
        return self._write(pieces)

    def say(self, text: bytes) -> None:
        """Write a message, as much of it as is taken at once."""
        try:
            self._write((text,))
        except OSError:
            pass  # full, or gone: there is nobody to tell

    def close(self) -> None:
        """Close what this writer opened itself."""
        if self._own:
            os.close(self.fd)
            self._own = False

    def _reopen(self) -> None:
        """Get a non-blocking description of our own for a FIFO or a terminal.

        O_NOCTTY, or a terminal could become the controlling one (open(2)).
        Fails with EACCES after a change of user, and where there is no /proc.
        """
        flags = os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
        try:
            self.fd = os.open(f"/proc/self/fd/{self.fd}", flags)
        except OSError:
            self._write = self._cautious
        else:
            self._own = True
            self._write = self._plain

    def _nowait(self, pieces: "Sequence[Buffer]") -> int:
        """Anonymous pipes and sockets, Linux 6.4 and later; else find another way.

        Found out by the first write that carries bytes: an empty one succeeds
        everywhere.
        """
        try:
            return os.pwritev(self.fd, pieces, -1, os.RWF_NOWAIT)
        except OSError as error:
            if error.errno not in _UNSUPPORTED:
                raise
        self._reopen()
        return self._write(pieces)

    def _plain(self, pieces: "Sequence[Buffer]") -> int:
        return os.writev(self.fd, pieces)

    def _cautious(self, pieces: "Sequence[Buffer]") -> int:
        """Write up to PIPE_BUF when poll(2) says that this much fits.

        Can still block when several writers compete: named in the reference.
        """
        import select

        room = select.poll()
        room.register(self.fd, select.POLLOUT)
        if not room.poll(0):
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        first = next((piece for piece in pieces if piece), b"")
        return os.write(self.fd, memoryview(first)[:PIPE_BUF])
