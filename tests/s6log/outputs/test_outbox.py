"""Bytes that wait: every one leaves once, in order; and what is dropped is told."""

import re
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from s6log.outputs.account import AT_END, FULL, Account
from s6log.outputs.outbox import (
    IOV_MAX,
    PIECE_BYTES,
    Backlog,
    Outbox,
    dropped_text,
    plain_mark,
)
from s6log.script.model import BLOCK, DROP_NEWEST, DROP_OLDEST, Limit

LINE = st.binary(max_size=30).map(lambda text: text.replace(b"\n", b" ") + b"\n")
LINES = st.lists(LINE, min_size=1, max_size=4).map(b"".join)


def content(outbox: Outbox) -> bytes:
    """Look at what a small outbox holds."""
    return b"".join(outbox.views()) if outbox.size else b""


def filled(*pieces: bytes) -> Outbox:
    """Make an outbox of whole lines."""
    outbox = Outbox(Backlog())
    for piece in pieces:
        outbox.add(b"", piece, 0, len(piece))
    return outbox


def test_what_is_added_is_copied() -> None:
    """The buffer it came in is used again for the next block."""
    buffer = bytearray(b"..one\n..")
    outbox = Outbox(Backlog())
    outbox.add(b"head ", buffer, 2, 6)
    buffer[:] = b"?" * len(buffer)
    assert content(outbox) == b"head one\n"
    assert outbox.size == 9


def test_the_backlog_counts_all_outboxes() -> None:
    """A logger asks one number whether anything waits."""
    backlog = Backlog()
    one, other = Outbox(backlog), Outbox(backlog)
    one.add(b"a ", b"line\n", 0, 5)
    other.add(b"", b"line\n", 0, 5)
    assert backlog.size == 12
    one.take(3)
    assert backlog.size == 9
    other.clear()
    assert (backlog.size, one.size, other.size) == (4, 4, 0)
    one.take(4)
    assert backlog.size == 0


@given(
    st.lists(
        st.one_of(
            st.tuples(st.sampled_from([b"", b"head "]), LINES),
            st.tuples(st.just(b""), st.integers(0, 120)),
        ),
        max_size=30,
    )
)
def test_an_outbox_is_a_queue(
    steps: list[tuple[bytes, bytes | int]],
) -> None:
    """Whatever is added and taken, in any order and size."""
    outbox = Outbox(Backlog())
    expected = b""
    for head, what in steps:
        if isinstance(what, bytes):
            outbox.add(head, what, 0, len(what))
            expected += head + what
        else:
            count = min(what, len(expected))
            outbox.take(count)
            expected = expected[count:]
        assert outbox.size == len(expected)
        assert content(outbox) == expected


def test_large_pieces_stay_apart() -> None:
    """Small ones are joined; one writev(2) takes them by the dozen."""
    large = b"x" * (PIECE_BYTES - 1) + b"\n"
    outbox = filled(*[large] * (IOV_MAX + 3))
    views = outbox.views()
    assert [len(view) for view in views] == [PIECE_BYTES] * IOV_MAX
    del views
    for _ in range(IOV_MAX + 3):
        piece, start = outbox.first()
        assert (bytes(piece), start) == (large, 0)
        outbox.take(PIECE_BYTES)
    assert outbox.size == 0
    many = filled(*[b"line\n"] * 1000)
    assert len(many.views()) == 1


def test_the_first_piece_may_have_begun_to_leave() -> None:
    """Whoever writes it goes on behind that."""
    outbox = filled(b"one\ntwo\n")
    outbox.take(2)
    assert outbox.first() == (bytearray(b"one\ntwo\n"), 2)
    assert bytes(outbox.to_line_end(0)) == b"e\n"


@given(st.lists(LINE, min_size=1, max_size=8), st.integers(0, 80), st.data())
def test_a_line_end_is_found_within_the_limit(
    lines: list[bytes], limit: int, data: st.DataObject
) -> None:
    """As many whole lines as fit; else the first one alone, however long."""
    whole = b"".join(lines)
    outbox = filled(whole)
    outbox.take(data.draw(st.integers(0, len(whole) - 1)))
    rest = content(outbox)
    ends = [end for end in range(1, len(rest) + 1) if rest[end - 1 : end] == b"\n"]
    fitting = [end for end in ends if end <= limit]
    assert bytes(outbox.to_line_end(limit)) == rest[: max(fitting, default=ends[0])]


