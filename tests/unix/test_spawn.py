"""A child begins with what it was given and nothing else."""

import contextlib
import fcntl
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import Pipe, wait_until
from inside import open_descriptors
from s6log.unix.spawn import keep_high, spawn
from watching import descriptors, facts


@pytest.fixture
def base_fd(tmp_path: Path) -> Iterator[int]:
    """Give the folder that children start in, as a descriptor."""
    fd = os.open(tmp_path, os.O_PATH)
    yield fd
    os.close(fd)


@contextlib.contextmanager
def waiting_child(base_fd: int, path: bytes = b".") -> Iterator[int]:
    """Start a child that waits until the with block is over; give its pid."""
    with Pipe() as pipe:
        read = keep_high(os.dup(pipe.read), 10)
        try:
            pid = spawn([b"cat"], (base_fd, path), {0: read}, os.environb)
        finally:
            os.close(read)
        try:
            yield pid
        finally:
            pipe.end()
            os.waitpid(pid, 0)


def linked(fd: int) -> str:
    """Tell what a descriptor of ours refers to."""
    return os.readlink(f"/proc/self/fd/{fd}")


def inheritable() -> dict[int, str]:
    """Tell what every child of ours gets: the standard descriptors, and more.

    Whoever runs the tests may have given some others to us.
    """
    found = {}
    for fd in map(int, os.listdir("/proc/self/fd")):
        with contextlib.suppress(OSError):  # the one that lists
            if os.get_inheritable(fd):
                found[fd] = linked(fd)
    return found


def open_in(pid: int) -> dict[int, str]:
    """Tell what a child has open; nothing while it changes that itself.

    A program that begins opens its libraries, and closes them again.
    """
    try:
        return descriptors(pid)
    except FileNotFoundError:
        return {}


def test_descriptors_have_the_numbers_that_were_asked_for(base_fd: int) -> None:
    """Each is moved to its number, and the rest stays here."""
    with Pipe() as one, Pipe() as two, Pipe() as end:
        moves = {
            number: keep_high(os.dup(fd), 10)
            for number, fd in {0: end.read, 4: one.read, 5: two.write}.items()
        }
        expected = {number: linked(fd) for number, fd in moves.items()}
        expected = inheritable() | expected
        pid = spawn([b"cat"], (base_fd, b"."), moves, os.environb)
        for fd in moves.values():
            os.close(fd)
        wait_until(lambda: open_in(pid) == expected, "the child's descriptors")
        end.end()
        assert os.waitpid(pid, 0) == (pid, 0)


def test_a_child_inherits_nothing_else(base_fd: int) -> None:
    """What we have from our parent is its too; what we opened ourselves is not."""
    expected = inheritable()
    with Pipe(), waiting_child(base_fd) as pid:
        wait_until(lambda: open_in(pid).keys() == expected.keys(), "its descriptors")


@pytest.mark.parametrize("path", [b".", b"sub", b"./sub/../sub"])
def test_a_child_starts_in_its_directory(
    base_fd: int, tmp_path: Path, path: bytes
) -> None:
    """And ours does not change."""
    (tmp_path / "sub").mkdir()
    here = Path.cwd()
    with waiting_child(base_fd, path) as pid:
        there = Path(f"/proc/{pid}/cwd").readlink()
    assert there == (tmp_path / path.decode()).resolve()
    assert Path.cwd() == here


def test_no_signal_is_blocked_in_a_child(base_fd: int) -> None:
    """Whatever is blocked here."""
    blocked = {signal.SIGTERM, signal.SIGUSR1}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, blocked)
    try:
        with waiting_child(base_fd) as pid:
            assert int(facts(pid)["SigBlk"], 16) == 0
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@pytest.mark.parametrize(
    "signum", [signal.SIGPIPE, signal.SIGXFSZ], ids=lambda s: s.name
)
def test_no_signal_is_ignored_in_a_child(base_fd: int, signum: int) -> None:
    """An ignored signal would stay ignored: those that Python ignores do not."""
    before = signal.signal(signum, signal.SIG_IGN)
    try:
        with waiting_child(base_fd) as pid:
            ignored = int(facts(pid)["SigIgn"], 16)
    finally:
        signal.signal(signum, before)
    assert not ignored & 1 << (signum - 1)


def test_caught_signals_are_not_caught_in_a_child(base_fd: int) -> None:
    """A handler is ours alone."""
    before = signal.signal(signal.SIGUSR1, lambda *_: None)
    try:
        with waiting_child(base_fd) as pid:
            caught = int(facts(pid)["SigCgt"], 16)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert not caught & 1 << (signal.SIGUSR1 - 1)


def test_the_environment_is_the_one_given(base_fd: int) -> None:
    """Ours does not show through."""
    with Pipe() as out:
        write = keep_high(os.dup(out.write), 10)
        pid = spawn([b"env"], (base_fd, b"."), {1: write}, {b"A": b"\xff"})
        os.close(write)
        assert os.waitpid(pid, 0) == (pid, 0)
        assert os.read(out.read, 4096) == b"A=\xff\n"


def test_a_relative_program_is_in_the_childs_directory(
    base_fd: int, tmp_path: Path
) -> None:
    """As for whoever has changed into it first."""
    program = tmp_path / "program"
    program.write_bytes(b"#!/bin/sh\nexit 7\n")
    program.chmod(0o755)
    pid = spawn([b"./program"], (base_fd, b"."), {}, os.environb)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7


@pytest.mark.parametrize(
    ("program", "path"), [(b"no-such-program", b"."), (b"cat", b"no/such/directory")]
)
def test_what_is_missing_is_raised(base_fd: int, program: bytes, path: bytes) -> None:
    """Nothing is started, left open or changed."""
    here = Path.cwd()
    before = open_descriptors()
    with pytest.raises(FileNotFoundError):
        spawn([program], (base_fd, path), {}, os.environb)
    assert open_descriptors() == before
    assert Path.cwd() == here
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_what_may_not_run_is_raised(base_fd: int, tmp_path: Path) -> None:
    """A file that is not executable is an error here, not an exit code of a child."""
    (tmp_path / "program").write_bytes(b"#!/bin/sh\n")
    with pytest.raises(PermissionError):
        spawn([b"./program"], (base_fd, b"."), {}, os.environb)


def test_spawning_leaves_no_descriptor_open(base_fd: int) -> None:
    """However often."""
    before = open_descriptors()
    for _ in range(3):
        os.waitpid(spawn([b"true"], (base_fd, b"."), {}, os.environb), 0)
    assert open_descriptors() == before


def test_a_low_descriptor_is_moved_up() -> None:
    """It stays close-on-exec; its low number is free again."""
    low = os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC)
    least = low + 100
    high = keep_high(low, least)
    assert high >= least
    assert fcntl.fcntl(high, fcntl.F_GETFD) & fcntl.FD_CLOEXEC
    assert keep_high(high, least) == high
    assert os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC) == low
    os.close(low)
    os.close(high)
