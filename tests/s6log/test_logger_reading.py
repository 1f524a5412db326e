"""What a logger reads and what it leaves, however its input comes and ends."""

import os
import random
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import Pipe
from inside import drive, files_up_to, looping, settle
from loggers import (
    MakeInput,
    file_input,
    left_in,
    logging,
    pipe_input,
    reference,
    single,
    small_pipe_input,
    socket_input,
    spliced_input,
)
from s6log.unix.loop import Loop
from trees import logged

LIMIT = 48
"""The smallest line limit."""

TOO_LONG = "input line too long, stopping before the end"
INPUTS = [pipe_input, small_pipe_input, socket_input, file_input]
PIECES = st.lists(
    st.sampled_from([b"a", b"b" * 20, b"c" * LIMIT, b"\n", b"\0", b"d" * 130, b"e\nf"]),
    max_size=9,
)


@settings(max_examples=40)
@pytest.mark.parametrize("make", INPUTS, ids=lambda make: make.__name__)
@given(before=PIECES, after=PIECES, blocking=st.booleans())
def test_what_is_not_logged_is_left(
    make: MakeInput, before: list[bytes], after: list[bytes], blocking: bool
) -> None:
    """Told to end, whatever comes afterwards, a logger loses no byte."""
    data = b"".join(before + after)
    with (
        tempfile.TemporaryDirectory() as name,
        looping() as loop,
        make(Path(name)) as (fd, feed),
    ):
        feed(b"".join(before))
        work = Path(name) / "work"
        options = {"line_limit": LIMIT, "last_line_timeout_ms": 1}
        with logging(loop, work, "./d", fd, blocking=blocking, **options) as rig:
            settle(loop)
            rig.logger.terminate()
            feed(b"".join(after))
            rig.finish()
        left = left_in(fd)
        assert data.endswith(left)
        assert logged(work / "d") == reference(data[: len(data) - len(left)], LIMIT)


@settings(max_examples=30)
@pytest.mark.parametrize(
    "make",
    [pipe_input, small_pipe_input, spliced_input, socket_input],
    ids=lambda make: make.__name__,
)
@given(
    pieces=PIECES,
    blocking=st.booleans(),
    limit=st.sampled_from([0, LIMIT]),
    end=st.booleans(),
)
def test_lines_do_not_depend_on_how_they_arrive(
    make: MakeInput, pieces: list[bytes], blocking: bool, limit: int, end: bool
) -> None:
    """Piece by piece, in any pipe: finished lines are logged at once."""
    data = b"".join(pieces)
    with (
        tempfile.TemporaryDirectory() as name,
        looping() as loop,
        make(Path(name)) as (fd, feed),
    ):
        work = Path(name) / "work"
        options = {"line_limit": limit, "last_line_timeout_ms": 1}
        with logging(loop, work, "./d", fd, blocking=blocking, **options) as rig:
            for piece in pieces if make is not spliced_input else single(data):
                feed(piece)
                settle(loop)
            finished = 1 + max(data.rfind(b"\n"), data.rfind(b"\0"))
            assert logged(work / "d").startswith(reference(data[:finished], limit))
            if end:
                rig.logger.terminate()
                rig.finish()
                assert logged(work / "d") == reference(data, limit)


@pytest.mark.parametrize("start", [b"", b"x"])
def test_a_full_last_line_takes_nothing_more(
    loop: Loop, tmp_path: Path, start: bytes
) -> None:
    """A line that is as long as it may be when the end is told has ended."""
    options = {"line_limit": LIMIT, "last_line_timeout_ms": None}
    with (
        Pipe() as pipe,
        logging(loop, tmp_path, "./d", pipe.read, **options) as rig,
    ):
        pipe.feed(b"y" * (LIMIT - len(start)))
        settle(loop)
        rig.logger.terminate()
        pipe.feed(start + b"z\n")
        rig.finish()
        assert rig.desk.said() == [f"warning: {TOO_LONG}"]
        assert left_in(pipe.read) == b"z\n"
    assert logged(tmp_path / "d") == b"y" * (LIMIT - len(start)) + start + b"\n"


