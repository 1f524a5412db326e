"""Small files that somebody else may have put there: read without being led astray.

Neither a FIFO, which would make process 1 wait for a writer, nor a link: in a
directory of another user it may lead to what only root can read.
"""

import errno
import os
import stat

OPEN = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_NOCTTY | os.O_CLOEXEC
PLACE = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC


def open_file(directory: bytes, name: bytes) -> int:
    """Open a regular file that has one name only. OSError.

    What leads to the directory may be links.
    """
    place = os.open(directory, PLACE)
    try:
        fd = os.open(name, OPEN, dir_fd=place)
    finally:
        os.close(place)
    found = os.fstat(fd)
    if stat.S_ISREG(found.st_mode) and found.st_nlink == 1:
        return fd
    os.close(fd)
    raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))


def start_of(directory: bytes, name: bytes, most: int) -> bytes:
    """Give the first bytes of a file. OSError."""
    fd = open_file(directory, name)
    try:
        return os.read(fd, most)
    finally:
        os.close(fd)


def end_of(directory: bytes, name: bytes, most: int) -> tuple[bytes, bool]:
    """Give the last bytes of a file, and whether there are others before. OSError."""
    fd = open_file(directory, name)
    try:
        start = max(0, os.fstat(fd).st_size - most)
        return os.pread(fd, most, start), start > 0
    finally:
        os.close(fd)
