"""Processes that are nobody's children any more, which the tests clean up."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path("/")
Orphan = Callable[..., int]

# The background process becomes that of init when this shell ends.
LOSE = 'exec 3<&0; "$@" <&3 3<&- >/dev/null & echo $!'


@pytest.fixture
def orphan() -> Iterator[Orphan]:
    """Give a function that starts a shell command and loses it; it returns the pid.

    `orphan(text, stdin)`; further `cwd`, and `setsid` to lead a session.
    """
    # By descriptor: a pid may be another's when the test is over.
    pidfds: list[int] = []

    def start(text: str, stdin: int, cwd: Path = ROOT, setsid: bool = False) -> int:
        words = [*(["setsid"] if setsid else []), "/bin/sh", "-c", text]
        pid = subprocess.check_output(
            ["/bin/sh", "-c", LOSE, "sh", *words], stdin=stdin, cwd=cwd
        )
        pidfds.append(os.pidfd_open(int(pid)))
        return int(pid)

    yield start
    for pidfd in pidfds:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)
        os.close(pidfd)
