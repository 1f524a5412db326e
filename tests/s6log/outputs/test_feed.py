"""What an output gets of each block: its lines, in order, as its actions want them."""

import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inside import Desk, looping, script_of
from s6log.daemon import select
from s6log.forms import Forms
from s6log.making import Maker
from s6log.outputs.account import RATE, Account
from s6log.outputs.feed import Feed
from s6log.script import model
from s6log.stream.batch import Batch
from s6log.stream.format import Prefixes
from s6log.unix.loop import Loop

TYPE_CHECKING = False
if TYPE_CHECKING:
    from s6log.outputs.feed import Parcel

NOW_NS = 1_700_000_000_123_456_789


class Rig:
    """The feed of all `1` actions of a script; what leaves later is kept."""

    def __init__(self, desk: Desk, words: Sequence[str]) -> None:
        self.script = script_of(*words)
        maker = Maker(desk.context, self.script)
        console = maker.console(self.script.actions)
        self.feed = console.feed
        self.account = console.account
        self.feed.connect(self._on_late)
        self.late = b""
        self._batch = Batch(select(self.script), maker.prefixes())

    def send(self, *lines: bytes) -> bytes:
        """Send a block of lines; give the records that leave at once."""
        block = b"".join(line + b"\n" for line in lines)
        self._batch.begin(bytearray(block + b"behind\n"), len(block), NOW_NS)
        return text_of(self.feed.parcels(self._batch))

    def flush(self) -> bytes:
        """Give what waits."""
        return text_of(self.feed.flush())

    def _on_late(self, parcels: "Sequence[Parcel]") -> None:
        self.late += text_of(parcels)


def text_of(parcels: "Sequence[Parcel]") -> bytes:
    """Join records."""
    text = b"".join(bytes(head + data[:end]) for head, data, end, *_ in parcels)
    assert text[-1:] in {b"", b"\n"}
    return text


@pytest.fixture
def desk(loop: Loop) -> Desk:
    """Give what outputs share; no file is made."""
    return Desk(loop, Path("/"))


# ---- without anything but prefixes


def test_plain_lines_are_not_copied() -> None:
    """What was read is what is written, when all of it is wanted as it is."""
    script = script_of("1")
    feed = Feed(script.actions, Account(counting=True))
    batch = Batch(None, Prefixes(time.gmtime))
    buffer = bytearray(b"one\ntwo\nold\n")
    batch.begin(buffer, 8, NOW_NS)
    ((head, data, end, counted, _),) = feed.parcels(batch)
    assert (head, end, counted) == (b"", 8, True)
    assert data is buffer
    assert feed.plain
    assert feed.growth == 1
    assert feed.flush() == []


@pytest.mark.parametrize(
    ("words", "selected"),
    [
        ("1", 3),
        ("- 1", 0),
        ("- +b 1", 1),
        ("1 1", 6),
        ("- +b 1 f 1", 3),
        ("@tag=x 1", 3),
        ("@json 1", 3),
        ("@json 1 1 @rate=1/h 1", 9),
        ("@rate=2/h 1", 3),
    ],
)
def test_lines_are_counted_for_whom_that_matters(
    desk: Desk, words: str, selected: int
) -> None:
    """A line counts once for each action that wants it; else nobody looks."""
    with desk:
        rig = Rig(desk, [*words.split(), "@metrics=m"])
        rig.send(b"alpha", b"beta", b"{}")
        assert rig.account.selected == selected
        rig = Rig(desk, words.split())
        rig.send(b"alpha", b"beta", b"{}")
        assert rig.account.selected == 0


# ---- several actions, each with a treatment of its own

LINES = st.lists(
    st.sampled_from(
        [b"", b"alpha", b"beta", b"\xff", b'{"a": 1}', b'{"ts":2}', b"{beta", b"{}"]
    ),
    min_size=1,
    max_size=8,
)
TREATMENTS = ["", "pweb", "@tag=one", "@tag=two ptwo", "@json", "@json @tag=three", "t"]
ACTION = st.tuples(
    st.sampled_from(["", "f", "-a", "- +a", "- +b", "-\\{", "- +^\\{", "-"]),
    st.sampled_from(TREATMENTS),
)


