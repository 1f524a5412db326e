"""Which way an input is waited for and taken, by what it is."""

import os
import pty
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness import Pipe
from inside import drive, open_descriptors, settle
from s6log.inputs.source import Source
from s6log.unix.loop import Loop


@contextmanager
def pipe(_folder: Path) -> Iterator[tuple[int, int]]:
    """Open a pipe."""
    with Pipe() as both:
        yield both.read, both.write


@contextmanager
def sockets(kind: int) -> Iterator[tuple[int, int]]:
    """Open a pair of sockets of some kind."""
    here, there = socket.socketpair(socket.AF_UNIX, kind)
    with here, there:
        yield here.fileno(), there.fileno()


@contextmanager
def stream(_folder: Path) -> Iterator[tuple[int, int]]:
    """Open a pair of stream sockets."""
    with sockets(socket.SOCK_STREAM) as ends:
        yield ends


@contextmanager
def datagrams(_folder: Path) -> Iterator[tuple[int, int]]:
    """Open a pair of datagram sockets."""
    with sockets(socket.SOCK_DGRAM) as ends:
        yield ends


@contextmanager
def file(folder: Path) -> Iterator[tuple[int, int]]:
    """Open a file twice: to read it from its start, and to append to it."""
    write = os.open(folder / "file", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    read = os.open(folder / "file", os.O_RDONLY)
    yield read, write
    os.close(read)
    os.close(write)


@contextmanager
def terminal(_folder: Path) -> Iterator[tuple[int, int]]:
    """Open a terminal: what is typed into it can be read."""
    master, slave = pty.openpty()
    yield slave, master
    os.close(slave)
    os.close(master)


KINDS = [pipe, stream, datagrams, file, terminal]
HELD = [pipe, stream, file]


@pytest.fixture
def ends(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[int, int]]:
    """Open the kind of input that the test is parametrised with."""
    with request.param(tmp_path) as both:
        yield both


def each(kinds: list[object]) -> pytest.MarkDecorator:
    """Repeat a test for some kinds of input."""
    ids = [str(getattr(kind, "__name__", kind)) for kind in kinds]
    return pytest.mark.parametrize("ends", kinds, indirect=True, ids=ids)


class Taker:
    """Takes what a source has whenever it is told to."""

    def __init__(self, loop: Loop, fd: int, held: bool) -> None:
        self.taken: list[bytes] = []
        self.source = Source(loop, fd, self._take, held)
        self.source.waiting.resume()

    def _take(self, _events: int) -> None:
        view = memoryview(bytearray(4096))
        try:
            count = self.source.bytes.take(view)
        except BlockingIOError:
            return
        self.taken.append(bytes(view[:count]))


@pytest.mark.parametrize("held", [False, True], ids=["", "held"])
@each([*KINDS])
def test_every_kind_of_input_is_taken(
    loop: Loop, ends: tuple[int, int], held: bool
) -> None:
    """What is written reaches the reader, and nobody is told in vain before."""
    read, write = ends
    os.write(write, b"line\n")
    taker = Taker(loop, read, held)
    drive(loop, lambda: bool(taker.taken), "the line")
    assert taker.taken[0] == b"line\n"
    taker.source.close()


@each([*HELD])
def test_what_is_held_is_there_for_the_next(loop: Loop, ends: tuple[int, int]) -> None:
    """Only what has been committed is not."""
    read, write = ends
    os.write(write, b"one\ntwo\n")
    taker = Taker(loop, read, held=True)
    drive(loop, lambda: bool(taker.taken), "the lines")
    taker.source.bytes.commit(4)
    assert os.read(read, 100) == b"two\n"
    taker.source.close()


@each([datagrams, terminal])
def test_what_cannot_be_held_is_consumed(loop: Loop, ends: tuple[int, int]) -> None:
    """Even when it should be held."""
    read, _ = ends
    source = Source(loop, read, lambda _events: None, held=True)
    assert not source.bytes.rewinds
    source.close()


@pytest.mark.parametrize("held", [False, True], ids=["", "held"])
@each([pipe, stream])
def test_writers_notice_that_an_input_is_closed(
    loop: Loop, ends: tuple[int, int], held: bool
) -> None:
    """Its number stays occupied; what was our own is closed, and nobody is called."""
    read, write = ends
    before = open_descriptors()
    taker = Taker(loop, read, held)
    os.write(write, b"line\n")
    taker.source.close()
    settle(loop)
    assert taker.taken == []
    assert open_descriptors() == before
    assert os.readlink(f"/proc/self/fd/{read}") == "/dev/null"
    with pytest.raises(BrokenPipeError):
        os.write(write, b"line\n")


@each([pipe, stream, file])
def test_what_is_consumed_is_gone(loop: Loop, ends: tuple[int, int]) -> None:
    """Without -b, it is ours as soon as it has been read."""
    read, write = ends
    os.write(write, b"line\n")
    taker = Taker(loop, read, held=False)
    drive(loop, lambda: bool(taker.taken), "the line")
    taker.source.waiting.pause()
    os.write(write, b"next\n")
    assert os.read(read, 100) == b"next\n"
    taker.source.close()
