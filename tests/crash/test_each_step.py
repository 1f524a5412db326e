"""A logger is killed before each of its steps, and another settles what is left.

First a run without a kill lists the system calls that change something; then
each of them gets a run that dies there. What was in a file before the second
logger starts must be there when it has ended, once.
"""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from harness import Pipe, Program, Stage, finish, running
from injection import Call, killed_at, need_strace, steps, watched
from numbered import Reading, leftovers, lines

pytestmark = pytest.mark.slow

SHARES = 4
OLD, ALL = 20, 100
"""Lines 0 to OLD are in the directory already, those to ALL come from the pipe."""


@dataclass(frozen=True)
class Scenario:
    """A script, and what the directory holds before it runs."""

    args: list[str]
    files: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    doubles: bool = False


ROTATING = ["n100", "s4096", "l2000", "r20"]
CLEAN = {"current": (0o744, lines(0, OLD)), "state": (0o644, b"")}

SCENARIOS = {
    "new directory": Scenario([*ROTATING, "./d"]),
    "rotation": Scenario([*ROTATING, "./d"], CLEAN),
    "rotation with -b": Scenario(["-b", *ROTATING, "./d"], CLEAN, doubles=True),
    "processor": Scenario([*ROTATING, "?cat", "./d"], CLEAN),
    "processor with -b": Scenario(["-b", *ROTATING, "?cat", "./d"], CLEAN, True),
    "compression": Scenario([*ROTATING, "?gzip -1", "./d"], CLEAN),
    "recovery": Scenario(
        [*ROTATING, "./d"],
        {"previous": (0o744, lines(0, 10)), "current": (0o644, lines(10, OLD))},
    ),
    "recovery of a processor's output": Scenario(
        [*ROTATING, "?cat", "./d"],
        {
            "previous": (0o744, lines(0, 10)),
            "processed": (0o744, lines(0, 10)),
            "newstate": (0o644, b"new"),
            "state": (0o644, b"old"),
            "current": (0o644, lines(10, OLD)),
        },
    ),
    "recovery of half a processor's output": Scenario(
        [*ROTATING, "?cat", "./d"],
        {
            "previous": (0o744, lines(0, 10)),
            "processed": (0o644, lines(0, 3)),
            "current": (0o644, lines(10, OLD)),
        },
    ),
}


@pytest.mark.parametrize("share", range(SHARES))
@pytest.mark.parametrize("name", SCENARIOS)
def test_killed_before_each_step(
    ours: Program, name: str, share: int, tmp_path: Path
) -> None:
    """Wherever it dies, no line that was in a file is lost, doubled or torn."""
    need_strace()
    scenario = SCENARIOS[name]
    log = tmp_path / "log"
    play(watched(ours, log), scenario, tmp_path / "whole", kills=False)
    calls = steps(log)
    assert {"fsync", "fchmod"} <= {call.name for call in calls}
    for number, call in enumerate(calls[share::SHARES]):
        kill_and_check(ours, scenario, call, tmp_path / str(number))


def kill_and_check(
    program: Program, scenario: Scenario, call: Call, folder: Path
) -> None:
    """Kill the program at one step, start it again, and compare."""
    first = 0 if scenario.files else OLD
    with play(killed_at(program, call), scenario, folder, kills=True) as pipe:
        seen = set(Reading(folder / "d").numbers) if (folder / "d").exists() else set()
        with running(program, scenario.args, Stage(folder, stdin=pipe.read)) as process:
            ending = finish(process)
    assert (ending.code, ending.err) == (0, b""), call
    reading = Reading(folder / "d")
    assert not reading.torn, call
    assert not leftovers(folder / "d"), call
    assert seen <= set(reading.numbers), call
    counts = Counter(reading.numbers)
    if scenario.doubles:
        assert set(counts) == set(range(first, ALL)), call
        assert max(counts.values()) <= 2, call
    else:
        assert reading.numbers == sorted(counts), call


def play(program: Program, scenario: Scenario, folder: Path, kills: bool) -> Pipe:
    """Run a scenario; give the pipe, which holds what was not read."""
    furnish(folder, scenario)
    pipe = Pipe()
    pipe.feed(lines(OLD, ALL))
    pipe.end()
    with running(program, scenario.args, Stage(folder, stdin=pipe.read)) as process:
        ending = finish(process)
    # A call may come later than in the run without a kill, or not at all.
    assert ending.code in ((-9, 0) if kills else (0,)), ending
    if not kills:
        pipe.drop_read()
    return pipe


def furnish(folder: Path, scenario: Scenario) -> None:
    """Make the folder, and the log directory with its files."""
    folder.mkdir()
    for name, (mode, content) in scenario.files.items():
        path = folder / "d" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        path.chmod(mode)
