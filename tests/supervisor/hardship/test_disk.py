"""Disks that are full, read-only or gone, and strange things in supervise/."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from chains import needs_root
from enduring import BAD, enduring
from harness import wait_until
from outliving import kill
from scanning import lines, logged, order
from supervising import (
    Ear,
    make_service,
    processes_in,
    status,
    supervised,
    tell,
    wait_up,
)

SLEEP = "exec sleep 1000"
COUNT = "echo begun >> begun; exec sleep 1000"
NO_SPACE = "No space left on device"
READ_ONLY = "Read-only file system"
NOBODY = "No such device or address"


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    """Give a service directory with nothing wrong in it yet."""
    return make_service(tmp_path / "scan" / BAD, SLEEP)


@contextmanager
def mounted(place: Path, *words: str) -> Iterator[None]:
    """Mount something, for the length of a block."""
    if subprocess.call(["mount", *words, str(place)], stderr=subprocess.DEVNULL):
        pytest.skip("nothing can be mounted here")
    try:
        yield
    finally:
        # Lazily: whoever works in there is ended by then, but not always collected.
        subprocess.run(["umount", "--lazy", str(place)], check=True)


# ---- full, read-only


@needs_root
def test_a_full_disk(bad: Path) -> None:
    """What cannot be written is warned of; the service is managed to its end."""
    (bad / "supervise").mkdir(0o700)
    with (
        mounted(bad / "supervise", "-t", "tmpfs", "-o", "size=16k", "none"),
        enduring(bad.parent) as trial,
    ):
        wait_until(lambda: supervised(bad), "the bad service")
        pid = wait_up(bad)
        fill(bad / "supervise" / "ballast")
        with Ear(bad) as ear:
            kill(pid)
            ear.wait_for(b"dDu")
            assert processes_in(bad) != [pid]
            tell(bad, b"d")
            ear.wait_for(b"dDudD")
        assert processes_in(bad) == []
        said = set(trial.warnings())
        assert f"{BAD}: unable to write status file: {NO_SPACE}" in said
        assert f"{BAD}: unable to write supervise/death_tally: {NO_SPACE}" in said
        assert all(line.endswith(NO_SPACE) for line in said)
        trial.goes_on()
        (bad / "supervise" / "ballast").unlink()
        tell(bad, b"u")
        wait_up(bad)
        tell(bad, b"d")
        wait_until(lambda: not status(bad).up, "the status to be right again")
        trial.ends()


def fill(ballast: Path) -> None:
    """Write until there is no room."""
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass


@needs_root
def test_a_read_only_directory(bad: Path) -> None:
    """Where supervise/ cannot be made, a service is told of, once, and left out."""
    with mounted(bad, "--bind", "-o", "ro", str(bad)), enduring(bad.parent) as trial:
        trial.wait_for(f"unable to supervise {BAD}: unable to mkdir event: {READ_ONLY}")
        order(bad.parent, b"a")
        trial.goes_on()
        assert len(trial.warnings()) == 1
        assert processes_in(bad) == []
        trial.ends()


@needs_root
def test_a_directory_that_becomes_read_only(bad: Path) -> None:
    """The service is managed all the same; nobody knows what of it."""
    with enduring(bad.parent) as trial:
        wait_until(lambda: supervised(bad), "the bad service")
        pid = wait_up(bad)
        with Ear(bad) as ear, mounted(bad, "--bind", str(bad)):
            make_read_only(bad)
            order(bad.parent, b"a")
            kill(pid)
            ear.wait_for(b"dD")
        trial.goes_on()
        trial.ends()


def make_read_only(place: Path) -> None:
    """Let nobody write to what is mounted there."""
    subprocess.run(["mount", "-o", "remount,bind,ro", str(place)], check=True)


# ---- gone


def test_a_directory_that_disappears(bad: Path) -> None:
    """Its service runs on; in the end there is nothing to start, and it is over."""
    (bad / "run").write_text(f"#!/bin/sh\n{COUNT}\n")
    with enduring(bad.parent) as trial:
        wait_until(lambda: supervised(bad), "the bad service")
        pid = wait_up(bad)
        wait_until((bad / "begun").exists, "the shell to have opened run")
        shutil.rmtree(bad)
        trial.goes_on()
        kill(pid)
        trial.wait_for(
            f"{BAD}: unable to write supervise/death_tally: No such file or directory",
            f"{BAD}: unable to write status file: No such file or directory",
            f"{BAD}: unable to write supervise/process: No such file or directory",
            f"{BAD}: unable to spawn ./run (waiting 60 seconds): "
            "No such file or directory",
        )
        trial.goes_on()
        order(bad.parent, b"an")
        trial.goes_on()
        trial.ends()


def test_a_logged_directory_that_disappears(tmp_path: Path) -> None:
    """What the service says still reaches its logger, which ends when it is pruned."""
    service = logged(
        tmp_path / "scan",
        BAD,
        "trap 'echo hello; touch ../.said' USR1; touch ../.begun;"
        "while :; do sleep 0.01; done",
        "exec cat >> ../../.out",
    )
    scandir = service.parent
    with enduring(scandir) as trial:
        wait_until((scandir / ".begun").exists, "the service")
        wait_until((scandir / ".out").exists, "the logger")
        wait_up(service / "log")
        pid = status(service).pid
        logger = status(service / "log").pid
        shutil.rmtree(service)
        kill(pid, 10)
        wait_until(lambda: lines(scandir / ".out") == 1, "the line")
        order(scandir, b"an")
        wait_until(lambda: not alive(pid) and not alive(logger), "their end")
        trial.goes_on()
        trial.ends()


def alive(pid: int) -> bool:
    """Tell whether there is such a process."""
    return Path(f"/proc/{pid}").exists()


# ---- strange


def as_file(path: Path) -> None:
    """Put a file there."""
    path.touch()


def as_directory(path: Path) -> None:
    """Put a directory there, with something in it."""
    (path / "something").mkdir(parents=True)


def as_fifo(path: Path) -> None:
    """Put a FIFO there."""
    os.mkfifo(path)


STRANGE: list[tuple[str, Callable[[Path], None], str]] = [
    ("event", as_file, "event exists and is not a directory"),
    ("supervise", as_fifo, "supervise exists and is not a directory"),
    ("supervise/lock", as_directory, "unable to open supervise/lock: Is a directory"),
    ("supervise/lock", as_fifo, f"unable to open supervise/lock: {NOBODY}"),
    ("supervise/control", as_file, "supervise/control is not a FIFO"),
    ("supervise/control", as_directory, "supervise/control is not a FIFO"),
]
"""What makes a supervision impossible."""


@pytest.mark.parametrize(("name", "put", "reason"), STRANGE)
def test_what_cannot_be_supervised(
    bad: Path, name: str, put: Callable[[Path], None], reason: str
) -> None:
    """One warning; nothing is started; it begins when that is mended."""
    (bad / name).parent.mkdir(exist_ok=True)
    put(bad / name)
    with enduring(bad.parent) as trial:
        trial.wait_for(f"unable to supervise {BAD}: {reason}")
        trial.goes_on()
        assert processes_in(bad) == []
        (bad / name).rename(bad / "strange")
        order(bad.parent, b"a")
        wait_until(lambda: supervised(bad), "the bad service")
        wait_up(bad)
        assert len(trial.warnings()) == 1
        trial.ends()


WITHOUT = ("status", "status.new", "death_tally", "death_tally.new", "process.new")


@pytest.mark.parametrize("name", WITHOUT)
@pytest.mark.parametrize("put", [as_directory, as_fifo])
def test_what_is_in_the_way(bad: Path, name: str, put: Callable[[Path], None]) -> None:
    """The service is managed without what cannot be written."""
    (bad / "run").write_text(f"#!/bin/sh\n{COUNT}\n")
    (bad / "supervise").mkdir(0o700)
    put(bad / "supervise" / name)
    with enduring(bad.parent) as trial:
        wait_until(lambda: lines(bad / "begun") == 1, "the service")
        tell(bad, b"d")
        wait_until(lambda: processes_in(bad) == [], "its end")
        tell(bad, b"u")
        wait_until(lambda: lines(bad / "begun") == 2, "the second run")
        trial.goes_on()
        trial.ends()
        assert all(line.startswith(f"{BAD}: unable to ") for line in trial.warnings())


def test_a_record_that_cannot_be_read(bad: Path) -> None:
    """Whether something runs cannot be told then: nothing is started."""
    as_directory(bad / "supervise" / "process")
    with enduring(bad.parent) as trial:
        reason = "unable to read supervise/process: Is a directory"
        trial.wait_for(f"unable to supervise {BAD}: {reason}")
        trial.goes_on()
        assert processes_in(bad) == []
        trial.ends()


def test_a_keeper_that_cannot_be(bad: Path) -> None:
    """Its socket has no room: one warning, and all else goes on."""
    as_directory(bad.parent / ".s6-svscan" / "keeper")
    with enduring(bad.parent) as trial:
        trial.wait_for("unable to start the keeper of log pipes: Is a directory")
        wait_up(bad)
        trial.goes_on()
        trial.ends()
