"""Start loggers, feed them through pipes that the test holds, and wait for them.

Nothing here knows what a logger is written in: the same calls run ours and the
real s6-log. Waiting is for something that can be seen, with a deadline; what a
process does is read from /proc.
"""

import contextlib
import fcntl
import functools
import os
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

DEADLINE_S = 30.0
"""When waiting ends in failure: far above what any step needs, even on a busy box."""

NAP_S = 0.001
SYSTEM_FOLDERS = ("/usr/bin", "/bin", "/command", "/usr/local/bin")
LAUNCHER = Path(__file__).parent.parent / "s6log" / "launch.py"
PYTHON = (sys.executable, "-I", "-S", "-X", "utf8")
Process = subprocess.Popen[bytes]
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "TZ": "UTC"}


@dataclass(frozen=True)
class Program:
    """Something to run: `argv` is what comes before the arguments."""

    name: str
    argv: tuple[str, ...]


def ours(tool: str = "s6-log") -> Program:
    """Find our own program: as installed beside this Python, else in the checkout.

    The variable S6_LOG_UNDER_TEST puts another s6-log in its place, which is
    how a test is tried against a program that it must fail with.
    """
    stand_in = os.environ.get("S6_LOG_UNDER_TEST")
    if stand_in and tool == "s6-log":
        return Program("stand-in", tuple(stand_in.split()))
    installed = Path(sys.executable).with_name(tool)
    if installed.exists():
        return Program("ours", (str(installed),))
    return Program("ours", (*PYTHON, str(LAUNCHER), tool))


def real(tool: str = "s6-log") -> Program | None:
    """Find the C program of that name, wherever our launchers may be on the PATH."""
    for folder in SYSTEM_FOLDERS:
        path = Path(folder) / tool
        if path.is_file() and path.read_bytes()[:4] == b"\x7fELF":
            return Program("real", (str(path),))
    return None


def oracle(tool: str = "s6-log") -> Program:
    """Find the real program of the version that was recorded, or skip the test."""
    program = real(tool)
    if program is None:
        pytest.skip(f"the real {tool} is not installed (Debian: apt install s6)")
    if tool == "s6-log" and not _is_recorded_version(program):
        pytest.skip("the real s6-log is not 2.11, of which the cases were recorded")
    return program


@functools.cache
def _is_recorded_version(program: Program) -> bool:
    # 2.11 does not know the directive R yet; no program tells its version.
    words = [*program.argv, "R5", "1"]
    devnull = subprocess.DEVNULL
    return subprocess.call(words, stdin=devnull, stderr=devnull) == 100


@dataclass(frozen=True)
class Stage:
    """Where and how a program runs; `fds` are inherited under their numbers."""

    cwd: Path
    stdin: int = subprocess.DEVNULL
    stdout: int = subprocess.PIPE
    stderr: int = subprocess.PIPE
    umask: int = 0o022
    env: Mapping[str, str] = field(default_factory=dict)
    fds: tuple[int, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """How a program ended; `code` is negative for a signal, as subprocess has it."""

    code: int
    out: bytes
    err: bytes


@contextlib.contextmanager
def running(
    program: Program, args: Sequence[str | bytes], stage: Stage
) -> Iterator[Process]:
    """Run a program for the length of a with block; whatever happens, end it."""
    process = subprocess.Popen(
        [*program.argv, *args],
        cwd=stage.cwd,
        stdin=stage.stdin,
        stdout=stage.stdout,
        stderr=stage.stderr,
        umask=stage.umask,
        env={**ENVIRONMENT, **stage.env},
        pass_fds=stage.fds,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()


def finish(process: Process, timeout_s: float = DEADLINE_S) -> Outcome:
    """Wait for the end of a program, reading whatever it still says."""
    out, err = process.communicate(timeout=timeout_s)
    return Outcome(process.returncode, out or b"", err or b"")


def run(
    program: Program, args: Sequence[str | bytes], data: bytes, stage: Stage
) -> Outcome:
    """Give a program its whole input through a pipe and wait for its end."""
    piped = replace(stage, stdin=subprocess.PIPE)
    with running(program, args, piped) as process:
        out, err = process.communicate(data, timeout=DEADLINE_S)
        return Outcome(process.returncode, out or b"", err or b"")


def wait_until(predicate: Callable[[], bool], what: str) -> None:
    """Wait until `predicate` holds; fail, naming `what`, when it never does."""
    deadline = time.monotonic() + DEADLINE_S
    while not predicate():
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        time.sleep(NAP_S)


class Pipe:
    """A pipe whose two ends belong to the test; the write end never blocks it.

    `ends` makes it out of something else that has two, such as a socket pair.
    """

    def __init__(
        self, capacity_bytes: int | None = None, ends: tuple[int, int] | None = None
    ) -> None:
        self.read, self.write = ends or os.pipe()
        # The write end has an open file description of its own: what a logger
        # sees on its end is not touched by this.
        os.set_blocking(self.write, False)
        if capacity_bytes is not None:
            fcntl.fcntl(self.write, fcntl.F_SETPIPE_SZ, capacity_bytes)

    def __enter__(self) -> "Pipe":
        return self

    def __exit__(self, *_: object) -> None:
        self.end()
        self.drop_read()

    def waiting(self) -> int:
        """Count the bytes that nobody has read yet."""
        answer = fcntl.ioctl(self.write, termios.FIONREAD, b"\0" * 4)
        return int(struct.unpack("i", answer)[0])

    def room(self) -> bool:
        """Tell whether a write of up to PIPE_BUF bytes would be taken."""
        return bool(select.select([], [self.write], [], 0)[1])

    def offer(self, data: bytes | memoryview) -> int:
        """Write what fits now; return how much that was."""
        try:
            return os.write(self.write, data)
        except BlockingIOError:
            return 0

    def feed(self, data: bytes) -> None:
        """Write all of it, waiting for the reader where the pipe is full."""
        view = memoryview(data)
        deadline = time.monotonic() + DEADLINE_S
        while view:
            taken = self.offer(view)
            if taken:
                view = view[taken:]
                deadline = time.monotonic() + DEADLINE_S
                continue
            assert time.monotonic() < deadline, "nobody reads the pipe"
            select.select([], [self.write], [], 1.0)

    def end(self) -> None:
        """Close the write end: the reader sees the end of its input."""
        if self.write >= 0:
            os.close(self.write)
            self.write = -1

    def drop_read(self) -> None:
        """Close the test's copy of the read end."""
        if self.read >= 0:
            os.close(self.read)
            self.read = -1


def start(
    program: Program, pipe: Pipe, folder: Path
) -> contextlib.AbstractContextManager[Process]:
    """Run a logger on a pipe, with `./d` for its script."""
    return running(program, ["./d"], Stage(folder, stdin=pipe.read))
