"""Death tallies on disk: read without writing, cleared at once."""

import os
from pathlib import Path

import pytest

from supervisor.clients import tallies


def test_a_tally_is_read_as_it_is(tmp_path: Path) -> None:
    """Whatever its size; what it means is for others to say."""
    (tmp_path / "supervise").mkdir()
    path = tmp_path / "supervise" / "death_tally"
    for content in (b"", b"x" * 13, os.urandom(14 * 5000)):
        path.write_bytes(content)
        assert tallies.read(os.fsencode(tmp_path)) == content


def test_a_tally_that_could_be_there_is_empty(tmp_path: Path) -> None:
    """Reading makes nothing."""
    (tmp_path / "supervise").mkdir()
    assert tallies.read(os.fsencode(tmp_path)) == b""
    assert os.listdir(tmp_path / "supervise") == []


def test_a_tally_that_could_not_be_there_is_an_error(tmp_path: Path) -> None:
    """It is no service directory, or one that was never supervised."""
    with pytest.raises(FileNotFoundError):
        tallies.read(os.fsencode(tmp_path))


def test_clearing_goes_by_the_umask(tmp_path: Path) -> None:
    """As when the supervisor makes one."""
    (tmp_path / "supervise").mkdir()
    before = os.umask(0o027)
    try:
        tallies.clear(os.fsencode(tmp_path))
    finally:
        os.umask(before)
    path = tmp_path / "supervise" / "death_tally"
    assert (path.stat().st_mode & 0o777, path.read_bytes()) == (0o640, b"")


def test_a_clearing_that_fails_leaves_the_tally(tmp_path: Path) -> None:
    """It is replaced only when there is something to replace it with."""
    (tmp_path / "supervise").mkdir()
    path = tmp_path / "supervise" / "death_tally"
    path.write_bytes(b"x" * 14)
    (tmp_path / "supervise" / "death_tally.new").mkdir()
    with pytest.raises(IsADirectoryError):
        tallies.clear(os.fsencode(tmp_path))
    assert path.read_bytes() == b"x" * 14
