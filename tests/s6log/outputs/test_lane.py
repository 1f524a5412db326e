"""The way of one action's lines: limited, joined, formed, and told of."""

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inside import drive, looping, settle
from s6log.outputs.account import RATE, Account
from s6log.outputs.lane import EVENT_MS, Lane
from s6log.script.model import Format, Rate
from s6log.stream.events import joiner
from s6log.stream.format import Prefixes
from s6log.stream.forming import Text
from s6log.unix.fds import NANOSECONDS_PER_MS
from s6log.unix.loop import Loop

TYPE_CHECKING = False
if TYPE_CHECKING:
    from s6log.outputs.feed import Parcel

NOW_NS = 1_700_000_000_123_456_789
STAMP = b"@400000006553f125075bcf09 "
LONG_MS = 3_600_000
SHORT_MS = 60


class Rig:
    """A lane that blocks are sent on by hand; what comes later is kept, with its time.

    Its records have a prefix, or a stamp.
    """

    def __init__(
        self,
        loop: Loop,
        rate: Rate | None = None,
        joins: bytes = b"",
        form: Format | None = None,
    ) -> None:
        self.loop = loop
        self.account = Account(counting=True)
        self.late: list[bytes] = []
        self.late_ns: list[int] = []
        former = Text(form or Format(prefix=b"p"), Prefixes(time.gmtime))
        joining = joiner(joins) if joins else None
        self.lane = Lane(loop, former, joining, rate, self.account)
        self.lane.emit = self._on_late
        self.passed = 0

    def send(self, *lines: bytes, now_ns: int = NOW_NS) -> bytes:
        """Send a block of lines; give what leaves now."""
        block = b"".join(line + b"\n" for line in lines)
        buffer = bytearray(block + b"behind\n")
        return self._text(self.lane.take(buffer, len(block), now_ns))

    def flush(self) -> bytes:
        """Give what waits."""
        return self._text(self.lane.flush())

    def later(self) -> bytes:
        """Wait for something that leaves later than its block."""
        drive(self.loop, lambda: bool(self.late), "records that come later")
        return self.late.pop()

    def balance(self) -> None:
        """Check that each line has passed or was dropped."""
        dropped = sum(self.account.dropped.values())
        assert self.account.selected == self.passed + dropped

    def _on_late(self, parcels: "list[Parcel]") -> None:
        self.late_ns.append(time.monotonic_ns())
        self.late.append(self._text(parcels))

    def _text(self, parcels: "list[Parcel]") -> bytes:
        text = b""
        for head, data, end, counted, _ in parcels:
            text += head + data[:end]
            self.passed += data.count(b"\n", 0, end) if counted else 0
        self.balance()
        return text


# ---- a limit


def test_so_many_lines_pass(loop: Loop) -> None:
    """Whatever blocks they come in; the others are counted, and told in the end."""
    rig = Rig(loop, Rate(3, LONG_MS))
    assert rig.send(b"1", b"2") == b"p 1\np 2\n"
    assert rig.send(b"3", b"4", b"5") == b"p 3\n"
    assert rig.send(b"6") == b""
    assert rig.account.dropped == {RATE: 3}
    mark = b"p s6-log: 3 lines dropped (more than 3 in 3600 s)\n"
    assert rig.flush() == mark
    assert rig.flush() == b""
    settle(loop)
    assert rig.late == []


def test_nothing_is_told_when_nothing_was_dropped(loop: Loop) -> None:
    """Nor is anything waited for."""
    rig = Rig(loop, Rate(3, SHORT_MS))
    assert rig.send(b"1", b"2", b"3") == b"p 1\np 2\np 3\n"
    assert rig.flush() == b""
    ended: list[bool] = []
    loop.after(2 * SHORT_MS, lambda: ended.append(True))
    drive(loop, lambda: bool(ended), "more than a period")
    assert rig.late == []


def test_what_was_dropped_is_told_when_the_period_is_over(loop: Loop) -> None:
    """Without any more lines: not before, and once."""
    rig = Rig(loop, Rate(1, SHORT_MS))
    began_ns = time.monotonic_ns()
    assert rig.send(b"1", b"2") == b"p 1\n"
    assert rig.late == []
    assert rig.later() == b"p s6-log: 1 line dropped (more than 1 in 0 s)\n"
    assert rig.late_ns[0] - began_ns >= SHORT_MS * NANOSECONDS_PER_MS
    assert rig.flush() == b""


def test_each_period_begins_with_its_first_line(loop: Loop) -> None:
    """Not where the one before has ended, although that was told then."""
    period_ms = 8 * SHORT_MS
    rig = Rig(loop, Rate(1, period_ms))
    rig.send(b"1", b"2")
    rig.later()
    ended: list[bool] = []
    loop.after(SHORT_MS, lambda: ended.append(True))
    drive(loop, lambda: bool(ended), "some time without lines")
    began_ns = time.monotonic_ns()
    assert rig.send(b"3", b"4", b"5") == b"p 3\n"
    assert rig.later().startswith(b"p s6-log: 2 lines dropped")
    assert rig.late_ns[1] - began_ns >= period_ms * NANOSECONDS_PER_MS


def test_lines_of_the_next_period_come_behind_the_news_of_the_last(loop: Loop) -> None:
    """Although they come before the loop has had a turn."""
    rig = Rig(loop, Rate(1, 5 * SHORT_MS))
    assert rig.send(b"0") == b"p 0\n"
    number = 1
    while not (sent := rig.send(b"%d" % number)):
        number += 1
    mark = b"p s6-log: %d lines dropped (more than 1 in 0 s)\n"
    assert sent == mark % (number - 1) + b"p %d\n" % number
    assert rig.account.dropped == {RATE: number - 1}
    settle(loop)
    assert rig.flush() == b""
    assert rig.late == []


