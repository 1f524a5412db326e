"""A block on its way to the outputs: which lines each gets, and as what."""

import re
import time
from collections.abc import Sequence
from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from s6log.kernels import scan
from s6log.script.directives import parse
from s6log.script.model import Format, Stdout
from s6log.stream.batch import Batch, Route
from s6log.stream.format import Prefixes
from s6log.stream.selection import Selection

NOW_NS = 1_700_000_000_123_456_789
WORDS = [b"", b"alpha", b"beta", b"gamma", b"x\xffy"]
LINES = st.lists(st.sampled_from(WORDS), min_size=1, max_size=12)
FORMATS = [Format(), Format(prefix=b"p"), Format(stamp=True), Format(prefix=b"q")]


class Known:
    """A classification that is given: the outcome of each line."""

    def __init__(self, lines: Sequence[bytes], outcomes: Sequence[int]) -> None:
        self._lines = lines
        self.ends: Sequence[int] = list(accumulate(len(line) + 1 for line in lines))
        self.outcomes = outcomes

    def outcome(self) -> int:
        """Give the outcome of all lines, or -1 when they differ."""
        return self.outcomes[0] if len(set(self.outcomes)) == 1 else -1

    def gather(self, table: Sequence[tuple[bytes, ...]]) -> bytes:
        """Write each line once for each prefix of its outcome."""
        return b"".join(
            prefix + line + b"\n"
            for line, outcome in zip(self._lines, self.outcomes, strict=True)
            for prefix in table[outcome]
        )

    def last(self, wanted: Sequence[bool]) -> tuple[int, int] | None:
        """Give start and end of the last line with a wanted outcome."""
        end = sum(len(line) + 1 for line in self._lines)
        pairs = zip(self._lines, self.outcomes, strict=True)
        for line, outcome in reversed(list(pairs)):
            start = end - len(line) - 1
            if wanted[outcome]:
                return start, end
            end = start
        return None


class Knowing:
    """A selection whose outcomes are given."""

    def __init__(self, masks: list[int], known: Known) -> None:
        self.masks = masks
        self._known = known

    def classify(self, _block: memoryview) -> Known:
        """Answer as told."""
        return self._known


def joined(lines: Sequence[bytes]) -> bytes:
    """Make a block of lines."""
    return b"".join(line + b"\n" for line in lines)


def piece_of(piece: tuple[bytes, bytes | bytearray, int] | None) -> bytes:
    """Join what is given out in pieces; nothing is no piece."""
    if piece is None:
        return b""
    head, data, end = piece
    made = head + bytes(data[:end])
    assert made.endswith(b"\n")
    return made


ROUTES = st.lists(
    st.builds(Route, st.integers(0, 2), st.sampled_from(FORMATS)), max_size=4
)


@st.composite
def classified(draw: st.DrawFn) -> tuple[list[bytes], list[int], Batch]:
    """Make lines, the elements that take each (as a mask), and their batch."""
    lines = draw(LINES)
    masks = draw(st.lists(st.integers(0, 7), min_size=1, max_size=4))
    numbers = st.integers(0, len(masks) - 1)
    size = len(lines)
    outcomes = draw(
        st.one_of(
            st.lists(numbers, min_size=size, max_size=size),
            numbers.map(lambda number: [number] * size),
        )
    )
    batch = Batch(Knowing(masks, Known(lines, outcomes)), Prefixes(time.gmtime))
    batch.begin(bytearray(joined(lines) + b"old\n"), len(joined(lines)), NOW_NS)
    return lines, [masks[outcome] for outcome in outcomes], batch


@given(classified(), ROUTES)
def test_routes_get_their_lines_as_records(
    made: tuple[list[bytes], list[int], Batch], routes: list[Route]
) -> None:
    """Line by line; one that several routes want comes once for each."""
    lines, masks, batch = made
    expected = [
        batch.prefixes.of(route.format) + line
        for line, mask in zip(lines, masks, strict=True)
        for route in routes
        if route.bit & mask
    ]
    assert piece_of(batch.render(routes)) == joined(expected)
    assert piece_of(batch.render(routes)) == joined(expected)


@given(classified(), ROUTES)
def test_plain_lines_come_after_their_marks(
    made: tuple[list[bytes], list[int], Batch], routes: list[Route]
) -> None:
    """Without the prefixes of the formats."""
    lines, masks, batch = made
    marks = [b"", b"1:", b"2:", b""][: len(routes)]
    expected = [
        mark + line
        for line, mask in zip(lines, masks, strict=True)
        for route, mark in zip(routes, marks, strict=True)
        if route.bit & mask
    ]
    assert piece_of(batch.plain(routes, marks)) == joined(expected)


@given(classified(), st.integers(0, 2), st.sampled_from(FORMATS))
def test_the_last_line_is_the_last_that_is_wanted(
    made: tuple[list[bytes], list[int], Batch], element: int, format_: Format
) -> None:
    """As a record; None when there is none."""
    lines, masks, batch = made
    route = Route(element, format_)
    wanted = [line for line, mask in zip(lines, masks, strict=True) if mask & route.bit]
    expected = batch.prefixes.of(format_) + wanted[-1] + b"\n" if wanted else None
    assert batch.last(route) == expected


