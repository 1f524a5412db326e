"""The buffer between a source and the outputs: every byte is accounted for."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loggers import reference
from s6log.intake import (
    END,
    FINISHED,
    LOOK_AGAIN,
    NOTHING,
    OPEN,
    READ_BYTES,
    TOO_LONG,
    WAIT,
    Intake,
)

LIMITS = st.one_of(st.just(0), st.integers(1, 20))
PIECES = st.lists(
    st.sampled_from([b"a", b"bb", b"\n", b"\0", b"c" * 7, b"d\ne", b"f" * 30]),
    max_size=12,
)


class Queue:
    """A source made of bytes; `room` is what it holds at most."""

    def __init__(self, rewinds: bool, room: int = 1 << 30) -> None:
        self.rewinds = rewinds
        self.window_bytes = 0
        self.content = b""
        self.over = False
        self._room = room

    def take(self, view: memoryview) -> int:
        """Show the first bytes; hand them over unless this source rewinds."""
        if not self.content and not self.over:
            raise BlockingIOError
        shown = min(len(view), len(self.content))
        view[:shown] = self.content[:shown]
        if not self.rewinds:
            self.content = self.content[shown:]
        return shown

    def commit(self, count: int) -> None:
        """Let go of the first bytes."""
        if self.rewinds:
            assert count <= len(self.content)
            self.content = self.content[count:]

    def crowded(self) -> bool:
        """Tell whether there is no room for more."""
        return len(self.content) >= self._room

    def ended(self) -> bool:
        """Tell whether there will be no more."""
        return self.over

    def close(self) -> None:
        """Do nothing."""


class Reader:
    """Takes lines out of an intake as a logger does, and writes them at once."""

    def __init__(self, source: Queue, limit: int) -> None:
        self.source = source
        self.intake = Intake(source, limit)
        self.lines = b""
        self.ended = False

    def read(self, most: int) -> None:
        """Take and write until nothing is there now."""
        while not self.ended:
            shown = self.intake.take(most)
            if shown == NOTHING:
                return
            if shown == 0:
                self._end()
            elif not self._lines() and self._unfinished(most):
                return

    def _lines(self) -> bool:
        data, end = self.intake.block()
        self.lines += data[:end]
        if end:
            self.intake.advance()
            self.intake.commit()
        return end > 0

    def _unfinished(self, most: int) -> bool:
        """Deal with an unfinished line; tell whether to wait for more."""
        verdict = self.intake.on_unfinished(most)
        if verdict == END:
            self._end()
        return verdict == WAIT and self.source.rewinds

    def _end(self) -> None:
        data, end = self.intake.rest()
        self.lines += data[:end]
        self.intake.commit()
        self.ended = True


@settings(max_examples=80)
@given(PIECES, LIMITS, st.booleans(), st.integers(1, 40), st.sampled_from([8, 1 << 30]))
def test_every_byte_becomes_part_of_one_line(
    pieces: list[bytes], limit: int, rewinds: bool, most: int, room: int
) -> None:
    """Whatever the source, its room, and how much is taken at once."""
    source = Queue(rewinds, room)
    reader = Reader(source, limit)
    for piece in pieces:
        source.content += piece
        reader.read(most)
    source.over = True
    reader.read(most)
    assert reader.ended
    assert reader.lines == reference(b"".join(pieces), limit)
    assert source.content == b""


def shown(source: Queue, intake: Intake, data: bytes) -> None:
    """Put bytes into a source and let it show them all."""
    source.content += data
    assert intake.take(intake.most) == len(source.content if source.rewinds else data)


def test_only_written_lines_are_given_back() -> None:
    """Not before they are, and none that has begun only."""
    source = Queue(rewinds=True)
    intake = Intake(source, 0)
    shown(source, intake, b"one\ntwo\nthr")
    data, end = intake.block()
    assert bytes(data[:end]) == b"one\ntwo\n"
    intake.advance()
    assert source.content == b"one\ntwo\nthr"
    intake.commit()
    intake.commit()
    assert source.content == b"thr"
    assert intake.unfinished == 0  # for it is not known yet


def test_an_unfinished_line_is_waited_for_where_it_is() -> None:
    """In a source that rewinds; one that consumes has handed it over."""
    for rewinds in (True, False):
        source = Queue(rewinds)
        intake = Intake(source, 0)
        shown(source, intake, b"thr")
        assert intake.block()[1] == 0
        assert intake.on_unfinished(intake.most) == WAIT
        assert intake.unfinished == 3
        assert source.content == (b"thr" if rewinds else b"")
        shown(source, intake, b"ee\n")
        data, end = intake.block()
        assert bytes(data[:end]) == b"three\n"


def test_a_buffer_that_is_let_go_comes_back() -> None:
    """Whatever is in the source is shown again; what is carried stays."""
    source = Queue(rewinds=True, room=8)
    intake = Intake(source, 0)
    shown(source, intake, b"one\ntwo")
    assert intake.block()[1] == 4
    intake.advance()
    intake.let_go()
    intake.commit()
    assert intake.take(intake.most) == 3
    assert intake.on_unfinished(intake.most) == WAIT
    intake.let_go()
    shown(source, intake, b" three")
    assert intake.on_unfinished(intake.most) == LOOK_AGAIN
    intake.let_go()
    assert source.content == b""
    shown(source, intake, b"\n")
    data, end = intake.block()
    assert bytes(data[:end]) == b"two three\n"


def test_a_crowded_source_hands_over_what_it_has() -> None:
    """There would be no room for the rest of the line."""
    source = Queue(rewinds=True, room=3)
    intake = Intake(source, 0)
    shown(source, intake, b"thr")
    assert intake.on_unfinished(intake.most) == LOOK_AGAIN
    assert (source.content, intake.unfinished) == (b"", 3)
    shown(source, intake, b"ee\n")
    data, end = intake.block()
    assert bytes(data[:end]) == b"three\n"
    intake.advance()
    intake.commit()
    assert source.content == b""


def test_what_comes_before_the_end_is_not_missed() -> None:
    """A writer may write and leave just after a look that showed nothing new."""
    source = Queue(rewinds=True)
    intake = Intake(source, 0)
    shown(source, intake, b"begun")
    assert intake.on_unfinished(intake.most) == WAIT
    intake.take(intake.most)
    source.content += b" and ended\nmore\n"
    source.over = True
    assert intake.on_unfinished(intake.most) == LOOK_AGAIN
    intake.take(intake.most)
    data, end = intake.block()
    assert data[:end] == b"begun and ended\nmore\n"


def test_the_end_of_a_source_is_looked_at_twice() -> None:
    """A writer may have written before it left."""
    source = Queue(rewinds=True)
    source.over = True
    intake = Intake(source, 0)
    shown(source, intake, b"thr")
    assert intake.on_unfinished(intake.most) == LOOK_AGAIN
    shown(source, intake, b"")
    assert intake.on_unfinished(intake.most) == END
    data, end = intake.rest()
    assert bytes(data[:end]) == b"thr\n"
    intake.commit()
    assert source.content == b""
    assert intake.rest() == (b"", 0)


@pytest.mark.parametrize("rewinds", [True, False])
@pytest.mark.parametrize(
    ("data", "found", "line", "left"),
    [
        (b"ab\ncd", FINISHED, b"ab\n", b"cd"),
        (b"ab\0cd", FINISHED, b"ab\n", b"cd"),
        (b"abcde\n", TOO_LONG, b"abcd\n", b"e\n"),
        (b"abcd", TOO_LONG, b"abcd\n", b""),
        (b"abc", OPEN, b"abc\n", b""),
    ],
)
def test_the_last_line_leaves_what_follows(
    rewinds: bool, data: bytes, found: int, line: bytes, left: bytes
) -> None:
    """In the source: a consuming one is asked for one byte at a time."""
    source = Queue(rewinds)
    source.content = data
    intake = Intake(source, 4)
    most = intake.most if rewinds else 1
    verdict = OPEN
    while verdict == OPEN and intake.take(most) != NOTHING:
        verdict = intake.last_line()
        if verdict == OPEN and rewinds:
            break
        if verdict == OPEN:
            intake.on_unfinished(most)
    assert verdict == found
    if verdict == OPEN and rewinds:
        intake.keep_shown()
    ended, end = intake.rest()
    assert bytes(ended[:end]) == line
    intake.commit()
    assert source.content == left


def test_a_last_line_of_the_limit_ends_with_its_newline_where_it_is_seen() -> None:
    """In a source that rewinds; the other is not asked for it (s6-log 2.15)."""
    source = Queue(rewinds=True)
    intake = Intake(source, 4)
    shown(source, intake, b"abcd\nef")
    assert intake.last_line() == FINISHED
    intake.commit()
    assert source.content == b"ef"


@pytest.mark.parametrize("rewinds", [True, False])
def test_a_long_line_makes_the_buffer_grow_and_shrink(rewinds: bool) -> None:
    """It comes out whole, and what follows it too."""
    source = Queue(rewinds)
    reader = Reader(source, 0)
    line = b"x" * (5 * READ_BYTES) + b"\n"
    source.content = line + b"short\n" + line + b"unfinished"
    source.over = True
    reader.read(reader.intake.most)
    assert reader.lines == line + b"short\n" + line + b"unfinished\n"


def test_an_unfinished_line_that_fills_the_buffer_gets_its_newline() -> None:
    """There is always room for one byte more."""
    source = Queue(rewinds=False)
    intake = Intake(source, 0)
    for _ in range(3):
        shown(source, intake, b"x" * intake.most)
        assert intake.block()[1] == 0
        intake.keep_shown()
        data, end = intake.rest()
        assert bytes(data[:end]) == b"x" * intake.most + b"\n"
