"""More than anybody reads or wants: commands without end, listeners without ears."""

import os
import select
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from enduring import BAD, Trial, enduring
from harness import wait_until
from outliving import kill
from supervising import (
    Ear,
    make_service,
    processes_in,
    status,
    supervised,
    tell,
    wait_up,
)

SLEEP = "exec sleep 1000"
MANY = 1_000_000
PIPE_BYTES = 65536
LISTENERS = 50
NAME = "ftrig1:@4000000000000000000000%02x:abcdef"


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    """Give a service directory."""
    return make_service(tmp_path / "scan" / BAD, SLEEP)


@contextmanager
def flooded(service: Path, letters: bytes, total: int) -> Iterator[None]:
    """Write so many letters to the supervisor of a service, as fast as it reads."""
    fd = os.open(service / "supervise" / "control", os.O_RDWR)
    block = letters * (4096 // len(letters))

    def write() -> None:
        for _ in range(0, total, len(block)):
            os.write(fd, block)

    writer = threading.Thread(target=write)
    writer.start()
    yield
    writer.join()
    wait_until(lambda: not select.select([fd], [], [], 0)[0], "all to be read")
    os.close(fd)


# What changes the status takes longer: it is a file.
FLOODS = [(b"\0\xff\nzZ\x7f?!", MANY), (b"y", MANY), (b"P", MANY // 200)]


@pytest.mark.parametrize(("letters", "total"), FLOODS, ids=repr)
def test_a_flood_of_commands(bad: Path, letters: bytes, total: int) -> None:
    """Each is obeyed that is one; the other service gets its turn all the time."""
    with enduring(bad.parent) as trial:
        wait_until(lambda: supervised(bad), "the bad service")
        pid = wait_up(bad)
        wait_up(trial.good)
        with flooded(bad, letters, total):
            restarted(trial)
        trial.goes_on()
        assert status(bad).pid == pid
        assert status(bad).paused == (letters == b"P")
        tell(bad, b"d")
        wait_until(lambda: not processes_in(bad), "its end")
        assert trial.warnings() == []
        trial.ends()


def restarted(trial: Trial) -> None:
    """Have the good service taken down and up."""
    with Ear(trial.good) as ear:
        tell(trial.good, b"d")
        ear.wait_for(b"dD")
        tell(trial.good, b"u")
        ear.wait_for(b"u")


def test_listeners_that_never_read(bad: Path) -> None:
    """Nobody waits for them, they lose what they have no room for, and stay."""
    with enduring(bad.parent) as trial:
        wait_until(lambda: supervised(bad), "the bad service")
        pid = wait_up(bad)
        fifos = [bad / "event" / (NAME % number) for number in range(LISTENERS)]
        held = [deaf_listener(fifo) for fifo in fifos]
        with Ear(bad, LISTENERS) as ear:
            kill(pid)
            ear.wait_for(b"dDu")
        wait_up(bad, other_than=pid)
        trial.goes_on()
        assert all(fifo.exists() for fifo in fifos)
        assert {os.read(fd, PIPE_BYTES) for fd in held} == {bytes(PIPE_BYTES)}
        for fd in held:
            os.close(fd)
        tell(bad, b"d")
        wait_until(lambda: not any(fifo.exists() for fifo in fifos), "them to go")
        assert trial.warnings() == []
        trial.ends()


def deaf_listener(fifo: Path) -> int:
    """Make a FIFO that is full; give the descriptor that holds it."""
    # Under another name at first: one without a reader would be removed.
    hidden = fifo.with_name("." + fifo.name)
    os.mkfifo(hidden)
    fd = os.open(hidden, os.O_RDWR | os.O_NONBLOCK)
    os.write(fd, bytes(PIPE_BYTES))
    hidden.rename(fifo)
    return fd


def test_what_only_looks_like_a_listener(bad: Path) -> None:
    """Files, directories and links of such names are left as they are."""
    with enduring(bad.parent) as trial:
        wait_until(lambda: supervised(bad), "the bad service")
        pid = wait_up(bad)
        file, folder, link, loop = (bad / "event" / (NAME % n) for n in range(4))
        file.write_text("precious")
        folder.mkdir()
        (bad / "precious").write_text("precious")
        link.symlink_to(bad / "precious")
        loop.symlink_to(loop.name)
        with Ear(bad, 9) as ear:
            kill(pid)
            ear.wait_for(b"dDu")
        assert file.read_text() == (bad / "precious").read_text() == "precious"
        assert folder.is_dir()
        assert link.is_symlink()
        trial.goes_on()
        assert trial.warnings() == []


def test_signals_without_end(bad: Path) -> None:
    """They come faster than anybody could look; none is missed in the end."""
    with enduring(bad.parent) as trial:
        wait_until(lambda: supervised(bad), "the bad service")
        wait_up(bad)
        wait_up(trial.good)
        for _ in range(2000):
            trial.tree.process.send_signal(signal.SIGALRM)
            trial.tree.process.send_signal(signal.SIGCHLD)
        # In one step: the signals above may have it looked at half made.
        new = make_service(bad.parent / ".new", SLEEP).rename(bad.parent / "new")
        trial.tree.process.send_signal(signal.SIGALRM)
        wait_until(lambda: supervised(new), "the new service")
        trial.goes_on()
        assert trial.warnings() == []
        trial.ends()
