r"""Run one program on one input and account for what it used.

    feeder | logger (measured) | cat > stdout
                               \ cat > stderr

Only the logger's own CPU time counts, with that of its children; the feeder
and the two readers are the same for every program.
"""

import os
import select
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import PIPE, Popen

from cells import Cell, Feed

FEEDERS = {
    Feed.BLOCKS: ("cat",),
    # Of what can be had without a compiler the fastest: a loop in Python takes
    # half as long again, sed twice as long, and then the logger waits for them.
    Feed.LINES: ("grep", "-ah", "--line-buffered", ""),
}

LIMIT_S = 300.0


class RunError(Exception):
    """A program under test did not end as it should have."""


@dataclass(frozen=True)
class Program:
    """A logger to be measured, and what its environment has on top of ours."""

    name: str
    argv: tuple[str, ...]
    env: dict[str, str] = field(default_factory=dict)

    def command(self, cell: Cell) -> list[str]:
        """Give the whole command line of a cell."""
        return [*self.argv, *cell.words]

    @property
    def environment(self) -> dict[str, str]:
        """Give the whole environment."""
        return {**os.environ, **self.env}


@dataclass(frozen=True)
class Usage:
    """What one run cost."""

    cpu_s: float
    wall_s: float


def measure(program: Program, cell: Cell, source: Path, where: Path) -> Usage:
    """Run a cell once in the new directory `where`, which keeps the outputs.

    The clock starts when the pipe holds data, so that a feeder's own start-up
    is not in the wall time.
    """
    where.mkdir()
    out, err = where / "stdout", where / "stderr"
    with (
        feeding(cell, source) as stdin,
        drain(out) as stdout,
        drain(err) as stderr,
    ):
        began = time.perf_counter()
        logger = Popen(
            program.command(cell),
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            cwd=where,
            env=program.environment,
        )
        with ended_after(logger, LIMIT_S):
            cpu_s = wait_for(logger)
        wall_s = time.perf_counter() - began
    if logger.returncode != 0:
        raise RunError(f"{program.name} exited {logger.returncode}: {err.read_text()}")
    return Usage(cpu_s, wall_s)


@contextmanager
def ended_after(process: "Popen[bytes]", limit_s: float) -> Iterator[None]:
    """Kill a process that is stuck, so that the bench goes on."""
    timer = threading.Timer(limit_s, process.kill)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def wait_for(process: "Popen[bytes]") -> float:
    """Reap a process; return its CPU seconds and those of its children."""
    # Popen.wait() throws the resource usage away.
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_utime + usage.ru_stime


@contextmanager
def feeding(cell: Cell, source: Path) -> Iterator[int]:
    """Start the feeder; give the end of its pipe once there is data in it."""
    command = [*FEEDERS[cell.feed], *[str(source)] * cell.times]
    with Popen(command, stdout=PIPE) as feeder:
        assert feeder.stdout is not None
        select.select([feeder.stdout], [], [])
        yield feeder.stdout.fileno()


@contextmanager
def drain(path: Path) -> Iterator[int]:
    """Start a reader that copies to a file; give the pipe's other end."""
    with path.open("wb") as file, Popen(["cat"], stdin=PIPE, stdout=file) as reader:
        assert reader.stdin is not None
        yield reader.stdin.fileno()
