"""What a new supervisor does about things that a dead one has left behind."""

from pathlib import Path

import pytest

import harness
from harness import Program, wait_until
from outliving import kill, outliving
from scanning import all_up, logged, order
from supervising import end_all_in, make_service, status, tell, wait_down
from watching import ended, facts


@pytest.fixture
def svscan() -> Program:
    """Give our program."""
    return harness.ours("s6-svscan")


def test_the_pipe_of_a_service_that_was_removed_is_let_go(
    svscan: Program, tmp_path: Path
) -> None:
    """Its logger reads to the end, when the service has ended by itself."""
    service = logged(tmp_path / "store", "foo", "exec sleep 1000")
    scandir = tmp_path / "scan"
    scandir.mkdir()
    (scandir / "foo").symlink_to(service)
    try:
        with outliving(svscan, scandir) as tree:
            all_up(service)
            wait_until(lambda: tree.kept() == 2, "its pipe to be kept")
            tree.kill()
            (scandir / "foo").unlink()
            tree.start()
            wait_until(lambda: tree.kept() == 0, "its pipe to be let go")
            logger = status(service / "log").pid
            kill(status(service).pid)
            wait_until(lambda: ended(facts(logger)), "the logger to see the end")
    finally:
        end_all_in(service)


def test_a_finish_that_hangs_is_killed_by_the_next_supervisor(
    svscan: Program, tmp_path: Path
) -> None:
    """It gets its time anew: when it was started is not known."""
    scandir = tmp_path / "scan"
    hang = "exec sleep 1000"
    service = make_service(scandir / "foo", hang, hang, timeout_finish="100")
    with outliving(svscan, scandir) as tree:
        all_up(service)
        (service / "timeout-finish").write_text("0")
        before = status(service).pid
        kill(before)
        wait_until(lambda: status(service).finishing, "finish")
        (service / "timeout-finish").write_text("100")
        tree.again(service)
        wait_until(lambda: status(service).up, "the service to be up again")


def test_an_abort_says_nothing_of_services_that_are_down(
    svscan: Program, tmp_path: Path
) -> None:
    """They have no process that could be lost."""
    scandir = tmp_path / "scan"
    service = make_service(scandir / "foo")
    with outliving(svscan, scandir) as tree:
        all_up(service)
        tell(service, b"d")
        wait_down(service)
        order(scandir, b"b")
        assert tree.process.wait() == 0
        tell(service, b"u")
        all_up(service)
        assert tree.lines() == []


def test_a_record_that_tells_of_what_cannot_be_stops_nobody(
    svscan: Program, tmp_path: Path
) -> None:
    """The service is supervised as if there was none."""
    scandir = tmp_path / "scan"
    service = make_service(scandir / "foo")
    with outliving(svscan, scandir) as tree:
        all_up(service)
        tree.kill()
        end_all_in(service)
        (service / "supervise" / "status").unlink()
        path = service / "supervise" / "process"
        path.write_text(path.read_text().replace("wait 0", "wait 65536"))
        tree.start()
        all_up(service)
        assert tree.lines() == []
