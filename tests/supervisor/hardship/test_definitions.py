"""Service directories that are wrong: the service is, and its neighbours are not."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from chains import needs_root
from enduring import BAD, enduring
from harness import wait_until
from outliving import kill
from supervising import (
    Ear,
    make_service,
    status,
    supervised,
    tell,
    wait_down,
    wait_up,
)

SLEEP = "exec sleep 1000"
TOO_LONG = "finish script lifetime reached maximum value - sending it a SIGKILL"
HUGE_BYTES = 10_000_000


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    """Give a service directory with nothing wrong in it yet, which is not started."""
    return make_service(tmp_path / "scan" / BAD, SLEEP, "exit 0", down="")


# ---- programs


def missing(run: Path) -> None:
    """Leave nothing."""
    run.unlink()


def not_executable(run: Path) -> None:
    """Take the permission away."""
    run.chmod(0o644)


def without_interpreter(run: Path) -> None:
    """Leave a text that begins like any."""
    run.write_text("exec sleep 1000\n")


def with_bad_interpreter(run: Path) -> None:
    """Name an interpreter that is not there."""
    run.write_text("#!/no/such/program\n")


def directory(run: Path) -> None:
    """Put a directory in its place."""
    run.unlink()
    run.mkdir()


def fifo(run: Path) -> None:
    """Put a FIFO in its place, which waits for somebody."""
    run.unlink()
    os.mkfifo(run, 0o755)


def link_to_itself(run: Path) -> None:
    """Put a link in its place that leads nowhere."""
    run.unlink()
    run.symlink_to(run.name)


SPOILT = {
    missing: "No such file or directory",
    not_executable: "Permission denied: it is not executable",
    without_interpreter: "Exec format error: it has no #! line",
    with_bad_interpreter: "No such file or directory: "
    "its interpreter /no/such/program is not there",
    directory: "Permission denied",
    fifo: "Permission denied",
    link_to_itself: "Too many levels of symbolic links",
}
each_way = pytest.mark.parametrize(
    ("spoil", "reason"),
    SPOILT.items(),
    ids=lambda given: getattr(given, "__name__", ""),
)


@each_way
def test_a_run_that_cannot_be_executed(
    bad: Path, spoil: Callable[[Path], None], reason: str
) -> None:
    """One warning; when it is mended, an order starts it at once."""
    spoil(bad / "run")
    with enduring(bad.parent) as trial:
        wait_until(lambda: supervised(bad), "the bad service")
        tell(bad, b"u")
        trial.wait_for(f"{BAD}: unable to spawn ./run (waiting 60 seconds): {reason}")
        trial.goes_on()
        if spoil is not missing:
            (bad / "run").rename(bad / "spoilt")
        make_service(bad / "other", SLEEP)
        (bad / "other" / "run").rename(bad / "run")
        tell(bad, b"u")
        wait_up(bad)
        trial.ends()


@each_way
def test_a_finish_that_cannot_be_executed(
    bad: Path, spoil: Callable[[Path], None], reason: str
) -> None:
    """As if there were none, with a warning if there is something."""
    spoil(bad / "finish")
    with enduring(bad.parent) as trial:
        wait_until(lambda: supervised(bad), "the bad service")
        with Ear(bad) as ear:
            tell(bad, b"u")
            ear.wait_for(b"u")
            tell(bad, b"d")
            ear.wait_for(b"dD")
            tell(bad, b"u")
            ear.wait_for(b"dDu")
        if spoil not in (missing, link_to_itself):
            trial.wait_for(f"{BAD}: unable to spawn ./finish: {reason}")
        trial.goes_on()
        trial.ends()


def test_a_finish_that_hangs(bad: Path) -> None:
    """It is killed when its time is over, with one warning."""
    (bad / "timeout-finish").write_text("300")
    (bad / "finish").write_text(f"#!/bin/sh\n{SLEEP}\n")
    with enduring(bad.parent) as trial:
        wait_until(lambda: supervised(bad), "the bad service")
        tell(bad, b"u")
        pid = wait_up(bad)
        kill(pid)
        wait_until(lambda: status(bad).finishing, "finish")
        trial.goes_on()
        wait_up(bad, other_than=pid)
        trial.wait_for(f"{BAD}: {TOO_LONG}")


# ---- small files

READ_ONCE = (
    *("notification-fd", "lock-fd", "timeout-kill", "timeout-finish"),
    *("max-death-tally", "down-signal", "reload-signal"),
)
"""Each of them is read once in a life that ends with `l` and `d`."""


def garbage(path: Path) -> None:
    """Write what is neither a number nor a signal."""
    path.write_text("3 # the third\n")


def nothing(path: Path) -> None:
    """Write nothing."""
    path.touch()


def too_much(path: Path) -> None:
    """Write a number that no memory could hold."""
    path.write_text("9" * HUGE_BYTES)


def binary(path: Path) -> None:
    """Write bytes that are no text."""
    path.write_bytes(b"\xff\0\xfe" * 10)


def empty_fifo(path: Path) -> None:
    """Make a FIFO that nobody writes to."""
    os.mkfifo(path)


INVALID = (garbage, nothing, too_much, binary, empty_fifo)


@pytest.mark.parametrize("write", INVALID)
def test_small_files_that_make_no_sense(
    bad: Path, write: Callable[[Path], None]
) -> None:
    """They count as absent; each is warned of when it is needed."""
    for name in READ_ONCE:
        write(bad / name)
    with enduring(bad.parent) as trial:
        live_and_die(bad)
        warned = trial.warnings()
        assert sorted(warned) == sorted(f"{BAD}: invalid {name}" for name in READ_ONCE)
        trial.goes_on()
        trial.ends()


def live_and_die(service: Path) -> None:
    """Start a service, give it both signals, and let it end by the second."""
    wait_until(lambda: supervised(service), "the bad service")
    with Ear(service) as ear:
        tell(service, b"u")
        ear.wait_for(b"u")
        # The default for both; sleep dies of the first.
        tell(service, b"ld")
        ear.wait_for(b"D")


def folder(path: Path) -> None:
    """Make a directory."""
    path.mkdir()


def loop(path: Path) -> None:
    """Make a link to itself."""
    path.symlink_to(path.name)


def secret(path: Path) -> None:
    """Make a file that nobody may read, not even its owner."""
    path.touch(0)


BOUND = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")
"""Starts a program as a root that is bound to permissions like anybody."""

UNREADABLE = [
    (folder, "Is a directory"),
    (loop, "Too many levels of symbolic links"),
    pytest.param(secret, "Permission denied", marks=needs_root),
]


@pytest.mark.parametrize(("write", "reason"), UNREADABLE)
def test_small_files_that_cannot_be_read(
    bad: Path, write: Callable[[Path], None], reason: str
) -> None:
    """The same, with the reason."""
    for name in READ_ONCE:
        write(bad / name)
    behind = BOUND if write is secret else ()
    with enduring(bad.parent, *behind) as trial:
        live_and_die(bad)
        said = [f"{BAD}: unable to open {name}: {reason}" for name in READ_ONCE]
        assert sorted(trial.warnings()) == sorted(said)
        trial.goes_on()
        trial.ends()


def test_a_fifo_that_is_never_written_to(bad: Path) -> None:
    """Somebody has it open: nobody waits for them."""
    os.mkfifo(bad / "notification-fd")
    with (
        (bad / "notification-fd").open("r+b", buffering=0),
        enduring(bad.parent) as trial,
    ):
        wait_until(lambda: supervised(bad), "the bad service")
        tell(bad, b"u")
        wait_up(bad)
        reason = "Resource temporarily unavailable"
        trial.wait_for(f"{BAD}: unable to open notification-fd: {reason}")
        trial.goes_on()
        trial.ends()


@pytest.mark.parametrize("name", ["notification-fd", "lock-fd"])
def test_a_descriptor_that_nobody_may_have(bad: Path, name: str) -> None:
    """It is no number then, and the service starts without."""
    (bad / name).write_text("4000000000")
    with enduring(bad.parent) as trial:
        wait_until(lambda: supervised(bad), "the bad service")
        tell(bad, b"u")
        wait_up(bad)
        trial.wait_for(f"{BAD}: invalid {name}")
        trial.goes_on()


@pytest.mark.parametrize("name", ["down", "nosvcenv", "flag-timeout-killpg"])
def test_a_flag_may_be_anything(bad: Path, name: str) -> None:
    """What counts is that something of that name is there."""
    (bad / "down").unlink()
    (bad / name).mkdir()
    with enduring(bad.parent) as trial:
        wait_until(lambda: supervised(bad), "the bad service")
        if name == "down":
            wait_down(bad)
        else:
            wait_up(bad)
        trial.goes_on()
        assert trial.warnings() == []
