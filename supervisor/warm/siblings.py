"""Fork, but as a child of this process's parent: clone(2) with CLONE_PARENT.

The supervisor waits for loggers as for everything else it starts, so they have to
be its children. No library has such a fork, hence the system call. Around it go the
functions of Python's C API for "fork() or a similar function that clones the
current process" (PyOS_BeforeFork and so on).
"""

import ctypes
import os

from s6log.unix.signals import signal

CLONE_PARENT = 0x8000  # sched.h
POINTER_BYTES = 8

# The number of clone(2), where its first two arguments are flags and stack. clone3
# has one number everywhere, but container runtimes forbid it (ENOSYS), as they
# cannot see its flags.
NUMBERS = {
    "x86_64": 56,
    "aarch64": 220,
    "riscv64": 220,
    "loongarch64": 220,
    "ppc64le": 120,
}


class Siblings:
    """Makes siblings of a process that has one thread. OSError where it cannot."""

    __slots__ = ("_call", "_in_child", "_in_parent", "_number", "_prepare")

    def __init__(self) -> None:
        machine = os.uname().machine
        # A 32-bit program on such a machine has other numbers.
        if machine not in NUMBERS or ctypes.sizeof(ctypes.c_void_p) != POINTER_BYTES:
            raise OSError(f"no number for clone(2) on {machine}")
        self._number = NUMBERS[machine]
        # PyDLL: the interpreter stays locked meanwhile, as in os.fork.
        python = ctypes.PyDLL(None, use_errno=True)
        self._call = python.syscall
        self._prepare = python.PyOS_BeforeFork
        self._in_child = python.PyOS_AfterFork_Child
        self._in_parent = python.PyOS_AfterFork_Parent

    def fork(self) -> int:
        """Return 0 in the sibling, and its pid here. OSError when there is none."""
        self._prepare()
        flags = CLONE_PARENT | signal.SIGCHLD
        pid = int(self._call(self._number, flags, 0, 0, 0, 0))
        if pid == 0:
            self._in_child()
            return 0
        error = ctypes.get_errno()
        self._in_parent()
        if pid < 0:
            raise OSError(error, os.strerror(error))
        return pid
