"""Signals that come while a program looks for more to read and finds nothing."""

import signal
import time

from harness import DEADLINE_S, Pipe, Process

MORE = 3


def meet(process: Process, signum: signal.Signals, pipe: Pipe) -> None:
    """Send a signal as soon as a pipe is empty, which is when it is looked at again.

    Not before: a program that only has signals to deal with gets nowhere.
    """
    deadline = time.monotonic() + DEADLINE_S
    while pipe.waiting():
        assert time.monotonic() < deadline, "nobody reads the pipe"
    for _ in range(MORE):
        process.send_signal(signum)
