"""Shows something that changes on a terminal, in place, until told to stop."""

import os

from s6log.unix.messages import DONE
from s6log.unix.signals import signal
from supervisor.manual import show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# xterm's control sequences, which every terminal of today understands.
ENTER = b"\033[?1049h\033[?25l"  # the alternate screen, without a cursor
LEAVE = b"\033[?25h\033[?1049l"
HOME, REST_OF_LINE, REST_OF_SCREEN = b"\033[H", b"\033[K", b"\033[J"

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SIGNALS = (*ENDING, signal.SIGTSTP, signal.SIGWINCH)


def refresh(lines: "Callable[[], Sequence[str]]", seconds: int) -> int:
    """Show lines, as many as fit, anew each so many seconds and when it is resized.

    Ends with SIGINT, SIGTERM or SIGHUP, the terminal as it was before; returns the
    exit code. Signals stay blocked, and waiting for one is how time passes.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    show(ENTER)
    try:
        while True:
            show(frame(lines()))
            got = signal.sigtimedwait(SIGNALS, seconds)
            if got is None:
                continue
            if got.si_signo in ENDING:
                return DONE
            if got.si_signo == signal.SIGTSTP:
                _stop()
    finally:
        show(LEAVE)


def frame(lines: "Sequence[str]") -> bytes:
    """Draw over what is there, which does not flicker as clearing would."""
    drawn = [line.encode() + REST_OF_LINE for line in lines]
    # No newline after the last line, which may be the last of the screen.
    return HOME + b"\n".join(drawn) + REST_OF_SCREEN


def _stop() -> None:
    """Be stopped by Control-Z, and go on when told.

    By the signal itself, let through: the kernel knows whether there is a shell
    that could tell, and does nothing if not (setpgid(2), orphaned process groups).
    """
    show(LEAVE)
    os.kill(os.getpid(), signal.SIGTSTP)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTSTP])
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTSTP])
    show(ENTER)
