"""s6-svlisten: its block of directories, its command, and then as s6-svwait."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import harness
from chains import agree
from harness import Program, Stage, wait_until
from supervising import (
    end_all_in,
    processes_in,
    record,
    service_directory,
    status,
    supervise,
    wait_up,
)
from supervisor.service.status import READY, Status
from waiters import CASES, CHOICES, RESTARTS, Case, attend, expected

TOOL = "s6-svlisten"
DOWN = Status(0, 0, 0, 0, READY)
Find = Callable[[str], Program]


def listening(case: Case, *command: str) -> list[str]:
    """Give the words of a command line."""
    block = [f" {number}" for number in range(len(case.states))]
    return [*case.options.split(), *block, "", *(command or ("true",))]


@pytest.fixture
def services(tmp_path: Path) -> Path:
    """Make a folder with three services that are down."""
    for name in ("0", "1", " 2"):
        record(tmp_path / name, DOWN)
    return tmp_path


@pytest.mark.parametrize("case", [*CASES, *CHOICES], ids=str)
def test_it_ends_as_the_real_one_does(find: Find, tmp_path: Path, case: Case) -> None:
    """Same events, same exit code, same words; and no FIFO is left."""
    outcome = attend(find(TOOL), listening(case), tmp_path, case)
    assert outcome == expected(TOOL, case)


@pytest.mark.parametrize("case", RESTARTS, ids=str)
def test_it_sees_a_restart_however_fast(tmp_path: Path, case: Case) -> None:
    """Even when down and up come in one piece, or one service after the other."""
    outcome = attend(harness.ours(TOOL), listening(case), tmp_path, case)
    assert outcome == expected(TOOL, case)


def test_a_restart_goes_through_the_end_of_finish(find: Find, tmp_path: Path) -> None:
    """Down alone is not enough here, other than for s6-svwait."""
    case = Case("-t 300 -r", "u", ("0 d", "0 u"), 99, "timed out")
    assert attend(find(TOOL), listening(case), tmp_path, case) == expected(TOOL, case)


@pytest.mark.parametrize("letter", "rR")
def test_restarts_are_waited_for_all_together(
    find: Find, tmp_path: Path, letter: str
) -> None:
    """With a warning that -o is of no use."""
    case = Case(f"-t 300 -o -{letter}", "DD", ("0 uU",), 99, "timed out")
    outcome = attend(find(TOOL), listening(case), tmp_path, case)
    text = f"-o is unsupported when combined with -{letter}- using -a instead"
    end = expected(TOOL, case)
    assert outcome.err == f"{TOOL}: warning: {text}\n".encode() + end.err
    assert outcome.code == end.code


def test_the_command_starts_when_nothing_can_be_missed(
    find: Find, services: Path
) -> None:
    """All FIFOs are there by then: the command itself tells the events."""
    notify = 'for fifo in */event/ftrig1*; do printf u > "$fifo"; done'
    words = ["-u", "0", "1", "", "sh", "-c", notify]
    with harness.running(find(TOOL), words, Stage(services)) as process:
        assert harness.finish(process).code == 0


def test_the_command_is_not_waited_for(find: Find, services: Path) -> None:
    """Nor its exit code looked at."""
    stage = Stage(services, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with harness.running(
        find(TOOL), ["-d", "0", "", "sleep", "1000"], stage
    ) as process:
        assert process.wait() == 0
    # In the original there is a helper, which may end later.
    wait_until(lambda: len(processes_in(services)) == 1, "the command alone to be left")
    end_all_in(services)
    assert agree(TOOL, ["-d", "0", "", "false"], Stage(services)).code == 0


def test_the_command_inherits_what_the_program_has(find: Find, services: Path) -> None:
    """Standard descriptors, environment and umask; and no FIFO."""
    show = 'umask; echo "$X"; for fd in /proc/self/fd/*; do readlink "$fd"; done'
    go_on = 'for fifo in 0/event/ftrig*; do printf u > "$fifo"; done'
    words = ["-u", "0", "", "sh", "-c", f"({show}) > shown; {go_on}"]
    stage = Stage(services, umask=0o027, env={"X": "1"})
    with harness.running(find(TOOL), words, stage) as process:
        assert harness.finish(process).code == 0
    umask, variable, *rest = (services / "shown").read_text().split()
    assert (umask, variable) == ("0027", "1")
    assert not [target for target in rest if "ftrig" in target]


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["0"],
        ["0", ""],
        ["", "true"],
        ["0", "1", ""],
        ["0", "1", "true"],
        ["-z", "0", "", "true"],
        ["-t", "x", "0", "", "true"],
        ["-d", "0", "", "/no/such/command"],
        ["-d", "0", "", "no-such-command"],
        ["-d", "0", "", "."],
        ["-d", "nowhere", "", "true"],
        ["-d", " 0", "", "true"],
        ["-d", "  2", "", "true"],
        ["-d", " 2", "", "true"],
    ],
    ids=repr,
)
def test_mistakes_are_told_as_by_the_real_one(services: Path, words: list[str]) -> None:
    """Usage, blocks without end, commands and directories that are none."""
    agree(TOOL, words, Stage(services))


@pytest.mark.parametrize("strict", ["", "0", "1", "2", "3", "x", "-1", "1x"])
@pytest.mark.parametrize("block", [["0", "1"], [" 0", " 1"], [" 0", "1"]], ids=repr)
def test_words_without_a_blank_may_be_forbidden(
    services: Path, strict: str, block: list[str]
) -> None:
    """By EXECLINE_STRICT: 1 warns, more is fatal."""
    stage = Stage(services, env={"EXECLINE_STRICT": strict})
    agree(TOOL, ["-d", *block, "", "true"], stage)


def test_without_services_it_becomes_the_command(services: Path) -> None:
    """As in s6 2.14 and later; 2.11 calls it a mistake."""
    ours, stage = harness.ours(TOOL), Stage(services)
    outcome = harness.run(ours, ["", "sh", "-c", "echo hello; exit 3"], b"", stage)
    assert (outcome.code, outcome.out) == (3, b"hello\n")
    outcome = harness.run(ours, ["", "no-such-command", "x"], b"", stage)
    text = b"unable to exec no-such-command: No such file or directory\n"
    assert (outcome.code, outcome.err) == (127, b"s6-svlisten: fatal: " + text)


def test_it_sees_what_its_command_does(
    find_supervisor: Find, find: Find, tmp_path: Path
) -> None:
    """A service that is brought down by the command, and waited for."""
    with (
        service_directory(tmp_path, finish="exit 0") as service,
        supervise(find_supervisor("s6-supervise"), service),
    ):
        wait_up(service)
        (command,) = harness.oracle("s6-svc").argv
        words = ["-D", ".", "", command, "-d", "."]
        with harness.running(find(TOOL), words, Stage(service)) as process:
            assert harness.finish(process).code == 0
        assert status(service).pid == 0
        assert os.listdir(service / "event") == []
