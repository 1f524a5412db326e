"""How a scan directory ends: services first, then their loggers, then a script."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

import harness
from harness import Program, wait_until
from scanning import (
    KEEP,
    all_up,
    end,
    lines,
    logged,
    order,
    said,
    scanned,
    script,
)
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
from watching import ended, facts

SLOW = (
    "trap 'sleep 0.3; echo dying; exit 0' TERM; echo up; while :; do sleep 0.01; done"
)
DEAF = "trap : TERM; echo deaf; while :; do sleep 0.01; done"
STUBBORN_LOGGER = "cat >> ../out; touch drained; exec sleep 1000"


@pytest.fixture(params=["ours", "real"])
def svscan(request: pytest.FixtureRequest) -> Program:
    """Give each of the two programs."""
    find = harness.ours if request.param == "ours" else harness.oracle
    return find("s6-svscan")


@pytest.fixture
def ours() -> Program:
    """Give our program."""
    return harness.ours("s6-svscan")


@pytest.mark.parametrize("how", [b"t", b"i", signal.SIGTERM, signal.SIGINT])
def test_every_line_reaches_the_logger(
    svscan: Program, tmp_path: Path, how: bytes | int
) -> None:
    """What a service says while it dies, and what its finish script says."""
    service = logged(tmp_path, "foo", SLOW, finish="sleep 0.1; echo bye")
    make_service(tmp_path / "bar")
    with scanned(svscan, tmp_path) as process:
        all_up(service, tmp_path / "bar")
        wait_until(lambda: lines(service / "out") == 1, "the first line")
        if isinstance(how, bytes):
            order(tmp_path, how)
            code = process.wait(harness.DEADLINE_S)
        else:
            code = end(process, how)
        assert code == 0
        assert (service / "out").read_text() == "up\ndying\nbye\n"


def test_everything_has_ended_when_finish_runs(svscan: Program, tmp_path: Path) -> None:
    """It is the same process, in the scan directory; its exit code counts."""
    service = logged(tmp_path, "foo", SLOW)
    text = "echo $0 $# > end; pwd >> end; echo $$ >> end; cat foo/out >> end; exit 7"
    script(tmp_path, "finish", text)
    with scanned(svscan, tmp_path) as process:
        all_up(service)
        wait_until(lambda: lines(service / "out") == 1, "the first line")
        assert end(process) == 7
        told = (tmp_path / "end").read_text().splitlines()
        assert told == [
            ".s6-svscan/finish 0",
            str(tmp_path),
            str(process.pid),
            "up",
            "dying",
        ]


def test_finish_may_be_a_link_to_true(svscan: Program, tmp_path: Path) -> None:
    """As images have it."""
    (tmp_path / ".s6-svscan").mkdir()
    (tmp_path / ".s6-svscan" / "finish").symlink_to("/bin/true")
    with scanned(svscan, tmp_path) as process:
        assert end(process) == 0


def test_a_finish_that_cannot_be_executed_leads_to_crash(
    svscan: Program, tmp_path: Path
) -> None:
    """With a warning for each step."""
    script(tmp_path, "finish", "exit 7", mode=0o644)
    script(tmp_path, "crash", "echo $0 $# > crashed; exit 9")
    with scanned(svscan, tmp_path, stderr=subprocess.PIPE) as process:
        assert end(process) == 9
        assert (tmp_path / "crashed").read_text() == ".s6-svscan/crash 0\n"
        assert said(process) == [
            "s6-svscan: warning: unable to exec finish script .s6-svscan/finish: "
            "Permission denied",
            "s6-svscan: warning: executing into .s6-svscan/crash",
        ]


def test_without_crash_there_is_an_exit_code(ours: Program, tmp_path: Path) -> None:
    """127, as s6 2.15 has it."""
    script(tmp_path, "finish", "exit 7", mode=0o644)
    with scanned(ours, tmp_path, stderr=subprocess.PIPE) as process:
        assert end(process) == 127
        assert said(process)[-1] == (
            "s6-svscan: warning: unable to exec .s6-svscan/crash: "
            "No such file or directory"
        )


@pytest.mark.parametrize("how", [b"q", signal.SIGQUIT])
def test_a_quit_ends_loggers_that_do_not_end_by_themselves(
    svscan: Program, tmp_path: Path, how: bytes | int
) -> None:
    """They are terminated with the services."""
    service = logged(tmp_path, "foo", "exec sleep 1000", log="exec sleep 1000")
    with scanned(svscan, tmp_path) as process:
        all_up(service)
        if isinstance(how, bytes):
            order(tmp_path, how)
            assert process.wait(harness.DEADLINE_S) == 0
        else:
            assert end(process, how) == 0


@pytest.mark.parametrize("how", [b"b", signal.SIGABRT])
def test_an_abort_leaves_everything_running(
    svscan: Program, tmp_path: Path, how: bytes | int
) -> None:
    """Nobody is told to end, nobody is waited for; but finish runs."""
    service = make_service(tmp_path / "foo")
    script(tmp_path, "finish", "exit 7")
    with scanned(svscan, tmp_path) as process:
        all_up(service)
        pid = status(service).pid
        if isinstance(how, bytes):
            order(tmp_path, how)
            assert process.wait(harness.DEADLINE_S) == 7
        else:
            assert end(process, how) == 7
        assert not ended(facts(pid))


def test_a_dead_logger_comes_back_for_what_is_left(
    ours: Program, tmp_path: Path
) -> None:
    """It waits to be restarted when the end comes; with s6 its lines are lost."""
    say = "trap 'exit 0' TERM; echo one; echo two; while :; do sleep 0.01; done"
    service = logged(tmp_path, "foo", say, log="test -e start || exit 1; " + KEEP)
    with scanned(ours, tmp_path) as process:
        log = service / "log"
        wait_until(lambda: supervised(log), "the logger")
        with Ear(log) as ear:
            ear.wait_for(b"D")
            (log / "start").touch()
            assert end(process) == 0
        assert (service / "out").read_text() == "one\ntwo\n"


def test_a_logger_that_dies_in_the_end_comes_back(
    ours: Program, tmp_path: Path
) -> None:
    """Its service still had something to say."""
    service = logged(tmp_path, "foo", DEAF, finish="echo bye")
    with scanned(ours, tmp_path) as process:
        all_up(service)
        wait_until(lambda: lines(service / "out") == 1, "the first line")
        log = service / "log"
        with Ear(log) as ear:
            order(tmp_path, b"t")
            wait_until(lambda: not pending(tmp_path), "the order to be taken")
            os.kill(status(log).pid, signal.SIGKILL)
            ear.wait_for(b"x")
            ear.wait_for(b"u")
            tell(service, b"k")
        assert process.wait(harness.DEADLINE_S) == 0
        assert (service / "out").read_text() == "deaf\nbye\n"


def test_lost_lines_are_told_of(ours: Program, tmp_path: Path) -> None:
    """When a logger cannot be brought to read them."""
    service = logged(tmp_path, "foo", "echo hello; exec sleep 1000", log="exit 1")
    with scanned(ours, tmp_path, stderr=subprocess.PIPE) as process:
        wait_until(lambda: supervised(service / "log"), "the logger")
        wait_up(service)
        with Ear(service / "log") as ear:
            ear.wait_for(b"D")
        assert end(process) == 0
        text = "s6-svscan: warning: foo: 6 bytes were lost: its logger has ended"
        assert said(process) == [text]


def test_the_end_may_be_ordered_again(ours: Program, tmp_path: Path) -> None:
    """By the finish script of a key service, for one: nobody is told twice."""
    count = "echo begin > terms; trap 'echo term >> terms' TERM; "
    service = make_service(
        tmp_path / "foo", count + "while ! test -e ../go; do sleep 0.01; done"
    )
    with scanned(ours, tmp_path) as process:
        all_up(service)
        wait_until(lambda: lines(service / "terms") == 1, "the trap")
        order(tmp_path, b"t")
        wait_until(lambda: lines(service / "terms") == 2, "the first TERM")
        for again in (b"t", b"at", b"i", b"n", b"h"):
            order(tmp_path, again)
            wait_until(lambda: not pending(tmp_path), "the order to be taken")
        (tmp_path / "go").touch()
        assert process.wait(harness.DEADLINE_S) == 0
        assert lines(service / "terms") == 2


def pending(scandir: Path) -> bool:
    """Tell whether an order waits to be read."""
    import select

    fd = os.open(scandir / ".s6-svscan" / "control", os.O_RDWR | os.O_NONBLOCK)
    try:
        return bool(select.select([fd], [], [], 0)[0])
    finally:
        os.close(fd)


def test_an_end_that_hangs_can_be_hastened(ours: Program, tmp_path: Path) -> None:
    """By a quit, for loggers that ignore the end of their input."""
    service = logged(tmp_path, "foo", "echo hello; exec sleep 1000", STUBBORN_LOGGER)
    with scanned(ours, tmp_path) as process:
        all_up(service)
        order(tmp_path, b"t")
        wait_until((service / "log" / "drained").exists, "the end of the input")
        order(tmp_path, b"q")
        assert process.wait(harness.DEADLINE_S) == 0


def test_an_end_that_hangs_can_be_aborted(ours: Program, tmp_path: Path) -> None:
    """Then finish runs all the same."""
    service = make_service(tmp_path / "foo", DEAF)
    script(tmp_path, "finish", "exit 7")
    with scanned(ours, tmp_path) as process:
        all_up(service)
        order(tmp_path, b"t")
        order(tmp_path, b"b")
        assert process.wait(harness.DEADLINE_S) == 7


CATCH_ALL = "exec cat < fifo >> caught 2> /dev/null"
"""Reads a FIFO that the supervisor and the services without logger write to."""


def test_the_catch_all_logger_hears_everything(ours: Program, tmp_path: Path) -> None:
    """Also what is said in the end; then it ends, as nobody writes to it.

    s6 2.11 needs -X for that.
    """
    catcher = make_service(tmp_path / "s6-svscan-log", CATCH_ALL)
    os.mkfifo(catcher / "fifo")
    run = "trap 'echo dying; exit' TERM; echo hello; while :; do sleep 0.01; done"
    make_service(tmp_path / "foo", run, finish="echo bye")
    script(tmp_path, "finish", "echo nobody hears this")
    fifo = os.open(catcher / "fifo", os.O_RDWR)
    writing = os.open(catcher / "fifo", os.O_WRONLY)
    with scanned(ours, tmp_path, stdout=writing, stderr=writing) as process:
        os.close(writing)
        all_up(tmp_path / "foo", catcher)
        os.close(fifo)
        wait_until(lambda: lines(catcher / "caught") >= 1, "the first line")
        assert end(process) == 0
        assert (catcher / "caught").read_text() == "hello\ndying\nbye\n"


def test_the_console_is_for_the_catch_all_logger_and_the_end(
    svscan: Program, tmp_path: Path
) -> None:
    """With -X: others do not even have it open."""
    catcher = make_service(tmp_path / "s6-svscan-log", "echo catcher >&2; " + CATCH_ALL)
    os.mkfifo(catcher / "fifo")
    foo = make_service(tmp_path / "foo", "ls -l /proc/self/fd > fds; exec sleep 1000")
    script(tmp_path, "finish", "echo the end; echo the very end >&2")
    console = tmp_path / ".tty"
    fd = os.open(console, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    fifo = os.open(catcher / "fifo", os.O_RDWR)
    writing = os.open(catcher / "fifo", os.O_WRONLY)
    options = ("-X", str(fd))
    with scanned(
        svscan, tmp_path, *options, stdout=writing, stderr=writing, fds=(fd,)
    ) as process:
        os.close(writing)
        all_up(foo, catcher)
        os.close(fifo)
        wait_until(lambda: lines(console) == 1, "the first line")
        wait_until(lambda: lines(foo / "fds") > 3, "the descriptors")
        assert ".tty" not in (foo / "fds").read_text()
        assert end(process) == 0
        assert console.read_text() == "catcher\nthe end\nthe very end\n"
    os.close(fd)


def test_services_end_before_their_loggers(svscan: Program, tmp_path: Path) -> None:
    """The logger is not even told until then: it sees the end of its input."""
    note = (
        "trap 'echo term >> ../out' TERM; while read -r x; do echo $x >> ../out; done"
    )
    service = logged(tmp_path, "foo", SLOW, log=note)
    with scanned(svscan, tmp_path) as process:
        all_up(service)
        wait_until(lambda: lines(service / "out") == 1, "the first line")
        assert end(process) == 0
        assert (service / "out").read_text() == "up\ndying\n"
        assert not listens(tmp_path / ".s6-svscan" / "control")


def test_a_service_that_is_down_holds_nothing_up(
    svscan: Program, tmp_path: Path
) -> None:
    """Nor does a logger without a service that runs."""
    service = logged(tmp_path, "foo", "exec sleep 1000")
    (service / "down").touch()
    with scanned(svscan, tmp_path) as process:
        all_up(service / "log")
        wait_down(service)
        assert end(process) == 0