def test_what_is_cleared_is_forgotten() -> None:
    """And what comes later is as new."""
    outbox = filled(b"one\n")
    outbox.take(1)
    outbox.clear()
    assert outbox.size == 0
    outbox.add(b"", b"two\n", 0, 4)
    assert content(outbox) == b"two\n"


# ---- a limit, and what gives way

MARK = re.compile(rb"s6-log: (\d+) lines? dropped \(buffer full for \d+ s\)")
POLICIES = [BLOCK, DROP_NEWEST, DROP_OLDEST]


class Rig:
    """An outbox with a limit, filled with numbered lines and emptied by hand.

    `left` is what has been written. After every step it is looked at as a whole.
    """

    def __init__(self, full: bytes, limit: int, counting: bool = True) -> None:
        self.account = Account(counting)
        self.backlog = Backlog()
        self.outbox = Outbox(self.backlog, Limit(limit, full), self.account)
        self.lines: list[bytes] = []
        self.left = b""
        self.limit = limit

    def add(self, head: bytes, sizes: Sequence[int], begun: int = 0) -> None:
        """Add a block of lines; the first may have begun to leave, if it is alone."""
        block = b"".join(
            b"%d" % number + b"x" * size + b"\n"
            for number, size in enumerate(sizes, len(self.lines))
        )
        lines = (head + block).splitlines(keepends=True)
        self.account.selected += len(lines)
        start = 0
        if begun and not self.outbox.size:
            gone = min(begun, len(lines[0]) - 1)
            self.left += lines[0][:gone]
            self.account.wrote(0, gone)
            self.outbox.begun = True
            start = max(0, gone - len(head))
            head = head[gone:]
        self.lines += lines
        buffer = bytearray(block + b"behind\n")
        self.outbox.add(head, buffer, start, len(block))
        buffer[:] = b"?" * len(buffer)
        size = self.outbox.size  # looking may add the mark that is due
        assert self.backlog.size == size
        self.look()
        if size > self.limit:
            self.check_excess()

    def write(self, count: int) -> None:
        """Let some bytes leave."""
        written = content(self.outbox)[:count]
        self.left += written
        self.outbox.take(len(written))
        self.look()

    def write_all(self) -> None:
        """Let everything leave, and what is told then."""
        while self.outbox.size:
            self.write(self.outbox.size)

    def dropped(self) -> int:
        """Give how many lines have been dropped."""
        return sum(self.account.dropped.values())

    def look(self) -> None:
        """Check what always holds: sizes, and that no line is unaccounted for."""
        pending = b"".join(self._pending())
        assert self.outbox.size == len(content(self.outbox)) == len(pending)
        assert self.backlog.size == self.outbox.size
        assert self.outbox.begun == (self.left[-1:] not in {b"", b"\n"})
        waiting = sum(not is_mark(line) for line in self._last_lines())
        account = self.account
        if account.counting:
            assert self.outbox.lines == waiting
            assert account.written_bytes == len(self.left)
            written = account.written
            assert account.selected == written + self.dropped() + waiting
        assert set(account.dropped) <= {FULL}

    def check_excess(self) -> None:
        """Check that it is one line that is too much, beside one that has begun."""
        rest = self._last_lines()
        lines = [line for line in rest if not is_mark(line)]
        begun = self.outbox.begun and not is_mark(rest[0])
        most = {BLOCK: len(lines), DROP_NEWEST: 1, DROP_OLDEST: 1 + begun}
        assert len(lines) <= most[self.outbox.limit.full]

    def check_result(self) -> None:
        """Check what has left: whole lines, in order, and marks where some miss."""
        expected = 0
        told = 0
        for line in self.left.splitlines(keepends=True):
            if found := MARK.fullmatch(line[:-1]):
                told += int(found[1])
                continue
            assert line in self.lines[expected:]
            number = self.lines.index(line, expected)
            assert told == number - expected, "as many as are missing here"
            expected, told = number + 1, 0
        assert told == len(self.lines) - expected, "as many as are missing at the end"

    def _pending(self) -> list[bytes]:
        return content(self.outbox).splitlines(keepends=True)

    def _last_lines(self) -> list[bytes]:
        """Give the lines that have not left as a whole."""
        torn = self.left[self.left.rfind(b"\n") + 1 :]
        return (torn + content(self.outbox)).splitlines(keepends=True)


