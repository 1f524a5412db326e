"""Ways to look at bytes and leave them in the input until their lines are written.

So a logger killed with SIGKILL loses no finished line: what it had not written
is still there for the next one. Killed between writing and consuming, the block
in flight is written again: at least once, never less.
"""

import ctypes
import errno
import fcntl
import os
import select
import socket

from s6log.unix.fds import PipeSize

SPLICE_F_NONBLOCK = 2
SMALL_LINE_BYTES = 256
CHUNK_BYTES = 64 << 10


class PipeCopy:
    """A pipe, looked at through tee(2) into a pipe of our own."""

    rewinds = True

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._read_end, self._write_end = os.pipe2(os.O_CLOEXEC)
        self._pipe = PipeSize(fd)
        self.window_bytes = self._pipe.bytes
        self._size = self._as_large_as(self.window_bytes)
        # Not O_APPEND: splice(2) refuses such a target (EINVAL).
        self._null = os.open("/dev/null", os.O_WRONLY | os.O_CLOEXEC)
        self._tee = ctypes.CDLL(None, use_errno=True).tee
        self._tee.restype = ctypes.c_ssize_t
        self._tee.argtypes = (
            ctypes.c_int,
            ctypes.c_int,
            ctypes.c_size_t,
            ctypes.c_uint,
        )
        self._hang_up = _hang_up(fd)
        self._copy_room = select.poll()
        self._copy_room.register(self._write_end, select.POLLOUT)
        self._copy_full = False
        self._seen = 0

    def take(self, view: memoryview) -> int:
        """Copy what the pipe holds, from its first byte; return how much."""
        ends = self._fd, self._write_end
        count = int(self._tee(*ends, len(view), SPLICE_F_NONBLOCK))
        if count < 0:
            error = ctypes.get_errno()
            raise OSError(error, os.strerror(error))
        if self._size < self._pipe.bytes:
            self._copy_full = not self._copy_room.poll(0)
        self._seen = count
        if count:
            os.readv(self._read_end, [view[:count]])
        if count >= self._pipe.bytes and self._pipe.was_full():
            self._size = self._as_large_as(self._pipe.bytes)
        return count

    def commit(self, count: int) -> None:
        """Take the first bytes out of the pipe, without copying them.

        Fewer, if another reader has taken them: BlockingIOError, or nothing at
        the pipe's end.
        """
        flags = SPLICE_F_NONBLOCK
        while count and (moved := os.splice(self._fd, self._null, count, flags=flags)):
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
        """Close the copy."""
        for fd in (self._read_end, self._write_end, self._null):
            os.close(fd)

    def _as_large_as(self, size: int) -> int:
        """Enlarge the copy; EPERM where the user has too many pipe pages."""
        try:
            fcntl.fcntl(self._write_end, fcntl.F_SETPIPE_SZ, size)
        except OSError:
            pass
        return fcntl.fcntl(self._write_end, fcntl.F_GETPIPE_SZ)


class Peek:
    """A stream socket, looked at with MSG_PEEK."""

    rewinds = True
    window_bytes = 0

    def __init__(self, fd: int) -> None:
        self._socket = socket.socket(fileno=os.dup(fd))
        if self._socket.type != socket.SOCK_STREAM:
            self._socket.close()
            raise OSError(errno.ESOCKTNOSUPPORT, "not a stream")
        self._hang_up = _hang_up(fd)
        self._seen = 0

    def take(self, view: memoryview) -> int:
        """Copy what the socket holds, from its first byte; return how much."""
        flags = socket.MSG_PEEK | socket.MSG_DONTWAIT
        self._seen = self._socket.recv_into(view, 0, flags)
        return self._seen

    def commit(self, count: int) -> None:
        """Take the first bytes out of the socket."""
        flags = socket.MSG_DONTWAIT
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
