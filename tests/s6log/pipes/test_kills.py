"""A command, its logger, or both are killed at random under load: 200 kills.

The command writes once for each read, to a file of its own: each file is a slice of
the input, and where slices do not meet, something is lost or comes twice. Where the
slices lie is known to the byte.
"""

import os
import random
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from commands import feeding
from harness import DEADLINE_S, Pipe, Program, Stage, running, wait_until
from numbered import Reading, Source, lines
from outliving import kill
from supervising import end_all_in, processes_in
from watching import children, settle

SEED = os.environ.get("S6_LOG_SEED", "")
"""Another one gives other moments."""

SIZE_BYTES = 41  # of a line: no divisor of a page, so lines lie across reads
READ_BYTES = 4096
INPUT_BYTES = 64 << 10
"""The capacity of the input's pipe: what a logger with -b has in flight."""

PIPE_BYTES = 256 << 10
"""As large as we make a command's pipe, when it is often full."""

COMMAND = f"exec dd bs={READ_BYTES} status=none of=got.$(date +%s%N)"
SCRIPT = ["-t0", "r1", f"@pipe={COMMAND}", "n99999", "s300000", "./d"]

pytestmark = pytest.mark.slow


@dataclass
class Account:
    """What the commands wrote, in the order in which they were started.

    `begins` is where slices begin. `doubled` are the sizes of overlaps between one
    and the next, `lost` those of gaps, up to the end of the input, each with the
    number of commands that were killed there: those without a slice, and one.
    """

    begins: list[int] = field(default_factory=list)
    doubled: list[int] = field(default_factory=list)
    lost: list[tuple[int, int]] = field(default_factory=list)
    end: int = 0
    _killed: int = 0

    def add(self, piece: bytes, data: bytes) -> None:
        """Find a command's slice of the input; every byte must be from there."""
        if piece:
            begin = data.find(piece, max(0, self.end - INPUT_BYTES))
            assert begin >= 0, "this was never in the input so"
            self.meet(begin)
            self.begins.append(begin)
            self.end = begin + len(piece)
        self._killed += 1

    def meet(self, begin: int) -> None:
        """Note what is between the end so far and what comes next."""
        if begin > self.end:
            self.lost.append((begin - self.end, self._killed))
        elif begin < self.end:
            self.doubled.append(self.end - begin)
        self._killed = 0

    def __str__(self) -> str:
        return f"seed {SEED!r}, lost {self.lost}, doubled {self.doubled}"


def account(folder: Path, data: bytes) -> Account:
    """Read what all commands wrote."""
    result = Account()
    for path in sorted(folder.glob("got.*")):
        result.add(path.read_bytes(), data)
    result.meet(len(data))
    return result


@pytest.mark.parametrize("options", [[], ["-b"]], ids=["", "-b"])
def test_killed_command(ours: Program, options: list[str], tmp_path: Path) -> None:
    """What was in the pipe reaches the next one.

    Lost is at most what the killed one had just read, and nothing comes twice.
    """
    kills = 50
    rng = random.Random(repr((SEED, options)))
    with feeding(ours, tmp_path, *options, *SCRIPT) as fed:
        source = Source(fed.pipe, SIZE_BYTES)
        for _ in range(kills):
            source.pour(rng.randrange(1000, 400_000))
            fed.kill("dd")
        count = source.stop()
        assert fed.process.wait(DEADLINE_S) == 0
        said = fed.said()
    found = account(tmp_path, lines(0, count, SIZE_BYTES))
    assert found.doubled == [], str(found)
    assert all(size <= READ_BYTES * dead for size, dead in found.lost), str(found)
    assert sum("it was killed by signal 9" in line for line in said) == kills
    reading = Reading(tmp_path / "d")
    assert reading.numbers == list(range(count))


def kill_loggers(
    ours: Program, folder: Path, kills: int, with_command: bool
) -> tuple[int, Account]:
    """Kill loggers on the same pipe; give the number of lines and what came of them."""
    rng = random.Random(repr((SEED, with_command)))
    try:
        with Pipe() as pipe, (folder / "said").open("wb") as said:
            source = Source(pipe, SIZE_BYTES)
            stage = Stage(folder, pipe.read, stderr=said.fileno())
            for before in range(kills):
                with running(ours, ["-b", *SCRIPT], stage) as process:
                    settle(process)  # or it would not have got as far as a command
                    if with_command:
                        wait_for_files(folder, before + 1)
                    source.pour(rng.randrange(1000, 400_000))
                    pids = [*children(process.pid)] if with_command else []
                    for pid in rng.sample([*pids, process.pid], len(pids) + 1):
                        kill(pid)
                    process.wait(DEADLINE_S)
            with running(ours, ["-b", *SCRIPT], stage) as process:
                count = source.stop()
                assert process.wait(DEADLINE_S) == 0
        # Those of killed loggers read to the end of their input, and then end.
        wait_until(lambda: not processes_in(folder), "the end of all commands")
    finally:
        end_all_in(folder)
    return count, account(folder, lines(0, count, SIZE_BYTES))


def wait_for_files(folder: Path, count: int) -> None:
    """Wait until so many commands have got as far as to open a file."""
    wait_until(lambda: len([*folder.glob("got.*")]) == count, f"{count} commands")


def assert_logdir_has_all(logdir: Path, count: int, kills: int) -> None:
    """Check that every line is there; a kill doubles what was in flight."""
    reading = Reading(logdir)
    assert set(reading.numbers) == set(range(count))
    steps = list(zip(reading.numbers, reading.numbers[1:], strict=False))
    back = [(one, other) for one, other in steps if other != one + 1]
    assert len(back) <= kills
    assert all(0 < one + 1 - other <= INPUT_BYTES // SIZE_BYTES for one, other in back)


def test_killed_logger(ours: Program, tmp_path: Path) -> None:
    """With -b, commands read what was in their pipes, and the next go on from there.

    As in a directory every line arrives, and those in flight may arrive twice.
    """
    kills = 60
    count, found = kill_loggers(ours, tmp_path, kills, with_command=False)
    assert found.lost == [], str(found)
    assert len(found.doubled) <= kills
    assert all(size <= INPUT_BYTES for size in found.doubled), str(found)
    assert all(begin % SIZE_BYTES == 0 for begin in found.begins)
    assert_logdir_has_all(tmp_path / "d", count, kills)


def test_killed_logger_and_command(ours: Program, tmp_path: Path) -> None:
    """Both at once lose at most a pipe, and what the command had just read."""
    kills = 20
    count, found = kill_loggers(ours, tmp_path, kills, with_command=True)
    most_bytes = PIPE_BYTES + READ_BYTES
    assert all(size <= most_bytes * dead for size, dead in found.lost), str(found)
    assert all(begin % SIZE_BYTES == 0 for begin in found.begins)
    assert_logdir_has_all(tmp_path / "d", count, kills)
