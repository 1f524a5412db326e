"""A logger as an object: driven by a loop that may drive others, too."""

import os
import signal
import sys
import time
from pathlib import Path
from types import BuiltinFunctionType, FunctionType, ModuleType

import pytest

from harness import Pipe
from inside import drive, files_up_to, open_descriptors, settle
from loggers import logging
from s6log.unix.loop import Loop
from trees import archives, logged

with_and_without_b = pytest.mark.parametrize("blocking", [False, True], ids=["", "-b"])


# ---- one logger


@with_and_without_b
def test_a_logger_reads_to_the_end(loop: Loop, tmp_path: Path, blocking: bool) -> None:
    """What has ended is written and closed in order; nothing stays open."""
    before = open_descriptors()
    with Pipe() as pipe:
        pipe.feed(b"one\ntwo\nunfin")
        with logging(loop, tmp_path, "./d", pipe.read, blocking=blocking) as rig:
            settle(loop)
            assert logged(tmp_path / "d") == b"one\ntwo\n"
            assert not rig.logger.done
            pipe.feed(b"ished")
            pipe.end()
            rig.finish()
            assert rig.desk.said() == []
    assert open_descriptors() == before
    assert logged(tmp_path / "d") == b"one\ntwo\nunfinished\n"
    assert (tmp_path / "d" / "current").stat().st_mode & 0o100


@with_and_without_b
def test_lines_arrive_when_they_are_written(
    loop: Loop, tmp_path: Path, blocking: bool
) -> None:
    """One by one, without delay, each on its own."""
    with (
        Pipe() as pipe,
        logging(loop, tmp_path, "./d", pipe.read, blocking=blocking),
    ):
        for number in range(5):
            pipe.feed(b"%d\n" % number)
            settle(loop)
            assert logged(tmp_path / "d").endswith(b"%d\n" % number)


def test_a_logger_rotates_when_it_is_told(loop: Loop, tmp_path: Path) -> None:
    """All its directories."""
    with Pipe() as pipe, logging(loop, tmp_path, "./d ./e", pipe.read) as rig:
        pipe.feed(b"one\n")
        settle(loop)
        rig.logger.rotate()
        assert len(archives(tmp_path / "d")) == len(archives(tmp_path / "e")) == 1


def test_a_rotation_while_it_ends_is_too_late(loop: Loop, tmp_path: Path) -> None:
    """Nothing is begun that would not be finished."""
    with Pipe() as pipe, logging(loop, tmp_path, "?cat ./d", pipe.read) as rig:
        pipe.feed(b"one\n")
        pipe.end()
        rig.finish()
        rig.logger.rotate()
        rig.logger.terminate()
        assert archives(tmp_path / "d") == []


def test_input_that_another_reader_took_is_not_waited_for(
    loop: Loop, tmp_path: Path
) -> None:
    """With -b it would have been consumed when it was written; now a warning is."""
    with (
        Pipe() as pipe,
        logging(loop, tmp_path, "r1 ./d", pipe.read, blocking=True) as rig,
    ):
        with files_up_to(3):
            pipe.feed(b"one\n")
            settle(loop)
            assert os.read(pipe.read, 100) == b"one\n"
        drive(loop, lambda: logged(tmp_path / "d") == b"one\n", "the line")
        settle(loop)
        assert rig.desk.said()[-1].startswith("warning: unable to consume input: ")
        pipe.feed(b"two\n")
        settle(loop)
    assert logged(tmp_path / "d") == b"one\ntwo\n"


# ---- several in one loop


def test_two_loggers_have_nothing_in_common(loop: Loop, tmp_path: Path) -> None:
    """Each has its input, working directory, outputs and end."""
    script = "pname ./log =status"
    with (
        Pipe() as one,
        Pipe() as two,
        logging(loop, tmp_path / "1", script, one.read) as first,
        logging(loop, tmp_path / "2", script, two.read, blocking=True) as second,
    ):
        one.feed(b"of one\n")
        two.feed(b"of two\n")
        settle(loop)
        first.logger.rotate()
        assert len(archives(tmp_path / "1" / "log")) == 1
        assert archives(tmp_path / "2" / "log") == []
        one.end()
        first.finish()
        assert not second.logger.done
        two.feed(b"more of two\n")
        settle(loop)
        second.logger.terminate()
        second.finish()
    assert logged(tmp_path / "1" / "log") == b"name of one\n"
    assert logged(tmp_path / "2" / "log") == b"name of two\nname more of two\n"
    for folder, line in (("1", b"name of one\n"), ("2", b"name more of two\n")):
        assert (tmp_path / folder / "status").read_bytes().rstrip(b"\n") + b"\n" == line


def test_a_stuck_logger_does_not_hold_up_another(loop: Loop, tmp_path: Path) -> None:
    """What waits is its own, and so is what it says."""
    with (
        Pipe() as one,
        Pipe() as two,
        logging(loop, tmp_path / "1", "r10 ./log", one.read, blocking=True) as first,
        logging(loop, tmp_path / "2", "./log", two.read, blocking=True) as second,
    ):
        with files_up_to(100):
            one.feed(b"x" * 200 + b"\n")
            two.feed(b"one\n")
            settle(loop)
            one.feed(b"waits\n")
            two.feed(b"two\n")
            settle(loop)
            assert one.waiting() == 207
            assert logged(tmp_path / "2" / "log") == b"one\ntwo\n"
        drive(loop, lambda: one.waiting() == 0, "the other to go on")
        assert first.desk.said()
        assert second.desk.said() == []
    assert logged(tmp_path / "1" / "log") == b"x" * 200 + b"\nwaits\n"


def module_state() -> dict[tuple[str, str], str]:
    """Show what every module of ours holds, but for what it defines."""
    defined = ModuleType, FunctionType, BuiltinFunctionType, type
    return {
        (name, key): repr(value)
        for name, module in list(sys.modules.items())
        if name.partition(".")[0] == "s6log"
        for key, value in vars(module).items()
        if not key.startswith("__") and not isinstance(value, defined)
    }


def process_state() -> tuple[object, ...]:
    """Show what of this process a logger might change for others."""
    mask = os.umask(0o22)
    os.umask(mask)
    return Path.cwd(), mask, dict(os.environ), time.tzname, sys.argv.copy()


def test_a_logger_keeps_nothing_outside_itself(loop: Loop, tmp_path: Path) -> None:
    """Neither in modules nor in the process."""
    script = "- +^x t pname ./d -y f T =status p 2 ?cat s4096 ./e"

    def run(folder: Path) -> None:
        with Pipe() as pipe, logging(loop, folder, script, pipe.read) as rig:
            for number in range(100):
                pipe.feed(b"x%d\ny%d\n" % (number, number))
            settle(loop)
            rig.logger.rotate()
            loop.on_signal(signal.SIGCHLD, loop.reap_children)
            pipe.end()
            rig.finish()

    run(tmp_path / "first")  # loads what is loaded when it is needed
    modules, process = module_state(), process_state()
    run(tmp_path / "second")
    after = module_state()
    assert {name: after[name] for name in modules} == modules
    assert process_state() == process
