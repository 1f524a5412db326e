"""Inputs of every kind reach the outputs whole, with and without -b."""

import contextlib
import fcntl
import os
import pty
import random
import socket
import termios
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness import (
    DEADLINE_S,
    Pipe,
    Program,
    Stage,
    finish,
    run,
    running,
    wait_until,
)
from watching import settle

Feed = Callable[[bytes], None]
Input = tuple[int, Feed]
"""A descriptor for the logger, and what feeds it all it is to read."""

MANY_BYTES = 64 << 20
KEEP = ["n9999", "s268435455"]


def text() -> bytes:
    """Make lines of all lengths up to 900 bytes, a few hundred kilobytes of them."""
    rng = random.Random(2)
    letters = bytes(range(97, 123))
    return b"".join(
        bytes(rng.choices(letters, k=rng.randrange(900))) + b"\n" for _ in range(800)
    )


@contextlib.contextmanager
def feeding(feed: Callable[[], None]) -> Iterator[None]:
    """Feed from a thread, so that what is slow to be read stalls nothing else."""
    thread = threading.Thread(target=feed, daemon=True)
    thread.start()
    yield
    thread.join(DEADLINE_S)
    assert not thread.is_alive()


@contextlib.contextmanager
def pipe_input(_folder: Path, capacity_bytes: int = 65536) -> Iterator[Input]:
    """Make an anonymous pipe."""
    with Pipe(capacity_bytes) as pipe:

        def feed(data: bytes) -> None:
            pipe.feed(data)
            pipe.end()

        yield pipe.read, feed


def small_pipe_input(folder: Path) -> contextlib.AbstractContextManager[Input]:
    """Make a pipe of one page, as a user with many pipes gets them."""
    return pipe_input(folder, 4096)


@contextlib.contextmanager
def fifo_input(folder: Path) -> Iterator[Input]:
    """Make a named pipe, opened for reading as a shell does it."""
    os.mkfifo(folder / "fifo")
    writer = os.open(folder / "fifo", os.O_RDWR)
    reader = os.open(folder / "fifo", os.O_RDONLY)

    def feed(data: bytes) -> None:
        with os.fdopen(writer, "wb") as file:
            file.write(data)

    yield reader, feed
    os.close(reader)


@contextlib.contextmanager
def socket_input(_folder: Path) -> Iterator[Input]:
    """Make a stream socket."""
    reader, writer = socket.socketpair()

    def feed(data: bytes) -> None:
        writer.sendall(data)
        writer.shutdown(socket.SHUT_WR)

    with reader, writer:
        yield reader.fileno(), feed


@contextlib.contextmanager
def file_input(folder: Path) -> Iterator[Input]:
    """Make a regular file, read from where its offset is."""
    path = folder / "input"
    path.write_bytes(b"not this\n" + text())
    fd = os.open(path, os.O_RDONLY)
    os.lseek(fd, len(b"not this\n"), os.SEEK_SET)
    yield fd, lambda _data: None
    os.close(fd)


@contextlib.contextmanager
def terminal_input(_folder: Path) -> Iterator[Input]:
    """Make a terminal in its usual mode, ended by ^D."""
    master, slave = pty.openpty()
    modes = termios.tcgetattr(slave)
    modes[3] &= ~termios.ECHO
    termios.tcsetattr(slave, termios.TCSANOW, modes)

    def feed(data: bytes) -> None:
        for line in data.splitlines(keepends=True):
            os.write(master, line)
        os.write(master, b"\x04")

    yield slave, feed
    os.close(slave)
    os.close(master)


INPUTS = [
    pipe_input,
    small_pipe_input,
    fifo_input,
    socket_input,
    file_input,
    terminal_input,
]

each_input = pytest.mark.parametrize("make", INPUTS, ids=lambda make: make.__name__)
with_and_without_b = pytest.mark.parametrize("options", [[], ["-b"]], ids=["", "-b"])


@with_and_without_b
@each_input
def test_every_kind_of_input(
    ours: Program,
    make: Callable[[Path], contextlib.AbstractContextManager[Input]],
    options: list[str],
    tmp_path: Path,
) -> None:
    """Whatever standard input is, its lines arrive and its end is the end."""
    data = text()
    with make(tmp_path) as (fd, feed):
        script = [*options, *KEEP, "./d", "-a", "1"]
        starting = running(ours, script, Stage(tmp_path, stdin=fd))
        with starting as process, feeding(lambda: feed(data)):
            ending = finish(process)
    without_a = [line for line in data.splitlines(keepends=True) if b"a" not in line]
    assert (ending.code, ending.err) == (0, b"")
    assert (tmp_path / "d" / "current").read_bytes() == data
    assert ending.out == b"".join(without_a)


@with_and_without_b
def test_hangup_of_a_terminal(
    ours: Program, options: list[str], tmp_path: Path
) -> None:
    """A terminal that goes away ends the input with a warning and nothing lost."""
    master, slave = pty.openpty()
    script = [*options, "./d"]
    with running(ours, script, Stage(tmp_path, stdin=slave)) as process:
        os.close(slave)
        os.write(master, b"one\ntwo\n")
        settle(process)
        os.close(master)
        ending = finish(process)
    assert ending.code == 0
    assert ending.err in (
        b"",  # Linux may report the end of the file instead
        b"s6-log: warning: unable to read from stdin: Input/output error\n",
    )
    assert (tmp_path / "d" / "current").read_bytes() == b"one\ntwo\n"


