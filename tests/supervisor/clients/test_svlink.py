"""s6-svlink: checks, the link, files `down`, and the way back when it fails."""

import contextlib
import fcntl
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import harness
from chains import agree
from harness import Outcome, Program, Stage
from s6log.unix.locks import lock_whole_file
from supervising import (
    control,
    end_all_in,
    make_service,
    received,
    status,
    subscribers,
    supervise,
    supervised,
    svscan,
    wait_up,
)

TOOL = "s6-svlink"
Find = Callable[[str], Program]


@pytest.fixture
def place(find_supervisor: Find, tmp_path: Path) -> Iterator[Path]:
    """Make a folder with a running s6-svscan in `scan`, and services beside it."""
    for name in ("a", "b", "pair", "pair/log"):
        make_service(tmp_path / name)
    with svscan(find_supervisor("s6-svscan"), tmp_path / "scan"):
        yield tmp_path
    end_all_in(tmp_path)


@contextlib.contextmanager
def idle_svscan(scandir: Path) -> Iterator[int]:
    """Be an s6-svscan that does nothing; give what commands arrive at."""
    with control(scandir, ".s6-svscan") as fd:
        lock = os.open(scandir / ".s6-svscan" / "lock", os.O_WRONLY | os.O_CREAT)
        assert lock_whole_file(lock, fcntl.F_OFD_SETLK)
        yield fd
        os.close(lock)


def svlink(program: Program, folder: Path, *words: str) -> Outcome:
    """Run s6-svlink to its end."""
    return harness.run(program, words, b"", Stage(folder))


def permissions(service: Path) -> int:
    """Give the mode of a service's fifodir."""
    return stat.S_IMODE((service / "event").stat().st_mode)


def is_down(service: Path) -> bool:
    """Tell whether a service is down, and was not started either."""
    return not status(service).up


def test_a_service_is_linked_and_supervised(find: Find, place: Path) -> None:
    """Under its own name, with an absolute target, when the program ends."""
    assert svlink(find(TOOL), place, "scan", "a").code == 0
    assert os.readlink(place / "scan" / "a") == str(place / "a")
    assert supervised(place / "a")
    assert permissions(place / "a") == 0o3730
    assert subscribers(place / "a") == []
    wait_up(place / "a")


def test_it_may_get_another_name(find: Find, place: Path) -> None:
    """And the directory may be absolute, with a slash at its end."""
    outcome = svlink(find(TOOL), place, "scan/", f"{place}/a/", "other")
    assert (outcome.code, outcome.err) == (0, b"")
    assert os.readlink(place / "scan" / "other") == f"{place}/a/"
    assert supervised(place / "a")


def test_its_logger_comes_with_it(find: Find, place: Path) -> None:
    """Both are waited for."""
    assert svlink(find(TOOL), place, "-P", "-t", "20000", "scan", "pair").code == 0
    assert supervised(place / "pair")
    assert supervised(place / "pair" / "log")
    assert permissions(place / "pair") == permissions(place / "pair" / "log") == 0o1733


def test_it_may_be_supervised_but_down(find: Find, place: Path) -> None:
    """With -D the files that say so stay, for the logger too."""
    assert svlink(find(TOOL), place, "-D", "scan", "pair").code == 0
    for service in (place / "pair", place / "pair" / "log"):
        assert is_down(service)
        assert (service / "down").read_bytes() == b""


@pytest.mark.parametrize("options", [["-d"], ["-D", "-d"]])
def test_it_may_be_down_for_now(place: Path, options: list[str]) -> None:
    """With -d they are gone in the end; s6 forgets that of the logger."""
    assert svlink(harness.ours(TOOL), place, *options, "scan", "pair").code == 0
    for service in (place / "pair", place / "pair" / "log"):
        assert is_down(service)
        assert not (service / "down").exists()


def test_a_service_that_is_supervised_is_only_linked(find: Find, place: Path) -> None:
    """With a warning, and no waiting for a supervisor that is there already."""
    program = find(TOOL)
    assert svlink(program, place, "scan", "a").code == 0
    warning = b"s6-svlink: warning: supervisor already running on a\n"
    for name in ("a", "again"):
        outcome = svlink(program, place, "scan", "a", name)
        assert (outcome.code, outcome.err) == (0, warning)
        assert os.readlink(place / "scan" / name) == str(place / "a")


def test_a_name_that_is_taken_stays_what_it_was(find: Find, place: Path) -> None:
    """Nothing is undone that was not done."""
    program = find(TOOL)
    assert svlink(program, place, "scan", "a", "name").code == 0
    outcome = svlink(program, place, "scan", "b", "name")
    text = b"unable to link servicedir b into scandir scan with name name: "
    error = b"s6-svlink: fatal: " + text + b"File exists\n"
    assert (outcome.code, outcome.err) == (111, error)
    assert os.readlink(place / "scan" / "name") == str(place / "a")
    assert subscribers(place / "b") == []


def test_the_permissions_of_a_fifodir_may_be_forced(find: Find, place: Path) -> None:
    """Without -f they stay what they are."""
    for service in ("a", "b"):
        (place / service / "event").mkdir(0o700)
    assert svlink(find(TOOL), place, "-P", "scan", "a").code == 0
    assert svlink(find(TOOL), place, "-Pf", "scan", "b").code == 0
    assert permissions(place / "a") == 0o700
    assert permissions(place / "b") == 0o1733


