"""event/, where listeners leave FIFOs, and how a supervisor tells them.

A listener's FIFO is called `ftrig1:@`, 24 hex digits, `:` and six characters: 39
bytes (s6's libftrig). Telling never blocks and never fails.
"""

import errno
import os
import stat

from supervisor.service.directory import unable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.service.directory import Directory

EVENT = "event"
MODE = 0o3730  # the group may listen; sticky: and remove only what is its own
PREFIX = "ftrig1:@"
NAME_CHARACTERS = 39
LIST = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
# Not through a link: a listener could make the supervisor write where only that may,
# such as into the control FIFO of another service.
TELL = os.O_WRONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC


def make(directory: "Directory") -> None:
    """Make event/ where it is missing. Call with umask 0. Raises Fatal.

    One that is there keeps its mode and group: s6-svperms may have set them.
    """
    if not directory.make(EVENT, 0o700):
        return
    try:
        # After chown, which would clear the set-group-ID bit (chown(2)).
        os.chown(EVENT, -1, os.getegid(), dir_fd=directory.fd)
        os.chmod(EVENT, MODE, dir_fd=directory.fd)
    except OSError as error:
        raise unable("set permissions of event", error) from error


def tell(directory: "Directory", events: bytes) -> None:
    """Write events to every listener, in one write each; forget those who left."""
    try:
        fd = os.open(EVENT, LIST, dir_fd=directory.fd)
    except OSError:
        return  # nobody can listen there
    try:
        for name in os.listdir(fd):
            if name.startswith(PREFIX) and len(name) == NAME_CHARACTERS:
                _tell_one(fd, name, events)
    except OSError:
        pass
    finally:
        os.close(fd)


def clean(directory: "Directory") -> None:
    """Remove the FIFOs of listeners that have died."""
    tell(directory, b"")


def _tell_one(directory_fd: int, name: str, events: bytes) -> None:
    try:
        fd = os.open(name, TELL, dir_fd=directory_fd)
    except OSError as error:
        if error.errno == errno.ENXIO:  # nobody has it open for reading (open(2))
            _forget(directory_fd, name)
        return
    try:
        if events and stat.S_ISFIFO(os.fstat(fd).st_mode):
            os.write(fd, events)
    except BrokenPipeError:
        _forget(directory_fd, name)
    except OSError:
        pass  # full: the listener does not read; it is told the next time
    finally:
        os.close(fd)


def _forget(directory_fd: int, name: str) -> None:
    try:
        os.unlink(name, dir_fd=directory_fd)
    except OSError:
        pass
