"""Standard output and error as they really are: slow, shared, closed by others."""

import os
import random
import select
import socket
from contextlib import ExitStack
from pathlib import Path

import pytest

from harness import DEADLINE_S, Pipe, Process, Program, Stage, finish, run, running
from numbered import WHOLE, Reading, Source, lines
from watching import flags, resident_bytes, settle

KEEP = ["n9999", "s268435455"]
LIMIT_BYTES = 16 << 20
PIPES_BYTES = 3 << 18  # both pipes, enlarged, and the buffer between them
"""How much an output may hold (DESIGN: difference 3)."""

LOST = (
    b"s6-log: warning: unable to write to stdout, closing the stream - "
    b"error was: Broken pipe\n"
)


@pytest.mark.parametrize("options", [[], ["-q"], ["-b"]], ids=["", "-q", "-b"])
def test_reader_of_stdout_goes_away(
    ours: Program, options: list[str], tmp_path: Path
) -> None:
    """That action ends with one warning, even under -q; the others go on.

    Its lines still count as acted upon: `f` does not select them.
    """
    script = [*options, "--", "-", "+<0", "1", "./d", "f", "./rest"]
    with Pipe() as pipe, Pipe() as out:
        stage = Stage(tmp_path, stdin=pipe.read, stdout=out.write)
        with running(ours, script, stage) as process:
            out.end()
            pipe.feed(lines(0, 10))
            settle(process)
            assert os.read(out.read, 65536) == lines(0, 10)
            out.drop_read()
            pipe.feed(lines(10, 20))
            settle(process)
            pipe.feed(lines(20, 30) + b"other\n")
            pipe.end()
            ending = finish(process)
    assert (ending.code, ending.err) == (0, LOST)
    assert Reading(tmp_path / "d").numbers == list(range(30))
    assert (tmp_path / "rest" / "current").read_bytes() == b"other\n"


def test_reader_of_stdout_goes_away_while_lines_wait(
    ours: Program, tmp_path: Path
) -> None:
    """What waited for the reader is dropped with it; the logger goes on and ends."""
    with Pipe() as pipe, Pipe(4096) as out:
        stage = Stage(tmp_path, stdin=pipe.read, stdout=out.write)
        with running(ours, [*KEEP, "1", "./d"], stage) as process:
            out.end()
            pipe.feed(lines(0, 5000))
            settle(process)
            out.drop_read()
            pipe.feed(lines(5000, 6000))
            pipe.end()
            ending = finish(process)
    assert (ending.code, ending.err) == (0, LOST)
    assert Reading(tmp_path / "d").numbers == list(range(6000))


def test_full_device_as_stdout(ours: Program, tmp_path: Path) -> None:
    """Any error but EAGAIN ends the action, and says why."""
    with Path("/dev/full").open("wb") as full:
        stage = Stage(tmp_path, stdout=full.fileno())
        ending = run(ours, ["1", "./d"], lines(0, 10), stage)
    reason = LOST.replace(b"Broken pipe", b"No space left on device")
    assert (ending.code, ending.err) == (0, reason)
    assert Reading(tmp_path / "d").numbers == list(range(10))


def test_regular_file_as_stdout(ours: Program, tmp_path: Path) -> None:
    """A file opened without O_APPEND is written from where its offset is."""
    (tmp_path / "out").write_bytes(b"before\nto be overwritten")
    with (tmp_path / "out").open("r+b", buffering=0) as file:
        file.seek(len(b"before\n"))
        stage = Stage(tmp_path, stdout=file.fileno())
        assert run(ours, ["1"], lines(0, 100), stage).code == 0
        file.write(b"after\n")
    assert (tmp_path / "out").read_bytes() == b"before\n" + lines(0, 100) + b"after\n"


def test_reader_of_stderr_goes_away(ours: Program, tmp_path: Path) -> None:
    """Alerts that nobody reads harm nothing."""
    with Pipe() as pipe, Pipe() as err:
        stage = Stage(tmp_path, stdin=pipe.read, stderr=err.write)
        with running(ours, ["2", "1", "./d"], stage) as process:
            err.end()
            err.drop_read()
            pipe.feed(lines(0, 100))
            pipe.end()
            ending = finish(process)
    assert (ending.code, ending.out) == (0, lines(0, 100))
    assert Reading(tmp_path / "d").numbers == list(range(100))


