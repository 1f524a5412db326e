"""The pipe of a service and its logger, when nobody else is left who holds it."""

import os
from pathlib import Path

import harness
from harness import wait_until
from outliving import kill, kill_in, outliving
from scanning import all_up, lines, logged
from supervising import Ear, status, tell, wait_down

SAY = "trap 'echo $$; touch said' USR1; touch begun; while :; do sleep 0.01; done"


def pipe(directory: Path, fd: int) -> str:
    """Tell which pipe a service has."""
    return os.readlink(f"/proc/{status(directory).pid}/fd/{fd}")


def test_a_pipe_comes_back_from_those_who_use_it(tmp_path: Path) -> None:
    """The supervisor and the keeper have died; then either side may, again."""
    service = logged(tmp_path / "scan", "foo", SAY)
    log = service / "log"
    with outliving(harness.ours("s6-svscan"), tmp_path / "scan") as tree:
        all_up(service)
        wait_until((service / "begun").exists, "the service")
        first = pipe(service, 1)
        tree.kill()
        tree.kill_keeper()
        tree.again(service, log)
        wait_until(lambda: tree.kept() == 2, "the pipe to be kept")
        tell(log, b"d")
        wait_down(log)
        tell(service, b"1")
        wait_until((service / "said").exists, "the line to be written")
        tree.again(service, log)
        with Ear(service) as ear:
            assert kill_in(service)
            ear.wait_for(b"u")
        tell(log, b"u")
        wait_until(lambda: lines(service / "out") == 1, "the line")
        assert (pipe(service, 1), pipe(log, 0)) == (first, first)
        assert tree.lines() == []


def test_a_logger_that_stands_still_keeps_what_it_has_not_read(tmp_path: Path) -> None:
    """It is all that is left of the pipe: nothing is lost with the others."""
    service = logged(tmp_path / "scan", "foo", SAY)
    log = service / "log"
    with outliving(harness.ours("s6-svscan"), tmp_path / "scan") as tree:
        all_up(service)
        wait_until((service / "begun").exists, "the service")
        tell(log, b"p")
        wait_until(lambda: status(log).paused, "the logger to stop")
        tell(service, b"1")
        pid = status(service).pid
        wait_until((service / "said").exists, "the line to be written")
        for process in (tree.process.pid, *tree.keepers(), pid):
            kill(process)
        tree.again(service, log)
        tell(log, b"c")
        wait_until(lambda: lines(service / "out") == 1, "the line")
        assert (service / "out").read_text() == f"{pid}\n"
