"""Limits of outputs, as whole programs keep them: a reader that is stuck, or slow."""

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from harness import DEADLINE_S, Pipe, Program, Stage, finish, running, wait_until
from trees import logged
from watching import settle

DROPPED = re.compile(rb"(?:.* )?s6-log: (\d+) lines? dropped \(buffer full for \d+ s\)")
KEEP = ("n1000", "s1000000")
COUNT = 40_000
LINES = [b"%06d some text that makes it longer" % n for n in range(COUNT)]
DATA = b"".join(line + b"\n" for line in LINES)


def numbers_and_missing(out: bytes, pattern: bytes) -> tuple[list[int], int]:
    """Give the numbers of lines that came through, and how many are told missing.

    Where a mark stands, so many numbers are left out; and nowhere else.
    """
    numbers: list[int] = []
    told = missing = 0
    for line in out.splitlines():
        if mark := DROPPED.fullmatch(line):
            missing += int(mark[1])
            continue
        match = re.fullmatch(pattern, line)
        assert match, line
        number = int(match[1])
        gap = number - (numbers[-1] + 1 if numbers else 0)
        assert gap == missing, (line, gap, missing)
        told += missing
        missing = 0
        numbers.append(number)
    return numbers, told + missing


@pytest.mark.parametrize("policy", ["drop-oldest", "drop-newest"])
@pytest.mark.parametrize("options", [(), ("-b",)], ids=["", "-b"])
def test_a_stuck_stdout_costs_its_limit(
    ours: Program, tmp_path: Path, policy: str, options: tuple[str, ...]
) -> None:
    """The directory gets everything meanwhile; afterwards what is missing is told."""
    lossy = (f"@full={policy}", "@buffer=64k", "@tag=web", "1")
    script = (*lossy, "@full=block", *KEEP, "./d")
    with Pipe() as pipe, Pipe(4096) as out:
        os.set_blocking(out.write, True)
        stage = Stage(tmp_path, pipe.read, out.write)
        with running(ours, [*options, *script], stage) as process:
            pipe.feed(DATA)
            # Nobody has read a byte of stdout until here.
            wait_until(
                lambda: len(logged(tmp_path / "d")) == len(DATA), "all in the directory"
            )
            out.end()
            pipe.end()
            with open(out.read, "rb", closefd=False) as reader:
                shown = reader.read()
            assert finish(process).code == 0
    numbers, missing = numbers_and_missing(shown, rb"web \| (\d{6}) .*")
    assert len(numbers) + missing == COUNT
    assert missing > 0
    last = COUNT - 1 if policy == "drop-oldest" else numbers[-1]
    assert numbers[-1] == last
    assert 4096 < len(shown) < 4096 + (64 << 10) + 1000
    assert logged(tmp_path / "d") == DATA


def test_marks_have_the_form_of_the_others(ours: Program, tmp_path: Path) -> None:
    """In JSON they are objects."""
    script = ("@full=drop-oldest", "@buffer=10k", "@json", "1")
    with Pipe() as pipe, Pipe(4096) as out:
        os.set_blocking(out.write, True)
        stage = Stage(tmp_path, pipe.read, out.write)
        with running(ours, script, stage) as process:
            pipe.feed(DATA)
            wait_until(lambda: pipe.waiting() == 0, "the input to be read")
            out.end()
            pipe.end()
            with open(out.read, "rb", closefd=False) as reader:
                entries = [json.loads(line) for line in reader]
            assert finish(process).code == 0
    marks = [entry for entry in entries if DROPPED.fullmatch(entry["msg"].encode())]
    assert marks
    assert set(marks[0]) == {"ts", "service", "stream", "msg"}


@pytest.mark.parametrize("action", ["1", "2"])
def test_a_reader_that_never_comes_is_not_waited_for(
    ours: Program, tmp_path: Path, action: str
) -> None:
    """What may be dropped is given up at the end, after the time of -t, and told."""
    fd = {"1": "stdout", "2": "stderr"}[action]
    with Pipe() as pipe, Pipe(4096) as out:
        os.set_blocking(out.write, True)
        ends = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, fd: out.write}
        stage = Stage(tmp_path, pipe.read, ends["stdout"], ends["stderr"])
        script = ["-t", "200", "@full=drop-newest", "@buffer=8k", action]
        with running(ours, script, stage) as process:
            pipe.feed(DATA)
            pipe.end()
            ended = finish(process)
        assert ended.code == 0
        if action == "1":
            text = rb"s6-log: warning: stdout: \d+ lines are given up: it took nothing"
            assert re.match(text, ended.err)


def test_what_may_not_be_dropped_is_waited_for(ours: Program, tmp_path: Path) -> None:
    """Alerts and the logger's own words are written before it ends."""
    with Pipe() as pipe, Pipe(4096) as err:
        os.set_blocking(err.write, True)
        stage = Stage(tmp_path, pipe.read, subprocess.PIPE, err.write)
        script = ["2", "=missing/status"]
        with running(ours, script, stage) as process:
            err.end()
            pipe.feed(DATA[:20_000])
            pipe.end()
            with open(err.read, "rb", closefd=False) as reader:
                said = reader.read()
            assert process.wait(DEADLINE_S) == 0
    lines = said.splitlines()
    warnings = [line for line in lines if b"unable to write status file" in line]
    assert warnings
    alerts = [line for line in lines if line.startswith(b"s6-log: alert: ")]
    assert len(alerts) == DATA[:20_000].count(b"\n") + 1