@given(classified(), ROUTES)
def test_spans_are_the_parts_that_are_wanted(
    made: tuple[list[bytes], list[int], Batch], routes: list[Route]
) -> None:
    """Whole lines in their order, each with the numbers of the routes that want it."""
    lines, masks, batch = made
    expected = []
    for line, mask in zip(lines, masks, strict=True):
        wanted = tuple(n for n, route in enumerate(routes) if route.bit & mask)
        if wanted:
            expected.append((line, wanted))
    found = []
    last = 0
    for start, end, wanted in batch.spans(routes):
        assert last <= start < end
        last = end
        part = bytes(batch.data[start:end])
        assert part.endswith(b"\n")
        found += [(line, wanted) for line in part[:-1].split(b"\n")]
    assert found == expected


# ---- without a selection


@given(LINES, st.sampled_from(FORMATS))
def test_without_selectors_every_line_is_for_the_only_element(
    lines: list[bytes], format_: Format
) -> None:
    """All of them, as records; the last one is the last."""
    batch = Batch(None, Prefixes(time.gmtime))
    block = joined(lines)
    batch.begin(bytearray(block + b"old\n"), len(block), NOW_NS)
    prefix = batch.prefixes.of(format_)
    route = Route(0, format_)
    assert piece_of(batch.render([route])) == joined([prefix + line for line in lines])
    assert list(batch.spans([route])) == [(0, len(block), (0,))]
    assert list(batch.spans([Route(1, format_)])) == []
    assert piece_of(batch.plain([route], [b""])) == block
    assert batch.last(route) == prefix + lines[-1] + b"\n"


def test_lines_as_they_are_are_not_copied() -> None:
    """The buffer that was read into is what is written."""
    buffer = bytearray(b"one\ntwo\nold\n")
    batch = Batch(None, Prefixes(time.gmtime))
    batch.begin(buffer, 8, NOW_NS)
    piece = batch.render([Route(0, Format())])
    assert piece is not None
    assert piece[1] is buffer
    assert (piece[0], piece[2]) == (b"", 8)


def test_what_is_alike_is_made_once() -> None:
    """Two outputs with equal prefixes share the result, whatever formats they have."""
    batch = Batch(None, Prefixes(time.gmtime))
    batch.begin(b"one\ntwo\n", 8, NOW_NS)
    first = batch.render([Route(0, Format(prefix=b"p"))])
    second = batch.render([Route(0, Format(prefix=b"p"))])
    assert first is second


def test_nothing_remains_of_the_block_before() -> None:
    """Neither its lines nor its time."""
    batch = Batch(None, Prefixes(time.gmtime))
    route = Route(0, Format(stamp=True))
    batch.begin(b"one\n", 4, NOW_NS)
    first = piece_of(batch.render([route]))
    batch.begin(b"two\n", 4, NOW_NS + 1_000_000_000)
    second = piece_of(batch.render([route]))
    assert first[25:] == b" one\n"
    assert second[25:] == b" two\n"
    assert first[:25] < second[:25]


# ---- with a real selection


def s6_log(words: Sequence[str], lines: Sequence[bytes]) -> bytes:
    """Do what s6-log does with a script of `+`, `-`, `f` and `1`, line by line."""
    out = []
    for line in lines:
        selected, acted = True, False
        for word in words:
            if word == "1":
                acted |= selected
                if selected:
                    out.append(line)
            elif word == "f":
                selected = not acted
            elif re.search(word[1:].encode(), line):
                selected = word[0] == "+"
    return joined(out)


SELECTORS = st.sampled_from(
    ["+", "-", "f", "+a", "-a", "+^al", "-a$", "+b", "-^$", "+m", "-xxx"]
)


@settings(max_examples=50)
@pytest.mark.parametrize("with_kernel", [True, False], ids=["kernel", "python"])
@given(
    words=st.lists(
        st.one_of(SELECTORS, SELECTORS, st.just("1")), min_size=1, max_size=8
    ),
    blocks=st.lists(LINES, min_size=1, max_size=3),
)
def test_a_script_selects_as_s6_log_does(
    with_kernel: bool, words: list[str], blocks: list[list[bytes]]
) -> None:
    """Block after block, with and without the C kernel."""
    if with_kernel and scan() is None:
        pytest.skip("the C kernel has not been built")
    words = [*words, "1"]
    script = parse([word.encode() for word in words])
    selection = Selection(
        [element.selectors for element in script.elements],
        scan() if with_kernel else None,
    )
    routes = [
        Route(number, action.format)
        for number, element in enumerate(script.elements)
        for action in element.actions
        if isinstance(action, Stdout)
    ]
    batch = Batch(selection, Prefixes(time.gmtime))
    for lines in blocks:
        block = joined(lines)
        batch.begin(bytearray(block), len(block), NOW_NS)
        assert piece_of(batch.render(routes)) == s6_log(words, lines)