@pytest.mark.parametrize("options", [[], ["-b"]], ids=["", "-b"])
def test_slow_reader_gets_everything(
    ours: Program, options: list[str], tmp_path: Path
) -> None:
    """A reader that takes little at a time delays the end and loses nothing."""
    data = lines(0, 8000, 100)
    with Pipe() as pipe, Pipe(4096) as out:
        stage = Stage(tmp_path, stdin=pipe.read, stdout=out.write)
        with running(ours, [*options, "1"], stage) as process:
            out.end()
            source = memoryview(data)
            received = b""
            while source:
                ready = select.select([out.read], [pipe.write], [], DEADLINE_S)
                assert any(ready), "neither reads nor writes"
                source = source[pipe.offer(source[:65536]) :]
                received += os.read(out.read, 3000) if ready[0] else b""
            pipe.end()
            received += b"".join(iter(lambda: os.read(out.read, 3000), b""))
            assert finish(process).code == 0
    assert received == data


def test_stuck_reader_bounds_memory(ours: Program, tmp_path: Path) -> None:
    """A reader that stops stops the input at the buffer's limit, and says so once.

    When it reads again, so does the logger; nothing is lost.
    """
    with Pipe() as pipe, Pipe() as out:
        source = Source(pipe, 1000)
        stage = Stage(tmp_path, stdin=pipe.read, stdout=out.write)
        with running(ours, [*KEEP, "1", "./d"], stage) as process:
            out.end()
            settle(process)
            base_bytes = resident_bytes(process.pid)
            source.pour_until_stuck(process)
            assert source.given <= LIMIT_BYTES + PIPES_BYTES
            assert source.given >= LIMIT_BYTES - 65536
            assert resident_bytes(process.pid) - base_bytes <= LIMIT_BYTES + (4 << 20)
            received = read_exactly(out.read, source.given // 2)
            source.pour_until_stuck(process)
            # All but a line that is not finished yet.
            received += read_exactly(out.read, source.given - len(received) - 1000)
            count = source.stop()
            received += b"".join(iter(lambda: os.read(out.read, 65536), b""))
            ending = finish(process)
    assert ending.code == 0
    stopped, resumed, *more = ending.err.splitlines()
    assert stopped.startswith(b"s6-log: warning: reading stopped: ")
    assert b"stdout" in stopped
    assert resumed.startswith(b"s6-log: warning: reading goes on: ")
    assert len(more) % 2 == 0
    assert Reading(tmp_path / "d").numbers == list(range(count))
    matches = [WHOLE.fullmatch(line) for line in received.splitlines()]
    assert [int(match[1]) for match in matches if match] == list(range(count))
    assert all(matches)


def test_b_stops_reading_at_once(ours: Program, tmp_path: Path) -> None:
    """With -b not even the buffer's limit is taken in advance of the reader."""
    with Pipe() as pipe, Pipe() as out:
        source = Source(pipe)
        stage = Stage(tmp_path, stdin=pipe.read, stdout=out.write)
        with running(ours, ["-b", "1"], stage) as process:
            source.pour_until_stuck(process)
            assert source.given <= 4 * 65536


@pytest.mark.parametrize("options", [[], ["-b"]], ids=["", "-b"])
def test_sigterm_while_the_reader_is_stuck(
    ours: Program, options: list[str], tmp_path: Path
) -> None:
    """What was taken comes out before the end, what comes after it is left behind."""
    with Pipe() as pipe, Pipe(4096) as out:
        stage = Stage(tmp_path, stdin=pipe.read, stdout=out.write)
        with running(ours, [*options, "1"], stage) as process:
            out.end()
            settle(process)
            pipe.feed(lines(0, 1000))
            settle(process)
            process.terminate()
            settle(process)
            assert process.poll() is None
            pipe.offer(lines(1000, 1010))
            received = b"".join(iter(lambda: os.read(out.read, 3000), b""))
            ending = finish(process)
        pipe.end()
        left = b"".join(iter(lambda: os.read(pipe.read, 65536), b""))
    assert (ending.code, ending.err) == (0, b"")
    assert received + left == lines(0, 1010)
    assert received == lines(0, 1000)


KINDS = ["pipe", "fifo", "socket"]


def channel(kind: str, path: Path, stack: ExitStack) -> tuple[int, int]:
    """Make a read end and a write end, both blocking, closed with the stack."""
    if kind == "pipe":
        ends = os.pipe()
    elif kind == "socket":
        pair = socket.socketpair()
        ends = (pair[0].detach(), pair[1].detach())
    else:
        os.mkfifo(path)
        both = os.open(path, os.O_RDWR)
        ends = (os.open(path, os.O_RDONLY), os.open(path, os.O_WRONLY))
        os.close(both)
    for fd in ends:
        stack.callback(os.close, fd)
    return ends


@pytest.mark.parametrize("options", [[], ["-b"]], ids=["", "-b"])
@pytest.mark.parametrize("kind", KINDS)
def test_inherited_descriptors_stay_blocking(
    ours: Program, kind: str, options: list[str], tmp_path: Path
) -> None:
    """O_NONBLOCK never shows on what other processes share, not even when stuck."""
    with ExitStack() as stack:
        ends = [channel(kind, tmp_path / name, stack) for name in ("in", "out", "err")]
        (stdin, feed), (_, stdout), (_, stderr) = ends
        # A socket's two ends have nothing in common, nor have those of a pipe.
        os.set_blocking(feed, False)
        stage = Stage(tmp_path, stdin, stdout, stderr)
        with running(ours, [*options, "E0", "2", "1", "./d"], stage) as process:
            settle(process)
            assert blocking(process.pid)
            offer_until_stuck(feed, lines(0, 20_000), process)
            assert blocking(process.pid)


def blocking(pid: int) -> bool:
    """Tell whether none of a process's standard descriptors has O_NONBLOCK."""
    return not any(flags(pid, fd) & os.O_NONBLOCK for fd in (0, 1, 2))


def offer_until_stuck(fd: int, data: bytes, process: Process) -> None:
    """Write until all is written, or nothing more is taken by a sleeping reader."""
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(fd, view[:65536]) :]
        except BlockingIOError:
            settle(process)
            if not select.select([], [fd], [], 0)[1]:
                return
    settle(process)


