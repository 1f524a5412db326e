"""What a running s6-svscan does about a directory that changes.

Where the two versions of s6 agree, the real program passes the same tests.
"""

import os
import signal
import subprocess
from pathlib import Path

import pytest

import harness
from harness import Program, Stage, wait_until
from scanning import all_up, end, lines, logged, order, said, scanned
from supervising import (
    Ear,
    listens,
    make_service,
    status,
    supervised,
    tell,
    wait_down,
    wait_up,
)

COUNT_STARTS = "echo begin >> begun; exec sleep 1000"


@pytest.fixture(params=["ours", "real"])
def svscan(request: pytest.FixtureRequest) -> Program:
    """Give each of the two programs."""
    find = harness.ours if request.param == "ours" else harness.oracle
    return find("s6-svscan")


def test_all_directories_are_supervised(svscan: Program, tmp_path: Path) -> None:
    """Those with a dot in front are not."""
    services = [make_service(tmp_path / name) for name in ("a", "b")]
    hidden = make_service(tmp_path / ".hidden")
    (tmp_path / "file").touch()
    with scanned(svscan, tmp_path) as process:
        all_up(*services)
        assert not (hidden / "supervise").exists()
        assert end(process) == 0


@pytest.mark.parametrize("how", [b"a", b"h", signal.SIGALRM, signal.SIGHUP])
def test_new_directories_are_found_when_asked(
    svscan: Program, tmp_path: Path, how: bytes | int
) -> None:
    """By a letter or a signal."""
    with scanned(svscan, tmp_path) as process:
        service = make_service(tmp_path / "new")
        if isinstance(how, bytes):
            order(tmp_path, how)
        else:
            process.send_signal(how)
        all_up(service)


def test_new_directories_are_found_now_and_then(
    svscan: Program, tmp_path: Path
) -> None:
    """With -t, nobody has to ask."""
    with scanned(svscan, tmp_path, "-t", "50"):
        all_up(make_service(tmp_path / "new"))


def test_what_is_gone_runs_until_it_is_pruned(svscan: Program, tmp_path: Path) -> None:
    """A scan alone ends nothing; `n` ends the service, then its logger."""
    scandir, store = tmp_path / "scan", tmp_path / "store"
    stays = make_service(scandir / "stays")
    service = logged(store, "foo", "echo hello; exec sleep 1000", finish="echo bye")
    (scandir / "foo").symlink_to(service)
    with scanned(svscan, scandir):
        all_up(service, stays)
        pid = status(service).pid
        wait_until(lambda: lines(service / "out") == 1, "the first line")
        (scandir / "foo").unlink()
        new = make_service(scandir / "new")
        order(scandir, b"a")
        all_up(new)
        assert status(service).pid == pid
        with Ear(service) as ear, Ear(service / "log") as log_ear:
            order(scandir, b"n")
            ear.wait_for(b"x")
            log_ear.wait_for(b"x")
        assert (service / "out").read_text() == "hello\nbye\n"
        assert status(stays).up


def test_sighup_scans_and_prunes(svscan: Program, tmp_path: Path) -> None:
    """In one."""
    service = make_service(tmp_path / "foo")
    with scanned(svscan, tmp_path) as process:
        all_up(service)
        moved = service.rename(tmp_path / ".foo")
        with Ear(moved) as ear:
            process.send_signal(signal.SIGHUP)
            ear.wait_for(b"x")


def test_renaming_restarts_nothing(svscan: Program, tmp_path: Path) -> None:
    """Nor does a second link to the same directory."""
    service = make_service(tmp_path / "foo", COUNT_STARTS)
    with scanned(svscan, tmp_path):
        all_up(service)
        wait_until(lambda: lines(service / "begun") == 1, "run")
        renamed = service.rename(tmp_path / "bar")
        (tmp_path / "link").symlink_to("bar")
        for name in ("other", "another"):
            make_service(tmp_path / name)
            order(tmp_path, b"an")
            all_up(tmp_path / name)
        assert lines(renamed / "begun") == 1