@with_and_without_b
@pytest.mark.parametrize("redirection", ["<&-", "</dev/null"])
def test_no_input(
    ours: Program, redirection: str, options: list[str], tmp_path: Path
) -> None:
    """A closed standard input and /dev/null both are an input that has ended."""
    shell = Program("sh", ("/bin/sh", "-c", f'exec "$0" "$@" {redirection}'))
    script = [*ours.argv, *options, "./d", "1"]
    with running(shell, script, Stage(tmp_path)) as process:
        ending = finish(process)
    assert (ending.code, ending.out, ending.err) == (0, b"", b"")
    assert (tmp_path / "d" / "current").stat().st_mode & 0o777 == 0o744


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_closed_descriptors_are_not_used_for_files(
    ours: Program, closed: str, tmp_path: Path
) -> None:
    """What is said on closed descriptors goes nowhere, above all into no log file."""
    shell = Program("sh", ("/bin/sh", "-c", f'exec "$0" "$@" {closed}'))
    script = [*ours.argv, "1", "2", "./d"]
    ending = run(shell, script, b"a\n", Stage(tmp_path))
    expected = b"" if "<&-" in closed else b"a\n"
    assert ending.code == 0
    assert (tmp_path / "d" / "current").read_bytes() == expected


@with_and_without_b
@pytest.mark.parametrize("finished", [True, False], ids=["line", "unfinished line"])
def test_one_line_of_64_mib(
    ours: Program, finished: bool, options: list[str], tmp_path: Path
) -> None:
    """With -l 0 a line may be as long as it likes, finished or not."""
    data = random.Random(3).randbytes(1 << 20).translate(None, b"\n\0") * 64
    ending = run(
        ours,
        [*options, "-l0", *KEEP, "./d"],
        b"first\n" + data + b"\n" * finished,
        Stage(tmp_path),
    )
    assert (ending.code, ending.err) == (0, b"")
    assert len(data) > MANY_BYTES * 0.9
    # One comparison without a report: its difference would be as long.
    logged = (tmp_path / "d" / "current").read_bytes()
    assert len(logged) == len(data) + len(b"first\n\n")
    same = logged == b"first\n" + data + b"\n"
    assert same


@with_and_without_b
def test_lines_of_any_bytes(ours: Program, options: list[str], tmp_path: Path) -> None:
    """Bytes are not characters: everything but LF and NUL passes untouched."""
    data = random.Random(4).randbytes(1 << 20)
    script = [*options, "-l0", *KEEP, "./d", "1"]
    ending = run(ours, script, data, Stage(tmp_path))
    expected = data.replace(b"\0", b"\n")
    expected += b"" if expected.endswith(b"\n") else b"\n"
    assert (ending.code, ending.err) == (0, b"")
    assert ending.out == expected
    assert (tmp_path / "d" / "current").read_bytes() == expected


@pytest.mark.parametrize("options", [["-b", "-l0"], ["-b"]], ids=["-l0", "-l8192"])
def test_line_longer_than_the_pipe(
    ours: Program, options: list[str], tmp_path: Path
) -> None:
    """With -b a line that fills the pipe is taken out of it, and comes out whole."""
    line = b"x" * 8000 + b"\n"
    with Pipe(4096) as pipe:
        stage = Stage(tmp_path, stdin=pipe.read)
        with running(ours, [*options, "./d"], stage) as process:
            pipe.feed(3 * line)
            pipe.end()
            ending = finish(process)
    assert (ending.code, ending.err) == (0, b"")
    assert (tmp_path / "d" / "current").read_bytes() == 3 * line


def test_line_in_tiny_pieces_that_fill_the_pipe(ours: Program, tmp_path: Path) -> None:
    """With -b a pipe can be full with few bytes in it; the line still comes out."""
    line = b"x" * 100 + b"\n"
    (tmp_path / "line").write_bytes(line)
    with Pipe() as pipe, (tmp_path / "line").open("rb", buffering=0) as file:
        stage = Stage(tmp_path, stdin=pipe.read)
        with running(ours, ["-b", "./d"], stage) as process:
            for _ in line:
                wait_until(pipe.room, "room in the pipe")
                # What is spliced from a file is never merged with what is there.
                assert os.splice(file.fileno(), pipe.write, 1) == 1
            pipe.end()
            ending = finish(process)
    assert (ending.code, ending.err) == (0, b"")
    assert (tmp_path / "d" / "current").read_bytes() == line


def test_b_leaves_unfinished_lines_in_the_pipe(ours: Program, tmp_path: Path) -> None:
    """With -b what no newline ends yet stays where the next logger can read it."""
    with Pipe() as pipe:
        stage = Stage(tmp_path, stdin=pipe.read)
        with running(ours, ["-b", "./d"], stage) as process:
            pipe.feed(b"one\ntwo\nthr")
            settle(process)
            assert (tmp_path / "d" / "current").read_bytes() == b"one\ntwo\n"
            assert pipe.waiting() == len(b"thr")
            pipe.feed(b"ee\n")
            settle(process)
            assert (tmp_path / "d" / "current").read_bytes() == b"one\ntwo\nthree\n"
            assert pipe.waiting() == 0


@with_and_without_b
def test_descriptors_stay_as_they_were(
    ours: Program, options: list[str], tmp_path: Path
) -> None:
    """A pipe that its owner made non-blocking works, and stays non-blocking."""
    with Pipe() as pipe:
        os.set_blocking(pipe.read, False)
        stage = Stage(tmp_path, stdin=pipe.read)
        with running(ours, [*options, "1"], stage) as process:
            settle(process)
            pipe.feed(b"a\n")
            pipe.end()
            assert finish(process).out == b"a\n"
        assert fcntl.fcntl(pipe.read, fcntl.F_GETFL) & os.O_NONBLOCK
