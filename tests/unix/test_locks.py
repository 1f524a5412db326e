"""Locks of both kinds, between processes and within one."""

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from inside import heard, other_process
from s6log.unix.fds import is_open
from s6log.unix.locks import is_locked, lock_whole_file, unlock

LOCKER = """
import fcntl, os
from s6log.unix.fds import is_open
from s6log.unix.locks import lock_whole_file
fd = os.open(sys.argv[1], os.O_WRONLY)
print(lock_whole_file(fd, int(sys.argv[2])), flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def lock_fd(tmp_path: Path) -> Iterator[int]:
    """Open the file `lock`."""
    fd = os.open(tmp_path / "lock", os.O_WRONLY | os.O_CREAT)
    yield fd
    os.close(fd)


@pytest.mark.parametrize(
    "ours", [fcntl.F_SETLK, fcntl.F_OFD_SETLK], ids=["POSIX", "OFD"]
)
@pytest.mark.parametrize(
    "theirs", [fcntl.F_SETLK, fcntl.F_OFD_SETLK], ids=["POSIX", "OFD"]
)
def test_locks_of_both_kinds_exclude_each_other(
    ours: int, theirs: int, lock_fd: int, tmp_path: Path
) -> None:
    """Between processes, whoever comes first; the death of the holder frees it."""
    arguments = str(tmp_path / "lock"), str(theirs)
    with other_process(LOCKER, *arguments) as process:
        assert heard(process) == "True"
        assert not lock_whole_file(lock_fd, ours)
    assert lock_whole_file(lock_fd, ours)
    with other_process(LOCKER, *arguments) as process:
        assert heard(process) == "False"


def test_a_description_locks_against_others_of_the_same_process(
    lock_fd: int, tmp_path: Path
) -> None:
    """Which POSIX locks do not; and closing another one does not unlock."""
    other = os.open(tmp_path / "lock", os.O_WRONLY)
    assert lock_whole_file(lock_fd, fcntl.F_OFD_SETLK)
    assert lock_whole_file(lock_fd, fcntl.F_OFD_SETLK)
    assert not lock_whole_file(other, fcntl.F_OFD_SETLK)
    os.close(other)
    other = os.open(tmp_path / "lock", os.O_WRONLY)
    assert not lock_whole_file(other, fcntl.F_OFD_SETLK)
    os.close(other)


def test_a_lock_can_be_given_back(lock_fd: int, tmp_path: Path) -> None:
    """While the file stays open."""
    assert lock_whole_file(lock_fd, fcntl.F_SETLK)
    unlock(lock_fd)
    arguments = str(tmp_path / "lock"), str(fcntl.F_SETLK)
    with other_process(LOCKER, *arguments) as process:
        assert heard(process) == "True"


def test_what_cannot_be_locked_is_an_error(lock_fd: int, tmp_path: Path) -> None:
    """Unlike what somebody else has: here, a descriptor that may not write."""
    read_only = os.open(tmp_path / "lock", os.O_RDONLY)
    with pytest.raises(OSError, match="Bad file descriptor"):
        lock_whole_file(read_only, fcntl.F_SETLK)
    os.close(read_only)
    assert is_open(lock_fd)


@pytest.mark.parametrize(
    "theirs", [fcntl.F_SETLK, fcntl.F_OFD_SETLK], ids=["POSIX", "OFD"]
)
def test_a_lock_of_either_kind_is_seen(
    theirs: int, lock_fd: int, tmp_path: Path
) -> None:
    """As s6-svok sees it; not any more when its holder has died."""
    reader = os.open(tmp_path / "lock", os.O_RDONLY)
    assert not is_locked(reader)
    with other_process(LOCKER, str(tmp_path / "lock"), str(theirs)) as process:
        assert heard(process) == "True"
        assert is_locked(reader)
    assert not is_locked(reader)
    os.close(reader)
    assert lock_whole_file(lock_fd, fcntl.F_OFD_SETLK)
