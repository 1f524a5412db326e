"""Pipes taken back from processes that have them."""

import fcntl
import os
import subprocess

import pytest

import inside
from chains import needs_root
from harness import Pipe
from supervisor.adoption import pipes

TAKE = """
import os
from supervisor.adoption import pipes
os.setgroups([])
os.setuid(65534)
try:
    print(pipes.take(int(sys.argv[1]), (0, 0), False), flush=True)
except PermissionError as error:
    print(error, flush=True)
"""


def cat(pipe: Pipe) -> "subprocess.Popen[bytes]":
    """Start a process that has the writing end as its output, and writes nothing."""
    return subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE, stdout=pipe.write)


@pytest.mark.parametrize("first", [False, True], ids=["read first", "write first"])
def test_both_ends_come_from_one_process(first: bool) -> None:
    """Though nobody else has the reading end any more; what was written is there."""
    with Pipe() as pipe, cat(pipe) as process:
        known = pipes.inode_of(pipe.read)
        pipe.feed(b"not lost")
        pipe.end()
        pipe.drop_read()
        ends = {}
        for writable in (first, not first):
            fd = pipes.take(process.pid, known, writable)
            assert fd is not None
            ends[writable] = fd
        os.write(ends[True], b", not at all")
        assert os.read(ends[False], 100) == b"not lost, not at all"
        for fd in ends.values():
            assert pipes.inode_of(fd) == known
            assert os.get_blocking(fd)
            assert not os.get_inheritable(fd)
            os.close(fd)


def test_what_is_taken_is_one_end_only() -> None:
    """So that its closing is an end of file or a broken pipe, as it should be."""
    with Pipe() as pipe, cat(pipe) as process:
        known = pipes.inode_of(pipe.read)
        for writable, mode in ((False, os.O_RDONLY), (True, os.O_WRONLY)):
            fd = pipes.take(process.pid, known, writable)
            assert fd is not None
            assert fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE == mode
            os.close(fd)


def test_the_descriptor_of_the_process_stays_as_it_is() -> None:
    """Neither taking it nor using it changes flags that others share."""
    with Pipe() as pipe, cat(pipe) as process:
        before = fcntl.fcntl(pipe.write, fcntl.F_GETFL)
        fd = pipes.take(process.pid, pipes.inode_of(pipe.read), writable=True)
        assert fd is not None
        os.close(fd)
        assert fcntl.fcntl(pipe.write, fcntl.F_GETFL) == before


def test_a_process_without_the_pipe_gives_none() -> None:
    """Another pipe of it is not taken instead."""
    with Pipe() as pipe, Pipe() as other, cat(pipe) as process:
        known = pipes.inode_of(other.read)
        before = inside.open_descriptors()
        assert pipes.take(process.pid, known, writable=False) is None
        assert inside.open_descriptors() == before


def test_a_process_that_has_ended_gives_none() -> None:
    """Whether it was collected or not."""
    with Pipe() as pipe, cat(pipe) as process:
        known = pipes.inode_of(pipe.read)
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert pipes.take(process.pid, known, writable=False) is None
        process.wait()
        assert pipes.take(process.pid, known, writable=False) is None


@needs_root
def test_where_we_may_not_look_it_is_an_error() -> None:
    """Nobody can tell then whether the process has it."""
    with inside.other_process(TAKE, str(os.getpid())) as process:
        assert "Permission denied" in inside.heard(process)


@pytest.mark.parametrize("writable", [False, True])
def test_no_descriptor_is_left_open(writable: bool) -> None:
    """But the one that is given back."""
    with Pipe() as pipe, cat(pipe) as process:
        before = inside.open_descriptors()
        fd = pipes.take(process.pid, pipes.inode_of(pipe.read), writable)
        assert fd is not None
        assert inside.open_descriptors() == before + 1
        os.close(fd)
