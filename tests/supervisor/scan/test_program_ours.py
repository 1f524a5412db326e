"""Where our s6-svscan differs from s6 2.11, as 2.15 does, or from both."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

import harness
from harness import Program, wait_until
from scanning import KEEP, all_up, end, lines, logged, order, said, scanned
from supervising import Ear, make_service, status, tell

WARNING = "s6-svscan: warning: "


@pytest.fixture
def svscan() -> Program:
    """Give our program."""
    return harness.ours("s6-svscan")


def test_dangling_links_are_removed_at_the_start(
    svscan: Program, tmp_path: Path
) -> None:
    """As s6 2.15 does; 2.11 complains for ever."""
    (tmp_path / "gone").symlink_to("nowhere")
    with scanned(svscan, tmp_path, stderr=subprocess.PIPE) as process:
        wait_until(lambda: not (tmp_path / "gone").is_symlink(), "the link to go")
        assert end(process) == 0
        assert said(process) == []


def test_a_link_that_dangles_later_stops_nothing(
    svscan: Program, tmp_path: Path
) -> None:
    """It is complained of once; scans go on, and so do prunes and stops."""
    with scanned(svscan, tmp_path, "-t", "20", stderr=subprocess.PIPE) as process:
        service = make_service(tmp_path / "b")
        all_up(service)
        (tmp_path / "a").symlink_to("nowhere")
        all_up(make_service(tmp_path / "c"))
        moved = service.rename(tmp_path / ".b")
        with Ear(moved) as ear:
            order(tmp_path, b"an")
            ear.wait_for(b"x")
        order(tmp_path, b"at")
        assert process.wait(harness.DEADLINE_S) == 0
        text = "unable to stat a: No such file or directory"
        assert said(process) == [WARNING + text]


def test_long_names_are_told_of_once(svscan: Program, tmp_path: Path) -> None:
    """However often it is looked."""
    make_service(tmp_path / "a-rather-long-name")
    with scanned(svscan, tmp_path, "-L12", "-t20", stderr=subprocess.PIPE) as process:
        all_up(make_service(tmp_path / "short"))
        all_up(make_service(tmp_path / "shorter"))
        assert end(process) == 0
        text = "name too long - not spawning service: a-rather-long-name"
        assert said(process) == [WARNING + text]


def test_a_service_is_told_its_name(svscan: Program, tmp_path: Path) -> None:
    """The logger that of its service; unless there is a file nosvcenv."""
    say = "echo $S6_SERVICE- > name; exec sleep 1000"
    foo = logged(tmp_path, "foo", say, log=say)
    bar = make_service(tmp_path / "bar", say, nosvcenv="")
    names = [foo / "name", foo / "log" / "name", bar / "name"]
    with scanned(svscan, tmp_path):
        wait_until(lambda: sum(map(lines, names)) == 3, "all to say their names")
        assert [path.read_text() for path in names] == ["foo-\n", "foo-\n", "-\n"]


def test_what_cannot_be_supervised_is_told_of_once(
    svscan: Program, tmp_path: Path
) -> None:
    """And supervised when it has been mended, at the next scan."""
    good = make_service(tmp_path / "good")
    bad = make_service(tmp_path / "bad")
    (bad / "supervise").touch()
    with scanned(svscan, tmp_path, "-t", "50", stderr=subprocess.PIPE) as process:
        all_up(good)
        all_up(make_service(tmp_path / "new"))
        (bad / "supervise").unlink()
        all_up(bad)
        assert end(process) == 0
        text = "unable to supervise bad: supervise exists and is not a directory"
        assert said(process) == [WARNING + text]


def test_a_logger_that_is_added_gets_what_is_said_from_then_on(
    svscan: Program, tmp_path: Path
) -> None:
    """It runs at once; its service writes to it from its next start on."""
    service = make_service(tmp_path / "foo", "echo $$; exec sleep 1000")
    with scanned(svscan, tmp_path):
        all_up(service)
        make_service(service / "log", KEEP)
        order(tmp_path, b"a")
        all_up(service)
        assert lines(service / "out") == 0
        tell(service, b"r")
        wait_until(lambda: lines(service / "out") == 1, "a line")


def test_a_logger_that_is_removed_ends_when_its_service_is_restarted(
    svscan: Program, tmp_path: Path
) -> None:
    """Nothing is lost on the way; then the service writes where it would without."""
    service = logged(tmp_path, "foo", "echo $$; exec sleep 1000")
    out = tmp_path / ".stdout"
    stdout = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    with scanned(svscan, tmp_path, stdout=stdout, stderr=subprocess.PIPE) as process:
        all_up(service)
        wait_until(lambda: lines(service / "out") == 1, "a line")
        log = (service / "log").rename(service / "old")
        with Ear(log) as ear:
            order(tmp_path, b"an")
            tell(service, b"r")
            ear.wait_for(b"x")
        wait_until(lambda: lines(out) == 1, "a line on stdout")
        assert lines(service / "out") == 1
        assert end(process) == 0
        text = "logger for service foo has been moved"
        assert said(process) == [WARNING + text]
    os.close(stdout)


def test_a_logger_that_is_replaced_is_followed_by_the_new_one(
    svscan: Program, tmp_path: Path
) -> None:
    """On the same pipe: the service notices nothing, no line is missing."""
    run = "i=0; while :; do i=$((i+1)); echo $i; sleep 0.01; done"
    service = logged(tmp_path, "foo", run, log="trap 'exit 0' TERM; " + READ_LINES)
    with scanned(svscan, tmp_path):
        all_up(service)
        pid = status(service).pid
        old = (service / "log").rename(service / "old")
        make_service(service / "log", KEEP)
        with Ear(old) as ear:
            order(tmp_path, b"an")
            ear.wait_for(b"x")
        all_up(service)
        seen = lines(service / "out")
        wait_until(lambda: lines(service / "out") > seen + 5, "more lines")
        assert status(service).pid == pid
        numbers = [int(line) for line in (service / "out").read_text().split()]
        assert numbers == list(range(1, len(numbers) + 1))


READ_LINES = "while read -r line; do echo $line >> ../out; done"


def test_a_directory_that_took_the_place_of_another_is_found(
    svscan: Program, tmp_path: Path
) -> None:
    """When the old service ends, without an order to scan."""
    old = make_service(tmp_path / "foo")
    with scanned(svscan, tmp_path):
        all_up(old)
        old = old.rename(tmp_path / ".old")
        new = make_service(tmp_path / "foo")
        tell(old, b"xd")
        all_up(new)


def test_signals_that_mean_nothing_do_nothing(svscan: Program, tmp_path: Path) -> None:
    """A supervisor is not ended by chance."""
    with scanned(svscan, tmp_path) as process:
        for name in ("SIGUSR1", "SIGUSR2", "SIGPWR", "SIGWINCH", "SIGPIPE"):
            process.send_signal(getattr(signal, name))
        service = make_service(tmp_path / "foo")
        order(tmp_path, b"a")
        all_up(service)
        assert end(process) == 0


def descriptor_limits(pid: int) -> list[str]:
    """Give the soft and the hard limit of a process."""
    rows = Path(f"/proc/{pid}/limits").read_text().splitlines()
    (row,) = [row.split() for row in rows if "open files" in row]
    return row[3:5]


def test_children_get_the_limits_of_the_supervisor(
    svscan: Program, tmp_path: Path
) -> None:
    """Which takes more descriptors for itself."""
    say = "ulimit -Sn > limits; ulimit -Hn >> limits; exec sleep 1000"
    service = make_service(tmp_path / "foo", say)
    limited = Program("limited", ("/bin/sh", "-c", 'ulimit -Sn 99; exec "$@"', "sh"))
    program = Program("ours", (*limited.argv, *svscan.argv))
    finish = tmp_path / ".s6-svscan" / "finish"
    finish.parent.mkdir()
    finish.write_text("#!/bin/sh\nulimit -Sn > finish-limits\n")
    finish.chmod(0o755)
    with scanned(program, tmp_path) as process:
        wait_until(lambda: lines(service / "limits") == 2, "the limits")
        # Lowered for the moment in which a child is started.
        wait_until(lambda: len(set(descriptor_limits(process.pid))) == 1, "one limit")
        (hard,) = set(descriptor_limits(process.pid))
        assert (service / "limits").read_text() == f"99\n{hard}\n"
        assert end(process) == 0
        assert (tmp_path / "finish-limits").read_text() == "99\n"
