"""A logger is killed under load, and another takes its place on the same pipe.

The pipe is held by the test, as a supervisor holds it: what no logger has read
is still in it. Lines are numbered, so every loss and doubling shows.
"""

import os
import random
import signal
import socket
from pathlib import Path

import pytest

from harness import Pipe, Program, Stage, finish, running, wait_until
from numbered import Reading, Source, leftovers, lines
from trees import archives
from watching import settle

ROUNDS = 6
SEED = os.environ.get("S6_LOG_SEED", "")
"""Another one gives other moments."""

pytestmark = pytest.mark.slow

KEEP_ALL = "n100000"
MOST_IN_FLIGHT_BYTES = 65536
"""The capacity of a pipe: a logger with -b takes no more at once."""

BLOCK_BYTES = 131_072
"""What is read at once from where there is more than that."""

POLICIES = {
    "plain": ["s30000"],
    "small files": ["s4096", "l2000"],
    "compressed": ["s100000", "r50", "?gzip -1"],
}

each_policy = pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES.keys())


def end_at_random(
    program: Program, args: list[str], source: Source, stage: Stage, how: signal.Signals
) -> int:
    """Run a logger under load, end it somewhere in between; return its exit code."""
    rng = random.Random(repr((SEED, args, source.given)))
    # Each rotation syncs, so the smaller the files the slower.
    most_bytes = 200_000 if "s4096" in args else 1_000_000
    with running(program, args, stage) as process:
        if how != signal.SIGKILL:
            # Before its handlers are in place a signal acts by default.
            settle(process)
        source.pour(rng.randrange(20_000, most_bytes))
        if how != signal.SIGKILL:
            # A line that is begun is waited for, and nobody would end it.
            source.end_line()
        process.send_signal(how)
        return finish(process).code


def finish_off(program: Program, args: list[str], source: Source, stage: Stage) -> int:
    """Let a last logger write everything that remains; return the lines' number."""
    with running(program, args, stage) as process:
        count = source.stop()
        ending = finish(process)
        assert (ending.code, ending.err) == (0, b"")
    return count


@each_policy
def test_kill_keeps_what_was_written(
    ours: Program, policy: list[str], tmp_path: Path
) -> None:
    """Lines that were in a file at the kill are still there, none of them twice."""
    args = [KEEP_ALL, *policy, "./d"]
    with Pipe() as pipe:
        source = Source(pipe)
        stage = Stage(tmp_path, stdin=pipe.read)
        seen: set[int] = set()
        for _ in range(ROUNDS):
            assert end_at_random(ours, args, source, stage, signal.SIGKILL) == -9
            if (tmp_path / "d").exists():
                seen.update(Reading(tmp_path / "d").numbers)
        finish_off(ours, args, source, stage)
    reading = Reading(tmp_path / "d")
    assert seen <= set(reading.numbers)
    assert reading.numbers == sorted(set(reading.numbers))
    assert_only_last_lines_torn(reading, kills=ROUNDS)
    assert not leftovers(tmp_path / "d")


def assert_only_last_lines_torn(reading: Reading, kills: int) -> None:
    """Check that torn lines end `.u` files, at most one for each kill."""
    assert len(reading.torn) <= kills
    for name, piece in reading.torn:
        assert name.endswith(".u")
        assert not piece.endswith(b"\n")
    assert len({name for name, _ in reading.torn}) == len(reading.torn)