def is_mark(line: bytes) -> bool:
    """Tell whether a line tells of others."""
    return MARK.fullmatch(line[:-1]) is not None


ADDED = st.tuples(
    st.just("add"),
    st.sampled_from([b"", b"head "]),
    st.lists(st.integers(0, 60), min_size=1, max_size=6),
    st.integers(0, 20),
)
TAKEN = st.tuples(st.just("take"), st.integers(0, 200))
STEPS = st.lists(st.one_of(ADDED, TAKEN), max_size=40)


@settings(max_examples=300)
@pytest.mark.parametrize("full", POLICIES)
@given(st.integers(1, 400), STEPS, st.booleans())
def test_what_is_missing_is_told_where_it_is_missing(
    full: bytes, limit: int, steps: list[tuple[object, ...]], counting: bool
) -> None:
    """Lines are whole and in order, within the limit, and none is unaccounted for."""
    rig = Rig(full, limit, counting)
    for what, *values in steps:
        if what == "add":
            head, sizes, begun = values
            assert isinstance(head, bytes)
            assert isinstance(sizes, list)
            assert isinstance(begun, int)
            rig.add(head, sizes, begun)
        else:
            (count,) = values
            assert isinstance(count, int)
            rig.write(count)
    rig.write_all()
    rig.check_result()
    if full == BLOCK:
        assert rig.dropped() == 0
        assert rig.left == b"".join(rig.lines)


def told(outbox: Outbox) -> list[str]:
    """Let everything leave; give the lines, marks without the time."""
    left = b""
    while outbox.size:
        piece = content(outbox)
        outbox.take(len(piece))
        left += piece
    return re.sub(r" \(buffer full for \d+ s\)", "", left.decode()).splitlines()


def limited(
    full: bytes, limit: int, *blocks: bytes, account: Account | None = None
) -> Outbox:
    """Make an outbox with a limit and put blocks into it."""
    account = account or Account(counting=True)
    outbox = Outbox(Backlog(), Limit(limit, full), account)
    for block in blocks:
        outbox.add(b"", block, 0, len(block))
    return outbox


def test_the_newest_lines_give_way() -> None:
    """Those behind what fits; the mark stands between them and what comes later."""
    outbox = limited(DROP_NEWEST, 100, b"a\nb\n" * 24, b"c\nd\ne\nf\ng\n")
    assert outbox.size == 100
    outbox.take(90)
    outbox.add(b"", b"h\n", 0, 2)
    mark = "s6-log: 3 lines dropped"
    assert told(outbox) == ["b", "a", "b", "c", "d", mark, "h"]


def test_the_oldest_lines_give_way() -> None:
    """The mark stands before what is left, and after a line that has begun."""
    outbox = limited(DROP_OLDEST, 8, b"a\nb\nc\n", b"d\ne\n")
    mark = "s6-log: 1 line dropped"
    assert told(outbox) == [mark, "b", "c", "d", "e"]
    outbox = limited(DROP_OLDEST, 8, b"aaaa\nb\n")
    outbox.take(1)
    outbox.add(b"", b"c\nd\n", 0, 4)
    assert told(outbox) == ["aaa", mark, "c", "d"]


@pytest.mark.parametrize("full", [DROP_NEWEST, DROP_OLDEST])
def test_a_line_that_is_alone_is_kept(full: bytes) -> None:
    """However long it is, and whether it has begun or not."""
    outbox = limited(full, 4, b"a long line\n")
    assert told(outbox) == ["a long line"]
    outbox.begun = True
    outbox.add(b"", b"the rest of a long line\n", 0, 24)
    assert told(outbox) == ["the rest of a long line"]


def test_a_mark_that_is_dropped_is_carried_on() -> None:
    """The next one tells of those lines, too; they are missing in the same place."""
    outbox = limited(DROP_OLDEST, 8, b"a\nb\nc\nd\n", b"e\n")
    assert content(outbox).startswith(b"s6-log: 1 line dropped")
    outbox.add(b"", b"f\ng\n", 0, 4)
    assert outbox.size == 8
    assert told(outbox) == ["s6-log: 3 lines dropped", "d", "e", "f", "g"]


