"""Commands to a supervisor, and what to say when they do not reach it."""

import errno
import os

from s6log.unix.signals import signal
from supervisor.clients import asking

SUPERVISE = b"supervise"
SVSCAN = b".s6-svscan"

# What can be wrong.
DEAF = "nobody listens"
BROKEN = "the place is not what it should be"
REFUSED = "the system says no"

ASTRAY = (errno.ENOENT, errno.ENOTDIR, errno.EISDIR)
DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


class NotControlled(Exception):
    """Commands did not reach a supervisor; `kind` says in which of three ways."""

    def __init__(self, kind: str, text: bytes, error: OSError | None = None) -> None:
        super().__init__(text)
        self.kind = kind
        self.text = text
        self.error = error


def command(directory: bytes, place: bytes, letters: bytes) -> None:
    """Send command letters to the control FIFO in `directory`/`place`.

    Raises NotControlled.
    """
    # One that ends between our open and our write is not there: no reason to die.
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    try:
        asking.send(directory + b"/" + place + b"/control", letters)
    except OSError as error:
        if error.errno not in ASTRAY:
            raise explain(directory, error) from error
        look_into(directory, place)
        text = b"something is wrong with the %b/%b directory" % (directory, place)
        raise NotControlled(BROKEN, text, error) from error


def look_into(directory: bytes, place: bytes) -> None:
    """Raise the NotControlled of what explains that there is no control FIFO."""
    try:
        os.close(os.open(directory, DIRECTORY))
    except OSError as error:
        raise explain(directory, error) from error
    if not os.path.exists(directory + b"/" + place):
        raise explain(directory, None)


def explain(directory: bytes, error: OSError | None) -> NotControlled:
    """Say that a directory cannot be controlled; ENXIO is nobody's listening."""
    text = b"unable to control " + directory
    if error is None or error.errno in (errno.ENXIO, errno.EPIPE):
        return NotControlled(DEAF, text + b": supervisor not listening")
    return NotControlled(REFUSED, text, error)