def test_a_rate_is_kept(ours: Program, tmp_path: Path) -> None:
    """The other action gets everything, and the rest of this one is told."""
    stage = Stage(tmp_path, subprocess.PIPE)
    with running(ours, ["@rate=5/h", "1", *KEEP, "./d"], stage) as process:
        out, err = process.communicate(DATA, timeout=DEADLINE_S)
    shown = out.splitlines()
    assert shown[:5] == LINES[:5]
    missing = COUNT - 5
    assert shown[5:] == [b"s6-log: %d lines dropped (more than 5 in 3600 s)" % missing]
    assert err == b""
    assert logged(tmp_path / "d") == DATA


def test_what_is_given_up_stays_in_the_input(ours: Program, tmp_path: Path) -> None:
    """With -b and an output that may lose nothing: the next logger gets it."""
    command = "@pipe=exec sleep 100 >/dev/null 2>&1"
    with Pipe() as pipe:
        stage = Stage(tmp_path, pipe.read)
        with running(
            ours, ["-b", "-t", "100", command, *KEEP, "./d"], stage
        ) as process:
            settle(process)
            taken = fill(pipe, DATA)
            process.send_signal(signal.SIGTERM)
            ended = finish(process)
        assert ended.code == 0
        assert b" lines are given up: it took nothing for 100 ms" in ended.err
        consumed = taken - pipe.waiting()
        # Only what the pipe to the command has taken is not in the input any more.
        assert consumed <= 64 << 10
        assert logged(tmp_path / "d").startswith(DATA[:consumed])


def fill(pipe: Pipe, data: bytes) -> int:
    """Write as much as is taken, until nothing is for a while; how much that was."""
    taken = 0
    idle_since = time.monotonic()
    while time.monotonic() < idle_since + 0.3:
        if more := pipe.offer(data[taken : taken + 4096]):
            taken += more
            idle_since = time.monotonic()
    return taken


@pytest.mark.parametrize("others", [[], ["@buffer=2k", "@json", "./a"]])
def test_a_long_line_is_no_reason_to_stop(
    ours: Program, tmp_path: Path, others: list[str]
) -> None:
    """Where what waits may be dropped: it goes on reading, however long the line."""
    script = ["-l0", *others, "@full=drop-oldest", "@buffer=64k", "1"]
    with Pipe() as pipe, Pipe(4096) as out:
        os.set_blocking(out.write, True)
        stage = Stage(tmp_path, pipe.read, out.write)
        with running(ours, ["-t", "100", *script], stage) as process:
            for _ in range(20):
                pipe.feed(DATA[:100_000])
            pipe.feed(b"x" * 400_000)
            pipe.feed(b"\n" + DATA[:200_000])
            pipe.end()
            ended = finish(process)
        assert ended.code == 0
        assert b"reading stopped: 0 bytes" not in ended.err


def test_a_line_that_is_given_up_is_ended(ours: Program, tmp_path: Path) -> None:
    """Before one of another output on the same descriptor."""
    script = ["-x", "@full=drop-oldest", "1", "-", "+x", "@full=block", "2"]
    with Pipe() as pipe, Pipe(4096) as out:
        os.set_blocking(out.write, True)
        stage = Stage(tmp_path, pipe.read, out.write, out.write)
        args = ["-t", "100", "-l0", "--", *script]
        with running(ours, args, stage) as process:
            pipe.feed(b"a" * 10_000 + b"\n")
            wait_until(lambda: not out.room(), "the line to begin")
            pipe.feed(b"x alert\n")
            pipe.end()
            out.end()
            # Nobody reads until the rest of the line has been given up.
            time.sleep(0.5)
            with open(out.read, "rb", closefd=False) as reader:
                shown = reader.read()
            assert process.wait(DEADLINE_S) == 0
    first, *rest = shown.splitlines()
    assert first == b"a" * len(first)
    assert len(first) < 10_000
    assert b"s6-log: alert: x alert" in rest


@pytest.mark.slow
def test_a_slow_reader_is_waited_for(ours: Program, tmp_path: Path) -> None:
    """Also one that takes longer than -t for each page of the pipe (pipe(7))."""
    reader = "while dd bs=1000 count=1 2>/dev/null | grep ^; do sleep 0.1; done >out"
    script = ["-t", "250", f"@pipe={reader} 2>/dev/null", "./d"]
    with (
        Pipe() as pipe,
        (tmp_path / "said").open("wb") as said,
        running(
            ours, script, Stage(tmp_path, pipe.read, stderr=said.fileno())
        ) as process,
    ):
        pipe.feed(DATA[:76_000])
        pipe.end()
        assert process.wait(DEADLINE_S) == 0
        assert b"given up" not in (tmp_path / "said").read_bytes()


@pytest.mark.slow
def test_no_reader_is_waited_for_without_end(ours: Program, tmp_path: Path) -> None:
    """However steadily it reads: ten times the time of -t is enough."""
    command = "@pipe=while read -r n; do sleep 0.02; done >/dev/null 2>&1"
    with Pipe() as pipe, (tmp_path / "said").open("wb") as said:
        stage = Stage(tmp_path, pipe.read, stderr=said.fileno())
        with running(ours, ["-t", "200", command], stage) as process:
            pipe.feed(DATA)
            pipe.end()
            assert process.wait(DEADLINE_S) == 0
        text = rb"\d+ lines are given up: it took 2000 ms, and has not done"
        assert re.search(text, (tmp_path / "said").read_bytes())
