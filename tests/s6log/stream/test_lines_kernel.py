"""The looks at a block of lines in C: what Python sees, and nothing overrun."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s6log import kernels
from s6log.stream.events import Scout, joiner
from s6log.stream.traces import KINDS, Lines

KERNEL = kernels.lines()
pytestmark = pytest.mark.skipif(
    KERNEL is None, reason="the C kernel s6log.stream._lines is not built"
)

BLOCKS = st.lists(st.sampled_from([b"", b"a", b"Ca", b"CA", b" x", b"x" * 700])).map(
    lambda lines: b"".join(line + b"\n" for line in lines)
)
FIRSTS = (b" ", b"Ca")


@given(BLOCKS | st.binary(max_size=70_000), st.data())
def test_lines_are_counted(block: bytes, data: st.DataObject) -> None:
    """In any part of any block."""
    assert KERNEL is not None
    start = data.draw(st.integers(0, len(block)))
    end = data.draw(st.integers(start, len(block)))
    assert KERNEL.count(bytearray(block), start, end) == block.count(b"\n", start, end)


def test_many_lines_are_counted() -> None:
    """More than fit the sums of one round, in each of its places."""
    assert KERNEL is not None
    block = b"\n" * 100_003
    for start in range(40):
        assert KERNEL.count(block, start, len(block)) == len(block) - start


@given(BLOCKS, st.data())
def test_a_beginning_is_found(block: bytes, data: st.DataObject) -> None:
    """The place before the first line that has one; never behind it."""
    start = data.draw(st.integers(0, len(block)))
    end = data.draw(st.integers(start, len(block)))
    begin = [
        at
        for at in range(start + 1, end)
        if block[at - 1 : at] == b"\n" and block[at:end].startswith(FIRSTS)
    ]
    expected = begin[0] - 1 if begin else -1
    assert Scout(FIRSTS, KERNEL).before(block, start, end) == expected
    assert Scout(FIRSTS, None).before(block, start, end) == start


@pytest.mark.parametrize("kind", KINDS)
def test_what_begins_otherwise_joins_nothing(kind: bytes) -> None:
    """Each kind names all beginnings that its patterns know."""
    found = KINDS[kind]
    pattern = found.goes_on if isinstance(found, Lines) else found.heads
    firsts = {first[:1] for first in found.firsts}
    assert len(firsts) == len(found.firsts)
    assert pattern
    for byte in set(range(0x20, 0x7F)) - {first[0] for first in firsts}:
        block = b"one\n" + bytes((byte,)) + b" at x: Traceback goroutine panic\nend\n"
        with_kernel, without = joiner(kind, kernel=KERNEL), joiner(kind)
        given = [j.feed(block, len(block)) for j in (with_kernel, without)]
        assert given[0] == given[1]


@pytest.mark.parametrize(
    "arguments",
    [
        *((b"abc", -1, 2), (b"abc", 2, 1), (b"abc", 0, 4), (b"", 1, 1)),
        *(("abc", 0, 1), (b"abc", 0), (None, 0, 0)),
    ],
)
def test_nonsense_is_refused(arguments: tuple[object, ...]) -> None:
    """With an exception, not with a crash."""
    assert KERNEL is not None
    with pytest.raises((ValueError, TypeError)):
        KERNEL.count(*arguments)
    with pytest.raises((ValueError, TypeError)):
        KERNEL.begins(*arguments, bytes(256))


def test_a_table_of_another_size_is_refused() -> None:
    """There has to be something for each byte."""
    assert KERNEL is not None
    with pytest.raises(ValueError, match="each byte"):
        KERNEL.begins(b"abc", 0, 3, bytes(255))
