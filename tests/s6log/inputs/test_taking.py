"""Bytes taken by reading: gone at once, or passed by an offset once written."""

import fcntl
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import Pipe
from s6log.inputs.taking import Consumed, Offset
from s6log.unix.fds import LARGE_PIPE_BYTES, OFTEN_FULL

ROOM = 64
PIPE_BYTES = 64 << 10


def test_what_is_read_is_gone() -> None:
    """A pipe forgets what it gave; nothing is left to commit."""
    with Pipe() as pipe:
        taking = Consumed(pipe.read)
        view = memoryview(bytearray(ROOM))
        pipe.feed(b"abc")
        assert (taking.take(view), bytes(view[:3])) == (3, b"abc")
        assert pipe.waiting() == 0
        taking.commit(3)
        with pytest.raises(BlockingIOError):
            taking.take(view)
        pipe.end()
        assert taking.take(view) == 0
        taking.close()


def test_what_is_read_leaves_room() -> None:
    """The rest of a line always finds some, and only a read tells the end."""
    with Pipe() as pipe:
        taking = Consumed(pipe.read)
        pipe.feed(b"x" * 65536)
        assert not taking.crowded()
        pipe.end()
        assert not taking.ended()


def test_a_file_is_passed_by_what_is_committed(tmp_path: Path) -> None:
    """From where its offset was; so the next reader goes on behind that."""
    (tmp_path / "file").write_bytes(b"old\none\ntwo\n")
    fd = os.open(tmp_path / "file", os.O_RDONLY)
    os.lseek(fd, 4, os.SEEK_SET)
    taking = Offset(fd)
    view = memoryview(bytearray(ROOM))
    assert (taking.take(view), bytes(view[:8])) == (8, b"one\ntwo\n")
    assert os.lseek(fd, 0, os.SEEK_CUR) == 4
    taking.commit(4)
    assert (taking.take(view), bytes(view[:4])) == (4, b"two\n")
    assert os.read(fd, ROOM) == b"two\n"
    assert taking.take(view) == 0
    taking.close()
    os.close(fd)


def test_a_file_holds_any_line_and_is_all_there_is(tmp_path: Path) -> None:
    """It is never full; an unfinished line at its end will not be finished."""
    (tmp_path / "file").write_bytes(b"unfinished")
    with (tmp_path / "file").open("rb") as file:
        taking = Offset(file.fileno())
        assert taking.rewinds
        assert not taking.crowded()
        assert taking.ended()


def test_a_pipe_that_is_always_full_is_enlarged() -> None:
    """Not one that was full a few times, and only once; nothing in it is lost."""
    with Pipe() as pipe:
        taking = Consumed(pipe.read)
        view = memoryview(bytearray(2 * PIPE_BYTES))
        sizes = []
        for _ in range(OFTEN_FULL):
            sizes.append(pipe_size(pipe.read))
            pipe.feed(b"x" * PIPE_BYTES)
            assert taking.take(view) == PIPE_BYTES
        assert set(sizes) == {PIPE_BYTES}
        assert pipe_size(pipe.read) == LARGE_PIPE_BYTES


def test_a_pipe_that_is_never_full_keeps_its_size() -> None:
    """However much goes through it."""
    with Pipe() as pipe:
        taking = Consumed(pipe.read)
        view = memoryview(bytearray(2 * PIPE_BYTES))
        for _ in range(2 * OFTEN_FULL):
            pipe.feed(b"x" * (PIPE_BYTES - 1))
            assert taking.take(view) == PIPE_BYTES - 1
        assert pipe_size(pipe.read) == PIPE_BYTES


def pipe_size(fd: int) -> int:
    """Tell how many bytes a pipe holds."""
    return fcntl.fcntl(fd, fcntl.F_GETPIPE_SZ)


def test_a_file_that_grows_goes_on(tmp_path: Path) -> None:
    """The end is where the file ends now."""
    with (tmp_path / "file").open("ab", buffering=0) as file:
        fd = os.open(tmp_path / "file", os.O_RDONLY)
        taking = Offset(fd)
        view = memoryview(bytearray(ROOM))
        assert taking.take(view) == 0
        file.write(b"more")
        assert (taking.take(view), bytes(view[:4])) == (4, b"more")
        os.close(fd)


@settings(max_examples=40)
@given(data=st.binary(max_size=200), sizes=st.lists(st.integers(1, 50), max_size=12))
def test_a_file_is_a_queue(data: bytes, sizes: list[int]) -> None:
    """However much at a time: each take shows what has not been committed."""
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.seek(0)
        taking = Offset(file.fileno())
        passed = 0
        for size in sizes:
            view = memoryview(bytearray(size))
            count = taking.take(view)
            assert bytes(view[:count]) == data[passed : passed + size]
            taking.commit(count // 2)
            passed += count // 2
