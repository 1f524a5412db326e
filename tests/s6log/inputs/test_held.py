"""Bytes looked at and left in the input until they are committed."""

import contextlib
import fcntl
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import Pipe
from inside import heard, open_descriptors, other_process, tell
from s6log.inputs.held import SMALL_LINE_BYTES, Copy, Peek, PipeCopy

ROOM = 1 << 17
PAGE_BYTES = 4096
SLOTS = 16
"""Pieces that a pipe of 64 KiB has room for, whatever their size (pipe(7))."""


@contextlib.contextmanager
def copying(capacity_bytes: int = 65536) -> Iterator[tuple[Pipe, PipeCopy]]:
    """Open a pipe and look into it."""
    with Pipe(capacity_bytes) as pipe:
        taking = PipeCopy(pipe.read)
        yield pipe, taking
        taking.close()


@contextlib.contextmanager
def peeking() -> Iterator[tuple[socket.socket, Peek]]:
    """Open a pair of stream sockets and look into one."""
    here, there = socket.socketpair()
    with here, there:
        taking = Peek(here.fileno())
        yield there, taking
        taking.close()


def look(taking: PipeCopy | Peek) -> bytes:
    """Take everything there is."""
    view = memoryview(bytearray(ROOM))
    return bytes(view[: taking.take(view)])


# ---- pipes


def test_a_look_takes_nothing_out_of_a_pipe() -> None:
    """It shows the same bytes again, and what has come since."""
    with copying() as (pipe, taking):
        pipe.feed(b"one\n")
        assert look(taking) == look(taking) == b"one\n"
        pipe.feed(b"two\n")
        assert look(taking) == b"one\ntwo\n"
        assert pipe.waiting() == 8


def test_committed_bytes_leave_the_pipe() -> None:
    """Exactly those; another reader goes on behind them."""
    with copying() as (pipe, taking):
        pipe.feed(b"one\ntwo\nthree")
        look(taking)
        taking.commit(4)
        assert look(taking) == b"two\nthree"
        taking.commit(0)
        assert os.read(pipe.read, ROOM) == b"two\nthree"


def test_an_empty_pipe_has_nothing_now_or_ever() -> None:
    """Which of both, depends on whether there is a writer."""
    with copying() as (pipe, taking):
        with pytest.raises(BlockingIOError):
            look(taking)
        pipe.feed(b"a")
        look(taking)
        taking.commit(1)
        with pytest.raises(BlockingIOError):
            look(taking)
        pipe.end()
        assert look(taking) == b""


def test_a_pipe_has_ended_when_its_last_writer_has_left() -> None:
    """Even while there are bytes in it."""
    with copying() as (pipe, taking):
        pipe.feed(b"a")
        other = os.dup(pipe.write)
        pipe.end()
        assert not taking.ended()
        os.close(other)
        assert taking.ended()
        assert look(taking) == b"a"


def test_only_part_of_a_pipe_may_be_looked_at() -> None:
    """As much as the view has room for."""
    with copying() as (pipe, taking):
        pipe.feed(b"abcdef")
        view = memoryview(bytearray(4))
        assert (taking.take(view), bytes(view)) == (4, b"abcd")
        taking.commit(2)
        assert (taking.take(view), bytes(view)) == (4, b"cdef")


def test_a_full_pipe_is_seen_whole() -> None:
    """The copy is as large as the pipe, whatever size that has."""
    for capacity in (PAGE_BYTES, 65536, 1 << 20):
        with copying(capacity) as (pipe, taking):
            assert taking.window_bytes == capacity
            data = os.urandom(capacity)
            assert pipe.offer(data) == capacity
            view = memoryview(bytearray(capacity))
            assert taking.take(view) == capacity
            assert bytes(view) == data
            assert taking.crowded()
            taking.commit(capacity)
            assert pipe.waiting() == 0


def test_a_pipe_with_room_is_not_crowded() -> None:
    """An unfinished line can wait in it."""
    with copying() as (pipe, taking):
        pipe.feed(b"x" * (65536 - PAGE_BYTES))
        look(taking)
        assert not taking.crowded()
        pipe.feed(b"x" * PAGE_BYTES)
        look(taking)
        assert taking.crowded()


