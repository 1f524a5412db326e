"""The file `current`: appended to, renamed away, put back, closed in order."""

import contextlib
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inside import (
    Desk,
    files_up_to,
    heard,
    looping,
    open_descriptors,
    other_process,
)
from s6log.outputs.current import Current
from s6log.outputs.recovery import open_logdir
from s6log.outputs.retention import Keep
from s6log.script.model import Rules
from s6log.unix.durable import Place
from s6log.unix.loop import Loop
from s6log.unix.messages import Fatal

MODE = 0o640
LF = 0x0A
LINE = st.binary(max_size=12).map(lambda text: text.replace(b"\n", b" ") + b"\n")


LOGGER = """
import fcntl, os
from s6log.unix.locks import lock_whole_file
os.chdir(sys.argv[1])
fd = os.open("d/lock", os.O_WRONLY | os.O_CREAT)
lock_whole_file(fd, fcntl.F_OFD_SETLK)
with open("d/current", "wb") as file:
    file.write(b"theirs\\n")
print("ready", flush=True)
sys.stdin.readline()
"""


def current_in(desk: Desk) -> Current:
    """Open the log directory `d`."""
    context = desk.context
    place = Place(context.base_fd, b"d")
    keep = Keep(Rules(), context.messages)
    found = open_logdir(place, MODE, keep, time.time_ns, context.locked)
    return Current(place, MODE, found, context.messages)


@contextlib.contextmanager
def opened() -> Iterator[Current]:
    """Open a log directory that is gone afterwards."""
    with (
        tempfile.TemporaryDirectory() as folder,
        looping() as loop,
        Desk(loop, Path(folder)) as desk,
    ):
        current = current_in(desk)
        yield current
        current.close()


def append(current: Current, head: bytes, data: bytes) -> int:
    """Append a block with its first prefix."""
    return current.append(head, memoryview(data))


@pytest.fixture
def desk(loop: Loop, tmp_path: Path) -> Iterator[Desk]:
    """Prepare a folder for a log directory."""
    with Desk(loop, tmp_path) as made:
        yield made


@pytest.fixture
def current(desk: Desk) -> Iterator[Current]:
    """Open a log directory."""
    current = current_in(desk)
    yield current
    current.close()


def test_what_is_appended_is_counted(desk: Desk, current: Current) -> None:
    """With and without a prefix of its own."""
    assert append(current, b"", b"one\n") == 4
    assert append(current, b"head ", b"two\nhead three\n") == 20
    assert (current.size, current.torn) == (24, False)
    path = desk.folder / "d" / "current"
    assert path.read_bytes() == b"one\nhead two\nhead three\n"


def test_counting_goes_on_where_a_file_ended(desk: Desk) -> None:
    """In order: marked as executable by its owner, closed, its lock given up."""
    current = current_in(desk)
    append(current, b"", b"one\n")
    current.sync()
    current.mark()
    current.close()
    mode = (desk.folder / "d" / "current").stat().st_mode
    assert stat.S_IMODE(mode) == MODE | stat.S_IXUSR
    with Desk(desk.loop, desk.folder) as next_desk:
        current = current_in(next_desk)
        assert current.size == 4
        append(current, b"", b"two\n")
        assert current.size == 8
        current.close()


@settings(max_examples=40)
@given(
    st.sampled_from([b"", b"head "]), st.lists(LINE, min_size=1, max_size=5), st.data()
)
def test_a_short_write_may_tear_a_line(
    head: bytes, lines: list[bytes], data: st.DataObject
) -> None:
    """Which is known; the rest can be appended later, then nothing is torn."""
    block = b"".join(lines)
    whole = head + block
    room = data.draw(st.integers(1, len(whole)))
    with opened() as current:
        with files_up_to(room):
            assert append(current, head, block) == room
        assert current.torn == (whole[room - 1] != LF)
        if room < len(whole):
            append(current, b"", whole[room:])
        assert (current.size, current.torn) == (len(whole), False)


