"""Files that must survive: the steps that make them durable, in their order.

Content, fsync, rename, fsync of the directory: a rename without the first may
survive a power loss with an empty file behind it, one without the last may be
undone (fsync(2): "does not necessarily ensure that the entry in the directory
containing the file has also reached disk").
"""

import errno
import os

# Some network and FUSE file systems answer so for directories (fsync(2)).
NO_SYNC = (errno.EINVAL, errno.EBADF, errno.EOPNOTSUPP, errno.ENOSYS)
OPEN_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


class Place:
    """A directory, named relative to a directory descriptor.

    By name and not by its own descriptor, because that is what users of s6-log
    know: a log directory moved away and put back is found again.
    """

    __slots__ = ("base_fd", "path")

    def __init__(self, base_fd: int, path: bytes) -> None:
        self.base_fd = base_fd
        self.path = path

    def name(self, entry: bytes) -> bytes:
        """Give the entry's path, as messages show it."""
        return self.path + b"/" + entry

    def parent(self) -> "Place":
        """Give the directory that this one is in."""
        return Place(self.base_fd, self.path + b"/..")

    def create(self, mode: int) -> bool:
        """Create the directory itself, not its parents; False if it exists."""
        try:
            os.mkdir(self.path, mode, dir_fd=self.base_fd)
        except FileExistsError:
            return False
        return True

    def open(self, entry: bytes, flags: int, mode: int = 0o666) -> int:
        """Open an entry, close-on-exec."""
        name = self.name(entry)
        return os.open(name, flags | os.O_CLOEXEC, mode, dir_fd=self.base_fd)

    def stat(self, entry: bytes) -> os.stat_result | None:
        """Give the entry's status, or None when there is none of that name."""
        try:
            return os.stat(self.name(entry), dir_fd=self.base_fd)
        except FileNotFoundError:
            return None

    def rename(self, old: bytes, new: bytes) -> None:
        """Rename an entry, replacing any other of the new name."""
        base = self.base_fd
        os.rename(self.name(old), self.name(new), src_dir_fd=base, dst_dir_fd=base)

    def remove(self, entry: bytes) -> bool:
        """Unlink an entry; False when there was none."""
        try:
            os.unlink(self.name(entry), dir_fd=self.base_fd)
        except FileNotFoundError:
            return False
        return True

    def chmod(self, entry: bytes, mode: int) -> None:
        """Set an entry's permissions."""
        os.chmod(self.name(entry), mode, dir_fd=self.base_fd)

    def entries(self) -> list[str]:
        """Give the names of all entries, in no order."""
        fd = os.open(self.path, OPEN_DIRECTORY, dir_fd=self.base_fd)
        try:
            return os.listdir(fd)
        finally:
            os.close(fd)

    def sync(self) -> None:
        """Make the entries durable, where the file system has fsync for them."""
        fd = os.open(self.path, OPEN_DIRECTORY, dir_fd=self.base_fd)
        try:
            os.fsync(fd)
        except OSError as error:
            if error.errno not in NO_SYNC:
                raise
        finally:
            os.close(fd)

    def seal(self, entry: bytes, mode: int | None = None) -> None:
        """Make an entry's content durable, and then the mode that says so.

        In this order: the mode may reach the disk before the content does.
        """
        fd = self.open(entry, os.O_WRONLY | os.O_APPEND)
        try:
            os.fsync(fd)
            if mode is not None:
                os.fchmod(fd, mode)
                os.fsync(fd)
        finally:
            os.close(fd)
