"""Replaces small files that describe a running process: whole, and not for good.

A reader sees the old content or the new one. No fsync: nobody needs it after a crash.
"""

import errno
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

# O_NONBLOCK: a FIFO of that name must not stop the logger (open(2): ENXIO).
CREATE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NONBLOCK | os.O_CLOEXEC


def replace(base_fd: int, path: bytes, pieces: "Iterable[bytes]") -> None:
    """Write the pieces to PATH.new and rename that; OSError leaves the old content."""
    new = path + b".new"
    fd = os.open(new, CREATE, 0o666, dir_fd=base_fd)
    try:
        try:
            write_all(fd, pieces)
        finally:
            os.close(fd)
        os.rename(new, path, src_dir_fd=base_fd, dst_dir_fd=base_fd)
    except OSError:
        os.unlink(new, dir_fd=base_fd)
        raise


def write_all(fd: int, pieces: "Iterable[bytes]") -> None:
    """Write to a regular file; a short write means that the disk is full."""
    for piece in pieces:
        if os.write(fd, piece) < len(piece):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