def test_a_supervision_that_ends_begins_again(svscan: Program, tmp_path: Path) -> None:
    """As after s6-svc -xd."""
    service = make_service(tmp_path / "foo")
    with scanned(svscan, tmp_path):
        all_up(service)
        first = status(service).pid
        with Ear(service) as ear:
            tell(service, b"xd")
            ear.wait_for(b"x")
            ear.wait_for(b"su")
        wait_up(service, other_than=first)


def test_a_second_supervisor_is_refused(svscan: Program, tmp_path: Path) -> None:
    """And does not disturb the first."""
    service = make_service(tmp_path / "foo")
    with scanned(svscan, tmp_path) as process:
        all_up(service)
        second = harness.run(svscan, [str(tmp_path)], b"", Stage(tmp_path))
        assert second.code == 100
        assert second.err == (
            b"s6-svscan: fatal: another instance of s6-svscan is already running"
            b" on the same directory\n"
        )
        assert listens(tmp_path / ".s6-svscan" / "control")
        assert end(process) == 0


def test_readiness_is_told_before_the_first_scan(
    svscan: Program, tmp_path: Path
) -> None:
    """A newline on the descriptor of -d, which is then closed."""
    reading, writing = os.pipe()
    with scanned(svscan, tmp_path, "-d", str(writing), fds=(writing,)):
        os.close(writing)
        assert os.read(reading, 10) == b"\n"
        assert os.read(reading, 10) == b""
    os.close(reading)


def test_the_current_directory_is_taken_where_none_is_named(
    svscan: Program, tmp_path: Path
) -> None:
    """As s6 2.11 does, and images rely on."""
    service = make_service(tmp_path / "foo")
    with harness.running(svscan, [], Stage(tmp_path)) as process:
        wait_until(lambda: supervised(service), "foo")
        assert end(process) == 0


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (["missing"], 111),
        (["-t"], 100),
        (["-Z"], 100),
        (["-t", "x"], 100),
        (["-d", "2"], 100),
        (["-X", "2"], 100),
        (["-d", "77"], 100),
        (["-X", "77"], 100),
    ],
)
def test_mistakes_have_the_exit_codes_of_s6(
    svscan: Program, tmp_path: Path, args: list[str], code: int
) -> None:
    """One line says what is wrong."""
    ended = harness.run(svscan, args, b"", Stage(tmp_path))
    assert ended.code == code
    assert ended.err.count(b"\n") == 1
    assert ended.err.startswith(b"s6-svscan: ")


def test_too_many_services_are_told_of(svscan: Program, tmp_path: Path) -> None:
    """With -c a logger does not count; what there is room for is supervised."""
    present = [
        logged(tmp_path, name, "exec sleep 1000", log="exec sleep 1000")
        for name in ("a", "b", "c")
    ]
    with scanned(svscan, tmp_path, "-c", "2", stderr=subprocess.PIPE) as process:
        loggers = [service / "log" for service in present]
        wait_until(lambda: sum(map(supervised, loggers)) == 2, "two loggers")
        wait_until(lambda: sum(map(supervised, present)) == 2, "two services")
        (left_out,) = [one.name for one in present if not supervised(one)]
        assert end(process, signal.SIGQUIT) == 0
        text = f"unable to start supervisor for {left_out}: too many services"
        assert said(process)[0].endswith(text)


def pipe_of(pid: int, fd: int) -> str:
    """Tell which pipe a process has."""
    return os.readlink(f"/proc/{pid}/fd/{fd}")


def test_a_pair_keeps_its_pipe(svscan: Program, tmp_path: Path) -> None:
    """Both may be restarted, and killed: what is in the pipe stays there."""
    run = "for i in 1 2 3; do echo $$; done; exec sleep 1000"
    service = logged(tmp_path, "foo", run)
    with scanned(svscan, tmp_path):
        all_up(service)
        pipe = pipe_of(status(service).pid, 1)
        wait_until(lambda: lines(service / "out") == 3, "what was said first")
        tell(service / "log", b"dk")
        wait_down(service / "log")
        pid = status(service).pid
        tell(service, b"k")
        wait_up(service, other_than=pid)
        tell(service / "log", b"u")
        wait_up(service / "log")
        wait_until(lambda: lines(service / "out") == 6, "what was said meanwhile")
        assert pipe_of(status(service).pid, 1) == pipe
        assert pipe_of(status(service / "log").pid, 0) == pipe