@each_policy
def test_kill_with_b_loses_no_finished_line(
    ours: Program, policy: list[str], tmp_path: Path
) -> None:
    """With -b every line is there, and a kill doubles only the block in flight."""
    args = ["-b", KEEP_ALL, *policy, "./d"]
    size_bytes = 93  # no divisor of a page: lines lie across reads
    with Pipe() as pipe:
        source = Source(pipe, size_bytes)
        stage = Stage(tmp_path, stdin=pipe.read)
        for _ in range(ROUNDS):
            assert end_at_random(ours, args, source, stage, signal.SIGKILL) == -9
        count = finish_off(ours, args, source, stage)
    assert_complete(tmp_path / "d", count, MOST_IN_FLIGHT_BYTES // size_bytes)


def assert_complete(logdir: Path, count: int, most_doubled: int) -> None:
    """Check that every line is there, and that each kill doubled one block."""
    reading = Reading(logdir)
    assert set(reading.numbers) == set(range(count))
    assert_only_last_lines_torn(reading, kills=ROUNDS)
    steps = list(zip(reading.numbers, reading.numbers[1:], strict=False))
    back = [(one, other) for one, other in steps if other != one + 1]
    assert len(back) <= ROUNDS
    assert all(0 < one + 1 - other <= most_doubled for one, other in back)
    assert not leftovers(logdir)


def test_kill_with_b_on_a_socket(ours: Program, tmp_path: Path) -> None:
    """What was only looked at stays in a socket, too."""
    args = ["-b", KEEP_ALL, "s20000", "./d"]
    read, write = socket.socketpair()
    with Pipe(ends=(read.detach(), write.detach())) as pipe:
        source = Source(pipe, 93)
        stage = Stage(tmp_path, stdin=pipe.read)
        for _ in range(ROUNDS):
            assert end_at_random(ours, args, source, stage, signal.SIGKILL) == -9
        count = finish_off(ours, args, source, stage)
    assert_complete(tmp_path / "d", count, BLOCK_BYTES // 93)


def test_kill_with_b_on_a_file(ours: Program, tmp_path: Path) -> None:
    """The offset of a file stands at the first line that may not be written yet."""
    args = ["-b", KEEP_ALL, "s4096", "./d"]
    count = 12_000
    (tmp_path / "input").write_bytes(lines(0, count, 93))
    logdir = tmp_path / "d"
    logdir.mkdir()
    with (tmp_path / "input").open("rb", buffering=0) as file:
        stage = Stage(tmp_path, stdin=file.fileno())
        for _ in range(ROUNDS):
            with running(ours, args, stage) as process:
                wait_for_archives(logdir, len(archives(logdir)) + 30)
                process.kill()
                assert finish(process).code == -9
        with running(ours, args, stage) as process:
            assert finish(process).code == 0
    assert_complete(logdir, count, BLOCK_BYTES // 93)


def wait_for_archives(logdir: Path, count: int) -> None:
    """Wait until a log directory has that many archives."""
    wait_until(lambda: len(archives(logdir)) >= count, f"{count} archives")


@each_policy
def test_kill_with_b_and_two_directories(
    ours: Program, policy: list[str], tmp_path: Path
) -> None:
    """With -b no directory of several misses a line."""
    args = ["-b", KEEP_ALL, *policy, "./e", *policy, "./d"]
    with Pipe() as pipe:
        source = Source(pipe, 93)
        stage = Stage(tmp_path, stdin=pipe.read)
        for _ in range(ROUNDS):
            assert end_at_random(ours, args, source, stage, signal.SIGKILL) == -9
        count = finish_off(ours, args, source, stage)
    for name in "de":
        assert_complete(tmp_path / name, count, MOST_IN_FLIGHT_BYTES // 93)


@each_policy
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP], ids=["TERM", "HUP"])
@pytest.mark.parametrize("options", [[], ["-b"]], ids=["", "-b"])
def test_orderly_end_loses_and_doubles_nothing(
    ours: Program,
    policy: list[str],
    how: signal.Signals,
    options: list[str],
    tmp_path: Path,
) -> None:
    """SIGTERM or SIGHUP at any moment: the next logger goes on with the next line."""
    args = [*options, KEEP_ALL, *policy, "./d"]
    with Pipe() as pipe:
        source = Source(pipe, size_bytes=93)
        stage = Stage(tmp_path, stdin=pipe.read)
        for _ in range(ROUNDS):
            assert end_at_random(ours, args, source, stage, how) == 0
        count = finish_off(ours, args, source, stage)
    reading = Reading(tmp_path / "d")
    assert reading.numbers == list(range(count))
    assert not reading.torn
    assert not list(tmp_path.glob("d/*.u"))
    assert not leftovers(tmp_path / "d")
