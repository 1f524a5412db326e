"""Signals to s6-svscan, and the scripts that answer them instead."""

import signal
import subprocess
from pathlib import Path

import pytest

import harness
from harness import Program, wait_until
from scanning import all_up, end, lines, order, said, scanned, script
from supervising import make_service, status
from supervisor.scan import orders
from watching import children, ended, facts

ANSWER = "echo $0 $# > answered; pwd >> answered"


@pytest.fixture(params=["ours", "real"])
def svscan(request: pytest.FixtureRequest) -> Program:
    """Give each of the two programs."""
    find = harness.ours if request.param == "ours" else harness.oracle
    return find("s6-svscan")


@pytest.fixture
def ours() -> Program:
    """Give our program."""
    return harness.ours("s6-svscan")


@pytest.mark.parametrize("name", sorted(orders.SCRIPTED))
def test_a_script_takes_the_place_of_what_a_signal_does(
    svscan: Program, tmp_path: Path, name: str
) -> None:
    """It is a child, whom nobody waits for; the tree goes on."""
    service = make_service(tmp_path / "foo")
    script(tmp_path, name, ANSWER)
    with scanned(svscan, tmp_path) as process:
        all_up(service)
        pid = status(service).pid
        process.send_signal(getattr(signal, name))
        wait_until(lambda: lines(tmp_path / "answered") == 2, "an answer")
        told = (tmp_path / "answered").read_text()
        assert told == f".s6-svscan/{name} 0\n{tmp_path}\n"
        assert status(service).pid == pid
        order(tmp_path, b"t")
        assert process.wait(harness.DEADLINE_S) == 0


def test_a_script_that_cannot_be_executed_is_no_answer(
    svscan: Program, tmp_path: Path
) -> None:
    """The signal does what it does without."""
    script(tmp_path, "SIGTERM", "exit 1", mode=0o644)
    with scanned(svscan, tmp_path) as process:
        assert end(process) == 0


@pytest.mark.parametrize("name", ["SIGALRM", "SIGABRT", "SIGCHLD"])
def test_some_signals_have_no_script(
    svscan: Program, tmp_path: Path, name: str
) -> None:
    """To scan, to abort and to reap works always."""
    script(tmp_path, name, ANSWER)
    script(tmp_path, "finish", "exit 7")
    with scanned(svscan, tmp_path) as process:
        service = make_service(tmp_path / "foo")
        process.send_signal(getattr(signal, name))
        if name == "SIGABRT":
            assert process.wait(harness.DEADLINE_S) == 7
        else:
            order(tmp_path, b"a")
            all_up(service)
            assert end(process) == 7
        assert not (tmp_path / "answered").exists()


def test_a_script_without_interpreter_is_no_answer(
    ours: Program, tmp_path: Path
) -> None:
    """A warning says what is wrong with it."""
    script(tmp_path, "SIGTERM", "").write_text("echo no interpreter named\n")
    with scanned(ours, tmp_path, stderr=subprocess.PIPE) as process:
        assert end(process) == 0
        text = "s6-svscan: warning: unable to spawn .s6-svscan/SIGTERM: "
        assert said(process) == [text + "Exec format error"]


def test_scripts_do_not_answer_any_more_in_the_end(
    ours: Program, tmp_path: Path
) -> None:
    """They would begin anew what is under way."""
    service = make_service(
        tmp_path / "foo",
        "trap 'touch told' TERM; touch listens; while :; do sleep 0.01; done",
    )
    script(tmp_path, "SIGTERM", ANSWER)
    with scanned(ours, tmp_path) as process:
        wait_until((service / "listens").exists, "the trap")
        order(tmp_path, b"t")
        wait_until((service / "told").exists, "the end to begin")
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGABRT)
        assert process.wait(harness.DEADLINE_S) == 0
        assert not (tmp_path / "answered").exists()


def test_children_that_nobody_knows_are_reaped(svscan: Program, tmp_path: Path) -> None:
    """Such as those that whoever was this process before has left to it."""
    before = "true & exec " + " ".join(["env", *svscan.argv, '"$@"'])
    program = Program(svscan.name, ("/bin/sh", "-c", before, "sh"))
    with scanned(program, tmp_path) as process:
        order(tmp_path, b"z")
        wait_until(lambda: not dead_children(process.pid), "them to be reaped")
        assert not ended(facts(process.pid))


def dead_children(pid: int) -> list[int]:
    """List the children of a process that wait to be reaped."""
    return [child for child in children(pid) if ended(facts(child))]


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1])
def test_a_signal_that_comes_before_anybody_listens_waits(
    ours: Program, tmp_path: Path, signum: int
) -> None:
    """Held from the first moment on, and then obeyed."""
    script(tmp_path, "finish", "exit 7")
    stage = harness.Stage(tmp_path)
    with harness.running(ours, [str(tmp_path)], stage) as process:
        wait_until(lambda: holds(process.pid, signum), "the signal to be held")
        process.send_signal(signum)
        if signum != signal.SIGTERM:
            all_up(wait_for_service(tmp_path))
            process.send_signal(signal.SIGTERM)
        assert process.wait(harness.DEADLINE_S) == 7


def wait_for_service(scandir: Path) -> Path:
    """Make a service and have it found, as soon as somebody takes orders."""
    service = make_service(scandir / "foo")
    control = scandir / ".s6-svscan" / "control"
    wait_until(control.exists, "a supervisor")
    wait_until(lambda: obeyed(scandir), "orders to be taken")
    return service


def obeyed(scandir: Path) -> bool:
    """Give the order to scan, if somebody takes orders."""
    try:
        order(scandir, b"a")
    except OSError:
        return False
    return True


def holds(pid: int, signum: int) -> bool:
    """Tell whether a process blocks or handles a signal."""
    known = facts(pid)
    masks = int(known.get("SigBlk", "0"), 16) | int(known.get("SigCgt", "0"), 16)
    return bool(masks >> (signum - 1) & 1)
