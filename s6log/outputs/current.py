"""The file `current` of a logdir, and the lock that makes it ours."""

import os
import stat

from s6log.outputs import recovery

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from s6log.outputs.recovery import Found
    from s6log.unix.durable import Place
    from s6log.unix.messages import Messages

LF = 0x0A
NAME = b"current"
COPY_BYTES = 1 << 20


class Current:
    """An open `current`: its size, and whether its last byte ends a line.

    `mode` is that of files in use; finished ones are executable by their owner.
    """

    __slots__ = ("_fd", "_lock_fd", "_messages", "_place", "mode", "size", "torn")

    def __init__(
        self, place: "Place", mode: int, found: "Found", messages: "Messages"
    ) -> None:
        self._place = place
        self._messages = messages
        self._fd = found.current_fd
        self._lock_fd = found.lock_fd
        self.size = found.size
        self.mode = mode
        self.torn = False

    def append(self, head: bytes, view: memoryview) -> int:
        """Write head + view, not empty, as far as it goes; return the bytes written."""
        written = (
            os.writev(self._fd, (head, view)) if head else os.write(self._fd, view)
        )
        self.size += written
        in_view = written - len(head)
        self.torn = in_view <= 0 or view[in_view - 1] != LF
        return written

    def append_all(self, views: "Sequence[memoryview]") -> int:
        """Write the pieces, each ending on an LF; return the bytes written."""
        written = os.writev(self._fd, views)
        self.size += written
        rest = written
        for view in views:
            self.torn = view[min(rest, len(view)) - 1] != LF
            rest -= len(view)
            if rest <= 0:
                break
        return written

    def sync(self) -> None:
        """Make the content durable."""
        os.fsync(self._fd)

    def rename(self, name: bytes) -> None:
        """Rename the file; first put it back if somebody has removed it."""
        self.ensure_name()
        self._place.rename(NAME, name)

    def ensure_name(self) -> None:
        """Put the file back if somebody has removed it, or its directory."""
        if os.fstat(self._fd).st_nlink == 0:
            self._restore()
            name = self._place.name(NAME)
            self._messages.warn(name + b" had been removed: put it back")

    def create(self) -> None:
        """Go on in a new file; the old one has been renamed away."""
        fd = self._place.open(NAME, recovery.APPEND)
        try:
            os.fchmod(fd, self.mode)  # the process may have another umask
        except OSError:
            os.close(fd)
            raise
        os.close(self._fd)
        self._fd = fd
        self.size = 0
        self.torn = False

    def mark(self) -> None:
        """Mark it as complete: everything is in it, and durable."""
        os.fchmod(self._fd, self.mode | stat.S_IXUSR)

    def close(self) -> None:
        """Close the file, then give up the lock."""
        os.close(self._fd)
        os.close(self._lock_fd)

    def _restore(self) -> None:
        """Bring a removed file back with its content; its directory too, locked.

        A file without a name cannot be linked again (linkat(2): ENOENT), but it
        can be read through /proc for as long as a descriptor holds it.
        """
        self._place.create(recovery.DIRECTORY_MODE)
        self._lock_fd = recovery.lock_again(self._place, self._lock_fd)
        fd = self._place.open(NAME, os.O_TRUNC | recovery.APPEND)
        old = os.open(f"/proc/self/fd/{self._fd}", os.O_RDONLY | os.O_CLOEXEC)
        try:
            while chunk := os.read(old, COPY_BYTES):
                _write_all(fd, chunk)
            os.fsync(fd)
        except OSError:
            os.close(fd)
            raise
        finally:
            os.close(old)
        os.close(self._fd)
        self._fd = fd


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