def test_a_mark_that_has_begun_is_finished() -> None:
    """What is dropped after that is told in another one."""
    outbox = limited(DROP_OLDEST, 8, b"a\nb\nc\nd\n", b"e\n")
    assert content(outbox).startswith(b"s6-log: 1 line dropped")
    outbox.take(len("s6-log: "))
    outbox.add(b"", b"f\n", 0, 2)
    rest = ["1 line dropped", "s6-log: 4 lines dropped", "f"]
    assert told(outbox) == rest


def test_marks_do_not_pile_up() -> None:
    """A reader that takes a few bytes at a time gets no mark for each of them."""
    outbox = limited(DROP_NEWEST, 200, b"line\n" * 40)
    for _ in range(180):
        outbox.take(1)
        outbox.add(b"", b"more\n" * 5, 0, 25)
        assert outbox.size <= 200
    assert outbox.size > 150
    marks = [line for line in told(outbox) if line.startswith("s6-log: ")]
    assert len(marks) <= 5


def test_the_loggers_own_words_are_not_counted() -> None:
    """They give way as lines do, but nobody misses them."""
    for full in (DROP_NEWEST, DROP_OLDEST):
        outbox = limited(full, 10, b"line\n")
        outbox.add(b"", b"own\n", 0, 4, counted=False)
        assert (outbox.size, outbox.lines) == (9, 1)
        outbox.add(b"", b"own too\n", 0, 8, counted=False)
        left = ["line", "own"]
        if full == DROP_OLDEST:
            left = ["s6-log: 1 line dropped", "own too"]
        assert told(outbox) == left


def test_marks_look_as_they_are_made() -> None:
    """By whoever knows what records look like there."""
    outbox = limited(DROP_OLDEST, 4, b"a\nb\n")
    outbox.mark = lambda text: b"<" + text[:14] + b">\n"
    outbox.add(b"", b"c\nd\n", 0, 4)
    assert told(outbox) == ["<s6-log: 2 line>", "c", "d"]
    assert plain_mark(b"text") == b"text\n"
    assert dropped_text(1, b"why") == b"s6-log: 1 line dropped (why)"
    assert dropped_text(0, b"why") == b"s6-log: 0 lines dropped (why)"


@pytest.mark.parametrize("full", [DROP_NEWEST, DROP_OLDEST])
def test_many_pieces_give_way_as_one(full: bytes) -> None:
    """Also where one block, or what is dropped, is larger than a piece."""
    lines = [b"%06d" % number + b"x" * 1000 + b"\n" for number in range(1000)]
    outbox = Outbox(Backlog(), Limit(5 * PIECE_BYTES, full), Account(counting=True))
    for start in range(0, 1000, 100):
        block = b"".join(lines[start : start + 100])
        outbox.add(b"", block, 0, len(block))
        assert outbox.size <= 5 * PIECE_BYTES
    fitting = 5 * PIECE_BYTES // len(lines[0])
    assert outbox.lines == fitting
    kept = lines[-fitting:] if full == DROP_OLDEST else lines[:fitting]
    mark = f"s6-log: {1000 - fitting} lines dropped"
    shown = [line.decode().rstrip() for line in kept]
    expected = [mark, *shown] if full == DROP_OLDEST else [*shown, mark]
    assert told(outbox) == expected


@pytest.mark.parametrize("full", POLICIES)
def test_what_is_cleared_is_counted_as_lost(full: bytes) -> None:
    """For its reason: whole lines and one that has begun, but no marks.

    Nobody hears any more of these, nor of what a mark would have told of.
    """
    account = Account(counting=True)
    outbox = limited(full, 10, b"aaa\nbb\n", b"cc\n", b"dd\n", account=account)
    dropped = {} if full == BLOCK else {FULL: 1}
    assert account.dropped == dropped
    assert content(outbox)  # where the oldest are missing the mark goes first
    outbox.take(1)
    lines = 4 - sum(dropped.values())
    assert outbox.clear(AT_END) == 4
    assert account.dropped == {**dropped, AT_END: lines}
    assert (account.written, account.written_bytes) == (0, 1)
    assert (outbox.size, outbox.lines, outbox.begun) == (0, 0, False)
    assert told(outbox) == []
