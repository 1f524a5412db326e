"""What clients ask of a supervisor: does it live, what does it say, do this.

Everything goes through files of the service directory or the scan directory, as
in s6 (supervise/lock, status, control); there is no other protocol.
"""

import errno
import os

from s6log.unix.locks import is_locked
from supervisor.service.status import LONG_RECORD_BYTES, Status, decode

READ = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
WRITE = os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC


def supervised(directory: bytes) -> bool:
    """Tell whether a supervisor, ours or s6's, has this service directory.

    Raises OSError when that cannot be found out; a missing file means no.
    """
    return locked(directory + b"/supervise/lock")


def locked(path: bytes) -> bool:
    """Tell whether a process has a lock on a file; False when there is no file."""
    try:
        fd = os.open(path, READ)
    except FileNotFoundError:
        return False
    try:
        return is_locked(fd)
    finally:
        os.close(fd)


def read_status(directory: bytes) -> Status:
    """Read what the supervisor last said of a service, whether or not it lives.

    Raises OSError; a record that is too short is EPIPE, as in s6.
    """
    fd = os.open(directory + b"/supervise/status", READ)
    try:
        status = decode(os.read(fd, LONG_RECORD_BYTES))
    finally:
        os.close(fd)
    if status is None:
        raise OSError(errno.EPIPE, os.strerror(errno.EPIPE))
    return status


def send(control: bytes, commands: bytes) -> None:
    """Write command letters to a control FIFO, all at once.

    Without letters it only finds out whether somebody listens. Raises OSError:
    ENXIO when nobody does (open(2), O_NONBLOCK).
    """
    fd = os.open(control, WRITE)
    try:
        if commands:
            os.set_blocking(fd, True)  # a description of our own
            os.write(fd, commands)
    finally:
        os.close(fd)
