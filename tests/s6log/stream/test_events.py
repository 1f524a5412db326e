"""Lines become events: known traces, all ways to cut them, and bounds."""

import re
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s6log.kernels import lines as lines_kernel
from s6log.stream.events import BYTES_MOST, LINES_MOST, bounded, joiner
from s6log.stream.selection import Selection
from s6log.stream.traces import KINDS, Lines
from selecting import KERNEL, KERNELS, selector
from traces import SAMPLES, STRAYS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from s6log.stream.events import Joiner
    from s6log.stream.runs import Kernel

LINES_KERNEL = lines_kernel()
START = rb"^(2026-|\[)"
ALL = (*KINDS, b"start")
PLAIN = b"2026-11-29 00:22:46 INFO served path=/api/items status=200 time=12ms\n"


def made(kind: bytes, kernel: "Kernel | None" = KERNEL) -> "Joiner":
    """Make a joiner; `start` is for lines with a date or a bracket."""
    if kind != b"start":
        return joiner(kind, kernel=None if kernel is None else LINES_KERNEL)
    script = [[selector(b"-"), selector(b"+" + START)]]
    return joiner(kind, Selection(script, kernel))


class Fed:
    """A joiner that is fed, and what it gave out: checks what holds each time."""

    def __init__(self, joiner: "Joiner", most: int = BYTES_MOST) -> None:
        self.joiner = joiner
        self.most = most
        self.blocks: list[bytes] = []
        self.given: list[bytes] = []

    def feed(self, block: bytes) -> None:
        """Feed one block from a buffer that is used again."""
        buffer = bytearray(block + b"\tnot of this block\n")
        old, new, end = self.joiner.feed(buffer, len(block))
        assert old.count(b"\n") == old.endswith(b"\n")
        self.blocks.append(block)
        self.given += [old, bytes(new[:end])]
        buffer[:] = b"x" * len(buffer)
        assert self.joiner.held < self.most + len(block)
        self._account(self.joiner.held)

    def flush(self) -> list[bytes]:
        """Give up waiting and give all events so far, without their LFs."""
        held = self.joiner.held
        flushed = self.joiner.flush()
        assert len(flushed) == held
        assert self.joiner.held == 0
        assert self.joiner.flush() == b""
        self.given.append(flushed)
        self._account(0)
        events = b"".join(self.given)
        assert self.joiner.joined == events.count(b"\0")
        return events.split(b"\n")[:-1]

    def _account(self, held: int) -> None:
        events = b"".join(self.given)
        blocks = b"".join(self.blocks)
        assert len(events) + held == len(blocks)
        assert events.replace(b"\0", b"\n") == blocks[: len(events)]


def events_of(joiner: "Joiner", blocks: Sequence[bytes]) -> list[bytes]:
    """Feed blocks and give the events."""
    fed = Fed(joiner)
    for block in blocks:
        fed.feed(block)
    return fed.flush()


def expected(texts: Sequence[bytes]) -> list[bytes]:
    """Write texts, each with its last LF, as events."""
    return [text[:-1].replace(b"\n", b"\0") for text in texts]


def lines_of(text: bytes) -> list[bytes]:
    """Split into lines with their LFs."""
    return re.findall(rb"[^\n]*\n", text)


def cut(text: bytes, cuts: Sequence[int]) -> list[bytes]:
    """Cut behind the lines with these numbers."""
    lines = lines_of(text)
    places = sorted({0, len(lines), *(cut % len(lines) for cut in cuts)})
    return [b"".join(lines[start:end]) for start, end in pairwise(places)]


# ---- known traces


@pytest.mark.parametrize(("kind", "texts"), SAMPLES)
def test_known_traces_are_one_event_each(kind: bytes, texts: list[bytes]) -> None:
    """Lines around them are their own, in one block and line by line."""
    stream = b"".join(texts)
    assert events_of(made(kind), [stream]) == expected(texts)
    assert events_of(made(kind), lines_of(stream)) == expected(texts)


@pytest.mark.parametrize("kind", [b"python", b"go"])
@pytest.mark.parametrize("line", [PLAIN, *STRAYS])
def test_what_looks_alike_neither_waits_nor_is_joined(kind: bytes, line: bytes) -> None:
    """Words of traces within lines, or lines of them that stand alone."""
    for stream in (line, PLAIN + line + PLAIN + line):
        joiner = made(kind)
        block = bytearray(stream)
        assert joiner.feed(block, len(block)) == (b"", block, len(block))
        assert joiner.held == 0