def takers(script: model.Script, line: bytes) -> list[model.Action]:
    """Give the actions that take a line: what a batch of it alone is for."""
    batch = Batch(select(script), Prefixes(time.gmtime))
    batch.begin(line + b"\n", len(line) + 1, NOW_NS)
    routes = Feed(script.actions, Account(counting=False)).routes
    numbers = [wanted for _, _, found in batch.spans(routes) for wanted in found]
    return [script.actions[number][1] for number in numbers]


@settings(max_examples=150)
@given(st.lists(ACTION, min_size=1, max_size=3), st.lists(LINES, max_size=3))
def test_records_of_several_actions_come_in_the_order_of_lines(
    actions: list[tuple[str, str]], blocks: list[list[bytes]]
) -> None:
    """Line by line, through all actions in turn, each in its own form."""
    words = [
        word
        for selectors, treatment in actions
        for word in (*selectors.split(), *treatment.split(), "1")
    ]
    with looping() as loop, Desk(loop, Path("/")) as desk:
        rig = Rig(desk, words)
        forms = Forms(loop, rig.script)
        for _, action in rig.script.actions:
            forms.tag(action.format, -1)
        for lines in blocks:
            expected = b""
            for line in lines:
                for action in takers(rig.script, line):
                    former = forms.former(action.format)
                    record = former.piece(line + b"\n", len(line) + 1, NOW_NS)
                    expected += text_of([(*record, True, 0)])
            assert rig.send(*lines) == expected
        assert rig.flush() == b""


def test_each_action_has_its_own_limit(desk: Desk) -> None:
    """And tells of it in its own form; the others go on."""
    with desk:
        words = "@metrics=m @rate=1/h pa 1 @rate=2/h pb 1 p 1"
        rig = Rig(desk, words.split())
        assert rig.send(b"1") == b"a 1\nb 1\n1\n"
        assert rig.send(b"2", b"3") == b"b 2\n2\n3\n"
        assert rig.account.dropped == {RATE: 3}
        told = (
            b"a s6-log: 2 lines dropped (more than 1 in 3600 s)\n"
            b"b s6-log: 1 line dropped (more than 2 in 3600 s)\n"
        )
        assert rig.flush() == told
        assert rig.account.selected == 9


def test_each_action_joins_for_itself(desk: Desk) -> None:
    """Where one waits for more the other does not; the end is waited for by none."""
    with desk:
        rig = Rig(desk, ["@join=indent", "pa", "1", "pb", "1"])
        assert rig.send(b"one", b" more") == b"b one\nb  more\n"
        assert rig.send(b"two") == rb"a one\n more" + b"\nb two\n"
        assert rig.flush() == b"a two\n"
        assert (rig.late, rig.account.joined) == (b"", 1)


@pytest.mark.parametrize(
    ("words", "prefix"),
    [("pab 1", "ab "), ("@tag=name 1", "name | "), ("1 @tag=name pa 1", "name | a ")],
)
def test_growth_is_that_of_the_smallest_lines(
    desk: Desk, words: str, prefix: str
) -> None:
    """An empty line becomes no more than that, in all records together."""
    with desk:
        rig = Rig(desk, words.split())
        actions = len(rig.script.actions)
        made = rig.send(b"")
        assert made.endswith(prefix.encode() + b"\n")
        assert len(made) <= rig.feed.growth
        assert len(rig.send(b"{}")) <= 3 * rig.feed.growth
        assert len(made) >= len(prefix) + actions


@given(LINES, st.sampled_from(TREATMENTS))
def test_no_record_is_larger_than_what_growth_says(
    lines: list[bytes], treatment: str
) -> None:
    """So there is room in the outbox for whatever was read."""
    with looping() as loop, Desk(loop, Path("/")) as desk:
        rig = Rig(desk, [*treatment.split(), "1"])
        size = sum(len(line) + 1 for line in lines)
        assert len(rig.send(*lines)) <= size * rig.feed.growth
