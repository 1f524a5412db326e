"""A log directory under writing: exact rotation, and nothing lost whatever fails."""

import itertools
import os
import shutil
import signal
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inside import (
    Desk,
    batch_of,
    drive,
    files_up_to,
    logdir_of,
    looping,
    open_descriptors,
    settle,
)
from s6log.outputs.archive_names import is_archive
from s6log.unix.loop import Loop

NEVER = "r2147483647"
"""A retry time that no test waits for."""

LEAST = 4096
"""The smallest `s`."""

LINE = st.integers(0, 300).map(lambda size: b"x" * size + b"\n")


class Rig:
    """A log directory `d` that blocks are delivered to by hand."""

    def __init__(self, desk: Desk, *script: str) -> None:
        self.changes = 0
        desk.context.changed = self._on_change
        desk.loop.on_signal(signal.SIGCHLD, desk.loop.reap_children)
        self.logdir = logdir_of(desk, *script, "./d")
        self.path = desk.folder / "d"
        self.desk = desk

    def deliver(self, *lines: bytes) -> None:
        """Deliver a block of lines."""
        self.logdir.deliver(batch_of(b"".join(lines)))

    def rest(self) -> None:
        """Let the loop turn until nothing is left to do."""
        drive(self.desk.loop, lambda: not self.logdir.busy, "the directory to rest")

    def files(self) -> list[bytes]:
        """Give the contents of the archives, oldest first, and of current."""
        names = sorted(filter(is_archive, os.listdir(self.path)))
        return [(self.path / name).read_bytes() for name in [*names, "current"]]

    def _on_change(self) -> None:
        self.changes += 1


@pytest.fixture
def desk(loop: Loop, tmp_path: Path) -> Iterator[Desk]:
    """Prepare a folder for a log directory."""
    with Desk(loop, tmp_path) as made:
        yield made


def cut_by_hand(lines: list[bytes], threshold: int) -> list[bytes]:
    """Divide lines among files: a file ends with the line that reaches the size."""
    files = [b""]
    for line in lines:
        files[-1] += line
        if len(files[-1]) >= threshold:
            files.append(b"")
    return files


# ---- rotation


@pytest.mark.parametrize("size", [2095, 2096])
def test_the_line_that_reaches_the_threshold_is_the_last(desk: Desk, size: int) -> None:
    """`s4096 l2000`: a file of 2095 bytes stays, one of 2096 is rotated."""
    rig = Rig(desk, "s4096", "l2000")
    line = b"x" * (size - 1) + b"\n"
    rig.deliver(line)
    assert rig.files() == ([line] if size < 2096 else [line, b""])


@settings(max_examples=40)
@given(
    st.lists(LINE, min_size=1, max_size=80),
    st.lists(st.integers(1, 80), max_size=6),
    st.sampled_from([("l0", LEAST), ("l2000", LEAST - 2000), ("l2048", LEAST - 2048)]),
    st.sampled_from(["", "prefix"]),
)
def test_rotation_is_exact_however_lines_arrive(
    lines: list[bytes], cuts: list[int], limit: tuple[str, int], prefix: str
) -> None:
    """In blocks of any size, with any prefix: the same files."""
    word, threshold = limit
    with (
        tempfile.TemporaryDirectory() as folder,
        looping() as loop,
        Desk(loop, Path(folder)) as desk,
    ):
        rig = Rig(desk, "n999", f"s{LEAST}", word, f"p{prefix}")
        bounds = sorted({0, len(lines), *(cut % len(lines) for cut in cuts)})
        for start, end in itertools.pairwise(bounds):
            rig.deliver(*lines[start:end])
        head = f"{prefix} ".encode() if prefix else b""
        assert rig.files() == cut_by_hand([head + line for line in lines], threshold)
        assert (rig.logdir.busy, rig.logdir.outbox.size) == (False, 0)


def test_every_line_may_be_an_archive(desk: Desk) -> None:
    """`l` as large as `s` or larger rotates after each line."""
    rig = Rig(desk, "s8192", "l4096", "s4096")
    rig.deliver(b"one\n", b"two\n", b"three\n")
    assert rig.files() == [b"one\n", b"two\n", b"three\n", b""]


def test_every_block_may_be_processed(desk: Desk) -> None:
    """The same with a processor, which is not run on nothing."""
    rig = Rig(desk, "s8192", "l4096", "s4096", "?cat; echo run >> ../runs")
    rig.deliver(b"one\n", b"two\n")
    rig.rest()
    assert rig.files() == [b"one\n", b"two\n", b""]
    assert (desk.folder / "runs").read_bytes() == b"run\nrun\n"


