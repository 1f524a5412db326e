"""Lines on a descriptor that others write to, too: all of them, whole, in order."""

import os
import select
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import DEADLINE_S, Pipe
from inside import (
    Desk,
    drive,
    heard,
    looping,
    open_descriptors,
    other_process,
    settle,
    tell,
)
from s6log.outputs.shared import Shared
from s6log.unix.fds import PIPE_BUF
from s6log.unix.loop import Loop

LINES = st.lists(
    st.one_of(st.integers(0, 40), st.integers(3000, 9000)), min_size=1, max_size=6
)


def line(size: int, letter: bytes = b"x") -> bytes:
    """Make a line of some bytes and an LF."""
    return letter * size + b"\n"


class Rig:
    """A pipe of one page that is written to through a Shared."""

    def __init__(self, desk: Desk, fd: int) -> None:
        self.loop = desk.loop
        self.errors: list[OSError] = []
        self.changes = 0
        self.shared = Shared(desk.context, fd, self.errors.append)
        self.port = self.shared.port()
        self.shared.changed = self._on_change

    @property
    def pending(self) -> int:
        """Bytes that wait."""
        return self.port.outbox.size

    def put(self, head: bytes, *lines: bytes) -> None:
        """Write a block of lines."""
        block = b"".join(lines)
        self.port.put(head, bytearray(block + b"behind\n"), len(block))

    def _on_change(self) -> None:
        self.changes += 1


def drained(rig: Rig, read_fd: int, size_bytes: int) -> bytes:
    """Read until nothing waits, a little at a time, while the loop turns."""
    received = b""
    while rig.pending:
        received += take(read_fd, size_bytes)
        settle(rig.loop)
    while piece := take(read_fd, size_bytes):
        received += piece
    return received


def take(fd: int, size_bytes: int) -> bytes:
    """Read what is there, or nothing."""
    ready = select.select([fd], [], [], 0)[0]
    return os.read(fd, size_bytes) if ready else b""


@pytest.fixture
def desk(loop: Loop, tmp_path: Path) -> Iterator[Desk]:
    """Give what outputs share."""
    with Desk(loop, tmp_path) as made:
        yield made


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    """Open a pipe of one page, with a write end that blocks as usual."""
    with Pipe(PIPE_BUF) as made:
        os.set_blocking(made.write, True)
        yield made


@pytest.fixture
def rig(desk: Desk, pipe: Pipe) -> Iterator[Rig]:
    """Write to the pipe."""
    rig = Rig(desk, pipe.write)
    yield rig
    if not rig.shared.closed:
        rig.shared.close()


# ---- slow readers


def test_what_fits_is_written_at_once(rig: Rig, pipe: Pipe) -> None:
    """Without a turn of the loop; its prefix comes first, what is behind it not."""
    rig.put(b"head ", b"one\n", b"head two\n")
    assert rig.pending == 0
    assert os.read(pipe.read, 100) == b"head one\nhead two\n"


def test_what_does_not_fit_waits(rig: Rig, pipe: Pipe, desk: Desk) -> None:
    """It is counted; when there is room again it leaves, and that is told."""
    rig.put(b"", line(6000))
    assert rig.pending == 6001 - PIPE_BUF
    assert desk.context.backlog.size == rig.pending
    rig.put(b"", line(10))
    settle(rig.loop)
    assert rig.pending == 6001 - PIPE_BUF + 11
    assert rig.changes == 0
    assert os.read(pipe.read, PIPE_BUF) == b"x" * PIPE_BUF
    drive(rig.loop, lambda: rig.pending == 0, "the rest to leave")
    assert rig.changes > 0
    assert desk.context.backlog.size == 0
    assert os.read(pipe.read, PIPE_BUF) == line(6000 - PIPE_BUF) + line(10)


