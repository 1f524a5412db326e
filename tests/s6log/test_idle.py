"""A logger with nothing to do sleeps, and one with something to do does it now."""

import os
import time
from pathlib import Path

import pytest

from harness import Pipe, Program, Stage, finish, running, wait_until
from numbered import line, lines
from trees import archives
from watching import descriptors, facts, rest, settle, switches

OBSERVED_S = 2.0
"""Long enough to see any wake-up that comes at least twice in a while."""


def wakes(pid: int) -> int:
    """Count the wake-ups of a process while it is watched."""
    before = switches(facts(pid))
    # Not synchronisation: it is the time in which nothing must happen.
    time.sleep(OBSERVED_S)
    return switches(facts(pid)) - before


SCRIPTS = {
    "directory": ["./d"],
    "directory with -b": ["-b", "./d"],
    "selection": ["--", "-", "+x", "t", "./d", "f", "1"],
    "processor": ["?cat", "./d"],
    "long period": ["R3600", "./d"],
    "alerts and status": ["2", "=status", "1"],
}


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS.keys())
@pytest.mark.parametrize("begun", [b"", b"unfinished"], ids=["", "in a line"])
def test_idle_logger_never_wakes(
    ours: Program, script: list[str], begun: bytes, tmp_path: Path
) -> None:
    """After some lines and a rotation, not one wake-up, even within a line."""
    with Pipe() as pipe:
        stage = Stage(tmp_path, stdin=pipe.read)
        with running(ours, script, stage) as process:
            settle(process)
            pipe.feed(lines(0, 10) + begun)
            settle(process)
            os.kill(process.pid, 14)
            rest(process)
            assert wakes(process.pid) == 0


def test_logger_of_a_stuck_reader_never_wakes(ours: Program, tmp_path: Path) -> None:
    """Waiting for room on stdout takes no wake-ups either."""
    with Pipe() as pipe, Pipe(4096) as out:
        stage = Stage(tmp_path, stdin=pipe.read, stdout=out.write)
        with running(ours, ["1"], stage) as process:
            pipe.feed(lines(0, 500))
            settle(process)
            assert wakes(process.pid) == 0


def test_logger_that_cannot_end_never_wakes(ours: Program, tmp_path: Path) -> None:
    """After SIGTERM and its time limit, waiting for a stuck reader is still sleep."""
    with Pipe() as pipe, Pipe(4096) as out:
        stage = Stage(tmp_path, stdin=pipe.read, stdout=out.write)
        with running(ours, ["-t50", "1"], stage) as process:
            settle(process)
            pipe.feed(lines(0, 500) + b"unfinished")
            settle(process)
            process.terminate()
            wait_until(lambda: 0 not in waited_for(process.pid), "the end of reading")
            assert wakes(process.pid) == 0


def waited_for(pid: int) -> set[int]:
    """Give the standard descriptors that still are what they were: pipes."""
    return {fd for fd, name in descriptors(pid).items() if name.startswith("pipe:")}


def test_lines_arrive_one_by_one(ours: Program, tmp_path: Path) -> None:
    """Each line is everywhere it belongs before the next one comes."""
    with Pipe() as pipe, Pipe() as out, Pipe() as err:
        stage = Stage(tmp_path, pipe.read, out.write, err.write)
        script = ["./d", "1", "2", "^0", "=status"]
        with running(ours, script, stage) as process:
            for number in range(50):
                pipe.feed(line(number))
                assert os.read(out.read, 65536) == line(number)
                assert os.read(err.read, 65536) == b"s6-log: alert: " + line(number)
                settle(process)
                assert (tmp_path / "d/current").read_bytes() == lines(0, number + 1)
                assert (tmp_path / "status").read_bytes() == line(number)
            pipe.end()
            assert finish(process).code == 0


def test_rotation_by_period_needs_no_input(ours: Program, tmp_path: Path) -> None:
    """`R` rotates what is there when its time has come, with nothing else going on."""
    with Pipe() as pipe:
        stage = Stage(tmp_path, stdin=pipe.read)
        with running(ours, ["R1", "./d"], stage) as process:
            pipe.feed(b"a\n")
            settle(process)
            wait_until(lambda: len(archives(tmp_path / "d")) == 1, "an archive")
            assert archives(tmp_path / "d")[0].read_bytes() == b"a\n"
            pipe.end()
            assert finish(process).code == 0


def test_rotation_by_period_under_constant_input(ours: Program, tmp_path: Path) -> None:
    """`R` comes on time although the logger is never without something to read."""
    with Pipe() as pipe:
        stage = Stage(tmp_path, stdin=pipe.read)
        with running(ours, ["s268435455", "n9", "R1", "./d"], stage) as process:
            settle(process)

            def archived_while_fed() -> bool:
                pipe.feed(lines(0, 50))
                return len(archives(tmp_path / "d")) > 0

            wait_until(archived_while_fed, "an archive")
            pipe.end()
            assert finish(process).code == 0