def test_an_alarm_rotates(desk: Desk) -> None:
    """What is there; nothing, when nothing is there."""
    rig = Rig(desk)
    rig.deliver(b"one\n")
    rig.logdir.alarm()
    rig.logdir.alarm()
    rig.deliver(b"two\n")
    assert rig.files() == [b"one\n", b"two\n"]


def test_an_alarm_is_no_news_to_a_rotation_that_waits(desk: Desk) -> None:
    """Its next step is tried now; the lines that came meanwhile follow."""
    rig = Rig(desk, NEVER)
    (rig.path / "previous").mkdir()
    rig.deliver(b"one\n")
    rig.logdir.alarm()
    rig.deliver(b"two\n")
    assert rig.logdir.busy
    (rig.path / "previous").rmdir()
    rig.logdir.alarm()
    assert not rig.logdir.busy
    assert rig.files() == [b"one\n", b"two\n"]


def test_an_alarm_does_not_tear_a_line(desk: Desk) -> None:
    """A line that has begun to be written is written first."""
    rig = Rig(desk, "r1")
    with files_up_to(6):
        rig.deliver(b"one\n", b"two\n", b"three\n")
        assert (rig.path / "current").read_bytes() == b"one\ntw"
        rig.logdir.alarm()
    rig.rest()
    archive, current = rig.files()
    assert archive + current == b"one\ntwo\nthree\n"
    assert archive.startswith(b"one\ntwo\n")


def test_lines_of_a_full_disk_wait_for_the_alarms_rotation(desk: Desk) -> None:
    """When no line is torn, the file is rotated at once, and they come after it."""
    rig = Rig(desk, NEVER)
    with files_up_to(4):
        rig.deliver(b"one\n", b"two\n")
        rig.logdir.alarm()
    assert rig.files() == [b"one\n", b""]
    assert rig.logdir.outbox.size == 4


# ---- failures


def test_what_cannot_be_written_waits(desk: Desk) -> None:
    """It is tried again, with a warning each time; lines that come wait behind it."""
    rig = Rig(desk, "r1")
    warnings: list[str] = []
    with files_up_to(6):
        rig.deliver(b"one\n", b"two\n")
        rig.deliver(b"three\n")
        assert rig.logdir.outbox.size == len(b"o\nthree\n")
        assert rig.logdir.excuse == b"it cannot be written to"
        while len(warnings) < 3:
            desk.loop.turn()
            warnings += desk.said()
    rig.rest()
    assert set(warnings) == {"warning: unable to write to ./d/current: File too large"}
    assert rig.files() == [b"one\ntwo\nthree\n"]
    assert rig.changes > 0


def test_a_failure_is_reported_once_for_each_attempt(desk: Desk) -> None:
    """Not for each block that comes meanwhile."""
    rig = Rig(desk, NEVER)
    with files_up_to(0):
        for _ in range(5):
            rig.deliver(b"line\n")
        settle(desk.loop)
    assert len(desk.said()) == 1
    assert rig.logdir.outbox.size == 25


@settings(max_examples=30)
@given(st.lists(LINE, min_size=1, max_size=60), st.data())
def test_a_disk_that_fills_up_costs_no_line(
    lines: list[bytes], data: st.DataObject
) -> None:
    """Wherever it stops in the middle, and whatever has arrived since."""
    with (
        tempfile.TemporaryDirectory() as folder,
        looping() as loop,
        Desk(loop, Path(folder)) as desk,
    ):
        rig = Rig(desk, "r0", "n999", f"s{LEAST}", "l0")
        middle = data.draw(st.integers(0, len(lines)))
        with files_up_to(data.draw(st.integers(0, LEAST))):
            if middle:
                rig.deliver(*lines[:middle])
            settle(desk.loop)
        if middle < len(lines):
            rig.deliver(*lines[middle:])
        rig.rest()
        assert rig.files() == cut_by_hand(lines, LEAST)


# ---- processors


