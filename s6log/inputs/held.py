"""Ways to look at bytes and leave them in the input until their lines are written.

So a logger killed with SIGKILL loses no finished line: what it had not written
is still there for the next one. Killed between writing and consuming, the block
in flight is written again: at least once, never less.
"""

import _socket
import ctypes
import errno
import fcntl
import os
import select

from s6log.unix.fds import PipeSize

SPLICE_F_NONBLOCK = 2
SMALL_LINE_BYTES = 256
CHUNK_BYTES = 64 << 10


class Copy:
    """A pipe of our own, which another one's content is copied to, and read at once.

    It is empty between two looks, so one serves any number of inputs. `full` tells
    whether it was too small at the last look.
    """

    __slots__ = ("_read_end", "_room", "_size", "_tee", "_write_end", "full", "null")

    def __init__(self) -> None:
        self._read_end, self._write_end = os.pipe2(os.O_CLOEXEC)
        self._size = fcntl.fcntl(self._write_end, fcntl.F_GETPIPE_SZ)
        # Not O_APPEND: splice(2) refuses such a target (EINVAL).
        self.null = os.open("/dev/null", os.O_WRONLY | os.O_CLOEXEC)
        self._tee = ctypes.CDLL(None, use_errno=True).tee
        self._tee.restype = ctypes.c_ssize_t
        self._tee.argtypes = (
            ctypes.c_int,
            ctypes.c_int,
            ctypes.c_size_t,
            ctypes.c_uint,
        )
        self._room = select.poll()
        self._room.register(self._write_end, select.POLLOUT)
        self.full = False

    def enlarge(self, size: int) -> None:
        """Make it as large as an input; EPERM where the user has too many pages."""
        if size <= self._size:
            return
        try:
            fcntl.fcntl(self._write_end, fcntl.F_SETPIPE_SZ, size)
        except OSError:
            pass
        self._size = fcntl.fcntl(self._write_end, fcntl.F_GETPIPE_SZ)

    def take(self, fd: int, view: memoryview, size: int) -> int:
        """Copy what a pipe of some size holds, from its first byte; return how much."""
        count = self._tee_off(fd, len(view))
        self.full = self._size < size and not self._room.poll(0)
        if count:
            os.readv(self._read_end, [view[:count]])
        return count

    def _tee_off(self, fd: int, most: int) -> int:
        """Have the copy show the beginning of a pipe; return how much. OSError.

        EINTR is no answer: where the pipe is empty, tee(2) looks for signals before
        it looks at SPLICE_F_NONBLOCK, and Python installs handlers without
        SA_RESTART. It retries its own calls itself (PEP 475), but not those that
        are made through ctypes. Handlers run between two attempts.
        """
        while True:
            count = int(self._tee(fd, self._write_end, most, SPLICE_F_NONBLOCK))
            if count >= 0:
                return count
            error = ctypes.get_errno()
            if error != errno.EINTR:
                raise OSError(error, os.strerror(error))

    def close(self) -> None:
        """Close it."""
        for fd in (self._read_end, self._write_end, self.null):
            os.close(fd)


class PipeCopy:
    """A pipe, looked at through tee(2) into a copy: that given, or its own."""

    rewinds = True

    def __init__(self, fd: int, copy: Copy | None = None) -> None:
        self._fd = fd
        self._pipe = PipeSize(fd)
        self.window_bytes = self._pipe.bytes
        self._owned = copy is None
        self._copy = copy or Copy()
        self._copy.enlarge(self.window_bytes)
        self._hang_up = _hang_up(fd)
        self._copy_full = False
        self._seen = 0

    def take(self, view: memoryview) -> int:
        """Copy what the pipe holds, from its first byte; return how much."""
        self._seen = count = self._copy.take(self._fd, view, self._pipe.bytes)
        self._copy_full = self._copy.full
        if count >= self._pipe.bytes and self._pipe.was_full():
            self._copy.enlarge(self._pipe.bytes)
        return count

    def commit(self, count: int) -> None:
        """Take the first bytes out of the pipe, without copying them.

        Fewer, if another reader has taken them: BlockingIOError, or nothing at
        the pipe's end.
        """
        ends = self._fd, self._copy.null
        flags = SPLICE_F_NONBLOCK
        while count and (moved := os.splice(*ends, count, flags=flags)):
            count -= moved

    def ended(self) -> bool:
        """Tell whether no writer is left."""
        return bool(self._hang_up.poll(0))

    def crowded(self) -> bool:
        """Tell whether the pipe, or the copy, has no room for more of a line.

        A pipe is full when its slots are, whatever they hold (pipe(7) counts
        bytes, the kernel pages): only poll(2) on a write end knows.
        """
        if self._copy_full:
            return True
        try:
            name = f"/proc/self/fd/{self._fd}"
            flags = os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC
            writer = os.open(name, flags)
        except OSError:
            # No /proc, or not ours any more (EACCES after a change of user):
            # half full may be full, when no two pieces fit into one page.
            return self._seen >= self._pipe.bytes // 2
        try:
            room = select.poll()
            room.register(writer, select.POLLOUT)
            return not room.poll(0)
        finally:
            os.close(writer)

    def close(self) -> None:
        """Close the copy, unless it serves others too."""
        if self._owned:
            self._copy.close()


class Peek:
    """A stream socket, looked at with MSG_PEEK."""

    rewinds = True
    window_bytes = 0

    def __init__(self, fd: int) -> None:
        self._socket = _socket.socket(fileno=os.dup(fd))
        if self._socket.type != _socket.SOCK_STREAM:
            self._socket.close()
            raise OSError(errno.ESOCKTNOSUPPORT, "not a stream")
        self._hang_up = _hang_up(fd)
        self._seen = 0

    def take(self, view: memoryview) -> int:
        """Copy what the socket holds, from its first byte; return how much."""
        flags = _socket.MSG_PEEK | _socket.MSG_DONTWAIT
        self._seen = self._socket.recv_into(view, 0, flags)
        return self._seen

    def commit(self, count: int) -> None:
        """Take the first bytes out of the socket."""
        flags = _socket.MSG_DONTWAIT
        while count and (data := self._socket.recv(min(count, CHUNK_BYTES), flags)):
            count -= len(data)

    def ended(self) -> bool:
        """Tell whether the peer has finished."""
        return bool(self._hang_up.poll(0))

    def crowded(self) -> bool:
        """Tell whether the socket may have no room for more of a line.

        Nothing tells. The kernel counts whole buffers against the limit
        (socket(7), SO_SNDBUF), so one-byte writes fill it after a few hundred.
        """
        return self._seen >= SMALL_LINE_BYTES

    def close(self) -> None:
        """Close our duplicate."""
        self._socket.close()


def _hang_up(fd: int) -> select.poll:
    """Give a poll object that reports the end of the input, and nothing else."""
    poll = select.poll()
    poll.register(fd, select.POLLRDHUP)
    return poll
