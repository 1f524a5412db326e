"""What a look at a scan directory finds."""

import contextlib
import os
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from supervisor.scan.scanner import Sight, look, remove_dangling


@pytest.fixture(autouse=True)
def _in_scan_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def identity(path: str) -> tuple[int, int]:
    """Give device and inode of what a path leads to."""
    found = os.stat(path)
    return found.st_dev, found.st_ino


@contextlib.contextmanager
def no_more_descriptors() -> Iterator[None]:
    """Let no file be opened."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.dup(0)
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def names(sight: Sight) -> list[bytes]:
    """Name what was found."""
    return [item.name for item in sight.found]


def test_every_directory_is_a_service() -> None:
    """Files, and names with a dot in front, are not; nothing else is asked for."""
    for name in ("b", "a", ".hidden"):
        os.mkdir(name)
    Path("file").touch()
    os.mkfifo("fifo")
    sight = look(251)
    assert names(sight) == [b"a", b"b"]
    assert [item.identity for item in sight.found] == [identity("a"), identity("b")]
    assert sight.complaints == []


def test_a_directory_log_is_a_logger() -> None:
    """Only a directory is."""
    os.makedirs("a/log")
    os.mkdir("b")
    Path("b/log").touch()
    os.mkdir("c")
    os.symlink("nowhere", "c/log")
    sight = look(251)
    assert [item.log for item in sight.found] == [identity("a/log"), None, None]


def test_links_are_followed(tmp_path: Path) -> None:
    """A link to a directory is that directory."""
    target = tmp_path / ".elsewhere" / "service"
    (target / "log").mkdir(parents=True)
    os.symlink(target, "link")
    (item,) = look(251).found
    assert item.name == b"link"
    assert item.identity == identity(str(target))
    assert item.log == identity(str(target / "log"))


def test_names_are_bytes() -> None:
    """Whatever a file system allows."""
    os.mkdir(b"\xff\xfe")
    assert names(look(251)) == [b"\xff\xfe"]


def test_a_dangling_link_is_complained_of() -> None:
    """It is not known what it will lead to; the others are found all the same."""
    os.mkdir("a")
    os.symlink("nowhere", "broken")
    sight = look(251)
    assert names(sight) == [b"a"]
    assert sight.unclear == {b"broken"}
    ((text, error),) = sight.complaints
    assert text == b"unable to stat broken"
    assert isinstance(error, FileNotFoundError)


def test_a_logger_that_cannot_be_looked_at_makes_the_service_wait() -> None:
    """It would be begun without it otherwise."""
    os.mkdir("a")
    os.symlink("log", "a/log")
    sight = look(251)
    assert sight.found == []
    assert sight.unclear == {b"a"}
    assert sight.complaints[0][0] == b"unable to stat a/log"


def test_long_names_are_no_services() -> None:
    """What may be too long is up to -L."""
    for length in (20, 21):
        os.mkdir("x" * length)
    sight = look(20)
    assert names(sight) == [b"x" * 20]
    text = b"name too long - not spawning service: " + b"x" * 21
    assert sight.complaints == [(text, None)]


def test_a_directory_that_cannot_be_read_is_an_error() -> None:
    """It is not the same as an empty one."""
    with no_more_descriptors(), pytest.raises(OSError, match="Too many open files"):
        look(251)


def test_dangling_links_are_removed_at_the_start() -> None:
    """But nothing else is."""
    os.mkdir("a")
    os.symlink("a", "link")
    os.symlink("nowhere", "broken")
    os.symlink("nowhere", ".hidden")
    os.symlink("loop", "loop")
    Path("file").touch()
    remove_dangling()
    assert sorted(os.listdir()) == [".hidden", "a", "file", "link", "loop"]
