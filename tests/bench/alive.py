"""One living logger: feed it, watch its file, read what the kernel counts."""

import fcntl
import os
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE, Popen

from running import Program, RunError

KEEP = ("n3", "s16777216", "t", "./d")
PATIENCE_S = 60


class Alive:
    """A running logger, the pipe that feeds it and the file it writes."""

    def __init__(self, process: "Popen[bytes]", where: Path) -> None:
        assert process.stdin is not None
        self.process = process
        self.stdin = process.stdin.fileno()
        self.current = where / "d" / "current"

    def write(self, line: bytes) -> float:
        """Write a line; return the seconds until the file has grown.

        This spins: any way of being told would add its own delay.
        """
        with self.current.open("rb") as file:
            before = os.fstat(file.fileno()).st_size
            began = time.perf_counter()
            os.write(self.stdin, line)
            while os.fstat(file.fileno()).st_size == before:
                if time.perf_counter() - began > PATIENCE_S:
                    raise RunError("a line did not reach the file")
            return time.perf_counter() - began

    def swallow(self, source: Path, times: int) -> None:
        """Feed a file so many times; return when the pipe is empty again."""
        with Popen(["cat", *[source] * times], stdout=self.stdin):
            pass
        while self.unread_bytes() > 0:
            time.sleep(0.01)

    def unread_bytes(self) -> int:
        """Count what is still in the pipe."""
        answer = fcntl.ioctl(self.stdin, termios.FIONREAD, bytes(4))
        return int.from_bytes(answer, sys.byteorder)

    def cpu_s(self) -> float:
        """Read the CPU time used so far, from the process's own clock."""
        # The number that clock_getcpuclockid(3) computes for a process.
        return time.clock_gettime((~self.process.pid << 3) | 2)

    def status(self, name: str) -> int:
        """Read a number from /proc/PID/status, as proc(5) names it."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            field, _, value = line.partition(":")
            if field == name:
                return int(value.split()[0])
        raise RunError(f"no {name} in /proc/PID/status")


@contextmanager
def started(program: Program, where: Path) -> Iterator[Alive]:
    """Run a logger in the new directory `where`, ready to be measured."""
    where.mkdir()
    with Popen(
        [*program.argv, *KEEP],
        stdin=PIPE,
        cwd=where,
        env=program.environment,
        bufsize=0,
    ) as process:
        logger = Alive(process, where)
        wait_for_file(logger.current)
        logger.write(b"the first line pays for what is loaded late\n")
        yield logger


def wait_for_file(path: Path) -> None:
    """Return once a file exists."""
    deadline = time.monotonic() + PATIENCE_S
    while not path.exists():
        if time.monotonic() > deadline:
            raise RunError(f"{path.name} was not made")
        time.sleep(0.01)