@settings(max_examples=40)
@given(
    st.lists(
        st.lists(LINE, min_size=1, max_size=3).map(b"".join), min_size=1, max_size=4
    ),
    st.data(),
)
def test_a_short_write_of_many_pieces_may_tear_a_line(
    pieces: list[bytes], data: st.DataObject
) -> None:
    """The same, for what has piled up; the first piece may have begun to leave."""
    whole = b"".join(pieces)
    begun = data.draw(st.integers(0, len(pieces[0]) - 1))
    room = data.draw(st.integers(begun + 1, len(whole)))
    views = [memoryview(piece) for piece in pieces]
    with opened() as current:
        if begun:
            append(current, b"", pieces[0][:begun])
        views[0] = views[0][begun:]
        with files_up_to(room):
            assert current.append_all(views) == room - begun
        assert current.size == room
        assert current.torn == (whole[room - 1] != LF)


def test_a_full_disk_is_an_error(desk: Desk, current: Current) -> None:
    """When it takes nothing; what was written stays counted."""
    append(current, b"", b"one\n")
    with files_up_to(4), pytest.raises(OSError, match="File too large"):
        append(current, b"", b"two\n")
    assert (current.size, current.torn) == (4, False)
    assert (desk.folder / "d" / "current").read_bytes() == b"one\n"


def test_a_new_file_takes_the_place_of_a_renamed_one(
    desk: Desk, current: Current
) -> None:
    """It is empty; the old one stays as it was."""
    append(current, b"", b"one\n")
    before = open_descriptors()
    current.rename(b"previous")
    current.create()
    assert open_descriptors() == before
    assert (current.size, current.torn) == (0, False)
    append(current, b"", b"two\n")
    assert (desk.folder / "d" / "previous").read_bytes() == b"one\n"
    assert (desk.folder / "d" / "current").read_bytes() == b"two\n"


# ---- removed by somebody


def removed_file(folder: Path) -> None:
    """Remove the file alone; its lock stays."""
    (folder / "d" / "current").unlink()


def removed_directory(folder: Path) -> None:
    """Remove everything."""
    shutil.rmtree(folder / "d")


def remade_directory(folder: Path) -> None:
    """Remove everything, and make an empty directory in its place."""
    shutil.rmtree(folder / "d")
    (folder / "d").mkdir()


removals = pytest.mark.parametrize(
    "remove",
    [removed_file, removed_directory, remade_directory],
    ids=lambda f: f.__name__,
)


@removals
def test_a_removed_file_is_put_back(
    desk: Desk, current: Current, remove: Callable[[Path], None]
) -> None:
    """With all that was in it, locked as before; and it can be written to."""
    append(current, b"", b"one\n")
    before = open_descriptors()
    remove(desk.folder)
    current.rename(b"previous")
    current.create()
    append(current, b"", b"two\n")
    assert open_descriptors() == before
    assert (desk.folder / "d" / "previous").read_bytes() == b"one\n"
    assert (desk.folder / "d" / "current").read_bytes() == b"two\n"
    assert desk.said() == ["warning: d/current had been removed: put it back"]
    with Desk(desk.loop, desk.folder) as other, pytest.raises(Fatal, match="to lock"):
        current_in(other)


@removals
def test_a_file_that_could_not_be_put_back_is_put_back_later(
    desk: Desk, current: Current, remove: Callable[[Path], None]
) -> None:
    """A copy that failed in between is not taken for the file; nothing is lost."""
    content = b"line\n" * 1000
    append(current, b"", content)
    remove(desk.folder)
    for room in (0, 1, 4999):
        with files_up_to(room), pytest.raises(OSError, match="File too large"):
            current.rename(b"previous")
    current.rename(b"previous")
    assert (desk.folder / "d" / "previous").read_bytes() == content


def test_an_existing_file_is_not_put_back(desk: Desk, current: Current) -> None:
    """Nothing is done, nothing said."""
    append(current, b"", b"one\n")
    inode = (desk.folder / "d" / "current").stat().st_ino
    current.ensure_name()
    assert (desk.folder / "d" / "current").stat().st_ino == inode
    assert desk.said() == []


def test_a_directory_that_another_logger_has_taken_is_left_alone(
    desk: Desk, current: Current
) -> None:
    """After it was removed under us: our lines wait."""
    append(current, b"", b"ours\n")
    remade_directory(desk.folder)
    with other_process(LOGGER, str(desk.folder)) as process:
        assert heard(process) == "ready"
        with pytest.raises(OSError, match="Device or resource busy"):
            current.rename(b"previous")
        assert (desk.folder / "d" / "current").read_bytes() == b"theirs\n"
