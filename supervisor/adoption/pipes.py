"""A pipe taken back from a process that has it, where no keeper gives it back.

Opening /proc/PID/fd/N opens the pipe itself anew, at either end (proc(5)).
"""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.adoption.record import Inode

# A pipe opens at once; O_NONBLOCK in case that it is a FIFO, which would wait for
# somebody to open the other end.
READ = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
WRITE = os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC


def take(pid: int, pipe: "Inode", writable: bool) -> int | None:
    """Open an end of a pipe that process `pid` has, whichever end it has itself.

    The description is our own, and blocking. None when the process does not have
    the pipe, or has ended. OSError when we may not look.
    """
    folder = f"/proc/{pid}/fd"
    try:
        names = os.listdir(folder)
    except (FileNotFoundError, ProcessLookupError):
        return None
    for name in names:
        fd = _open(f"{folder}/{name}", pipe, WRITE if writable else READ)
        if fd is not None:
            return fd
    return None


def inode_of(fd: int) -> "Inode":
    """Give what a record calls the pipe behind a descriptor."""
    found = os.fstat(fd)
    return found.st_dev, found.st_ino


def _open(path: str, pipe: "Inode", flags: int) -> int | None:
    try:
        found = os.stat(path)
        if (found.st_dev, found.st_ino) != pipe:
            return None
        fd = os.open(path, flags)
    except FileNotFoundError:
        return None  # it was closed in between
    if inode_of(fd) != pipe:  # the number was taken by another file in between
        os.close(fd)
        return None
    os.set_blocking(fd, True)
    return fd
