"""A status file shows the last line, and never anything else."""

import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inside import Desk, batch_of, files_up_to, looping, open_descriptors, status_of
from s6log.stream.format import status_record
from s6log.unix.loop import Loop


@pytest.fixture
def desk(loop: Loop, tmp_path: Path) -> Iterator[Desk]:
    """Prepare a folder for a status file."""
    with Desk(loop, tmp_path) as made:
        yield made


def test_the_last_line_of_a_block_is_shown(desk: Desk) -> None:
    """As a record of a fixed size; the file of another block replaces it."""
    status = status_of(desk, "^10", "pweb", "=status")
    status.deliver(batch_of(b"one\ntwo\n"))
    assert (desk.folder / "status").read_bytes() == b"web two\n\n\n"
    status.deliver(batch_of(b"and three\n"))
    assert (desk.folder / "status").read_bytes() == b"web and th"
    assert os.listdir(desk.folder) == ["status"]


def test_nothing_is_created_before_there_is_a_line(desk: Desk) -> None:
    """Who looks for the file knows whether there has been one."""
    status_of(desk, "=status")
    assert os.listdir(desk.folder) == []
    assert desk.context.backlog.size == 0


def test_a_reader_keeps_the_file_it_has_opened(desk: Desk) -> None:
    """It is replaced, not rewritten: nobody sees half of it."""
    status = status_of(desk, "^0", "=status")
    status.deliver(batch_of(b"one\n"))
    with (desk.folder / "status").open("rb") as reader:
        status.deliver(batch_of(b"two\n"))
        assert reader.read() == b"one\n"


def test_links_and_modes_are_those_of_a_new_file(desk: Desk) -> None:
    """What the name was before does not matter."""
    (desk.folder / "other").write_bytes(b"untouched")
    (desk.folder / "status").symlink_to("other")
    status_of(desk, "^0", "=status").deliver(batch_of(b"one\n"))
    assert not (desk.folder / "status").is_symlink()
    assert (desk.folder / "other").read_bytes() == b"untouched"
    mask = os.umask(0)
    os.umask(mask)
    mode = (desk.folder / "status").stat().st_mode
    assert stat.S_IMODE(mode) == 0o666 & ~mask


@settings(max_examples=40)
@given(st.binary(max_size=40), st.one_of(st.integers(0, 60), st.just(9000)))
def test_a_status_file_is_the_record_and_its_padding(text: bytes, size: int) -> None:
    """Of any size, larger than what is padded at once too."""
    line = text.replace(b"\n", b" ") + b"\n"
    with (
        tempfile.TemporaryDirectory() as folder,
        looping() as loop,
        Desk(loop, Path(folder)) as desk,
    ):
        status_of(desk, f"^{size}", "=status").deliver(batch_of(line))
        content, padding = status_record(line, size)
        assert (desk.folder / "status").read_bytes() == content + b"\n" * padding


@pytest.mark.parametrize("size", ["^0", "^9000"], ids=["content", "padding"])
def test_a_full_disk_leaves_the_old_line(desk: Desk, size: str) -> None:
    """With a warning; the next line is tried again."""
    status = status_of(desk, size, "=status")
    status.deliver(batch_of(b"one\n"))
    shown = (desk.folder / "status").read_bytes()
    before = open_descriptors()
    with files_up_to(3 if size == "^0" else 5000):
        status.deliver(batch_of(b"second\n"))
    assert desk.said() == [
        "warning: unable to write status file status: No space left on device"
    ]
    assert (desk.folder / "status").read_bytes() == shown
    assert os.listdir(desk.folder) == ["status"]
    assert open_descriptors() == before
    status.deliver(batch_of(b"third\n"))
    assert (desk.folder / "status").read_bytes().startswith(b"third\n")


def make_directory(folder: Path) -> str:
    """Put a directory in the place of the file."""
    (folder / "status").mkdir()
    return "Is a directory"


def make_directory_of_new(folder: Path) -> str:
    """Put a directory in the place of the new file."""
    (folder / "status.new").mkdir()
    return "Is a directory"


def make_fifo_of_new(folder: Path) -> str:
    """Put a named pipe that nobody reads in the place of the new file."""
    os.mkfifo(folder / "status.new")
    return "No such device or address"


OBSTACLES = [make_directory, make_directory_of_new, make_fifo_of_new]


@pytest.mark.parametrize("make", OBSTACLES, ids=lambda make: make.__name__)
def test_what_is_in_the_way_stays_there(
    desk: Desk, make: Callable[[Path], str]
) -> None:
    """The logger warns and goes on; nothing of its own is left."""
    reason = make(desk.folder)
    before = set(os.listdir(desk.folder))
    status_of(desk, "=status").deliver(batch_of(b"one\n"))
    assert desk.said() == [f"warning: unable to write status file status: {reason}"]
    assert set(os.listdir(desk.folder)) == before


def test_a_folder_that_is_missing_is_warned_about(desk: Desk) -> None:
    """Each time a line would be shown."""
    status = status_of(desk, "=no/status")
    for _ in range(2):
        status.deliver(batch_of(b"one\n"))
    text = "warning: unable to write status file no/status: No such file or directory"
    assert desk.said() == [text, text]
