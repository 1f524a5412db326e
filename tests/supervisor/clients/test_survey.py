"""Looking at scan directories: what counts, and what is found out about it."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from chains import needs_root
from s6log.unix.messages import Fatal
from standins import NOW_NS, add_tally, locked, supervised, up
from supervising import make_service
from supervisor.clients.reports import Report
from supervisor.clients.survey import abandoned, is_scan_directory, look, report
from supervisor.service.status import READY, WANT_UP
from supervisor.service.tally import Death

DEATHS = [Death(NOW_NS, 1, 0)] * 4


@contextlib.contextmanager
def as_nobody() -> Iterator[None]:
    """Be without privileges for the length of a block."""
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def look_at(directory: Path) -> Report:
    """Report on one service directory."""
    return report(os.fsencode(directory), b"x", NOW_NS)


def is_one(directory: Path) -> bool:
    """Ask whether it is a scan directory."""
    return is_scan_directory(os.fsencode(directory))


def test_what_s6_svscan_has_been_in_is_a_scan_directory(tmp_path: Path) -> None:
    """Even an empty one, and one with services that are called run and supervise."""
    assert not is_one(tmp_path)
    (tmp_path / ".s6-svscan").mkdir()
    assert is_one(tmp_path)
    make_service(tmp_path / "run")
    make_service(tmp_path / "supervise")
    assert is_one(tmp_path)


def test_what_holds_service_directories_is_one_too(tmp_path: Path) -> None:
    """Each service of which may have an s6-supervise of its own."""
    make_service(tmp_path / "tree" / "run")
    assert is_one(tmp_path / "tree")
    with supervised(tmp_path / "bare" / "service", up()):
        assert is_one(tmp_path / "bare")


def test_a_service_directory_is_none(tmp_path: Path) -> None:
    """Whether or not it has ever been supervised, or has a logger."""
    service = make_service(tmp_path / "service")
    make_service(service / "log")
    assert not is_one(service)
    with supervised(tmp_path / "other", up()):
        (tmp_path / "other" / "log").mkdir()
        (tmp_path / "other" / "log" / "run").touch()
        assert not is_one(tmp_path / "other")


def test_other_things_are_none(tmp_path: Path) -> None:
    """Files, and what is not there."""
    (tmp_path / "file").touch()
    assert not is_one(tmp_path / "file")
    assert not is_one(tmp_path / "nothing")


def test_all_that_s6_svscan_would_supervise_is_listed(tmp_path: Path) -> None:
    """Directories and links to such, by name, but no dot files."""
    (tmp_path / ".s6-svscan").mkdir()
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "z").mkdir()
    (tmp_path / "link").symlink_to("z")
    make_service(tmp_path / "a")
    found = look([os.fsencode(tmp_path)], NOW_NS)
    assert [service.name for service in found] == [b"a", b"link", b"z"]


def test_several_directories_are_called_by_their_paths(tmp_path: Path) -> None:
    """Scan directories and service directories, in the order given."""
    make_service(tmp_path / "tree" / "a")
    make_service(tmp_path / "b")
    tree, service = os.fsencode(tmp_path / "tree"), os.fsencode(tmp_path / "b")
    names = [found.name for found in look([service, tree], NOW_NS)]
    assert names == [service, tree + b"/a"]
    assert [found.name for found in look([tree], NOW_NS)] == [b"a"]


@needs_root
def test_a_scan_directory_that_cannot_be_read_is_fatal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is nothing to show then."""
    (tmp_path / ".s6-svscan").mkdir()
    tmp_path.chmod(0o711)
    monkeypatch.chdir(tmp_path)  # which nobody could not reach by its path
    with as_nobody(), pytest.raises(Fatal, match="unable to read"):
        look([b"."], NOW_NS)


def test_a_service_is_reported_with_its_logger(tmp_path: Path) -> None:
    """Each with its own status, deaths and problems."""
    with supervised(tmp_path / "web", up(5, WANT_UP | READY)) as web:
        add_tally(web, DEATHS)
        make_service(web / "log")
        found = look_at(web)
    assert found.view is not None
    assert (found.view.status.pid, found.view.seconds) == (4242, 5)
    assert (found.deaths, found.most) == (4, 100)
    assert found.logger is not None
    assert (found.logger.view, found.logger.problem) == (None, "not supervised")
    assert found.logger.name == b"x/log"


@pytest.mark.parametrize(
    ("text", "most"),
    [("4", 4), ("4\nmore", 4), ("0", 0), ("", 100), ("many", 100), ("5 ", 100)],
)
def test_the_size_of_the_tally_is_read_as_the_supervisor_does(
    tmp_path: Path, text: str, most: int
) -> None:
    """A number alone on the first line; else the default."""
    with supervised(tmp_path / "web", up()) as web:
        (web / "max-death-tally").write_text(text)
        assert look_at(web).most == most


def test_a_tally_of_an_odd_size_counts_for_nothing(tmp_path: Path) -> None:
    """As for the supervisor, which starts over with it."""
    with supervised(tmp_path / "web", up()) as web:
        add_tally(web, DEATHS)
        with (web / "supervise" / "death_tally").open("ab") as tally:
            tally.write(b"x")
        assert look_at(web).deaths == 0


def test_small_files_are_seen(tmp_path: Path) -> None:
    """`down` and `notification-fd`: that they are there."""
    with supervised(tmp_path / "web", up()) as web:
        before = look_at(web)
        (web / "down").touch()
        (web / "notification-fd").write_text("3")
        after = look_at(web)
    assert before.view is not None
    assert after.view is not None
    assert (before.view.normally_up, before.notifies) == (True, False)
    assert (after.view.normally_up, after.notifies) == (False, True)


def test_a_status_that_cannot_be_read_is_a_problem_of_one_service(
    tmp_path: Path,
) -> None:
    """Which is named; the others are shown all the same."""
    with supervised(tmp_path / "web", up()) as web:
        (web / "supervise" / "status").write_bytes(b"short")
        assert look_at(web).problem == "unknown: Broken pipe"
        (web / "supervise" / "status").unlink()
        assert look_at(web).problem == "unknown: No such file or directory"


@needs_root
def test_what_one_may_not_see_is_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """supervise/ is private, unless s6-svperms has changed that."""
    tmp_path.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    with supervised(tmp_path / "web", up()) as web:
        (web / "supervise").chmod(0o711)
        with as_nobody():
            assert look([b"web"], NOW_NS)[0].up
        (web / "supervise").chmod(0o700)
        with as_nobody():
            assert look([b"web"], NOW_NS)[0].problem == "unknown: Permission denied"


def test_a_dead_s6_svscan_is_noticed(tmp_path: Path) -> None:
    """By the lock that it held; where there never was one, none is missed."""
    tree = os.fsencode(tmp_path)
    assert abandoned([tree]) == []
    with locked(tmp_path / ".s6-svscan" / "lock"):
        assert abandoned([tree]) == []
    assert abandoned([tree]) == [tree]
