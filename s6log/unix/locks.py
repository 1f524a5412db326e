"""fcntl(2) locks on whole files: of a process (POSIX), or of an open description.

The two conflict with each other, so ours and those of the real s6 programs do
too. flock(2) is something else, which neither sees.
"""

import errno
import fcntl
import os
import struct

FLOCK = "hhqqi4x"  # struct flock, 64-bit off_t: type, whence, start, len, pid


def lock_whole_file(fd: int, command: int) -> bool:
    """Take a write lock (F_SETLK or F_OFD_SETLK); False when somebody has it.

    Errors other than a conflict are raised.
    """
    try:
        fcntl.fcntl(fd, command, _request(fcntl.F_WRLCK))
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EAGAIN):
            return False
        raise
    return True


def unlock(fd: int) -> None:
    """Release what lock_whole_file took with F_SETLK."""
    fcntl.fcntl(fd, fcntl.F_SETLK, _request(fcntl.F_UNLCK))


def is_locked(fd: int) -> bool:
    """Tell whether somebody else has a write lock on any part of the file.

    A lock that this process took with F_SETLK does not count (fcntl(2)).
    """
    answer = fcntl.fcntl(fd, fcntl.F_GETLK, _request(fcntl.F_RDLCK))
    return bool(struct.unpack(FLOCK, answer)[0] != fcntl.F_UNLCK)


def _request(kind: int) -> bytes:
    return struct.pack(FLOCK, kind, os.SEEK_SET, 0, 0, 0)