@pytest.mark.parametrize("kind", KINDS)
def test_loggers_sharing_stdout_never_tear_lines(
    ours: Program, kind: str, tmp_path: Path
) -> None:
    """Lines of several loggers on one descriptor come whole, even above PIPE_BUF."""
    inputs = [shared_lines(letter) for letter in b"abcd"]
    with ExitStack() as stack:
        read, write = channel(kind, tmp_path / "out", stack)
        processes = []
        for number, data in enumerate(inputs):
            path = tmp_path / str(number)
            path.write_bytes(data)
            stdin = stack.enter_context(path.open("rb"))
            stage = Stage(tmp_path, stdin.fileno(), write)
            starting = running(ours, ["-l0", "1"], stage)
            processes.append(stack.enter_context(starting))
        received = read_exactly(read, sum(map(len, inputs)))
        for process in processes:
            ending = finish(process)
            assert (ending.code, ending.err) == (0, b"")
        assert not select.select([read], [], [], 0)[0]
    for letter, data in zip(b"abcd", inputs, strict=True):
        mine = [x for x in received.splitlines(keepends=True) if x[0] == letter]
        assert b"".join(mine) == data


def shared_lines(letter: int) -> bytes:
    """Make lines of one letter, of all lengths up to some PIPE_BUFs."""
    rng = random.Random(letter)
    sizes = [rng.choice((10, 100, 5000, 20_000)) for _ in range(150)]
    return b"".join(bytes([letter]) * rng.randint(1, size) + b"\n" for size in sizes)


def read_exactly(fd: int, size_bytes: int) -> bytes:
    """Read slowly, a little at a time, until there are that many bytes."""
    received = bytearray()
    while len(received) < size_bytes:
        received += read_some(fd, size_bytes - len(received))
    return bytes(received)


def read_some(fd: int, most_bytes: int = 3000) -> bytes:
    """Wait for something to read, and read some of it."""
    assert select.select([fd], [], [], DEADLINE_S)[0], "nothing comes"
    return os.read(fd, min(3000, most_bytes))
