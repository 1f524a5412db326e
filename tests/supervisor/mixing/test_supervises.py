"""Both programs on one directory, one after the other, or one inside the other's tree.

What one leaves behind the other takes as it is; each starts, and is started, where
the other would be.
"""

import os
import shlex
import subprocess
from functools import partial
from pathlib import Path

import pytest

import harness
from chains import needs_root
from harness import Program, wait_until
from outliving import kill, outliving
from scanning import all_up, end, lines, logged, scanned
from supervising import (
    Ear,
    make_service,
    status,
    supervise,
    supervised,
    tell,
    wait_up,
)
from supervisor.service import tally
from watching import facts

COUNT = "echo begun >> begun; exec sleep 1000"
MAKERS = ("ours", "real", "ours")


def tool(maker: str, name: str) -> Program:
    """Give a program of one of the two makers."""
    return harness.ours(name) if maker == "ours" else harness.oracle(name)


def deaths(service: Path) -> int:
    """Count the deaths in the tally."""
    return len(tally.decode((service / "supervise" / "death_tally").read_bytes()))


def has(path: Path, count: int) -> bool:
    """Tell whether a file has so many lines."""
    return lines(path) == count


def test_a_directory_changes_hands(tmp_path: Path) -> None:
    """Back and forth: nothing that one leaves behind disturbs the other."""
    service = make_service(tmp_path / "foo", COUNT, "echo $1 $2 >> finished")
    for turn, maker in enumerate(MAKERS):
        with supervise(tool(maker, "s6-supervise"), service) as process:
            pid = wait_up(service)
            wait_until(partial(has, service / "begun", 2 * turn + 1), "run")
            assert deaths(service) == 0
            tell(service, b"r")
            wait_up(service, other_than=pid)
            wait_until(partial(has, service / "begun", 2 * turn + 2), "run")
            assert deaths(service) == 1
            with Ear(service) as ear:
                tell(service, b"d")
                ear.wait_for(b"dD")
            process.terminate()
            assert process.wait(harness.DEADLINE_S) == 0
            assert not supervised(service)
    assert (service / "finished").read_text() == "256 15\n" * 6


def test_a_scan_directory_changes_hands(tmp_path: Path) -> None:
    """With services that are logged: what they say arrives."""
    service = logged(tmp_path, "foo", "echo begun; exec sleep 1000")
    for turn, maker in enumerate(MAKERS):
        with scanned(tool(maker, "s6-svscan"), tmp_path) as process:
            all_up(service)
            wait_until(partial(has, service / "out", turn + 1), "the line")
            assert end(process) == 0


def test_what_ours_left_running_is_still_adopted_after_the_real_one(
    tmp_path: Path,
) -> None:
    """The real one has started another in between, as it does, and ended that."""
    scandir, alone = tmp_path / "scan", "foo"
    service = make_service(scandir / alone, COUNT)
    real = harness.oracle("s6-supervise")
    with outliving(harness.ours("s6-supervise"), scandir, service=alone) as tree:
        wait_until((service / "begun").exists, "the service")
        pid = wait_up(service)
        tree.kill()
        with harness.running(real, [alone], harness.Stage(scandir)):
            wait_up(service, other_than=pid)
            tell(service, b"dx")
            wait_until(lambda: not supervised(service), "the end of the real one")
        assert facts(pid)
        tree.again(service)
        assert status(service).pid == pid


SUPERVISE = "/usr/bin/s6-supervise"
INSTEAD = ("unshare", "--mount", "--propagation=private", "sh", "-c")
MOUNT = f'mount --bind "$0" {SUPERVISE} && exec "$@"'
"""Puts a program in the place of the real s6-supervise, for those started by it."""


@needs_root
def test_our_supervise_under_the_real_svscan(tmp_path: Path) -> None:
    """It is started by its name, given pipes, and ended by signals."""
    svscan = harness.oracle("s6-svscan")
    if subprocess.call([*INSTEAD, MOUNT, "/bin/true", "true"]):
        pytest.skip("nothing can be mounted here")
    launcher = tmp_path / "s6-supervise"
    command = shlex.join(harness.ours("s6-supervise").argv)
    launcher.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
    launcher.chmod(0o755)
    scandir = tmp_path / "scan"
    run = "trap 'echo last; exit' TERM; echo begun; while :; do sleep 0.01; done"
    service = logged(scandir, "foo", run, finish="echo bye")
    program = Program("real", (*INSTEAD, MOUNT, str(launcher), *svscan.argv))
    with scanned(program, scandir) as process:
        all_up(service)
        wait_until(partial(has, service / "out", 1), "the first line")
        pid = status(service).pid
        supervisor = facts(pid)["PPid"]
        assert "python" in os.readlink(f"/proc/{supervisor}/exe")
        with Ear(service) as ear:
            kill(pid)
            ear.wait_for(b"u")
        wait_until(partial(has, service / "out", 3), "the second run")
        assert end(process) == 0
    assert (service / "out").read_text() == "begun\nbye\nbegun\nlast\nbye\n"
