"""Random scripts on random input: ours and the real s6-log must leave the same.

The trials are numbered; S6_LOG_TRIALS asks for more of them, S6_LOG_FIRST_TRIAL
for others. A failure prints the seed and a recipe to paste into a shell.
"""

import os
import signal
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

import generator
import harness
from generator import Trial
from harness import Pipe, Program, Stage, finish, running
from trees import Listing, listing, timeless, unstamped
from watching import rest

TRIALS = int(os.environ.get("S6_LOG_TRIALS", "320"))
FIRST = int(os.environ.get("S6_LOG_FIRST_TRIAL", "0"))
CHUNK = 10


@dataclass(frozen=True)
class Result:
    """What a run gives, without the times in it."""

    code: int
    out: bytes
    err: bytes
    files: Listing


@pytest.mark.parametrize("first", range(FIRST, FIRST + TRIALS, CHUNK))
def test_same_as_the_real_program(
    first: int, ours: Program, real: Program, tmp_path: Path
) -> None:
    """Both programs give the same output, messages, exit code and files."""
    for seed in range(first, min(first + CHUNK, FIRST + TRIALS)):
        trial = generator.trial(seed)
        expected = play(real, trial, tmp_path / f"{seed}-real")
        found = play(ours, trial, tmp_path / f"{seed}-ours")
        apart = differences(found, expected)
        assert not apart, f"{trial.recipe()}\n{apart}"


def test_trials_do_what_they_are_for(real: Program, tmp_path: Path) -> None:
    """Among the trials are normal ends, refusals, rotations and recoveries."""
    codes: set[int] = set()
    names: set[str] = set()
    for seed in range(40):
        result = play(real, generator.trial(seed), tmp_path / str(seed))
        codes.add(result.code)
        names.update(name.rpartition("/")[2] for name in result.files)
    assert codes == {0, 100, 111}
    assert {"@TS1.s", "@TS2.s", "@TS1.u", "status1", "current"} <= names


def differences(found: Result, expected: Result) -> str:
    """Say what ours did otherwise than the real program; empty when nothing."""
    pairs: dict[str, tuple[object, object]] = {
        name: (getattr(found, name), getattr(expected, name))
        for name in ("code", "out", "err")
    }
    for name in sorted(found.files.keys() | expected.files.keys()):
        pairs[name] = (found.files.get(name), expected.files.get(name))
    return "".join(
        f"{name}:\n  ours {one}\n  real {other}\n"
        for name, (one, other) in ((n, excerpts(*pair)) for n, pair in pairs.items())
        if one != other
    )


def excerpts(one: object, other: object) -> tuple[str, str]:
    """Show two things from a little before the place where they differ."""
    first, second = repr(one), repr(other)
    pairs = enumerate(zip(first, second, strict=False))
    same = next((i for i, (a, b) in pairs if a != b), min(len(first), len(second)))
    start = max(0, same - 80)
    return first[start : same + 200], second[start : same + 200]


def play(program: Program, trial: Trial, folder: Path) -> Result:
    """Run one program through a trial in a folder of its own."""
    folder.mkdir()
    for name, (mode, content) in trial.setup.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True, mode=0o755)
        path.write_bytes(content)
        path.chmod(mode)
    old = set(listing(folder))
    with Pipe() as spare:
        # 2.11 closes the processor's descriptor 5 when it inherits only 0, 1, 2.
        # Every other trial does without our C kernel.
        env = {"S6LOG_KERNEL": "no"} if trial.seed % 2 else {}
        stage = Stage(folder, umask=trial.umask, env=env, fds=(spare.read,))
        ending = feed(program, trial, stage)
    err = unstamped(ending.err)
    if ending.code == 100:
        # Our hints on a script's mistake follow the line that s6-log prints.
        err = err.partition(b"\n")[0]
    files = timeless(listing(folder), old)
    return Result(ending.code, unstamped(ending.out), err, files)


def feed(program: Program, trial: Trial, stage: Stage) -> harness.Outcome:
    """Give a program the input of a trial, piece by piece if there are several."""
    if len(trial.pieces) == 1:
        data = complete(program, trial.pieces[0] or b"")
        return harness.run(program, trial.args, data, stage)
    with Pipe() as pipe:
        piped = replace(stage, stdin=pipe.read)
        with running(program, trial.args, piped) as process:
            rest(process)
            for piece in trial.pieces:
                if piece is None:
                    process.send_signal(signal.SIGALRM)
                else:
                    pipe.feed(piece)
                rest(process)
            pipe.end()
            return finish(process)


def complete(program: Program, data: bytes) -> bytes:
    """End the last line for the real program, which loses it otherwise."""
    unfinished = data and data[-1:] not in (b"\n", b"\0")
    return data + b"\n" if program.name != "ours" and unfinished else data
