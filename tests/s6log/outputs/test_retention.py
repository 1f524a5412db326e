"""A finished file becomes an archive, and exactly the newest ones stay."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inside import Desk, looping
from s6log.outputs.archive_names import is_archive
from s6log.outputs.retention import Keep, archive, settle
from s6log.script.model import Rules
from s6log.unix.durable import Place
from s6log.unix.loop import Loop
from s6log.unix.tai64n import label

NOW_NS = 1_700_000_000_000_000_000
HOUR_NS = 3_600_000_000_000


class Directory:
    """A log directory `d` with what may be done to it."""

    def __init__(self, desk: Desk, keep: int = 10, total_bytes: int = 0) -> None:
        self.path = desk.folder / "d"
        self.path.mkdir()
        self.place = Place(desk.context.base_fd, b"d")
        self.desk = desk
        rules = Rules(keep=keep, total_bytes=total_bytes)
        self.keep = Keep(rules, desk.context.messages)

    def finish(self, entry: str = "previous", suffix: str = "s") -> None:
        """Make an archive of a file."""
        if archive(self.place, entry.encode(), suffix, NOW_NS, self.keep):
            settle(self.place, self.keep)

    def archives(self) -> list[str]:
        """List the archives, oldest first."""
        return sorted(filter(is_archive, os.listdir(self.path)))


@pytest.fixture
def desk(loop: Loop, tmp_path: Path) -> Iterator[Desk]:
    """Prepare a folder for a log directory."""
    with Desk(loop, tmp_path) as made:
        yield made


def stamp(age: int, suffix: str = "s") -> str:
    """Name an archive by its age in hours."""
    return label(NOW_NS - age * HOUR_NS).decode() + "." + suffix


def test_a_finished_file_gets_the_name_of_its_time(desk: Desk) -> None:
    """Its content and mode stay."""
    directory = Directory(desk)
    previous = directory.path / "previous"
    previous.write_bytes(b"line\n")
    previous.chmod(0o744)
    directory.finish()
    (made,) = directory.archives()
    assert made == label(NOW_NS).decode() + ".s"
    assert (directory.path / made).read_bytes() == b"line\n"
    assert (directory.path / made).stat().st_mode & 0o777 == 0o744
    assert not previous.exists()


def test_an_archive_of_the_future_stays_before_the_new_one(desk: Desk) -> None:
    """A clock that went back does not make the newest archive the oldest."""
    directory = Directory(desk, keep=1)
    (directory.path / stamp(-5)).write_bytes(b"old\n")
    (directory.path / "previous").write_bytes(b"new\n")
    directory.finish()
    (left,) = directory.archives()
    assert (directory.path / left).read_bytes() == b"new\n"


def test_an_empty_file_leaves_no_archive(desk: Desk) -> None:
    """It is removed."""
    directory = Directory(desk)
    (directory.path / "previous").touch()
    directory.finish()
    assert os.listdir(directory.path) == []


def test_a_missing_file_changes_nothing(desk: Desk) -> None:
    """Not even what is too much already (s6-log trims after an archive only)."""
    directory = Directory(desk, keep=0)
    (directory.path / stamp(1)).touch()
    directory.finish()
    assert directory.archives() == [stamp(1)]


def test_a_file_that_is_an_archive_already_is_not_archived_again(desk: Desk) -> None:
    """As s6-log leaves it when it is killed between its link and its unlink."""
    directory = Directory(desk)
    (directory.path / stamp(1)).write_bytes(b"line\n")
    os.link(directory.path / stamp(1), directory.path / "previous")
    directory.finish()
    assert os.listdir(directory.path) == [stamp(1)]
    assert (directory.path / stamp(1)).read_bytes() == b"line\n"


def test_a_backup_by_hard_links_does_not_count(desk: Desk) -> None:
    """The file has another name, but not in this directory."""
    directory = Directory(desk)
    (directory.path / "previous").write_bytes(b"line\n")
    os.link(directory.path / "previous", desk.folder / "backup")
    directory.finish()
    (made,) = directory.archives()
    assert (directory.path / made).read_bytes() == b"line\n"


def test_what_is_not_an_archive_is_never_touched(desk: Desk) -> None:
    """However many archives there are too many."""
    directory = Directory(desk, keep=0)
    others = {"current", "state", "lock", "note", stamp(1) + ".gz", stamp(1)[:-1] + "t"}
    for other in others:
        (directory.path / other).touch()
    (directory.path / stamp(1)).touch()
    (directory.path / "previous").write_bytes(b"line\n")
    directory.finish()
    assert set(os.listdir(directory.path)) == others


def test_an_archive_that_cannot_be_deleted_counts_as_gone(desk: Desk) -> None:
    """With a warning; the others are not deleted in its place."""
    directory = Directory(desk, keep=2)
    (directory.path / stamp(3)).mkdir()
    for age in (2, 1):
        (directory.path / stamp(age)).write_bytes(b"line\n")
    (directory.path / "previous").write_bytes(b"line\n")
    directory.finish()
    assert directory.archives() == [stamp(3), stamp(1), stamp(0)]
    (warning,) = desk.said()
    assert warning == f"warning: unable to unlink d/{stamp(3)}: Is a directory"


def test_an_archive_of_unknown_size_counts_nothing(desk: Desk) -> None:
    """With a warning; and when the oldest has to go, others have to go as well."""
    directory = Directory(desk, total_bytes=12)
    (directory.path / stamp(3)).symlink_to(stamp(3))
    for age in (2, 1):
        (directory.path / stamp(age)).write_bytes(b"line\n")
    (directory.path / "previous").write_bytes(b"line\n")
    directory.finish()
    assert directory.archives() == [stamp(1), stamp(0)]
    assert desk.said() == [
        f"warning: unable to stat d/{stamp(3)}: Too many levels of symbolic links"
    ]


def kept(sizes: list[int], count: int, total_bytes: int) -> list[int]:
    """Tell which archives s6-log keeps, by the words of its manual."""
    left = list(range(len(sizes)))
    while left and (
        len(left) > count or (total_bytes and sum(sizes[n] for n in left) > total_bytes)
    ):
        left.pop(0)
    return left


@settings(max_examples=60)
@given(
    st.lists(st.integers(0, 9), max_size=8),
    st.integers(0, 9),
    st.sampled_from([0, 0, 1, 5, 12, 30]),
)
def test_exactly_the_newest_are_kept(
    sizes: list[int], count: int, total_bytes: int
) -> None:
    """As many as `n` says, of no more bytes together than `S` says."""
    with (
        tempfile.TemporaryDirectory() as folder,
        looping() as loop,
        Desk(loop, Path(folder)) as desk,
    ):
        directory = Directory(desk, count, total_bytes)
        names = []
        for number, size in enumerate(sizes):
            names.append(stamp(len(sizes) - number, "su"[number % 2]))
            (directory.path / names[-1]).write_bytes(b"x" * size)
        (directory.path / "previous").write_bytes(b"1234")
        directory.finish()
        names.append(stamp(0))
        expected = [names[n] for n in kept([*sizes, 4], count, total_bytes)]
        assert directory.archives() == expected
        assert desk.said() == []


def test_trimming_sees_what_others_did_meanwhile(desk: Desk) -> None:
    """Archives that somebody removed or brought are noticed at each rotation."""
    directory = Directory(desk, keep=2)
    for turn in range(4):
        (directory.path / "previous").write_bytes(b"%d\n" % turn)
        directory.finish()
    first, second = directory.archives()
    (directory.path / first).unlink()
    (directory.path / "@400000000000000000000000.u").write_bytes(b"restored\n")
    (directory.path / "previous").write_bytes(b"last\n")
    directory.finish()
    left = directory.archives()
    assert left[0] == second
    assert (directory.path / left[1]).read_bytes() == b"last\n"