def test_a_line_that_arrives_as_time_runs_out_is_taken_once(
    loop: Loop, tmp_path: Path
) -> None:
    """Even when it fills the pipe between the last look and the deadline."""
    options = {"line_limit": 0, "last_line_timeout_ms": 1}
    with (
        Pipe(8192) as pipe,
        logging(loop, tmp_path, "./d", pipe.read, blocking=True, **options) as rig,
    ):
        pipe.feed(b"begin ")
        settle(loop)
        rig.logger.terminate()

        def fill() -> None:
            pipe.offer(b"x" * 4090)
            pipe.offer(b"y" * 4096)
            time.sleep(0.005)  # until the deadline has passed

        loop.again(fill)
        loop.turn()
        rig.finish()
        assert pipe.waiting() == 0
    line = b"begin " + b"x" * 4090 + b"y" * 4096 + b"\n"
    assert logged(tmp_path / "d") == line


def test_told_again_a_logger_waits_anew(loop: Loop, tmp_path: Path) -> None:
    """For the rest of its last line (s6-log 2.15): the deadline before is void."""
    with (
        Pipe() as pipe,
        logging(loop, tmp_path, "./d", pipe.read, last_line_timeout_ms=1) as rig,
    ):
        pipe.feed(b"begin ")
        settle(loop)
        rig.logger.terminate()
        rig.options.last_line_timeout_ms = None
        rig.logger.terminate()
        time.sleep(0.005)  # until the first deadline has passed
        settle(loop)
        assert not rig.logger.done
        pipe.feed(b"end\nmore\n")
        rig.finish()
        assert left_in(pipe.read) == b"more\n"
    assert logged(tmp_path / "d") == b"begin end\n"


# ---- files


def test_a_file_is_passed_with_its_last_line(loop: Loop, tmp_path: Path) -> None:
    """With -b too: the next logger on it does not find that line again."""
    (tmp_path / "input").write_bytes(b"one\nunfinished")
    with (tmp_path / "input").open("rb") as file:
        with logging(loop, tmp_path, "./d", file.fileno(), blocking=True) as rig:
            rig.finish()
        assert file.tell() == len(b"one\nunfinished")
    assert logged(tmp_path / "d") == b"one\nunfinished\n"


@pytest.mark.parametrize("blocking", [False, True], ids=["", "-b"])
def test_a_file_is_left_at_the_end_of_a_line(
    loop: Loop, tmp_path: Path, blocking: bool
) -> None:
    """Told to end in the middle of it; the next logger goes on with the next line."""
    rng = random.Random(1)
    data = b"".join(b"x" * rng.randrange(200) + b"\n" for _ in range(6000))
    (tmp_path / "input").write_bytes(data)
    script = "s268435455 ./d"
    with (tmp_path / "input").open("rb") as file:
        ends = 0
        while not ends or logged(tmp_path / "d") != data:
            with logging(
                loop, tmp_path, script, file.fileno(), blocking=blocking
            ) as rig:
                loop.again(lambda: None)
                loop.turn()
                rig.logger.terminate()
                rig.finish()
            ends += 1
            passed = os.lseek(file.fileno(), 0, os.SEEK_CUR)
            assert logged(tmp_path / "d") == data[:passed]
            assert data[passed - 1 : passed] == b"\n"
    assert ends > 1


# ---- holding back


@pytest.mark.parametrize("steps", [1, 2, 3, 4])
def test_a_large_prefix_does_not_stop_a_logger_for_good(
    loop: Loop, tmp_path: Path, steps: int
) -> None:
    """However its output catches up; and it says so once each time."""
    prefix = "p" * 6000
    whole = 3000 * 6002
    with (
        Pipe() as pipe,
        logging(loop, tmp_path, f"r1 s268435455 p{prefix} ./d", pipe.read) as rig,
    ):
        for step in range(steps):
            with files_up_to(step * whole // steps):
                pipe.feed(b"\n" * (3000 // steps))
                settle(loop)
                rig.desk.said()
                rig.logger.rotate()
        count = steps * (3000 // steps)
        drive(loop, lambda: len(logged(tmp_path / "d")) == count * 6002, "all lines")
        pipe.feed(b"\n")
        drive(
            loop, lambda: len(logged(tmp_path / "d")) == (count + 1) * 6002, "one more"
        )