@settings(max_examples=60)
@given(
    st.integers(1, 6), st.lists(st.lists(st.binary(max_size=3), min_size=1), max_size=8)
)
def test_any_blocks_are_limited_alike(most: int, blocks: list[list[bytes]]) -> None:
    """The first lines pass, and as many as do not are told of."""
    lines = [
        b"%d" % number + line.translate(None, b"\n\0")
        for number, line in enumerate(line for block in blocks for line in block)
    ]
    with looping() as loop:
        rig = Rig(loop, Rate(most, LONG_MS))
        sent = b""
        start = 0
        for block in blocks:
            sent += rig.send(*lines[start : start + len(block)])
            start += len(block)
        assert sent == b"".join(b"p " + line + b"\n" for line in lines[:most])
        dropped = max(0, len(lines) - most)
        found = re.search(rb"(\d+) lines? dropped", rig.flush())
        assert (int(found[1]) if found else 0) == dropped


# ---- events


@pytest.fixture
def joining(loop: Loop) -> Rig:
    """Join lines that begin with a blank to the ones before them."""
    return Rig(loop, joins=b"indent", form=Format(stamp=True, prefix=b"p"))


def test_lines_of_an_event_leave_as_one(joining: Rig) -> None:
    """With the stamp of its first line, when the next one has begun."""
    assert joining.send(b"one", b" more") == b""
    assert joining.account.selected == 0
    later_ns = NOW_NS + 5_000_000_000
    record = STAMP + rb"p one\n more\n and more" + b"\n"
    assert joining.send(b" and more", b"two", now_ns=later_ns) == record
    assert joining.account.joined == 2
    assert joining.flush() == b"@400000006553f12a075bcf09 p two\n"
    assert joining.account.selected == 2


def test_an_event_does_not_wait_for_ever(joining: Rig) -> None:
    """It leaves half a second after its first line, whatever has come since."""
    began_ns = time.monotonic_ns()
    assert joining.send(b"one") == b""
    assert joining.send(b" more") == b""
    assert joining.later() == STAMP + rb"p one\n more" + b"\n"
    waited_ns = joining.late_ns[0] - began_ns
    assert waited_ns >= EVENT_MS * NANOSECONDS_PER_MS
    assert joining.flush() == b""


def test_each_event_has_its_own_time(joining: Rig) -> None:
    """What came before in the same block does not shorten it."""
    joining.send(b"one")
    ended: list[bool] = []
    joining.loop.after(100, lambda: ended.append(True))
    drive(joining.loop, lambda: bool(ended), "some of the time of the first event")
    began_ns = time.monotonic_ns()
    assert joining.send(b"two") == STAMP + b"p one\n"
    assert joining.later() == STAMP + b"p two\n"
    assert joining.late_ns[0] - began_ns >= EVENT_MS * NANOSECONDS_PER_MS


def test_a_limit_counts_events(loop: Loop) -> None:
    """Not their lines; one that is too much is dropped as a whole."""
    rig = Rig(loop, Rate(2, LONG_MS), joins=b"indent")
    first = rig.send(b"1", b" 1", b"2", b" 2", b" 2", b"3", b" 3", b"4")
    assert first == rb"p 1\n 1" + b"\n" + rb"p 2\n 2\n 2" + b"\n"
    mark = b"p s6-log: 2 lines dropped (more than 2 in 3600 s)\n"
    assert rig.flush() == mark
    assert rig.account.dropped == {RATE: 2}
    assert (rig.account.selected, rig.account.joined) == (4, 4)


def test_lanes_of_one_account_count_together(loop: Loop) -> None:
    """Several actions may write to one output."""
    account = Account(counting=True)
    former = Text(Format(), Prefixes(time.gmtime))
    lanes = [Lane(loop, former, joiner(b"indent"), None, account) for _ in range(2)]
    for lane, lines in zip(lanes, [b"1\n 1\n1\n 1\n", b"2\n 2\n2\n"], strict=True):
        lane.take(lines, len(lines), NOW_NS)
    for lane in lanes:
        lane.flush()
    assert (account.selected, account.joined) == (4, 3)


def test_a_clock_that_is_set_changes_nothing_but_stamps(loop: Loop) -> None:
    """Periods and events go by one that is not; a record shows the time as it was."""
    rig = Rig(loop, Rate(2, LONG_MS), b"indent", Format(stamp=True))
    day_ns = 86_400_000_000_000
    assert rig.send(b"1", now_ns=NOW_NS) == b""
    assert rig.send(b" 2", now_ns=NOW_NS - day_ns) == b""
    assert rig.send(b"3", now_ns=NOW_NS + day_ns) == STAMP + b"1\\n 2\n"
    assert rig.send(b"4", b"5", now_ns=0).endswith(b" 3\n")
    assert rig.account.dropped == {RATE: 1}
    assert rig.flush().endswith(b"s6-log: 2 lines dropped (more than 2 in 3600 s)\n")


def test_a_trace_that_takes_long_goes_on(loop: Loop) -> None:
    """What comes after the time of an event is another one, and not single lines."""
    rig = Rig(loop, joins=b"python")
    assert rig.send(b"Traceback (most recent call last):", b'  File "a"') == b""
    first = b'p Traceback (most recent call last):\\n  File "a"\n'
    assert rig.later() == first
    assert rig.send(b"    call()", b'  File "b"') == b""
    assert rig.send(b"ValueError: x", b"next") == (
        b'p     call()\\n  File "b"\\nValueError: x\np next\n'
    )