def test_a_pipe_may_be_full_of_little() -> None:
    """Each spliced byte fills a slot, and full is when the slots are."""
    with copying() as (pipe, taking), Pipe() as other:
        for count in range(1, SLOTS + 1):
            other.feed(b"x")
            assert os.splice(other.read, pipe.write, 1) == 1
            assert len(look(taking)) == count
            assert taking.crowded() == (count == SLOTS)
        taking.commit(SLOTS)
        pipe.feed(b"y")
        assert look(taking) == b"y"


def test_one_byte_writes_share_a_slot() -> None:
    """They do not crowd a pipe."""
    with copying() as (pipe, taking):
        for _ in range(1000):
            pipe.feed(b"x")
        assert look(taking) == b"x" * 1000
        assert not taking.crowded()


def test_a_pipe_is_left_as_it_was() -> None:
    """Its description, which others share, is not touched; our own is closed."""
    with Pipe() as pipe:
        before = open_descriptors()
        flags = fcntl.fcntl(pipe.read, fcntl.F_GETFL)
        taking = PipeCopy(pipe.read)
        pipe.feed(b"abc")
        look(taking)
        taking.crowded()
        taking.commit(1)
        assert fcntl.fcntl(pipe.read, fcntl.F_GETFL) == flags
        taking.close()
        assert open_descriptors() == before


@settings(max_examples=50)
@given(
    st.lists(
        st.tuples(st.sampled_from(("write", "look", "commit")), st.integers(0, 6000)),
        max_size=25,
    )
)
def test_a_pipe_is_a_queue(steps: list[tuple[str, int]]) -> None:
    """Whatever is written, looked at and committed, in any order and size."""
    written = committed = seen = 0
    data = bytes(range(251)) * 800
    with copying() as (pipe, taking):
        for step, size in steps:
            if step == "write":
                written += pipe.offer(data[written : written + size])
            elif step == "commit":
                count = min(size, seen)
                taking.commit(count)
                committed += count
                seen -= count
            elif written > committed:
                assert look(taking) == data[committed:written]
                seen = written - committed
            assert pipe.waiting() == written - committed


CHANGED_USER = """
import os
from s6log.inputs.held import PipeCopy
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
taking = PipeCopy(int(sys.argv[1]))
view = memoryview(bytearray(1 << 17))
for _ in sys.stdin:
    print(taking.take(view), taking.crowded(), flush=True)
"""


def test_after_a_change_of_user_half_full_may_be_full() -> None:
    """A pipe that cannot be reopened does not tell; so it is emptied in time."""
    if os.getuid() != 0:
        pytest.skip("only root can become somebody else")
    with (
        Pipe() as pipe,
        other_process(CHANGED_USER, str(pipe.read), fds=(pipe.read,)) as process,
    ):
        answers = []
        for size in (100, 32768 - 101, 1):
            pipe.feed(b"x" * size)
            tell(process)
            answers.append(heard(process))
    assert answers == ["100 False", "32767 False", "32768 True"]


MANY_PIPES = """
import fcntl, os
from s6log.inputs.held import PipeCopy
os.setgroups([])
os.setgid(54321)
os.setuid(54321)
size = 1 << 16
while size == 1 << 16:
    read, write = os.pipe()
    size = fcntl.fcntl(write, fcntl.F_GETPIPE_SZ)
    try:
        fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, 1 << 20)
    except PermissionError:
        pass
taking = PipeCopy(int(sys.argv[1]))
view = memoryview(bytearray(1 << 17))
for _ in sys.stdin:
    print(taking.take(view), taking.crowded(), flush=True)
"""


def test_a_copy_may_be_smaller_than_its_pipe() -> None:
    """When its user has many pipes; full, it shows a part, and must be emptied."""
    pages = int(Path("/proc/sys/fs/pipe-user-pages-soft").read_text())
    if os.getuid() != 0 or not 0 < pages <= 1 << 16:
        pytest.skip("nobody can be made to have too many pipes")
    with (
        Pipe() as pipe,
        other_process(MANY_PIPES, str(pipe.read), fds=(pipe.read,)) as process,
    ):
        answers = []
        for size in (100, 20_000):
            pipe.feed(b"x" * size)
            tell(process)
            answers.append(heard(process).split())
    (first, room), (shown, full) = answers
    assert (first, room) == ("100", "False")
    assert int(shown) <= 8192
    assert full == "True"


