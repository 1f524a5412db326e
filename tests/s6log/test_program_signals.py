"""Signals in bad moments, and a second logger where there is one already."""

import os
import signal
from pathlib import Path

import pytest

from harness import (
    Outcome,
    Pipe,
    Program,
    Stage,
    finish,
    run,
    running,
    start,
    wait_until,
)
from injection import failing, need_strace
from numbered import Reading, Source, leftovers, line, lines
from storms import meet
from trees import archives, listing
from watching import children, settle

LINES = 500


@pytest.mark.parametrize("options", [[], ["-b"]], ids=["", "-b"])
@pytest.mark.parametrize("processor", [[], ["?cat"]], ids=["", "processor"])
def test_storm_of_alarms(
    ours: Program, options: list[str], processor: list[str], tmp_path: Path
) -> None:
    """Rotations asked for faster than they can be made lose and double nothing."""
    with Pipe() as pipe:
        source = Source(pipe, 93)
        stage = Stage(tmp_path, stdin=pipe.read)
        script = [*options, "n99999", *processor, "./d"]
        with running(ours, script, stage) as process:
            settle(process)
            for _ in range(150):
                source.pour(4096)
                for _ in range(10):
                    process.send_signal(signal.SIGALRM)
            count = source.stop()
            ending = finish(process)
    reading = Reading(tmp_path / "d")
    assert (ending.code, ending.err) == (0, b"")
    assert (reading.numbers, reading.torn) == (list(range(count)), [])
    assert not leftovers(tmp_path / "d")


@pytest.mark.parametrize("options", [[], ["-b"]], ids=["", "-b"])
def test_alarms_between_lines(
    ours: Program, options: list[str], tmp_path: Path
) -> None:
    """They meet a logger that finds its pipe empty: it stays, and loses nothing."""
    with Pipe() as pipe:
        stage = Stage(tmp_path, stdin=pipe.read)
        with running(ours, [*options, "n99999", "./d"], stage) as process:
            settle(process)
            for number in range(LINES):
                pipe.feed(line(number))
                meet(process, signal.SIGALRM, pipe)
            assert process.poll() is None
            pipe.end()
            ending = finish(process)
    reading = Reading(tmp_path / "d")
    assert (ending.code, ending.err) == (0, b"")
    assert (reading.numbers, reading.torn) == (list(range(LINES)), [])
    assert not leftovers(tmp_path / "d")


def test_an_interrupted_look_is_made_again(ours: Program, tmp_path: Path) -> None:
    """With -b, at the first one and at later ones."""
    need_strace()
    interrupted = failing(ours, "tee:error=EINTR:when=1+2", tmp_path)
    data = lines(0, LINES)
    ending = run(interrupted, ["-b", "1"], data, Stage(tmp_path))
    assert ending == Outcome(0, data, b"")


LAST_WORDS = {
    "idle": (b"a\n", b"lost\n", b"a\n", b"lost\n"),
    "in a line": (b"a\nb", b"c\nlost\n", b"a\nbc\n", b"lost\n"),
    "in a line that NUL ends": (b"a\nb", b"c\0lost", b"a\nbc\n", b"lost"),
    "in a line that does not end": (b"a\nb", b"c", b"a\nbc\n", b""),
}


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP], ids=["TERM", "HUP"])
@pytest.mark.parametrize("options", [[], ["-b"]], ids=["", "-b"])
@pytest.mark.parametrize("words", LAST_WORDS.values(), ids=LAST_WORDS.keys())
def test_rest_of_the_input_is_left(
    ours: Program,
    words: tuple[bytes, bytes, bytes, bytes],
    options: list[str],
    how: signal.Signals,
    tmp_path: Path,
) -> None:
    """After TERM or HUP nothing is read beyond the line that has begun."""
    before, after, logged, left = words
    with Pipe() as pipe:
        stage = Stage(tmp_path, stdin=pipe.read)
        with running(ours, [*options, "-t200", "1"], stage) as process:
            settle(process)
            pipe.feed(before)
            settle(process)
            process.send_signal(how)
            settle(process)
            pipe.feed(after)
            ending = finish(process)
        assert pipe.waiting() == len(left)
        assert not left or os.read(pipe.read, 100) == left
    assert (ending.code, ending.out, ending.err) == (0, logged, b"")


