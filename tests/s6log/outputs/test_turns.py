"""Processes that write to one descriptor do so one after the other."""

import contextlib
import os
import pty
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import Pipe
from inside import heard, other_process, tell
from s6log.outputs.turns import Turns

OTHER = """
from s6log.outputs.turns import Turns
turns = Turns(int(sys.argv[1]))
for line in sys.stdin:
    print(getattr(turns, line.strip())(), flush=True)
"""
"""Another logger on the descriptor: it does what it is told."""


@contextlib.contextmanager
def pipe(_folder: Path) -> Iterator[int]:
    """Open an anonymous pipe."""
    with Pipe() as both:
        yield both.write


@contextlib.contextmanager
def fifo(folder: Path) -> Iterator[int]:
    """Open a named pipe."""
    os.mkfifo(folder / "fifo")
    fd = os.open(folder / "fifo", os.O_RDWR)
    yield fd
    os.close(fd)


@contextlib.contextmanager
def stream(_folder: Path) -> Iterator[int]:
    """Open a stream socket."""
    here, there = socket.socketpair()
    with here, there:
        yield here.fileno()


@contextlib.contextmanager
def terminal(_folder: Path) -> Iterator[int]:
    """Open a terminal."""
    master, slave = pty.openpty()
    yield slave
    os.close(slave)
    os.close(master)


@pytest.fixture(
    params=[pipe, fifo, stream, terminal], ids=lambda channel: channel.__name__
)
def fd(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[int]:
    """Open something that processes can share."""
    with request.param(tmp_path) as opened:
        yield opened


Process = subprocess.Popen[bytes]


@pytest.fixture
def other(fd: int) -> Iterator[Process]:
    """Start another process that shares the descriptor."""
    with other_process(OTHER, str(fd), fds=(fd,)) as process:
        yield process


def asked(process: Process, what: str) -> str:
    """Let the other process call a method; give what that returned."""
    tell(process, what)
    return heard(process)


def test_one_has_the_turn_at_a_time(fd: int, other: Process) -> None:
    """Until it gives it back."""
    turns = Turns(fd)
    assert turns.take()
    assert turns.held
    assert turns.take()
    assert asked(other, "take") == "False"
    turns.give_back()
    assert not turns.held
    assert asked(other, "take") == "True"
    assert not turns.take()
    assert asked(other, "give_back") == "None"
    assert turns.take()
    turns.give_back()
    turns.give_back()


def test_the_holder_notices_who_waits(fd: int, other: Process) -> None:
    """And no longer, once that one has had its turn."""
    turns = Turns(fd)
    assert turns.take()
    assert not turns.wanted()
    assert asked(other, "take") == "False"
    assert turns.wanted()
    assert asked(other, "take") == "False"
    turns.give_back()
    assert asked(other, "take") == "True"
    assert asked(other, "wanted") == "False"
    assert not turns.take()
    assert asked(other, "wanted") == "True"
    assert asked(other, "give_back") == "None"
    assert turns.take()
    assert not turns.wanted()
    turns.give_back()


def test_a_holder_that_is_killed_gives_its_turn_back(fd: int, other: Process) -> None:
    """So does one that waits."""
    turns = Turns(fd)
    assert asked(other, "take") == "True"
    assert not turns.take()
    other.kill()
    other.wait()
    assert turns.take()
    turns.give_back()


def test_a_waiter_that_is_killed_is_forgotten(fd: int, other: Process) -> None:
    """The holder need not let go for it."""
    turns = Turns(fd)
    assert turns.take()
    assert asked(other, "take") == "False"
    assert turns.wanted()
    other.kill()
    other.wait()
    assert not turns.wanted()
    turns.give_back()


def test_files_and_devices_need_no_turns(tmp_path: Path) -> None:
    """Each write goes to them as a whole."""
    for path in (tmp_path / "file", Path("/dev/null")):
        fd = os.open(path, os.O_WRONLY | os.O_CREAT)
        turns = Turns(fd)
        assert not turns.possible
        assert turns.take()
        assert not turns.wanted()
        turns.give_back()
        os.close(fd)


def test_where_no_lock_can_be_had_nobody_waits() -> None:
    """As nobody else has one either: here, a descriptor that is only read."""
    with Pipe() as both:
        turns = Turns(both.read)
        assert turns.take()
        assert not turns.possible
        assert not turns.wanted()
        turns.give_back()
