"""System calls that Python does not have, for the few containers that need them."""

import ctypes
import errno
import os

PR_SET_CHILD_SUBREAPER = 36  # prctl(2)
TMPFS = b"tmpfs"


def become_subreaper() -> None:
    """Become the parent of all descendants whose own has died. OSError."""
    _call("prctl", PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def mount_tmpfs(path: bytes, options: bytes) -> None:
    """Mount a tmpfs (mount(2)). OSError."""
    _call("mount", TMPFS, path, TMPFS, 0, options)


def _call(function: str, *arguments: int | bytes) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    if getattr(library, function)(*arguments):
        error = ctypes.get_errno() or errno.EINVAL
        raise OSError(error, os.strerror(error))