@pytest.mark.parametrize("manner", ["block", "ignore"])
def test_inherited_signal_mask_does_not_matter(
    ours: Program, manner: str, tmp_path: Path
) -> None:
    """Signals blocked or ignored by whoever started the logger work all the same."""
    env = Program("env", ("env", f"--{manner}-signal=TERM,HUP,ALRM,CHLD"))
    with Pipe() as pipe:
        stage = Stage(tmp_path, stdin=pipe.read)
        with running(env, [*ours.argv, "?cat", "./d"], stage) as process:
            settle(process)
            pipe.feed(b"a\n")
            settle(process)
            process.send_signal(signal.SIGALRM)
            wait_until(lambda: bool(archives(tmp_path / "d")), "an archive")
            process.send_signal(signal.SIGTERM)
            assert finish(process).code == 0


@pytest.mark.parametrize("options", [[], ["-b"]], ids=["", "-b"])
def test_signals_after_the_end_of_input(
    ours: Program, options: list[str], tmp_path: Path
) -> None:
    """While a processor delays the end, TERM, HUP and ALRM change nothing."""
    os.mkfifo(tmp_path / "gate")
    gate = os.open(tmp_path / "gate", os.O_RDWR)
    script = [*options, "s4096", "?read x <../gate; cat", "./d", "./e"]
    with Pipe() as pipe:
        stage = Stage(tmp_path, stdin=pipe.read)
        with running(ours, script, stage) as process:
            settle(process)
            pipe.feed(lines(0, 40))
            pipe.end()
            settle(process)
            for name in ("TERM", "HUP", "ALRM", "TERM", "HUP"):
                process.send_signal(signal.Signals[f"SIG{name}"])
                settle(process)
            assert process.poll() is None
            os.write(gate, b"go on\n" * 9)
            ending = finish(process)
    os.close(gate)
    assert (ending.code, ending.err) == (0, b"")
    for name in ("d", "e"):
        assert Reading(tmp_path / name).numbers == list(range(40))
        assert not leftovers(tmp_path / name)


def test_second_logger_is_refused(ours: Program, tmp_path: Path) -> None:
    """A directory in use is refused at once, and whoever uses it notices nothing."""
    message = b"s6-log: fatal: unable to lock ./d/lock: Device or resource busy\n"
    with Pipe() as pipe, start(ours, pipe, tmp_path) as first:
        settle(first)
        pipe.feed(lines(0, 10))
        settle(first)
        before = listing(tmp_path)
        for _ in range(2):
            with running(ours, ["./d"], Stage(tmp_path)) as second:
                ending = finish(second)
            assert (ending.code, ending.out, ending.err) == (111, b"", message)
        assert listing(tmp_path) == before
        pipe.feed(lines(10, 20))
        pipe.end()
        assert finish(first).code == 0
    assert Reading(tmp_path / "d").numbers == list(range(20))


def test_lock_goes_with_the_process(ours: Program, tmp_path: Path) -> None:
    """After kill -9 the directory is free at once."""
    with Pipe() as pipe, start(ours, pipe, tmp_path) as process:
        settle(process)
        process.kill()
        process.wait()
    with running(ours, ["./d"], Stage(tmp_path)) as process:
        assert finish(process).code == 0


def test_processor_does_not_keep_the_lock(ours: Program, tmp_path: Path) -> None:
    """A processor that outlives its killed logger is no logger on the directory."""
    os.mkfifo(tmp_path / "gate")
    gate = os.open(tmp_path / "gate", os.O_RDWR)
    with Pipe() as pipe:
        # The processor waits until the test opens the gate.
        stage = Stage(tmp_path, stdin=pipe.read)
        with running(ours, ["?read x <../gate; cat", "./d"], stage) as process:
            settle(process)
            pipe.feed(b"a\n")
            settle(process)
            process.send_signal(signal.SIGALRM)
            wait_until(lambda: bool(children(process.pid)), "the processor")
            process.kill()
            process.wait()
        pipe.end()
        with start(ours, pipe, tmp_path) as process:
            ending = finish(process)
    os.write(gate, b"open\n")
    os.close(gate)
    assert (ending.code, ending.err) == (0, b"")
    [archive] = (tmp_path / "d").glob("@*.u")
    assert archive.read_bytes() == b"a\n"
    assert not leftovers(tmp_path / "d")
