"""Looks at one service as s6-svstat does, and fails in its words."""

import os

from s6log.unix.messages import REFUSED, Fatal
from supervisor.clients import asking
from supervisor.clients.fields import View

NOT_SUPERVISED = 1  # exit code


def view(directory: bytes, now_ns: int) -> View:
    """Read the status of a service that is supervised, and whether it is up normally.

    Raises Fatal; its code is NOT_SUPERVISED when nobody has the directory.
    """
    try:
        supervised = asking.supervised(directory)
    except OSError as error:
        raise Fatal(REFUSED, b"unable to check " + directory, error) from error
    unable = b"unable to read status for " + directory
    if not supervised:
        raise Fatal(NOT_SUPERVISED, unable + b": s6-supervise not running")
    try:
        status = asking.read_status(directory)
    except OSError as error:
        raise Fatal(REFUSED, unable, error) from error
    return View(status, not _exists(directory + b"/down"), now_ns)


def _exists(path: bytes) -> bool:
    try:
        os.stat(path)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise Fatal(REFUSED, b"unable to access " + path, error) from error
    return True
