"""Forked children of s6-init: for what a spawned program cannot do before it begins.

There is at most one CMD and one script of attributes at a time, so what a fork
costs does not matter here.
"""

import os

from s6log.unix.messages import BUG, to_stderr
from s6log.unix.signals import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

CAUGHT = ("TERM", "INT", "HUP", "QUIT", "USR1", "USR2", "PWR", "WINCH", "ALRM")
OTHERS = ("CHLD", "PIPE", "XFSZ", "TTOU", "TTIN")


def fork(work: "Callable[[], int]") -> int:
    """Start a child that ends with the code that `work` gives; return its pid.

    Signals do in it what they do in any program. OSError when there is none.
    """
    # Held until they mean that: a signal sent to the child at once would only ring
    # at our pipe, and be lost.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        pid = os.fork()
    except OSError:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        raise
    if pid:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return pid
    code = BUG
    try:
        _restore_signals()
        code = work()
    except Exception as error:  # noqa: BLE001 - it must not go on as process 1
        text = f"s6-init: fatal: internal error: {type(error).__name__}: {error}"
        to_stderr(text.replace("\n", " ").encode(errors="backslashreplace") + b"\n")
    finally:
        os._exit(code)


def _restore_signals() -> None:
    """Let signals mean what they mean by default, and ring at nobody's pipe."""
    signal.set_wakeup_fd(-1)
    for name in (*CAUGHT, *OTHERS):
        signal.signal(getattr(signal, f"SIG{name}"), signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