@pytest.mark.parametrize(
    ("kind", "trace", "waits"),
    [
        (b"python", b"Traceback (most recent call last):\n", True),
        (b"python", b"Traceback (most recent call last):\nKeyError: 1\n", True),
        (b"python", b"Traceback (most recent call last):\nKeyError: 1\n\n", True),
        (b"python", b"Traceback (most recent call last):\nKeyError: 1\nx\n", False),
        (b"python", b"Traceback (most recent call last):\nKeyError: 1\n\nx\n", False),
        (b"go", b"panic: x\n", True),
        (b"go", b"panic: x\n\n", True),
        (b"go", b"panic: x\ny\n", False),
        (b"go", b"panic: x\n\n\n\n", False),
        (b"go", b"goroutine 1 [running]:\nmain.f()\n", True),
        (b"go", b"goroutine 1 [running]:\nmain.f()\nx\n", False),
        (b"go", b"goroutine 1 [running]:\nready (all)\n", False),
        (b"go", b"panic: x\nexit status 2\n", False),
    ],
)
def test_only_what_may_go_on_waits(kind: bytes, trace: bytes, waits: bool) -> None:
    """A line behind a complete trace is given out at once."""
    joiner = made(kind)
    joiner.feed(trace, len(trace))
    assert (joiner.held > 0) == waits


def test_what_turns_out_not_to_belong_is_given_as_lines() -> None:
    """A blank line behind a trace, when the wait is over."""
    joiner = made(b"python")
    block = b"Traceback (most recent call last):\n  x\nKeyError: 1\n\n"
    assert joiner.feed(block, len(block))[0] == b""
    assert joiner.held == len(block)
    assert joiner.flush() == b"Traceback (most recent call last):\0  x\0KeyError: 1\n\n"
    assert joiner.joined == 2
    assert joiner.feed(PLAIN, len(PLAIN)) == (b"", PLAIN, len(PLAIN))


def test_a_trace_goes_on_in_the_next_block() -> None:
    """The event comes first, then what is behind it."""
    joiner = made(b"python")
    first = PLAIN + b"Traceback (most recent call last):\n"
    assert joiner.feed(first, len(first)) == (b"", first, len(PLAIN))
    second = b"  File\nKeyError: 1\n" + PLAIN
    event = b"Traceback (most recent call last):\0  File\0KeyError: 1\n"
    assert joiner.feed(second, len(second)) == (event, PLAIN, len(PLAIN))


# ---- blocks without traces


@pytest.mark.parametrize("kind", ALL)
def test_a_block_without_traces_is_not_copied(kind: bytes) -> None:
    """Only its last line waits, for kinds where any line may go on."""
    joiner = made(kind)
    waiting = len(PLAIN) if kind not in (b"python", b"go") else 0
    for number in range(3):
        block = bytearray(PLAIN * 20 + b"\tbehind\n")
        old, new, end = joiner.feed(block, len(PLAIN) * 20)
        assert new is block
        assert end == len(PLAIN) * 20 - waiting
        assert old == (PLAIN if waiting and number else b"")
        assert joiner.held == waiting
        block.clear()  # nothing looks at the buffer any more


# ---- any lines, any cuts

WORDS = {
    b"python": [
        b"Traceback (most recent call last):",
        b"  Traceback (most recent call last):",
        b"  + Exception Group Traceback (most recent call last):",
        b'  File "x.py", line 3',
        b"  | x",
        b"  x",
        b"ValueError: x",
        b"SyntaxError: x",
        b'"""',
        b"",
        b"During handling of the above exception, another exception occurred:",
        b"The above exception was the direct cause of the following exception:",
    ],
    b"go": [
        b"panic: x",
        b"fatal error: x",
        b"SIGQUIT: quit",
        b"\tpanic: y",
        b"[signal SIGSEGV: x]",
        b"PC=0x0 m=0",
        b"",
        b"goroutine 1 [running]:",
        b"runtime stack:",
        b"main.f(0x1, {...})",
        b"\t/x.go:12 +0x1d",
        b"created by main.main in goroutine 1",
        b"...additional frames elided...",
        b"rax    0x0",
        b"exit status 2",
        b"other (x)",
    ],
    b"java": [b"\tat a.b(c:1)", b"Caused by: x", b"\t... 3 more", b"at x", b"", b"x"],
    b"indent": [b" ", b"\tx", b"", b"x", b"x y"],
    b"start": [b"2026-x", b"[x", b"", b"x", b" 2026-"],
}


@st.composite
def streams(draw: st.DrawFn, kind: bytes) -> bytes:
    """Give whole lines, most of them of traces, in any order."""
    word = st.sampled_from(WORDS[kind]) | st.binary(max_size=5)
    words = draw(st.lists(word, min_size=1, max_size=40))
    words = [re.sub(rb"[\n\0]", b" ", word) for word in words]
    return b"\n".join(words) + b"\n"


CUTS = st.lists(st.integers(0, 100), max_size=10)


@pytest.mark.parametrize("kind", ALL)
@given(st.data(), CUTS)
def test_split_does_not_matter(
    kind: bytes, data: st.DataObject, cuts: list[int]
) -> None:
    """The same lines make the same events, however they come."""
    stream = data.draw(streams(kind))
    whole = events_of(made(kind), [stream])
    assert events_of(made(kind), cut(stream, cuts)) == whole
    assert events_of(made(kind), lines_of(stream)) == whole


