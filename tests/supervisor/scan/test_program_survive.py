"""Errors of our own: survived where that is possible, else .s6-svscan/crash."""

import subprocess
from pathlib import Path

import pytest

import harness
from harness import Program, wait_until
from scanning import (
    all_up,
    as_pid_1,
    end,
    logged,
    namespaces_allowed,
    order,
    said,
    scanned,
)
from scanning import script as make_script
from supervising import make_service, status

FAULTY = """
import os, sys
sys.path.append(sys.argv.pop(1))
from supervisor.scan import ground
from supervisor.scan.cli import main

failures = int(sys.argv.pop(1))
made = []

class Faulty(ground.Loop):
    def turn(self):
        made.append(self)
        super().turn()
        if triggered():
            raise ValueError("this\\nis wrong")

def triggered():
    global failures
    if failures and os.path.exists("trigger"):
        failures -= 1
        return True
    return False

ground.Loop = Faulty
os._exit(main([os.fsencode(word) for word in sys.argv[1:]]))
"""
FAILING_EFFECTS = """
import os, sys
sys.path.append(sys.argv.pop(1))
from supervisor.scan import effects, tree
from supervisor.scan.cli import main

def fail(_tree, _side):
    raise ValueError("this\\nis wrong")

tree.FOR_ONE[effects.MAKE_PIPE] = fail
os._exit(main([os.fsencode(word) for word in sys.argv[1:]]))
"""
WRONG = "s6-svscan: warning: internal error: ValueError: this is wrong"


def faulty(failures: int) -> Program:
    """Give an s6-svscan whose loop fails so often once there is a file `trigger`."""
    checkout = str(harness.LAUNCHER.parent.parent)
    argv = (*harness.PYTHON, "-c", FAULTY, checkout, str(failures))
    return Program("faulty", argv)


def test_an_error_in_the_loop_is_survived(tmp_path: Path) -> None:
    """With a warning of one line; services are not touched."""
    service = make_service(tmp_path / "foo")
    with scanned(faulty(3), tmp_path, stderr=subprocess.PIPE) as process:
        all_up(service)
        pid = status(service).pid
        (tmp_path / "trigger").touch()
        new = make_service(tmp_path / "new")
        order(tmp_path, b"a")
        all_up(new)
        assert status(service).pid == pid
        assert end(process) == 0
        assert said(process) == [WRONG] * 3


def test_errors_that_come_together_are_survived(tmp_path: Path) -> None:
    """One by one; then what else was to be done."""
    checkout = str(harness.LAUNCHER.parent.parent)
    failing = Program("ours", (*harness.PYTHON, "-c", FAILING_EFFECTS, checkout))
    services = [logged(tmp_path, f"s{n}", "exec sleep 1000") for n in range(3)]
    with scanned(failing, tmp_path, stderr=subprocess.PIPE) as process:
        all_up(*services)
        assert end(process) == 0
        assert said(process) == [WRONG] * 3


def test_what_cannot_be_survived_ends_in_crash(tmp_path: Path) -> None:
    """When turn after turn fails: somebody has to look after it."""
    make_script(tmp_path, "crash", "exit 9")
    make_script(tmp_path, "finish", "exit 7")
    with scanned(faulty(1000), tmp_path, stderr=subprocess.PIPE) as process:
        (tmp_path / "trigger").touch()
        order(tmp_path, b"z")
        assert process.wait(harness.DEADLINE_S) == 9
        # The last lines are of a process that would go on with services.
        told = said(process)
        assert told[:10] == [WRONG] * 10
        assert "s6-svscan: warning: executing into .s6-svscan/crash" in told


@pytest.mark.skipif(not namespaces_allowed(), reason="this needs PID namespaces")
def test_process_1_goes_on_when_there_is_no_crash(tmp_path: Path) -> None:
    """Its end would be that of everything."""
    service = make_service(tmp_path / "foo")
    with as_pid_1(faulty(12), tmp_path) as (process, _):
        all_up(service)
        (tmp_path / "trigger").touch()
        order(tmp_path, b"z")
        assert process.stdout is not None
        for _turn in range(12):
            assert process.stdout.readline().decode().strip() == WRONG
        new = make_service(tmp_path / "new")
        order(tmp_path, b"a")
        wait_until((new / "supervise" / "status").exists, "a new service")
        order(tmp_path, b"t")
        assert process.wait(harness.DEADLINE_S) == 0