@settings(max_examples=30)
@given(
    st.lists(st.tuples(st.sampled_from([b"", b"head "]), LINES), max_size=5),
    st.integers(500, 5000),
)
def test_everything_arrives_in_order(
    blocks: list[tuple[bytes, list[int]]], size_bytes: int
) -> None:
    """Whatever the blocks, and however slowly they are read."""
    with looping() as loop, Desk(loop, Path("/")) as desk, Pipe(PIPE_BUF) as pipe:
        rig = Rig(desk, pipe.write)
        expected = received = b""
        for number, (head, sizes) in enumerate(blocks):
            lines = [line(size, b"%d" % (number % 10)) for size in sizes]
            rig.put(head, *lines)
            expected += head + b"".join(lines)
            received += take(pipe.read, size_bytes)
        received += drained(rig, pipe.read, size_bytes)
        rig.shared.close()
    assert received == expected


def test_a_file_takes_everything_at_once(desk: Desk, tmp_path: Path) -> None:
    """Where it is, and behind what others write."""
    fd = os.open(tmp_path / "file", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    rig = Rig(desk, fd)
    rig.put(b"", line(100_000))
    os.write(fd, b"other\n")
    rig.put(b"a ", b"b\n")
    assert rig.pending == 0
    rig.shared.close()
    os.close(fd)
    assert (tmp_path / "file").read_bytes() == line(100_000) + b"other\na b\n"


# ---- readers that go away


def test_a_reader_that_goes_away_is_lost_once(rig: Rig, pipe: Pipe) -> None:
    """Whatever is put afterwards is dropped; the number stays occupied."""
    pipe.drop_read()
    rig.put(b"", b"one\n")
    rig.put(b"", b"two\n")
    rig.shared.port(careful=True).put(b"", b"three\n", 6)
    rig.shared.flush()
    (error,) = rig.errors
    assert isinstance(error, BrokenPipeError)
    assert (rig.shared.closed, rig.pending) == (True, 0)
    assert os.readlink(f"/proc/self/fd/{pipe.write}") == "/dev/null"
    settle(rig.loop)


def test_lines_that_wait_are_lost_with_the_reader(
    rig: Rig, pipe: Pipe, desk: Desk
) -> None:
    """Nothing waits any more, and whoever waited for that is told."""
    rig.put(b"", line(10_000))
    assert rig.pending
    pipe.drop_read()
    drive(rig.loop, lambda: rig.shared.closed, "the loss to be noticed")
    assert len(rig.errors) == 1
    assert (rig.pending, desk.context.backlog.size) == (0, 0)
    assert rig.changes > 0


def test_closing_drops_what_waits(desk: Desk) -> None:
    """And leaves the descriptor as it was."""
    with Pipe(PIPE_BUF) as pipe:
        before = open_descriptors()
        rig = Rig(desk, pipe.write)
        rig.put(b"", line(10_000))
        rig.shared.close()
        assert open_descriptors() == before
        assert (rig.pending, rig.errors) == (0, [])
        assert os.read(pipe.read, 10_000) == b"x" * PIPE_BUF
        settle(rig.loop)
        assert pipe.waiting() == 0
        assert pipe.offer(b"still open\n")


# ---- alerts: writes that nobody can tear


@pytest.mark.parametrize("head", [b"", b"s6-log: alert: "])
def test_lines_leave_in_atomic_writes(desk: Desk, head: bytes) -> None:
    """Whole lines, as many as fit into PIPE_BUF; a longer one comes alone."""
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    sizes = [100] * 100 + [PIPE_BUF - 1, PIPE_BUF, 9000, 0, 50]
    block = b"".join(line(size) for size in sizes)
    with here, there:
        rig = Rig(desk, there.fileno())
        rig.port.outbox.careful = True
        rig.port.put(head, block, len(block))
        rig.shared.close()
        here.setblocking(False)
        writes: list[bytes] = []
        while len(b"".join(writes)) < len(head) + len(block):
            writes.append(here.recv(1 << 16))
    assert b"".join(writes) == head + block
    assert all(write.endswith(b"\n") for write in writes)
    too_long = [write for write in writes if len(write) > PIPE_BUF]
    assert too_long == [line(PIPE_BUF), line(9000)]
    assert len(writes) < 12


def test_alerts_wait_like_other_lines(rig: Rig, pipe: Pipe) -> None:
    """What does not fit is kept in order, whichever way it is put."""
    block = b"".join(line(size) for size in [1000] * 6)
    rig.port.outbox.careful = True
    rig.port.put(b"a ", block, len(block))
    rig.port.outbox.careful = False
    rig.put(b"b ", b"c\n")
    rig.port.outbox.careful = True
    rig.port.put(b"d ", b"e\n", 2)
    assert drained(rig, pipe.read, 3000) == b"a " + block + b"b c\nd e\n"


# ---- other loggers

TURNS = """
from s6log.outputs.turns import Turns
turns = Turns(int(sys.argv[1]))
for line in sys.stdin:
    print(getattr(turns, line.strip())(), flush=True)
"""


def test_a_line_that_has_begun_is_finished_first(rig: Rig, pipe: Pipe) -> None:
    """The turn is kept while a line is torn, and no longer."""
    with other_process(TURNS, str(pipe.write), fds=(pipe.write,)) as other:
        rig.put(b"", line(6000), *[line(3000, b"y")] * 4)
        tell(other, "take")
        assert heard(other) == "False"
        os.read(pipe.read, PIPE_BUF)
        drive(rig.loop, lambda: rig.changes > 0, "the line's end to leave")
        tell(other, "take")
        assert heard(other) == "True"
        received = b"x" * PIPE_BUF + os.read(pipe.read, PIPE_BUF)
        assert received.endswith(b"\n")
        pending = rig.pending
        rig.changes = 0
        drive(rig.loop, lambda: rig.changes > 1, "some attempts to get the turn")
        assert rig.pending == pending
        assert take(pipe.read, 1) == b""
        tell(other, "give_back")
        heard(other)
        drive(rig.loop, lambda: rig.pending < pending, "our turn")


def test_lines_wait_for_their_turn(rig: Rig, pipe: Pipe) -> None:
    """Even when there is room for them; a holder that is killed is no obstacle."""
    with other_process(TURNS, str(pipe.write), fds=(pipe.write,)) as other:
        tell(other, "take")
        assert heard(other) == "True"
        rig.put(b"", b"one\n")
        rig.put(b"", b"two\n")
        assert rig.pending == 8
        tell(other, "wanted")
        assert heard(other) == "True"
    drive(rig.loop, lambda: rig.pending == 0, "our turn")
    assert os.read(pipe.read, 100) == b"one\ntwo\n"


WRITER = """
import os
from s6log.outputs.context import Context
from s6log.outputs.shared import Shared
from s6log.unix.loop import Loop
from s6log.unix.messages import Messages
fd, letter = int(sys.argv[1]), sys.argv[2].encode()
loop = Loop()
port = Shared(Context(loop, Messages(b"test"), -1, 0), fd, print).port()
for size in range(1, 12001, 400):
    port.put(b"", letter * size + b"\\n", size + 1)
while port.outbox.size:
    loop.turn()
"""


def test_lines_of_several_processes_are_never_torn(pipe: Pipe) -> None:
    """Not even those that do not fit into the pipe."""
    with (
        other_process(WRITER, str(pipe.write), "a", fds=(pipe.write,)) as one,
        other_process(WRITER, str(pipe.write), "b", fds=(pipe.write,)) as two,
    ):
        pipe.end()
        received = b""
        while select.select([pipe.read], [], [], DEADLINE_S)[0]:
            piece = os.read(pipe.read, 3000)
            if not piece:
                break
            received += piece
        assert (one.wait(), two.wait()) == (0, 0)
    lines = received.splitlines()
    for letter in (b"a", b"b"):
        mine = [text for text in lines if text.startswith(letter)]
        assert mine == [letter * size for size in range(1, 12001, 400)]
    assert len(lines) == 60
