"""s6-svwait: told stories like the real one, and with supervisors that die."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

import harness
from chains import agree, needs_root
from harness import Program, Stage, wait_until
from supervising import (
    make_service,
    record,
    service_directory,
    status,
    subscribers,
    supervise,
    svscan,
    tell,
    wait_up,
)
from supervisor.service.status import READY, Status
from waiters import CASES, CHOICES, FAILED, RESTARTS, Case, attend, expected
from watching import children

TOOL = "s6-svwait"
Find = Callable[[str], Program]


def waiting(case: Case) -> list[str]:
    """Give the words of a command line."""
    return [*case.options.split(), *map(str, range(len(case.states)))]


@pytest.mark.parametrize("case", [*CASES, *CHOICES], ids=str)
def test_it_ends_as_the_real_one_does(find: Find, tmp_path: Path, case: Case) -> None:
    """Same events, same exit code, same words; and no FIFO is left."""
    outcome = attend(find(TOOL), waiting(case), tmp_path, case)
    assert outcome == expected(TOOL, case)


@pytest.mark.parametrize("case", RESTARTS, ids=str)
def test_it_sees_a_restart_however_fast(tmp_path: Path, case: Case) -> None:
    """Even when down and up come in one piece, or one service after the other."""
    outcome = attend(harness.ours(TOOL), waiting(case), tmp_path, case)
    assert outcome == expected(TOOL, case)


@pytest.mark.parametrize(
    "words", ["-z 0", "-t", "-t x 0", "-t -1 0", "-t 1.5 0", "nowhere", "-u file"]
)
def test_mistakes_are_told_as_by_the_real_one(tmp_path: Path, words: str) -> None:
    """Usage, and directories that are none."""
    (tmp_path / "file").touch()
    agree(TOOL, words.split(), Stage(tmp_path))


def test_without_services_there_is_nothing_to_wait_for(tmp_path: Path) -> None:
    """As in s6 2.14 and later; 2.11 calls it a mistake."""
    outcome = harness.run(harness.ours(TOOL), [], b"", Stage(tmp_path))
    assert (outcome.code, outcome.err) == (0, b"")


def test_a_directory_that_was_never_supervised(tmp_path: Path) -> None:
    """There is no status to read, but a fifodir afterwards, as with the real one."""
    (tmp_path / "new").mkdir()
    outcome = agree(TOOL, ["new"], Stage(tmp_path))
    assert outcome.code == 111
    assert os.listdir(tmp_path / "new") == ["event"]
    assert (tmp_path / "new" / "event").stat().st_mode & 0o7777 == 0o3730


def test_a_status_that_is_too_short(tmp_path: Path) -> None:
    """The supervisor is not one, or the file is broken."""
    place = tmp_path / "short" / "supervise"
    place.mkdir(parents=True)
    (place / "status").write_bytes(b"x" * 34)
    assert agree(TOOL, ["short"], Stage(tmp_path)).code == 111


def test_one_service_of_several_that_is_not_there(tmp_path: Path) -> None:
    """Nothing is left of the subscription to the others."""
    make_service(tmp_path / "a")
    (tmp_path / "a" / "supervise").mkdir()
    (tmp_path / "a" / "supervise" / "status").write_bytes(b"x" * 35)
    assert agree(TOOL, ["a", "nowhere"], Stage(tmp_path)).code == 111
    assert os.listdir(tmp_path / "a" / "event") == []


@needs_root
def test_a_fifodir_of_others_may_be_closed(tmp_path: Path) -> None:
    """Who may not listen is told so."""
    record(tmp_path, Status(0, 0, 0, 0, READY))
    (tmp_path / "event").mkdir(0o700)
    nobody = ["setpriv", "--reuid", "65534", "--clear-groups"]
    outcome = agree(TOOL, ["-d", "."], Stage(tmp_path), start=nobody)
    text = b"s6-svwait: fatal: unable to subscribe to events for .: "
    assert (outcome.code, outcome.err) == (111, text + b"Permission denied\n")


def test_it_waits_for_a_real_restart(
    find_supervisor: Find, find: Find, tmp_path: Path
) -> None:
    """Down, a second of rest, and up again."""
    with (
        service_directory(tmp_path) as service,
        supervise(find_supervisor("s6-supervise"), service),
    ):
        before = wait_up(service)
        with harness.running(find(TOOL), ["-r", "."], Stage(service)) as process:
            wait_until(lambda: bool(subscribers(service)), "a subscription")
            tell(service, b"r")
            assert harness.finish(process).code == 0
        assert status(service).pid not in (0, before)


def test_a_supervisor_that_ends_is_a_failure(
    find_supervisor: Find, find: Find, tmp_path: Path
) -> None:
    """Who waits for the service to come up waits no longer."""
    with (
        service_directory(tmp_path, down="") as service,
        supervise(find_supervisor("s6-supervise"), service) as supervisor,
        harness.running(find(TOOL), ["-u", "."], Stage(service)) as process,
    ):
        wait_until(lambda: bool(subscribers(service)), "a subscription")
        supervisor.terminate()
        outcome = harness.finish(process)
    assert outcome == expected(TOOL, Case("-u", "D", (), 1, FAILED))


def test_a_killed_supervisor_is_waited_for(find: Find, tmp_path: Path) -> None:
    """It cannot say that it is gone; what its successor tells is heard."""
    service = make_service(tmp_path / "scan" / "one", down="")
    with svscan(harness.oracle("s6-svscan"), tmp_path / "scan") as scanner:
        with harness.running(find(TOOL), ["-u", "."], Stage(service)) as process:
            wait_until(lambda: bool(subscribers(service)), "a subscription")
            (service / "down").unlink()
            (supervisor,) = children(scanner.pid)
            os.kill(supervisor, signal.SIGKILL)
            assert harness.finish(process).code == 0
        assert status(service).up
