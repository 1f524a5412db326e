"""The folder of a nursery: made in memory, gone with it."""

import os
from pathlib import Path

from supervisor.warm import folder


def test_it_is_ours_alone_and_can_be_removed() -> None:
    """With all that loggers have left in it."""
    made = folder.make()
    assert made is not None
    path = Path(made)
    assert path.stat().st_mode & 0o7777 == 0o700
    (path / "a").mkdir()
    (path / "a/current").write_text("line\n")
    folder.remove(made)
    assert not path.exists()


def test_what_a_dead_process_left_is_cleared_away() -> None:
    """By its number; nothing is no error, and a link is not followed."""
    made = folder.make()
    assert made is not None
    (Path(made) / "current").write_text("line\n")
    folder.clear(os.getpid())
    assert not Path(made).exists()
    folder.clear(os.getpid())


def test_a_second_one_is_made_elsewhere() -> None:
    """Where the name is taken."""
    first = folder.make()
    second = folder.make()
    try:
        assert first != second
    finally:
        folder.clear(os.getpid())
