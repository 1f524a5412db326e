"""A directory by name, and the steps that make its files durable."""

import fcntl
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from inside import open_descriptors
from s6log.unix.durable import Place


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Give the directory `d` of a folder that is not the working directory."""
    (tmp_path / "d").mkdir()
    base_fd = os.open(tmp_path, os.O_PATH)
    yield Place(base_fd, b"./d")
    os.close(base_fd)


def test_creating_what_exists_changes_nothing(place: Place, tmp_path: Path) -> None:
    """An existing directory keeps its mode and its content."""
    (tmp_path / "d" / "file").touch()
    (tmp_path / "d").chmod(0o751)
    place.create(0o700)
    assert stat.S_IMODE((tmp_path / "d").stat().st_mode) == 0o751
    assert place.entries() == ["file"]


def test_creating_makes_no_parents(place: Place, tmp_path: Path) -> None:
    """A directory somewhere in nowhere is the user's mistake."""
    with pytest.raises(FileNotFoundError):
        Place(place.base_fd, b"no/such").create(0o700)
    Place(place.base_fd, b"new").create(0o700)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700


def test_names_are_shown_as_the_user_wrote_them(place: Place) -> None:
    """Messages show them."""
    assert place.name(b"current") == b"./d/current"


def test_files_are_opened_close_on_exec(place: Place, tmp_path: Path) -> None:
    """With the mode that the mask leaves of the usual one."""
    fd = place.open(b"file", os.O_WRONLY | os.O_CREAT)
    assert fcntl.fcntl(fd, fcntl.F_GETFD) & fcntl.FD_CLOEXEC
    os.close(fd)
    mask = os.umask(0)
    os.umask(mask)
    mode = (tmp_path / "d" / "file").stat().st_mode
    assert stat.S_IMODE(mode) == 0o666 & ~mask


def test_what_is_missing_is_a_result(place: Place) -> None:
    """Of a look and of a removal, but not of a change."""
    assert place.stat(b"file") is None
    assert place.remove(b"file") is False
    with pytest.raises(FileNotFoundError):
        place.rename(b"file", b"other")
    with pytest.raises(FileNotFoundError):
        place.chmod(b"file", 0o644)
    with pytest.raises(FileNotFoundError):
        place.seal(b"file")


def test_other_failures_are_raised(place: Place, tmp_path: Path) -> None:
    """A directory in a file's place is not `missing`."""
    (tmp_path / "d" / "sub").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(IsADirectoryError):
        place.remove(b"sub")
    with pytest.raises(NotADirectoryError):
        Place(place.base_fd, b"file").stat(b"current")


def test_renaming_replaces(place: Place, tmp_path: Path) -> None:
    """The old name is gone, the new one has its content."""
    (tmp_path / "d" / "one").write_bytes(b"1")
    (tmp_path / "d" / "two").write_bytes(b"2")
    place.rename(b"one", b"two")
    assert place.entries() == ["two"]
    assert (tmp_path / "d" / "two").read_bytes() == b"1"
    assert place.remove(b"two") is True
    assert place.entries() == []


def test_entries_of_any_name_are_listed(place: Place, tmp_path: Path) -> None:
    """Names need not be text."""
    os.close(os.open(os.fsencode(tmp_path) + b"/d/\xff\xfe", os.O_CREAT))
    assert [os.fsencode(entry) for entry in place.entries()] == [b"\xff\xfe"]


@pytest.mark.parametrize("mode", [None, 0o744])
def test_sealing_keeps_the_content(
    place: Place, tmp_path: Path, mode: int | None
) -> None:
    """And sets the mode that says it is complete, if one is given."""
    path = tmp_path / "d" / "file"
    path.write_bytes(b"content")
    path.chmod(0o640)
    before = open_descriptors()
    place.seal(b"file", mode)
    place.sync()
    assert open_descriptors() == before
    assert path.read_bytes() == b"content"
    assert stat.S_IMODE(path.stat().st_mode) == (mode or 0o640)


def test_a_directory_is_what_has_its_name_now(place: Place, tmp_path: Path) -> None:
    """Moved away it is missing; put back, it is found again."""
    (tmp_path / "d" / "file").touch()
    (tmp_path / "d").rename(tmp_path / "away")
    assert place.stat(b"file") is None
    with pytest.raises(FileNotFoundError):
        place.sync()
    with pytest.raises(FileNotFoundError):
        place.entries()
    (tmp_path / "away").rename(tmp_path / "d")
    assert place.entries() == ["file"]


def test_the_base_may_move(place: Place, tmp_path: Path) -> None:
    """A logger's working directory is a directory, not a name."""
    (tmp_path / "d" / "file").touch()
    moved = tmp_path.with_name(tmp_path.name + "-moved")
    tmp_path.rename(moved)
    assert place.entries() == ["file"]
    moved.rename(tmp_path)