def test_half_of_a_pair_is_an_error(
    find_supervisor: Find, find: Find, place: Path
) -> None:
    """A service that is supervised without its logger."""
    with supervise(find_supervisor("s6-supervise"), place / "pair"):
        outcome = svlink(find(TOOL), place, "scan", "pair")
    assert outcome.code == 111
    assert outcome.err.endswith(b"with name pair: Invalid argument\n")
    assert not (place / "scan" / "pair").is_symlink()


def test_a_name_that_is_taken_leaves_no_files(place: Path) -> None:
    """Those that were made before it was found out."""
    (place / "scan" / "name").mkdir()
    outcome = svlink(harness.ours(TOOL), place, "-D", "scan", "pair", "name")
    assert outcome.code == 111
    for service in (place / "pair", place / "pair" / "log"):
        assert not (service / "down").exists()


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["scan"],
        ["-z", "scan", "a"],
        ["-t", "scan", "a"],
        ["-t", "x", "scan", "a"],
        ["scan", ""],
        ["", "a"],
        ["scan", "a", ""],
        ["scan", "a", ".x"],
        ["scan", "a", "/x"],
        ["a", "b"],
        ["nowhere", "a"],
        ["scan", "nowhere"],
        ["scan", "file"],
        ["scan", "inert"],
        ["scan", "inert-logger"],
        ["scan", "no-logger"],
        ["scan", "odd-logger"],
    ],
    ids=repr,
)
def test_mistakes_are_told_as_by_the_real_one(tmp_path: Path, words: list[str]) -> None:
    """Usage, names and directories that can be none."""
    for name in ("a", "inert", "inert-logger", "inert-logger/log", "no-logger"):
        make_service(tmp_path / name)
    make_service(tmp_path / "odd-logger")
    for name in ("inert", "inert-logger/log"):
        (tmp_path / name / "run").chmod(0o644)
    (tmp_path / "no-logger" / "log").mkdir()
    (tmp_path / "odd-logger" / "log").touch()
    (tmp_path / "file").touch()
    with idle_svscan(tmp_path / "scan") as fd:
        outcome = agree(TOOL, words, Stage(tmp_path))
        assert received(fd) == b""
    assert outcome.code in (100, 111)
    assert os.listdir(tmp_path / "scan") == [".s6-svscan"]


def test_without_an_s6_svscan_nothing_is_done(tmp_path: Path) -> None:
    """A lock file that nobody has locked."""
    make_service(tmp_path / "a")
    (tmp_path / "scan" / ".s6-svscan").mkdir(parents=True)
    (tmp_path / "scan" / ".s6-svscan" / "lock").touch()
    assert agree(TOOL, ["scan", "a"], Stage(tmp_path)).code == 1
    assert sorted(os.listdir(tmp_path / "a")) == ["run"]


def test_a_supervisor_that_does_not_come_in_time(find: Find, tmp_path: Path) -> None:
    """Exit 99; the link is gone, and so are the files."""
    for name in ("a", "a/log"):
        make_service(tmp_path / name)
    with idle_svscan(tmp_path / "scan") as fd:
        outcome = svlink(find(TOOL), tmp_path, "-t", "500", "-D", "scan", "a")
        assert received(fd)[:1] == b"a"
    text = b"unable to link servicedir a into scandir scan with name a: "
    error = b"s6-svlink: fatal: " + text + b"Connection timed out\n"
    assert (outcome.code, outcome.err) == (99, error)
    assert not (tmp_path / "scan" / "a").is_symlink()
    assert not (tmp_path / "a" / "down").exists()
    assert subscribers(tmp_path / "a") == []


def test_supervisors_that_came_too_late_are_ended(tmp_path: Path) -> None:
    """And s6-svscan is told that the service is gone; a `down` of old stays."""
    for name in ("a", "a/log"):
        make_service(tmp_path / name)
    (tmp_path / "a" / "log" / "down").touch()
    with (
        idle_svscan(tmp_path / "scan") as fd,
        control(tmp_path / "a") as service,
        control(tmp_path / "a" / "log") as logger,
    ):
        words = ["-t", "50", "-d", "scan", "a"]
        assert svlink(harness.ours(TOOL), tmp_path, *words).code == 99
        assert (received(fd), received(service), received(logger)) == (
            b"aan",
            b"xd",
            b"xo",
        )
    assert not (tmp_path / "a" / "down").exists()
    assert (tmp_path / "a" / "log" / "down").exists()


def test_a_deaf_s6_svscan_is_an_error(tmp_path: Path) -> None:
    """It has the lock, but not the FIFO."""
    make_service(tmp_path / "a")
    with idle_svscan(tmp_path / "scan"):
        fifo = tmp_path / "scan" / ".s6-svscan" / "control"
        fifo.unlink()
        os.mkfifo(fifo)
        outcome = agree(TOOL, ["scan", "a"], Stage(tmp_path))
    assert outcome.code == 111
    assert not (tmp_path / "scan" / "a").is_symlink()
