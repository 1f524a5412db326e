"""A logger as an object, in a folder and with an input of its own."""

import contextlib
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

from harness import Pipe
from inside import Desk, drive
from s6log import daemon
from s6log.logger import Logger
from s6log.script.directives import parse
from s6log.script.options import Options
from s6log.unix.loop import Loop


class Rig:
    """A logger in a folder, with an input of its own."""

    def __init__(self, desk: Desk, script: str, fd: int, options: Options) -> None:
        parsed = parse([word.encode() for word in script.split(" ")])
        selection = daemon.select(parsed)
        self.logger = Logger(desk.context, options, parsed, selection, fd)
        desk.hear()
        self.options = options
        self.desk = desk
        self.logger.begin()

    def finish(self) -> None:
        """Let the loop turn until the logger has ended."""
        drive(self.desk.loop, lambda: self.logger.done, "the logger to end")


@contextlib.contextmanager
def logging(
    loop: Loop, folder: Path, script: str, fd: int, **options: int | None
) -> Iterator[Rig]:
    """Run a logger on a duplicate of a descriptor; the script is split at blanks."""
    chosen = Options()
    for name, value in options.items():
        setattr(chosen, name, value)
    folder.mkdir(exist_ok=True)
    own = os.dup(fd)
    with Desk(loop, folder) as desk:
        rig = Rig(desk, script, own, chosen)
        yield rig
        rig.options.last_line_timeout_ms = 0
        rig.logger.terminate()
        rig.finish()
        os.close(own)


Input = tuple[int, Callable[[bytes], object]]
"""A descriptor for a logger, and what feeds it."""


@contextlib.contextmanager
def pipe_input(_folder: Path) -> Iterator[Input]:
    """Open a pipe."""
    with Pipe() as pipe:
        yield pipe.read, pipe.feed


@contextlib.contextmanager
def small_pipe_input(_folder: Path) -> Iterator[Input]:
    """Open a pipe of one page."""
    with Pipe(4096) as pipe:
        yield pipe.read, pipe.feed


@contextlib.contextmanager
def socket_input(_folder: Path) -> Iterator[Input]:
    """Open a pair of stream sockets."""
    here, there = socket.socketpair()
    with here, there:
        yield here.fileno(), there.sendall


@contextlib.contextmanager
def file_input(folder: Path) -> Iterator[Input]:
    """Open a file that is written to while it is read."""
    with (folder / "input").open("ab", buffering=0) as file:
        fd = os.open(folder / "input", os.O_RDONLY)
        yield fd, file.write
        os.close(fd)


@contextlib.contextmanager
def spliced_input(_folder: Path) -> Iterator[Input]:
    """Open a pipe of sixteen slots; splice(2) gives each piece one of its own."""
    with Pipe() as pipe, Pipe() as other:

        def feed(data: bytes) -> None:
            other.feed(data)
            assert os.splice(other.read, pipe.write, len(data)) == len(data)

        yield pipe.read, feed


MakeInput = Callable[[Path], contextlib.AbstractContextManager[Input]]


def single(data: bytes) -> list[bytes]:
    """Divide data into bytes."""
    return [data[place : place + 1] for place in range(len(data))]


def left_in(fd: int) -> bytes:
    """Read what the logger left."""
    os.set_blocking(fd, False)
    left = b""
    with contextlib.suppress(BlockingIOError):
        while piece := os.read(fd, 1 << 16):
            left += piece
    return left


def reference(data: bytes, limit: int) -> bytes:
    """Give the lines that these bytes are, the unfinished one with an LF."""
    lines = []
    for line in data.replace(b"\0", b"\n").split(b"\n"):
        step = limit or len(data) + 1
        starts = range(0, max(1, len(line)), step)
        lines += [line[start : start + step] for start in starts]
    if not lines[-1]:
        lines.pop()
    return b"".join(line + b"\n" for line in lines)
