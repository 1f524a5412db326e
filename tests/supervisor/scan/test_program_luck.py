"""s6-svscan with bad input and bad luck: one warning, and the rest goes on."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

import harness
from harness import Pipe, Program, Stage, running, wait_until
from scanning import CONTROL, all_up, end, lines, logged, order, said, scanned
from supervising import (
    Ear,
    listens,
    make_service,
    status,
    supervised,
    wait_up,
)
from watching import facts, switches

WARNING = "s6-svscan: warning: "


@pytest.fixture
def svscan() -> Program:
    """Give our program."""
    return harness.ours("s6-svscan")


def test_garbage_is_named(svscan: Program, tmp_path: Path) -> None:
    """Once for all that came together; what is no garbage is obeyed."""
    with scanned(svscan, tmp_path, stderr=subprocess.PIPE) as process:
        service = make_service(tmp_path / "foo")
        order(tmp_path, b"xya1y")
        all_up(service)
        assert end(process) == 0
        text = WARNING + "received unknown control command: 1xy"
        assert said(process) == [text]


@pytest.mark.parametrize("letters", [b"\x00\xff\n?", b"z", b"n", b"a"])
def test_a_flood_of_letters_drowns_nobody(
    svscan: Program, tmp_path: Path, letters: bytes
) -> None:
    """A million of them; a service that is killed meanwhile comes back."""
    service = make_service(tmp_path / "foo")
    with scanned(svscan, tmp_path) as process:
        all_up(service)
        killed = False
        fd = os.open(tmp_path / CONTROL, os.O_WRONLY)
        for sent in range(0, 1_000_000, 4096):
            os.write(fd, letters * (4096 // len(letters)))
            if not killed and sent > 100_000:
                os.kill(pid := status(service).pid, signal.SIGKILL)
                killed = True
        os.close(fd)
        wait_up(service, other_than=pid)
        assert end(process) == 0


def test_a_full_stderr_stops_nobody(svscan: Program, tmp_path: Path) -> None:
    """Warnings are counted instead of said, and the count is told when there is room.

    The bytes before are those of a message that was cut short by nobody.
    """
    with Pipe(4096) as pipe, scanned(svscan, tmp_path, stderr=pipe.write) as process:
        pipe.feed(b"x" * 4095)
        for number in range(100):
            order(tmp_path, b"%c" % (ord("A") + number % 10))
        service = make_service(tmp_path / "foo")
        order(tmp_path, b"a")
        all_up(service)
        assert os.read(pipe.read, 5000) == b"x" * 4095
        order(tmp_path, b"?")
        wait_until(lambda: pipe.waiting() > 0, "a warning")
        first, second = os.read(pipe.read, 5000).decode().splitlines()
        assert first.startswith(WARNING + "nobody read stderr: ")
        assert second == WARNING + "received unknown control command: ?"
        assert end(process) == 0


def test_a_closed_stderr_stops_nobody(svscan: Program, tmp_path: Path) -> None:
    """Neither does one that nobody reads any more."""
    with Pipe() as pipe, scanned(svscan, tmp_path, stderr=pipe.write) as process:
        pipe.end()
        pipe.drop_read()
        order(tmp_path, b"?")
        service = make_service(tmp_path / "foo")
        order(tmp_path, b"a")
        all_up(service)
        assert end(process) == 0


def test_without_standard_descriptors(svscan: Program, tmp_path: Path) -> None:
    """They become /dev/null, so that no pipe takes their numbers."""
    service = logged(tmp_path, "foo", "echo hello; exec sleep 1000")
    closed = ("/bin/sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh")
    program = Program("ours", (*closed, *svscan.argv))
    with scanned(program, tmp_path) as process:
        all_up(service)
        wait_until(lambda: lines(service / "out") == 1, "a line")
        for fd in range(3):
            assert os.readlink(f"/proc/{process.pid}/fd/{fd}") == "/dev/null"
        assert end(process) == 0


def test_too_few_descriptors_are_told_of(svscan: Program, tmp_path: Path) -> None:
    """Once; what there are enough for runs, and can be restarted."""
    services = [logged(tmp_path, f"s{n}", "exec sleep 1000") for n in range(12)]
    limit = ("/bin/sh", "-c", 'ulimit -n 80; exec "$@"', "sh")
    unable = ("setpriv", "--bounding-set=-sys_resource", "--inh-caps=-sys_resource")
    program = Program("ours", (*limit, *unable, *svscan.argv))
    with scanned(program, tmp_path, "-t50", stderr=subprocess.PIPE) as process:
        wait_until(lambda: any(map(supervised, services)), "some services")
        (first, *_) = filter(supervised, services)
        pid = wait_up(first)
        with Ear(first) as ear:
            os.kill(pid, signal.SIGKILL)
            ear.wait_for(b"dD")
            ear.wait_for(b"u")
        assert status(first).wait_status == signal.SIGKILL
        assert not all(map(supervised, services))
        assert end(process) == 0
        (told,) = said(process)
        assert told.startswith(WARNING + "unable to supervise s")
        assert told.endswith(" more: Too many open files (limit 80, see ulimit -Hn)")


def test_descriptors_that_become_free_are_used(svscan: Program, tmp_path: Path) -> None:
    """Without an order."""
    names = [f"s{n}" for n in range(12)]
    for name in names:
        logged(tmp_path / ".store", name, "exec sleep 1000")
        (tmp_path / name).symlink_to(tmp_path / ".store" / name)
    limit = ("/bin/sh", "-c", 'ulimit -n 80; exec "$@"', "sh")
    unable = ("setpriv", "--bounding-set=-sys_resource", "--inh-caps=-sys_resource")
    program = Program("ours", (*limit, *unable, *svscan.argv))
    with scanned(program, tmp_path):
        wait_until(lambda: supervised(tmp_path / "s0" / "log"), "some services")
        wait_up(tmp_path / "s0")
        left_out = [name for name in names if not supervised(tmp_path / name)]
        for name in set(names) - set(left_out):
            (tmp_path / name).unlink()
        order(tmp_path, b"an")
        wait_until(lambda: supervised(tmp_path / left_out[0]), "another one")


def resting(pid: int) -> None:
    """Wait until a process sleeps for a while."""
    seen = -1

    def rests() -> bool:
        nonlocal seen
        before, seen = seen, switches(facts(pid))
        return before == seen and facts(pid)["State"].startswith("S")

    wait_until(rests, "rest")


def test_nothing_happens_while_nothing_happens(svscan: Program, tmp_path: Path) -> None:
    """Not one wake-up, with services that run, are down, and cannot be begun."""
    logged(tmp_path, "foo", "exec sleep 1000")
    make_service(tmp_path / "down", down="")
    with scanned(svscan, tmp_path) as process:
        all_up(tmp_path / "foo")
        wait_until(lambda: supervised(tmp_path / "down"), "all")
        resting(process.pid)
        before = switches(facts(process.pid))
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(2)
        assert switches(facts(process.pid)) == before


def test_a_scan_directory_that_is_removed_stops_nobody(
    svscan: Program, tmp_path: Path
) -> None:
    """It still can be ended."""
    scandir = tmp_path / "scan"
    target = make_service(tmp_path / "foo")
    scandir.mkdir()
    (scandir / "foo").symlink_to(target)
    with scanned(svscan, scandir, "-t", "50") as process:
        all_up(target)
        (scandir / "foo").unlink()
        for path in (scandir / ".s6-svscan").iterdir():
            path.unlink()
        (scandir / ".s6-svscan").rmdir()
        scandir.rmdir()
        with Ear(target) as ear:
            process.send_signal(signal.SIGHUP)
            ear.wait_for(b"x")
        assert end(process) == 0


def test_a_logger_that_nobody_can_begin_stops_nobody(
    svscan: Program, tmp_path: Path
) -> None:
    """Its service runs, as far as the pipe holds."""
    service = logged(tmp_path, "foo", "echo hello; touch said; exec sleep 1000")
    (service / "log" / "supervise").touch()
    with scanned(svscan, tmp_path, stderr=subprocess.PIPE) as process:
        wait_until((service / "said").exists, "the service")
        assert end(process) == 0
        told = said(process)
        assert told[0] == (
            WARNING + "unable to supervise foo/log: "
            "supervise exists and is not a directory"
        )
        assert told[-1] == WARNING + "foo: 6 bytes were lost: its logger has ended"


def test_what_somebody_else_supervises_is_told_of(
    svscan: Program, tmp_path: Path
) -> None:
    """And taken over when the other has gone."""
    service = make_service(tmp_path / "foo")
    other = harness.oracle("s6-supervise")
    with running(other, [str(service)], Stage(tmp_path)) as first:
        wait_until(lambda: supervised(service), "the other")
        wait_up(service)
        with scanned(svscan, tmp_path, "-t", "50", stderr=subprocess.PIPE) as process:
            fresh = make_service(tmp_path / "bar")
            all_up(fresh)
            first.send_signal(signal.SIGTERM)
            first.wait(harness.DEADLINE_S)
            wait_until(lambda: supervised(service), "to be taken over")
            assert end(process) == 0
            text = "unable to supervise foo: another instance of s6-supervise is"
            assert said(process) == [WARNING + text + " already running"]


def test_an_unreadable_service_directory_is_told_of(
    svscan: Program, tmp_path: Path
) -> None:
    """A link that leads to itself, here; scans go on."""
    with scanned(svscan, tmp_path, "-t", "50", stderr=subprocess.PIPE) as process:
        (tmp_path / "a").symlink_to("a")
        for name in ("b", "c"):
            all_up(make_service(tmp_path / name))
        assert listens(tmp_path / CONTROL)
        assert end(process) == 0
        text = WARNING + "unable to stat a: Too many levels of symbolic links"
        assert said(process) == [text]