def goes_on(kind: bytes, line: bytes) -> bool:
    """Judge one line, as the table says."""
    if kind == b"start":
        return re.search(START, line) is None
    found = KINDS[kind]
    assert isinstance(found, Lines)
    return re.match(found.goes_on, line) is not None


def judged(kind: bytes, stream: bytes) -> list[bytes]:
    """Join line by line."""
    events: list[list[bytes]] = []
    size = 0
    for line in lines_of(stream):
        text = line[:-1]
        is_full = events and (len(events[-1]) >= LINES_MOST or size >= BYTES_MOST)
        if events and goes_on(kind, text) and not is_full:
            events[-1].append(text)
            size += len(line)
        else:
            events.append([text])
            size = len(line)
    return [b"\0".join(event) for event in events]


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("kind", [b"indent", b"java", b"start"])
@given(st.data(), CUTS)
def test_lines_are_joined_as_one_by_one(
    kind: bytes, kernel: "Kernel | None", data: st.DataObject, cuts: list[int]
) -> None:
    """By a rule for single lines, whole blocks at once."""
    stream = data.draw(streams(kind))
    assert events_of(made(kind, kernel), cut(stream, cuts)) == judged(kind, stream)


# ---- bounds

ENDLESS = {
    b"python": (b"Traceback (most recent call last):\n", b'  File "x.py", line 3\n'),
    b"go": (b"panic: x\ngoroutine 1 [running]:\n", b"main.f()\n\t/x.go:12 +0x1d\n"),
    b"java": (b"x\n", b"\tat a.b.C.d(C.java:12)\n"),
    b"indent": (b"x\n", b" x\n"),
    b"start": (b"2026-\n", b"\n"),
}


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("cuts", [[], [1], [999], [1000], [1001], [1999, 2000, 2001]])
def test_a_trace_that_never_ends_comes_in_pieces(kind: bytes, cuts: list[int]) -> None:
    """Each of a thousand lines, in large blocks too."""
    head, body = ENDLESS[kind]
    lines = lines_of(head + body * 3000)[:3000]
    pieces = [b"".join(lines[at : at + 1000]) for at in (0, 1000, 2000)]
    stream = b"".join(pieces)
    assert events_of(made(kind), cut(stream, cuts)) == expected(pieces)


@pytest.mark.parametrize("kind", ALL)
def test_a_piece_is_given_as_soon_as_it_is_full(kind: bytes) -> None:
    """Line by line, nothing waits longer than it has to."""
    head, body = ENDLESS[kind]
    lines = lines_of(head + body * 2000)[:2000]
    fed = Fed(made(kind))
    for line in lines[:-1]:
        fed.joiner.feed(line, len(line))
    fed.given, fed.blocks = [], []
    assert fed.joiner.held == sum(map(len, lines[1000:-1]))
    old, _new, end = fed.joiner.feed(lines[-1], len(lines[-1]))
    assert (old.count(b"\0"), end, fed.joiner.held) == (999, 0, 0)
    assert fed.joiner.flush() == b""


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("size", [200, 70_000, BYTES_MOST - 1, BYTES_MOST, 300_000])
def test_an_event_has_bounded_bytes(kind: bytes, size: int) -> None:
    """One more line at most than the bound allows, and the same in all blocks."""
    head, body = ENDLESS[kind]
    long = body.replace(b"\n", b" " * size + b":1\n", 1) if kind != b"start" else b""
    if kind == b"go":
        long = b"main.f(" + b" " * size + b")\n\t/x.go:12\n"
    long = long or b"x" * size + b"\n"
    stream = head + long * 7 + body * 2 + head + body
    whole = events_of(made(kind), [stream])
    assert all(len(event) < BYTES_MOST + len(long) for event in whole)
    assert events_of(made(kind), lines_of(stream)) == whole
    if kind not in (b"python", b"go"):
        assert whole == judged(kind, stream)


@given(st.lists(st.integers(0, 3), max_size=30), st.integers(1, 3))
def test_bounds_hold_for_all_events_of_a_block(
    breaks: list[int], thousands: int
) -> None:
    """Those within them are left alone."""
    long = b"\0" * (1000 * thousands) + b"\n"
    block = b"".join(b"x" + b"\0y" * count + b"\n" for count in breaks)
    events = bounded(block + long + block)
    assert events == block + (b"\0" * 999 + b"\n") * thousands + b"\n" + block


@pytest.mark.parametrize("kind", ALL)
@given(st.data(), CUTS)
def test_many_lines_are_joined_within_bounds(
    kind: bytes, data: st.DataObject, cuts: list[int]
) -> None:
    """Whatever they are: none is lost, and no event is too large."""
    stream = data.draw(streams(kind)) * data.draw(st.sampled_from([1, 30, 300]))
    events = events_of(made(kind), cut(stream, cuts))
    assert all(event.count(b"\0") < LINES_MOST for event in events)


def test_every_kind_says_what_it_joins() -> None:
    """For the help."""
    assert all(kind.about and "\n" not in kind.about for kind in KINDS.values())
