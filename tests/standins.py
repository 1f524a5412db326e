"""Service directories with a stand-in for the supervisor: its files, by hand.

Clients cannot tell the difference: they look at locks and read files.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from hypothesis import strategies as st

from s6log.unix.locks import lock_whole_file
from supervising import record
from supervisor.service.status import Status
from supervisor.service.tally import Death, encode

SECOND_NS = 1_000_000_000
NOW_NS = 1_800_000_000 * SECOND_NS
"""A fixed now for what is told the time."""

EXITED = st.integers(0, 255).map(lambda code: code << 8)
KILLED = st.integers(1, 64)
DUMPED = KILLED.map(lambda signal: signal | 0x80)
WAIT_STATUSES = EXITED | KILLED | DUMPED
AGES_S = st.integers(0, 100) | st.integers(0, 300_000_000)


def statuses(now_ns: int) -> st.SearchStrategy[Status]:
    """Make records of every kind, with stamps of the years before `now_ns`."""
    ages_ns = st.builds(lambda s, ns: s * SECOND_NS + ns, AGES_S, st.integers(0, 10**9))
    stamps = ages_ns.map(lambda age: now_ns - age)
    return st.builds(
        Status,
        pid=st.just(0) | st.integers(1, 1 << 22),
        stamp_ns=stamps,
        ready_ns=stamps,
        wait_status=WAIT_STATUSES,
        flags=st.integers(0, 15),
    )


def up(seconds: int = 100, flags: int = 0, pid: int = 4242, died: int = 0) -> Status:
    """Give the status of a service that has been up, and ready, for so long."""
    then = NOW_NS - seconds * SECOND_NS
    return Status(pid, then, then, died, flags)


def down(seconds: int = 100, flags: int = 0, died: int = 0) -> Status:
    """Give the status of a service that has been down for so long."""
    return up(seconds, flags, 0, died)


def add_tally(directory: Path, deaths: Iterable[Death]) -> None:
    """Write a death tally."""
    tally = b"".join(map(encode, deaths))
    (directory / "supervise" / "death_tally").write_bytes(tally)


@contextlib.contextmanager
def supervised(directory: Path, now: Status) -> Iterator[Path]:
    """Be the supervisor of a service directory, which is made if it is missing."""
    record(directory, now)
    with locked(directory / "supervise" / "lock"):
        yield directory


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock that nothing else in this process can lose (fcntl(2), OFD)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
    try:
        assert lock_whole_file(fd, fcntl.F_OFD_SETLK)
        yield
    finally:
        os.close(fd)
