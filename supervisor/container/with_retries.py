"""with-retries: run a program until it succeeds, a few times at most."""

import os
import time

from s6log.unix.getopt import UINT32_MAX, decimal, scan
from s6log.unix.messages import DONE, Fatal
from s6log.unix.signals import signal
from supervisor.chain.execute import NOT_EXECUTABLE, NOT_FOUND
from supervisor.manual import Manual, Misuse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

FAILED = 99
BY_SIGNAL = 128
NANOSECONDS_PER_MS = 1_000_000
NANOSECONDS_PER_SECOND = 1_000_000_000
PASSED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)

MANUAL = Manual(
    "with-retries",
    "[ -n tries ] [ -t ms ] prog...",
    (
        ("-n tries", "so often at most (default: 3)"),
        ("-t ms", "kill a try that takes longer (default: 500); 0: never"),
    ),
    """
Run prog... until it succeeds, and exit 0 then; exit 99 when it never does.""",
)


class Wish:
    """What the command line asks for."""

    __slots__ = ("program", "timeout_ms", "tries")

    def __init__(self, arguments: list[bytes]) -> None:
        numbers = {b"n": 3, b"t": 500}
        pairs, self.program = scan(arguments, b"", b"nt")
        for letter, value in pairs:
            number = decimal(value, UINT32_MAX)
            if letter not in numbers or number is None:
                raise Misuse
            numbers[letter] = number
        if not self.program or not self.program[0]:
            raise Misuse
        self.tries = numbers[b"n"]
        self.timeout_ms = numbers[b"t"]


def main(arguments: list[bytes]) -> int:
    """Try, and try again; give the exit code."""
    if MANUAL.answered(arguments):
        return DONE
    try:
        wish = Wish(arguments)
    except Misuse:
        return MANUAL.usage()
    # While they are blocked sigtimedwait(2) is what they are for. Those that were
    # ignored stay so: it would take them, too.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    caught = [n for n in PASSED_ON if signal.getsignal(n) != signal.SIG_IGN]
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # or nobody would be left to reap
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD, *caught])
    for _ in range(wish.tries):
        pid = start(wish.program, before)
        if ends_well(pid, wish.timeout_ms, [signal.SIGCHLD, *caught]):
            return DONE
    return FAILED


def start(program: "Sequence[bytes]", mask: "set[int]") -> int:
    """Start a program in a process group of its own; give its pid. Raises Fatal."""
    try:
        return os.posix_spawnp(
            program[0], list(program), os.environb, setpgroup=0, setsigmask=mask
        )
    except OSError as error:
        code = NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE
        raise Fatal(code, b"unable to spawn " + program[0], error) from error


def ends_well(pid: int, timeout_ms: int, signals: "Sequence[int]") -> bool:
    """Wait for a try, killed when its time is over; tell whether it has succeeded.

    A signal goes to it, and ends this process when it has ended.
    """
    deadline_ns = time.monotonic_ns() + timeout_ms * NANOSECONDS_PER_MS
    passed_on = 0
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            break
        if timeout_ms and time.monotonic_ns() >= deadline_ns:
            os.killpg(pid, signal.SIGKILL)
            _, status = os.waitpid(pid, 0)
            break
        signum = await_signal(signals, deadline_ns if timeout_ms else None)
        if signum not in (0, signal.SIGCHLD):
            passed_on = signum
            os.killpg(pid, signum)
    if passed_on:
        die(passed_on)
    return status == 0


def await_signal(signals: "Sequence[int]", deadline_ns: int | None) -> int:
    """Wait for one of the signals; 0: none has come in time."""
    if deadline_ns is None:
        return signal.sigwaitinfo(signals).si_signo
    left_ns = max(0, deadline_ns - time.monotonic_ns())
    info = signal.sigtimedwait(signals, left_ns / NANOSECONDS_PER_SECOND)
    return 0 if info is None else info.si_signo


def die(signum: int) -> "NoReturn":
    """End by a signal, as if it had not been caught.

    Process 1 of a container does not end by signals: for it there is an exit code.
    """
    signal.signal(signum, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signum])
    os.kill(os.getpid(), signum)
    os._exit(BY_SIGNAL + signum)