def test_what_piles_up_during_a_processor_is_one_piece(desk: Desk) -> None:
    """It is not cut, or one processor would follow the other (s6-log)."""
    rig = Rig(desk, f"s{LEAST}", "l0", "?cat")
    first = b"x" * (LEAST - 1) + b"\n"
    rig.deliver(first)
    assert (rig.logdir.busy, rig.logdir.outbox.size) == (True, 0)
    assert rig.logdir.excuse == b"its rotation has not finished"
    piled = [b"%d" % number * 2000 + b"\n" for number in range(5)]
    for line in piled:
        rig.deliver(line)
    assert rig.logdir.outbox.size == sum(map(len, piled))
    rig.rest()
    assert rig.files() == [first, b"".join(piled), b""]


def test_a_backlog_that_is_small_is_not_rotated(desk: Desk) -> None:
    """After the processor it begins the next file."""
    rig = Rig(desk, f"s{LEAST}", "l0", "?cat")
    first = b"x" * (LEAST - 1) + b"\n"
    rig.deliver(first, b"two\n")
    rig.rest()
    rig.deliver(b"three\n")
    assert rig.files() == [first, b"two\nthree\n"]


def test_a_backlog_that_cannot_be_written_waits(desk: Desk) -> None:
    """As any line, and it is not rotated before it is."""
    rig = Rig(desk, "r1", f"s{LEAST}", "l0", "?cat")
    rig.deliver(b"one\n")
    rig.logdir.alarm()
    rig.deliver(b"two\n", b"three\n")
    with files_up_to(6):
        drive(desk.loop, lambda: bool(desk.said()), "a warning")
    rig.rest()
    assert rig.files() == [b"one\n", b"two\nthree\n"]


# ---- beginning and end


def test_a_directory_ends_in_order(desk: Desk) -> None:
    """Marked as clean; closed, and that is reported."""
    before = open_descriptors()
    rig = Rig(desk)
    rig.deliver(b"one\n")
    rig.logdir.finish()
    assert rig.logdir.closed
    assert rig.changes == 1
    mode = (rig.path / "current").stat().st_mode
    assert stat.S_IMODE(mode) == 0o744
    assert open_descriptors() == before


def test_a_directory_that_cannot_be_ended_is_tried_again(desk: Desk) -> None:
    """After the retry time; nothing else is begun meanwhile."""
    rig = Rig(desk, "r1")
    rig.deliver(b"one\n")
    shutil.rmtree(rig.path)
    rig.path.touch()
    rig.logdir.finish()
    rig.logdir.alarm()
    assert not rig.logdir.closed
    drive(desk.loop, lambda: len(desk.said()) > 0, "another attempt")
    rig.path.unlink()
    drive(desk.loop, lambda: rig.logdir.closed, "the directory to be closed")
    assert rig.files() == [b"one\n"]
    assert (rig.path / "current").stat().st_mode & stat.S_IXUSR
    assert desk.said() == ["warning: ./d/current had been removed: put it back"]


def test_a_directory_goes_on_where_it_ended(desk: Desk) -> None:
    """Lines are appended; the size counts from before."""
    rig = Rig(desk, f"s{LEAST}", "l0")
    rig.deliver(b"x" * 4000 + b"\n")
    rig.logdir.finish()
    desk.context.locked.clear()
    rig = Rig(desk, f"s{LEAST}", "l0")
    rig.deliver(b"y" * 94 + b"\n", b"z\n")
    assert rig.files() == [b"x" * 4000 + b"\n" + b"y" * 94 + b"\n", b"z\n"]


@pytest.mark.parametrize(("umask", "mode"), [(0o077, 0o600), (0, 0o666)])
def test_modes_follow_the_mask_of_the_logger(
    loop: Loop, tmp_path: Path, umask: int, mode: int
) -> None:
    """Not that of the process: there may be several loggers in it."""
    with Desk(loop, tmp_path, umask) as desk:
        rig = Rig(desk)
        rig.deliver(b"one\n")
        rig.logdir.alarm()
        rig.deliver(b"two\n")
        archive, current = sorted(p for p in rig.path.iterdir() if p.stat().st_size)
        assert stat.S_IMODE(archive.stat().st_mode) == mode | stat.S_IXUSR
        assert stat.S_IMODE(current.stat().st_mode) == mode


def test_a_period_rotates_again_and_again(desk: Desk) -> None:
    """`R`: whatever else rotates meanwhile; not after the end."""
    rig = Rig(desk, "R1")
    rig.logdir.begin()
    rig.deliver(b"one\n")
    drive(desk.loop, lambda: len(rig.files()) == 2, "the period to pass")
    rig.deliver(b"two\n")
    assert rig.files() == [b"one\n", b"two\n"]
    rig.logdir.finish()
    assert rig.logdir.closed
