"""Processes that are nobody's children any more, which are cleaned up afterwards."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from keepers import connect

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


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Give a directory for the socket; a keeper that is left there is ended."""
    yield tmp_path
    gone = (FileNotFoundError, ConnectionRefusedError)
    with contextlib.suppress(*gone), connect(tmp_path) as peer:
        peer.send(b"end")