def test_several_looks_can_share_a_copy() -> None:
    """It is as large as the largest needs, and stays when one of them ends."""
    copy = Copy()
    with Pipe() as small, Pipe(4 * 65536) as large:
        one, other = PipeCopy(small.read, copy), PipeCopy(large.read, copy)
        small.feed(b"one")
        large.feed(200_000 * b"x")
        view = memoryview(bytearray(1 << 18))
        assert [other.take(view), one.take(view)] == [200_000, 3]
        assert bytes(view[:3]) == b"one"
        other.close()
        one.commit(2)
        assert look(one) == b"e"
        before = open_descriptors()
        one.close()
        assert open_descriptors() == before
    copy.close()


SIGNALS = 2000
EVERY_S = 20e-6


@contextlib.contextmanager
def storm(caught: list[int]) -> Iterator[None]:
    """Have signals all the time; each is noted."""

    def note(signum: int, _frame: object) -> None:
        caught.append(signum)

    before = signal.signal(signal.SIGALRM, note)
    signal.setitimer(signal.ITIMER_REAL, EVERY_S, EVERY_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_signals_are_no_answer() -> None:
    """An empty pipe is looked into again when a signal has come in between."""
    caught: list[int] = []
    with copying() as (pipe, taking), storm(caught):
        while len(caught) < SIGNALS:
            with pytest.raises(BlockingIOError):
                look(taking)
            pipe.feed(b"one\n")
            assert look(taking) == b"one\n"
            taking.commit(4)


def test_what_is_no_pipe_cannot_be_looked_into() -> None:
    """Any more: other errors come as they are."""
    with copying() as (pipe, taking), open(os.devnull, "rb") as null:
        os.dup2(null.fileno(), pipe.read)
        with pytest.raises(OSError, match="Invalid argument"):
            look(taking)


# ---- sockets


def test_a_look_takes_nothing_out_of_a_socket() -> None:
    """It shows the same bytes again, and what has come since."""
    with peeking() as (peer, taking):
        peer.sendall(b"one\n")
        assert look(taking) == look(taking) == b"one\n"
        peer.sendall(b"two\nthr")
        assert look(taking) == b"one\ntwo\nthr"
        taking.commit(8)
        assert look(taking) == b"thr"


def test_many_bytes_leave_a_socket_at_once() -> None:
    """More than one read gives."""
    with peeking() as (peer, taking):
        peer.setblocking(False)
        data = os.urandom(100_000)
        sent = peer.send(data)
        assert look(taking) == data[:sent]
        taking.commit(sent)
        with pytest.raises(BlockingIOError):
            look(taking)


def test_an_empty_socket_has_nothing_now_or_ever() -> None:
    """Which of both, depends on whether the peer has finished."""
    with peeking() as (peer, taking):
        with pytest.raises(BlockingIOError):
            look(taking)
        assert not taking.ended()
        peer.sendall(b"a")
        peer.shutdown(socket.SHUT_WR)
        assert taking.ended()
        assert look(taking) == b"a"
        taking.commit(1)
        assert look(taking) == b""


def test_small_lines_may_wait_in_a_socket() -> None:
    """Others may not, as nothing tells whether there is room for their rest."""
    with peeking() as (peer, taking):
        peer.sendall(b"x" * (SMALL_LINE_BYTES - 1))
        look(taking)
        assert not taking.crowded()
        peer.sendall(b"x")
        look(taking)
        assert taking.crowded()


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_SEQPACKET])
def test_only_streams_can_be_looked_into(kind: int) -> None:
    """Half a datagram cannot be left; the refusal leaves nothing open."""
    here, there = socket.socketpair(socket.AF_UNIX, kind)
    with here, there:
        before = open_descriptors()
        with pytest.raises(OSError, match="not a stream"):
            Peek(here.fileno())
        assert open_descriptors() == before


def test_closing_a_look_leaves_the_socket_open() -> None:
    """It was a duplicate."""
    here, there = socket.socketpair()
    with here, there:
        before = open_descriptors()
        taking = Peek(here.fileno())
        there.sendall(b"a")
        look(taking)
        taking.close()
        assert open_descriptors() == before
        assert here.recv(10) == b"a"
