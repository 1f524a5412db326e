"""So many lines pass in a period, and all others are counted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s6log.stream.rates import RateLimit, first_lines

STEPS = st.lists(st.tuples(st.integers(0, 15), st.integers(1, 9)), max_size=30)


def by_hand(most: int, period: int, steps: list[tuple[int, int]]) -> list[int]:
    """Give how many of each block pass: one line after the other."""
    passed = []
    now = 1
    times: list[int] = []  # of the lines of this period, the first one first
    for delay, lines in steps:
        now += delay
        before = len(times) if times and now < times[0] + period else 0
        if not before:
            times = []
        times += [now] * lines
        passed.append(min(len(times), most) - min(before, most))
    return passed


@given(st.integers(1, 10), st.integers(1, 20), STEPS)
def test_a_period_begins_with_its_first_line(
    most: int, period: int, steps: list[tuple[int, int]]
) -> None:
    """From then on so many pass, however they arrive; the others are counted."""
    limit = RateLimit(most, period)
    now = 1
    passed = []
    dropped = 0
    for delay, lines in steps:
        now += delay
        dropped += limit.settle(now)
        passed.append(limit.admit(lines))
        assert limit.settle(now) == 0
        assert now < limit.ends_ns <= now + period
    assert passed == by_hand(most, period, steps)
    all_lines = sum(lines for _, lines in steps)
    assert dropped + limit.dropped == all_lines - sum(passed)


def test_what_was_dropped_is_given_when_the_period_is_over() -> None:
    """Once, and not before."""
    limit = RateLimit(2, 100)
    assert limit.settle(1000) == 0
    assert limit.admit(5) == 2
    assert limit.settle(1099) == 0
    assert limit.admit(1) == 0
    assert limit.settle(1100) == 4
    assert limit.admit(1) == 1
    assert limit.settle(1200) == 0


LINE = st.binary(max_size=5).map(lambda text: text.replace(b"\n", b" ") + b"\n")


@given(st.lists(LINE, min_size=1, max_size=8), st.data())
def test_the_first_lines_of_a_block(lines: list[bytes], data: st.DataObject) -> None:
    """They end where the next one begins, whatever is behind the block."""
    count = data.draw(st.integers(0, len(lines) - 1))
    block = b"".join(lines)
    buffer = bytearray(block + data.draw(LINE))
    assert first_lines(buffer, len(block), count) == len(b"".join(lines[:count]))


@pytest.mark.parametrize("count", [0, 1, 3])
def test_empty_lines_are_lines(count: int) -> None:
    """As any other."""
    assert first_lines(b"\n\n\n\nmore\n", 4, count) == count
