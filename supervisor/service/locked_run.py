"""A run that holds a lock on supervise/service-lock (lock-fd).

The lock is a POSIX one, so it must be taken by the process that becomes run:
s6-setlock does that, on the descriptor that lock-fd names, and executes run.
"""

import os

from s6log.unix.locks import is_locked
from s6log.unix.spawn import own_program

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from supervisor.service.directory import Directory

LOCK_FILE = "supervise/service-lock"
OPEN = os.O_RDWR | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC


def command(fd: int, run: "Sequence[bytes]") -> "Sequence[bytes]":
    """Give the command that locks, with the lock on `fd`, and executes `run`."""
    options = (b"-d", b"%d" % fd, b"--", LOCK_FILE.encode())
    return own_program(b"s6-setlock", *options, *run)


def prepare(directory: "Directory", warn: "Callable[[bytes], None]") -> None:
    """Make the file, and warn of an instance that lives or wrote to it. OSError."""
    fd = os.open(LOCK_FILE, OPEN, 0o666, dir_fd=directory.fd)
    try:
        if os.fstat(fd).st_size:
            warn(b"a previous instance of the service wrote to the lock file!")
            os.ftruncate(fd, 0)
        if is_locked(fd):
            warn(
                b"another instance of the service is already running, child will block"
            )
    finally:
        os.close(fd)
