"""s6-svunlink: the link goes, and the supervisors behind it."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import harness
from chains import agree
from harness import Outcome, Program, Stage, wait_until
from supervising import (
    control,
    end_all_in,
    make_service,
    processes_in,
    received,
    status,
    subscribers,
    supervise,
    supervised,
    svscan,
    wait_up,
)

TOOL = "s6-svunlink"
Find = Callable[[str], Program]


def svunlink(program: Program, folder: Path, *words: str) -> Outcome:
    """Run s6-svunlink to its end."""
    return harness.run(program, words, b"", Stage(folder))


@pytest.fixture
def place(find_supervisor: Find, tmp_path: Path) -> Iterator[Path]:
    """Run an s6-svscan with links to a service, and to one with a logger."""
    (tmp_path / "scan").mkdir()
    for name in ("a", "pair"):
        make_service(tmp_path / name)
        (tmp_path / "scan" / name).symlink_to(tmp_path / name)
    make_service(tmp_path / "pair" / "log", "exec cat")
    with svscan(find_supervisor("s6-svscan"), tmp_path / "scan"):
        for name in ("a", "pair", "pair/log"):
            wait_up(tmp_path / name)
        yield tmp_path
    end_all_in(tmp_path)


def gone(service: Path) -> bool:
    """Tell whether a service has ended; a supervisor says so just before it does."""
    over = not status(service).pid
    wait_until(lambda: not processes_in(service), f"the end of what runs in {service}")
    wait_until(lambda: not supervised(service), f"{service} to be let go")
    return over


def test_a_service_is_gone_afterwards(find: Find, place: Path) -> None:
    """Link, supervisor and process; the others stay."""
    outcome = svunlink(find(TOOL), place, "scan", "a")
    assert (outcome.code, outcome.err) == (0, b"")
    assert not (place / "scan" / "a").is_symlink()
    assert gone(place / "a")
    assert supervised(place / "pair")


def test_its_logger_goes_with_it(find: Find, place: Path) -> None:
    """When it has read to the end."""
    assert svunlink(find(TOOL), place, "-t", "20000", "scan", "pair").code == 0
    assert gone(place / "pair")
    assert supervised(place / "a")


def test_it_need_not_wait(find: Find, place: Path) -> None:
    """With -X; the service goes all the same."""
    assert svunlink(find(TOOL), place, "-X", "scan", "a").code == 0
    assert not (place / "scan" / "a").is_symlink()
    wait_until(lambda: not processes_in(place / "a"), "the end of the service")


@pytest.mark.parametrize("options", [["-t", "500"], ["-X"]])
def test_nobody_to_end_it_is_no_error(
    find_supervisor: Find, find: Find, tmp_path: Path, options: list[str]
) -> None:
    """Time runs out, silently; or it is not waited for."""
    service = make_service(tmp_path / "a")
    with (
        supervise(find_supervisor("s6-supervise"), service),
        control(tmp_path / "scan", ".s6-svscan") as fd,
    ):
        (tmp_path / "scan" / "a").symlink_to(service)
        outcome = svunlink(find(TOOL), tmp_path, *options, "scan", "a")
        assert (outcome.code, outcome.err) == (0, b"")
        assert received(fd) == b"an"
        assert supervised(service)
    assert not (tmp_path / "scan" / "a").is_symlink()


def test_no_fifo_is_left_behind(place: Path) -> None:
    """Though the link through which it was made has gone; s6 leaves it there."""
    assert svunlink(harness.ours(TOOL), place, "scan", "pair").code == 0
    for service in (place / "pair", place / "pair" / "log"):
        assert subscribers(service) == []


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ([], 100),
        (["scan"], 100),
        (["-z", "scan", "a"], 100),
        (["-t", "x", "scan", "a"], 100),
        (["scan", ""], 100),
        (["scan", ".a"], 100),
        (["scan", "/a"], 100),
        (["scan", "nothing"], 0),
        (["nowhere", "a"], 0),
        (["", "a"], 0),
        (["scan", "dangling"], 0),
        (["file", "a"], 111),
        (["scan", "odd"], 111),
        (["-X", "scan", "odd"], 0),
    ],
    ids=repr,
)
def test_mistakes_are_told_as_by_the_real_one(
    tmp_path: Path, words: list[str], code: int
) -> None:
    """What is not there is none, nor is a missing s6-svscan."""
    make_service(tmp_path / "odd")
    (tmp_path / "odd" / "log").touch()
    (tmp_path / "file").touch()
    (tmp_path / "scan").mkdir()
    links = {"odd": tmp_path / "odd", "dangling": tmp_path / "gone"}
    for name, target in links.items():
        (tmp_path / "scan" / name).symlink_to(target)
    real = svunlink(harness.oracle(TOOL), tmp_path, *words)
    left = os.listdir(tmp_path / "scan")
    for name in set(links) - set(left):
        (tmp_path / "scan" / name).symlink_to(links[name])
    outcome = agree(TOOL, words, Stage(tmp_path))
    assert outcome.code == real.code == code
    assert sorted(os.listdir(tmp_path / "scan")) == sorted(left)


def test_what_cannot_be_removed_is_told(tmp_path: Path) -> None:
    """A directory instead of a link; the exit code is the real one's."""
    (tmp_path / "scan" / "a").mkdir(parents=True)
    outcome = svunlink(harness.ours(TOOL), tmp_path, "scan", "a")
    text = b"s6-svunlink: warning: unable to unlink scan/a: Is a directory\n"
    assert (outcome.code, outcome.err) == (0, text)
    assert svunlink(harness.oracle(TOOL), tmp_path, "scan", "a").code == 0
    assert (tmp_path / "scan" / "a").is_dir()
