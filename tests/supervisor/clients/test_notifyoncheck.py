"""s6-notifyoncheck: readiness by checks, under either supervisor."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL

import pytest

import harness
from chains import agree, become
from harness import PYTHON, Outcome, Pipe, Program, Stage, running, wait_until
from standins import supervised, up
from supervising import (
    Ear,
    end_all_in,
    notify,
    processes_in,
    service_directory,
    status,
    subscribers,
    supervise,
    tell,
    wait_up,
)
from watching import facts

TOOL = "s6-notifyoncheck"
Find = Callable[[str], Program]

CHECK = "echo >> checks; [ -e well ]"
"""Leaves a byte for each check; succeeds when there is a file `well`."""

HANG = "echo >> checks; exec sleep 1000"
NOTE_END = """
import os
try:
    end = os.waitstatus_to_exitcode(os.wait()[1])
except ChildProcessError:
    end = None
print(end, file=open("ended", "w"))
"""
"""A program that waits for its child, which is not of its own making."""


def install(directory: Path, check: str) -> None:
    """Give a service directory a check."""
    (directory / "data").mkdir(exist_ok=True)
    script = directory / "data" / "check"
    script.write_text(f"#!/bin/sh\n{check}\n")
    script.chmod(0o755)


def checks(directory: Path) -> int:
    """Count the checks so far."""
    try:
        return (directory / "checks").stat().st_size
    except FileNotFoundError:
        return 0


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """Give a service directory that looks supervised and has a fifodir."""
    with supervised(tmp_path / "s", up()) as directory:
        (directory / "event").mkdir()
        yield directory
        end_all_in(directory)


@contextmanager
def checking(
    program: Program, options: Sequence[str], place: Path, pipe: Pipe
) -> Iterator[harness.Process]:
    """Run it, with a pipe to notify and a program that notes how its child ends."""
    words = ["-3", str(pipe.write), *options, *PYTHON, "-c", NOTE_END]
    # Not pipes, which checks that are left alone would keep open.
    with (place / "stderr").open("wb") as stderr:
        stage = Stage(place, stdout=DEVNULL, stderr=stderr.fileno(), fds=(pipe.write,))
        with running(program, words, stage) as process:
            yield process


def end(process: harness.Process, place: Path) -> str:
    """Wait for it; give the exit code of the child, or None when there was none."""
    process.wait(harness.DEADLINE_S)
    return (place / "ended").read_text().strip()


@dataclass(frozen=True)
class Case:
    """Options and a check; how it ends, after how many checks."""

    options: str
    check: str
    code: int
    checks: int

    def __str__(self) -> str:
        return f"{self.options} {self.code}".replace(" ", "_")


READY, NOT_READY, DEAD, LATE = range(4)
CASES = (
    Case("-s 0", "echo >> checks", READY, 1),
    Case("-s 0 -w 1 -n 0", "echo >> checks; [ -s checks -a -e x ] || >x", READY, 1),
    Case("-w 1 -n 5", "echo >> checks; [ `wc -l < checks` = 3 ]", READY, 3),
    Case("-w 1 -n 3", "echo >> checks; exit 1", NOT_READY, 3),
    Case("-w 1 -n 2", "echo >> checks; kill -9 $$", NOT_READY, 2),
    Case("-s 1 -w 1 -n 1", "echo >> checks; exit 7", NOT_READY, 1),
    Case("-T 50 -s 60000", CHECK, LATE, 0),
    Case("-T 1500 -n 1", HANG, LATE, 1),
    Case("-t 50 -w 1 -n 2", HANG, NOT_READY, 2),
    Case("-t 60000 -w 1", "echo >> checks", READY, 1),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_it_ends_as_the_real_one_does(find: Find, place: Path, case: Case) -> None:
    """With the same code, after as many checks; it tells when it is ready, only."""
    install(place, case.check)
    with (
        Pipe() as pipe,
        checking(find(TOOL), case.options.split(), place, pipe) as process,
    ):
        assert end(process, place) == str(case.code)
        assert pipe.waiting() == (case.code == READY)
    assert (place / "stderr").read_bytes() == b""
    # Those that were left alone may not even have begun.
    wait_until(lambda: checks(place) == case.checks, "so many checks")
    assert subscribers(place) == []


@pytest.mark.parametrize(("options", "left"), [("-t 100 -w 1 -n 1", 1), ("-T 200", 0)])
def test_a_check_that_takes_too_long_is_left_alone(
    find: Find, place: Path, options: str, left: int
) -> None:
    """As in s6, unless it is the time for all checks that is over."""
    install(place, HANG)
    with (
        Pipe() as pipe,
        checking(find(TOOL), options.split(), place, pipe) as process,
    ):
        end(process, place)
    wait_until(lambda: len(processes_in(place)) == left, "the others to end")


@pytest.mark.parametrize("check", [CHECK, HANG])
def test_the_death_of_the_service_ends_it(find: Find, place: Path, check: str) -> None:
    """Whether it waits or a check runs, which is ended too."""
    install(place, check)
    with (
        Pipe() as pipe,
        checking(find(TOOL), ["-n", "0"], place, pipe) as process,
    ):
        wait_until(lambda: checks(place) >= 1, "a check")
        notify(place, b"suU")
        notify(place, b"d")
        assert end(process, place) == str(DEAD)
        assert pipe.waiting() == 0
    wait_until(lambda: processes_in(place) == [], "the end of the check")


def test_a_grandchild_leaves_the_program_childless(find: Find, place: Path) -> None:
    """With -d, for programs that wonder about children they do not know."""
    install(place, CHECK)
    with (
        Pipe() as pipe,
        checking(find(TOOL), ["-d", "-w", "10", "-n", "0"], place, pipe) as process,
    ):
        assert end(process, place) == "None"
        (place / "well").touch()
        wait_until(lambda: pipe.waiting() == 1, "readiness")


def test_a_check_may_be_a_command_line(find: Find, place: Path) -> None:
    """For execlineb, with -c."""
    (place / "well").touch()
    with (
        Pipe() as pipe,
        checking(find(TOOL), ["-c", "test -e well"], place, pipe) as process,
    ):
        assert end(process, place) == str(READY)
        assert pipe.waiting() == 1


def test_options_have_long_names(place: Path) -> None:
    """Those of s6 2.15."""
    install(place, "exit 1")
    words = [
        "--doublefork",
        "--initial-sleep=1",
        "--waiting-time=1",
        "--tries=2",
        "--local-timeout=1000",
        "--global-timeout=60000",
        "--check-program=false",
    ]
    with Pipe() as pipe:
        stage = Stage(place, fds=(pipe.write,))
        words += [f"--notification-fd={pipe.write}", "echo", "hello"]
        outcome = become(harness.ours(TOOL), words, stage)
    assert outcome == Outcome(0, b"hello\n", b"")


def test_a_check_that_cannot_be_run_counts_as_failed(place: Path) -> None:
    """With a warning each time."""
    with (
        Pipe() as pipe,
        checking(harness.ours(TOOL), ["-w", "1", "-n", "2"], place, pipe) as process,
    ):
        assert end(process, place) == str(NOT_READY)
    text = b"unable to spawn ./data/check: No such file or directory\n"
    warning = b"s6-notifyoncheck (child): warning: " + text
    assert (place / "stderr").read_bytes() == 2 * warning


MISTAKES = (
    ("-3 x true", 100, "fatal: notification-fd must be an unsigned integer"),
    ("-3 0 -w x true", 100, "fatal: waiting-time must be an unsigned integer"),
    ("-3 0 --tries=-1 true", 100, "fatal: tries must be an unsigned integer"),
    ("-3 77 true", 111, "fatal: notification-fd sanity check failed: Bad file desc"),
    ("-3 4294967295 true", 111, "fatal: notification-fd sanity check failed: Bad"),
    ("-3 0 -Z true", 100, "fatal: unrecognized short option: Z"),
    ("-3 0", 100, "usage: s6-notifyoncheck [ -d ] [ -3 fd ] "),
    ("true", 111, "fatal: unable to read ./notification-fd: No such file or dir"),
)


@pytest.mark.parametrize(("words", "code", "text"), MISTAKES)
def test_mistakes_are_told_in_the_words_of_s6_2_15(
    place: Path, words: str, code: int, text: str
) -> None:
    """Before anything is forked."""
    outcome = become(harness.ours(TOOL), words.split(), Stage(place))
    assert outcome.code == code
    assert outcome.err.startswith(f"{TOOL}: {text}".encode())


@pytest.mark.parametrize("content", ["", "x", "3 "])
def test_a_descriptor_that_is_none(place: Path, content: str) -> None:
    """In the file, as the real one says it."""
    (place / "notification-fd").write_text(content)
    assert agree(TOOL, ["true"], Stage(place)).code == 100


def test_without_a_supervisor_there_is_nobody_to_tell(tmp_path: Path) -> None:
    """Also where it is run in another directory."""
    outcome = agree(TOOL, ["-3", "2", "true"], Stage(tmp_path))
    text = b"s6-notifyoncheck: fatal: s6-supervise not running.\n"
    assert outcome == Outcome(100, b"", text)


def test_a_program_that_is_missing(place: Path) -> None:
    """Exit 127; whoever checks goes on until the supervisor tells of the death."""
    install(place, "exit 1")
    with Pipe() as pipe:
        words = ["-3", str(pipe.write), "-n", "1", "no-such-program"]
        outcome = agree(TOOL, words, Stage(place, fds=(pipe.write,)))
    assert outcome.code == 127


def test_without_a_fifodir_the_service_does_not_start(place: Path) -> None:
    """Nobody would hear of its death."""
    (place / "event").rmdir()
    with Pipe() as pipe:
        words = ["-3", str(pipe.write), "echo", "up"]
        stage = Stage(place, fds=(pipe.write,))
        outcome = become(harness.ours(TOOL), words, stage)
    assert (outcome.code, outcome.out) == (111, b"")
    assert b"(child): fatal: unable to subscribe to event fifodir: " in outcome.err
    assert b"s6-notifyoncheck: fatal: unable to synchronize with child" in outcome.err


def test_a_service_is_ready_when_the_check_says_so(
    find: Find, find_supervisor: Find, tmp_path: Path
) -> None:
    """Not before; and then nothing of the checks is left."""
    run = f"exec {' '.join(find(TOOL).argv)} -w 10 -n 0 sleep 1000"
    with (
        service_directory(tmp_path, "s", run, notification_fd="3") as directory,
        supervise(find_supervisor("s6-supervise"), directory),
        Ear(directory) as ear,
    ):
        install(directory, CHECK)
        pid = wait_up(directory)
        wait_until(lambda: checks(directory) >= 2, "two checks")
        assert not status(directory).ready
        (directory / "well").touch()
        ear.wait_for(b"U")
        assert status(directory).pid == pid
        wait_until(lambda: subscribers(directory) == [ear.path], "nobody to listen")
        assert facts(pid)["Name"] == "sleep"
        assert not os.path.exists(f"/proc/{pid}/fd/3")


def test_a_service_that_dies_is_not_checked_any_more(
    find: Find, find_supervisor: Find, tmp_path: Path
) -> None:
    """Whoever checked the one before is gone when the next one starts."""
    run = f"exec {' '.join(find(TOOL).argv)} -w 10 -n 0 sleep 1000"
    with (
        service_directory(tmp_path, "s", run, notification_fd="3") as directory,
        supervise(find_supervisor("s6-supervise"), directory),
    ):
        install(directory, CHECK)
        wait_up(directory)
        wait_until(lambda: checks(directory) >= 1, "a check")
        tell(directory, b"Ok")
        wait_until(lambda: subscribers(directory) == [], "nobody to listen")
        assert not status(directory).up
