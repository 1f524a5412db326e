"""s6-svscan --watch: the watcher is a child that comes back."""

import importlib.util
import os
import signal
import subprocess
from pathlib import Path

import pytest

import harness
from harness import Program, wait_until
from scanning import all_up, end, logged, order, said, scanned
from supervising import Ear, make_service
from watching import children, ended, facts

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("watchdog") is None, reason="this needs watchdog"
)


@pytest.fixture
def svscan() -> Program:
    """Give our program."""
    return harness.ours("s6-svscan")


def watcher(supervisor: int) -> int:
    """Wait for the watcher and give its pid."""
    found: list[int] = []

    def is_there() -> bool:
        names = {child: facts(child).get("Name") for child in children(supervisor)}
        found[:] = [pid for pid, name in names.items() if name == "s6-svscan-watch"]
        return bool(found)

    wait_until(is_there, "a watcher")
    return found[0]


def test_new_services_are_found_without_an_order(
    svscan: Program, tmp_path: Path
) -> None:
    """And what is removed is pruned."""
    with scanned(svscan, tmp_path, "--watch") as process:
        watcher(process.pid)
        service = make_service(tmp_path / "foo")
        all_up(service)
        moved = service.rename(tmp_path / ".foo")
        with Ear(moved) as ear:
            ear.wait_for(b"x")
        assert end(process) == 0


def test_a_watcher_that_dies_is_replaced(svscan: Program, tmp_path: Path) -> None:
    """After a second, and what it missed is found."""
    with scanned(svscan, tmp_path, "--watch") as process:
        first = watcher(process.pid)
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: ended(facts(first)), "its end")
        service = make_service(tmp_path / "foo")
        assert watcher(process.pid) != first
        all_up(service)


def test_a_watcher_does_not_outlive_the_supervisor(
    svscan: Program, tmp_path: Path
) -> None:
    """However that ends."""
    with scanned(svscan, tmp_path, "--watch") as process:
        pid = watcher(process.pid)
        process.kill()
        wait_until(lambda: ended(facts(pid)), "its end")


def test_a_watcher_does_not_keep_the_catch_all_logger(
    svscan: Program, tmp_path: Path
) -> None:
    """Which waits until nobody can write to it any more."""
    catcher = make_service(
        tmp_path / "s6-svscan-log", "exec cat < fifo >> caught 2> /dev/null"
    )
    os.mkfifo(catcher / "fifo")
    fifo = os.open(catcher / "fifo", os.O_RDWR)
    writing = os.open(catcher / "fifo", os.O_WRONLY)
    with scanned(
        svscan, tmp_path, "--watch", stdout=writing, stderr=writing
    ) as process:
        os.close(writing)
        all_up(catcher)
        os.close(fifo)
        watcher(process.pid)
        assert end(process) == 0


def test_without_watchdog_one_has_to_scan(tmp_path: Path) -> None:
    """It is said once; all else works."""
    argv = (
        *harness.PYTHON,
        "-c",
        WITHOUT_WATCHDOG,
        str(harness.LAUNCHER.parent.parent),
    )
    with scanned(
        Program("ours", argv), tmp_path, "--watch", stderr=subprocess.PIPE
    ) as process:
        service = logged(tmp_path, "foo", "exec sleep 1000")
        order(tmp_path, b"a")
        all_up(service)
        wait_until(lambda: len(children(process.pid)) <= 3, "the watcher to end")
        assert end(process) == 0
        assert "s6-svscan: warning: the scan directory is not watched" in said(process)


WITHOUT_WATCHDOG = """
import sys
sys.path.append(sys.argv[1])
from supervisor.scan import watch, watching
from supervisor.scan.cli import main
command = b"exit 100"
watching.command = lambda directory: (b"/bin/sh", b"-c", command)
import os
os._exit(main([os.fsencode(word) for word in sys.argv[2:]]))
"""
