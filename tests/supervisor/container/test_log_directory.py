"""A directory for a logger that is not root: made, taken over, or left alone."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from chains import needs_root
from supervisor.container.log_directory import prepare

UID, GID = 12345, 23456

pytestmark = needs_root


def owner(path: Path) -> tuple[int, int, int]:
    """Give who owns something, and its mode."""
    found = path.lstat()
    return found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)


def test_a_missing_one_is_made(tmp_path: Path) -> None:
    """With those above it, which others can go through; whatever the umask."""
    logdir = tmp_path / "a/b/c"
    before = os.umask(0o077)
    try:
        prepare(os.fsencode(logdir), UID, GID)
    finally:
        os.umask(before)
    assert owner(logdir) == (UID, GID, 0o2755)
    assert owner(tmp_path / "a/b") == owner(tmp_path / "a") == (0, 0, 0o755)


def test_a_relative_path_will_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the directory of the service."""
    monkeypatch.chdir(tmp_path)
    prepare(b"main", UID, GID)
    prepare(b"./deep/main/", UID, GID)
    assert owner(tmp_path / "main") == owner(tmp_path / "deep/main")
    assert owner(tmp_path / "main") == (UID, GID, 0o2755)


def test_an_empty_one_of_roots_is_taken_over(tmp_path: Path) -> None:
    """As `RUN mkdir` leaves it in an image, with the mode that it has."""
    logdir = tmp_path / "main"
    logdir.mkdir(0o750)
    prepare(os.fsencode(logdir), UID, GID)
    assert owner(logdir) == (UID, GID, 0o750)
    prepare(os.fsencode(logdir), 1, 1)
    assert owner(logdir) == (UID, GID, 0o750)


def full(path: Path) -> None:
    """Make a directory with something in it."""
    path.mkdir()
    (path / "file").write_text("")


def others(path: Path) -> None:
    """Make a directory that belongs to somebody."""
    path.mkdir()
    os.chown(path, 1, 1)


def file(path: Path) -> None:
    """Make a file."""
    path.write_text("")


def link(path: Path) -> None:
    """Make a link to an empty directory."""
    path.with_name("elsewhere").mkdir()
    path.symlink_to("elsewhere")


def loose_link(path: Path) -> None:
    """Make a link to nothing."""
    path.symlink_to("nowhere")


@pytest.mark.parametrize("make", [full, others, file, link, loose_link])
def test_anything_else_is_left_alone(
    make: Callable[[Path], None], tmp_path: Path
) -> None:
    """It has been somebody's choice."""
    logdir = tmp_path / "main"
    make(logdir)
    before = {path: owner(path) for path in tmp_path.rglob("*")}
    prepare(os.fsencode(logdir), UID, GID)
    assert {path: owner(path) for path in tmp_path.rglob("*")} == before


def test_what_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    """For the caller to tell."""
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError):
        prepare(os.fsencode(tmp_path / "file/a/b"), UID, GID)
