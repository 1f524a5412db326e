"""Services that behave badly: forking, deaf, stopped, dying at once."""

import signal
from functools import partial
from pathlib import Path

import pytest

from enduring import BAD, enduring
from harness import DEADLINE_S, wait_until
from outliving import kill, works_in
from scanning import lines, logged, order
from supervising import (
    Ear,
    make_service,
    processes_in,
    status,
    supervised,
    tell,
    wait_up,
)
from watching import ended, facts

SLEEP = "exec sleep 1000"
FORKS = "(echo child; exec sleep 1000) & echo parent; exit 0"


def stopped(pid: int) -> bool:
    """Tell whether a process was stopped by a signal."""
    return facts(pid)["State"].startswith("T")


def test_a_service_that_forks_and_exits(tmp_path: Path) -> None:
    """It is started again each second; what it leaves is nobody's, and left alone."""
    bad = make_service(tmp_path / "scan" / BAD, FORKS)
    with enduring(bad.parent) as trial:
        wait_until(lambda: supervised(bad), "the bad service")
        with Ear(bad) as ear:
            ear.wait_for(b"u")
            ear.wait_for(b"dDu")
        wait_until(lambda: len(processes_in(bad)) == 2, "two children")
        left = processes_in(bad)
        tell(bad, b"d")
        trial.goes_on()
        assert sorted(trial.tree.lines()) == ["child"] * 2 + ["parent"] * 2
        trial.ends()
        assert processes_in(bad) == left


def working_in(directory: Path) -> list[int]:
    """Give the processes whose working directory it is."""
    return [pid for pid in processes_in(directory) if works_in(pid, directory)]


def test_a_child_that_keeps_the_pipe(tmp_path: Path) -> None:
    """The logger goes on reading what it may say, also when the tree is to end."""
    bad = logged(tmp_path / "scan", BAD, FORKS)
    (bad / "down").touch()
    with enduring(bad.parent) as trial:
        wait_until(lambda: supervised(bad), "the bad service")
        tell(bad, b"o")
        wait_until(lambda: lines(bad / "out") == 2, "what both say")
        # Its parent has said its last word, and may not have ended yet.
        wait_until(lambda: len(working_in(bad)) == 1, "the end of the parent")
        (child,) = working_in(bad)
        order(bad.parent, b"t")
        with Ear(bad / "log") as ear:
            kill(child)
            ear.wait_for(b"x")
        assert trial.tree.process.wait(DEADLINE_S) == 0


def test_a_service_that_dies_at_once(tmp_path: Path) -> None:
    """Once a second, no more; nobody else has to wait."""
    bad = make_service(tmp_path / "scan" / BAD, "echo >> begun; exit 1")
    with enduring(bad.parent) as trial:
        wait_until(lambda: lines(bad / "begun") == 1, "the first run")
        begun = status(bad).stamp_ns
        wait_until(lambda: lines(bad / "begun") == 3, "the third run")
        assert status(bad).stamp_ns - begun >= 1_000_000_000
        trial.goes_on()
        assert trial.warnings() == []
        trial.ends()


@pytest.mark.parametrize("by", ["a command", "somebody"])
def test_a_service_that_stands_still(tmp_path: Path, by: str) -> None:
    """It can be taken down, and the tree can be ended."""
    scandir = tmp_path / "scan"
    first, second = (make_service(scandir / name, SLEEP) for name in (BAD, "bad2"))
    with enduring(scandir) as trial:
        wait_until(lambda: supervised(first) and supervised(second), "the services")
        pids = [wait_up(service) for service in (first, second)]
        for service, pid in zip((first, second), pids, strict=True):
            if by == "somebody":
                kill(pid, signal.SIGSTOP)
            else:
                tell(service, b"p")
            wait_until(partial(stopped, pid), "it to stand still")
        trial.goes_on()
        assert all(map(stopped, pids))
        with Ear(first) as ear:
            tell(first, b"d")
            ear.wait_for(b"dD")
        trial.ends()
        assert all(ended(facts(pid)) for pid in pids)


def test_a_logger_that_stands_still(tmp_path: Path) -> None:
    """Its service waits when the pipe is full; the tree ends when it goes on."""
    run = "while :; do echo 0123456789012345678901234567890123456789; done"
    bad = logged(tmp_path / "scan", BAD, run)
    with enduring(bad.parent) as trial:
        wait_until(lambda: supervised(bad), "the bad service")
        logger = wait_up(bad / "log")
        kill(logger, signal.SIGSTOP)
        pid = wait_up(bad)
        wait_until(lambda: waits_for_room(pid), "the pipe to be full")
        trial.goes_on()
        with Ear(bad) as ear:
            order(bad.parent, b"t")
            ear.wait_for(b"x")
        trial.rests()
        assert stopped(logger)
        kill(logger, signal.SIGCONT)
        assert trial.tree.process.wait(DEADLINE_S) == 0
        assert len({*(bad / "out").read_text().split()}) == 1


def waits_for_room(pid: int) -> bool:
    """Tell whether a process sleeps in write(2)."""
    try:
        return Path(f"/proc/{pid}/wchan").read_text() in {
            "pipe_write",
            "anon_pipe_write",
        }
    except OSError:
        return False
