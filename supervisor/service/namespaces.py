"""A new PID namespace for one child (flag-newpidns).

unshare(2) concerns the children of a process, not the process itself, so it is
undone after the spawn.
"""

import errno
import os
import sys

CLONE_NEWPID = 0x20000000  # sched.h
OWN = "/proc/self/ns/pid"


class ChildrenInNewNamespace:
    """While in its with block, a child starts as PID 1 of a new namespace. OSError.

    One child: the namespace ends with it.
    """

    __slots__ = ("_own",)

    def __enter__(self) -> None:
        self._own = os.open(OWN, os.O_RDONLY | os.O_CLOEXEC)
        try:
            _unshare()
        except OSError:
            os.close(self._own)
            raise

    def __exit__(self, *_: object) -> None:
        try:
            _return_to(self._own)
        finally:
            os.close(self._own)


def _unshare() -> None:
    if sys.version_info >= (3, 12):
        os.unshare(CLONE_NEWPID)
    else:
        _call("unshare", CLONE_NEWPID)


def _return_to(namespace: int) -> None:
    if sys.version_info >= (3, 12):
        os.setns(namespace, CLONE_NEWPID)
    else:
        _call("setns", namespace, CLONE_NEWPID)


def _call(function: str, *arguments: int) -> None:
    # Not at the top: ctypes is large, and few services ask for this.
    import ctypes

    library = ctypes.CDLL(None, use_errno=True)
    if getattr(library, function)(*arguments):
        error = ctypes.get_errno() or errno.EINVAL
        raise OSError(error, os.strerror(error))
