"""Blocks of whole lines, however the bytes arrived."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s6log.stream.blocks import UNLIMITED, cut, has_longer, translate_nuls

LIMITS = st.one_of(st.just(UNLIMITED), st.integers(1, 12))
TEXTS = st.lists(st.sampled_from([b"a", b"b", b"\n", b"\0", b"\xff"]), max_size=80).map(
    b"".join
)


def reference(data: bytes, limit: int) -> tuple[list[bytes], bytes]:
    """Divide bytes into lines one by one: (lines, unfinished line)."""
    lines: list[bytes] = []
    line = b""
    for number in data:
        if number in b"\n\0":
            lines.append(line)
            line = b""
            continue
        if limit and len(line) == limit:
            lines.append(line)
            line = b""
        line += bytes([number])
    return lines, line


class Feeder:
    """Cuts blocks out of a buffer that is filled piece by piece, as a logger does."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._rest = b""
        self.blocks: list[bytes] = []

    def feed(self, piece: bytes) -> None:
        """Put a piece behind what was left, and take out whole lines."""
        filled = len(self._rest) + len(piece)
        buffer = bytearray(self._rest + piece + b"\n\0garbage")
        data, end, used = cut(buffer, len(self._rest), filled, self._limit)
        self.blocks.append(bytes(data[:end]))
        self._rest = bytes(buffer[used:filled])

    @property
    def unfinished(self) -> bytes:
        """The line that has begun."""
        return self._rest


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    """Divide bytes at some places; no piece is empty."""
    bounds = sorted({0, len(data), *(place % (len(data) + 1) for place in cuts)})
    return [data[a:b] for a, b in itertools.pairwise(bounds)]


@given(TEXTS, st.lists(st.integers(0, 80), max_size=10), LIMITS)
def test_lines_do_not_depend_on_how_they_arrive(
    data: bytes, cuts: list[int], limit: int
) -> None:
    """Neither do the pieces of those beyond the limit, nor what is left."""
    feeder = Feeder(limit)
    for piece in pieces(data, cuts):
        feeder.feed(piece)
    lines, unfinished = reference(data, limit)
    assert b"".join(feeder.blocks) == b"".join(line + b"\n" for line in lines)
    assert feeder.unfinished == unfinished
    assert all(not block or block.endswith(b"\n") for block in feeder.blocks)


@given(TEXTS, LIMITS)
def test_a_line_is_given_out_as_soon_as_it_has_ended(data: bytes, limit: int) -> None:
    """Byte by byte: nothing that is known to be a line waits for the next one."""
    feeder = Feeder(limit)
    for end in range(1, len(data) + 1):
        feeder.feed(data[end - 1 : end])
        lines, unfinished = reference(data[:end], limit)
        assert b"".join(feeder.blocks).count(b"\n") == len(lines)
        assert feeder.unfinished == unfinished


@given(TEXTS, st.integers(1, 12))
def test_no_line_is_longer_than_the_limit(data: bytes, limit: int) -> None:
    """Nor is the unfinished one."""
    feeder = Feeder(limit)
    feeder.feed(data)
    assert all(len(line) <= limit for line in feeder.blocks[0].split(b"\n"))
    assert len(feeder.unfinished) <= limit


@pytest.mark.parametrize(
    ("data", "block", "rest"),
    [
        (b"", b"", b""),
        (b"abc", b"", b"abc"),
        (b"abcd", b"", b"abcd"),
        (b"abcd\n", b"abcd\n", b""),
        (b"abcd\0", b"abcd\n", b""),
        (b"abcde", b"abcd\n", b"e"),
        (b"abcde\n", b"abcd\ne\n", b""),
        (b"abcdefgh\n", b"abcd\nefgh\n", b""),
        (b"abcdefghi", b"abcd\nefgh\n", b"i"),
        (b"\n\0\n", b"\n\n\n", b""),
        (b"ab\nabcdef\nab", b"ab\nabcd\nef\n", b"ab"),
        (b"a\0b\n\0\n\nc\0", b"a\nb\n\n\n\nc\n", b""),
    ],
)
def test_known_cuts(data: bytes, block: bytes, rest: bytes) -> None:
    """With a limit of four bytes; a line of four is one line."""
    feeder = Feeder(4)
    feeder.feed(data)
    assert (feeder.blocks, feeder.unfinished) == ([block], rest)


def test_the_buffer_is_the_block_unless_a_line_is_split() -> None:
    """Nothing is copied where most blocks pass."""
    buffer = bytearray(b"one\ntwo\nthr")
    data, end, used = cut(buffer, 0, len(buffer), 8)
    assert data is buffer
    assert (end, used) == (8, 8)
    data, end, used = cut(buffer, 0, len(buffer), 2)
    assert data is not buffer
    assert (bytes(data[:end]), used) == (b"on\ne\ntw\no\nth\n", 10)


def test_what_was_scanned_is_not_scanned_again() -> None:
    """A long line that arrives in small pieces costs no more than a short one."""
    buffer = bytearray(b"\n\0??abc\n")
    data, end, used = cut(buffer, 4, len(buffer), UNLIMITED)
    assert (bytes(data[:end]), used) == (b"\n\0??abc\n", 8)


@given(TEXTS, st.integers(0, 80), st.integers(0, 80))
def test_nuls_become_newlines_between_two_places(
    data: bytes, start: int, end: int
) -> None:
    """And nowhere else; the buffer keeps its size."""
    start, end = sorted((start % (len(data) + 1), end % (len(data) + 1)))
    buffer = bytearray(data)
    translate_nuls(buffer, start, end)
    middle = data[start:end].replace(b"\0", b"\n")
    assert buffer == data[:start] + middle + data[end:]


@given(TEXTS, st.integers(0, 80), st.integers(0, 12))
def test_a_longer_line_is_found(data: bytes, end: int, limit: int) -> None:
    """Wherever it is, the unfinished one included; what is behind the end is not."""
    end %= len(data) + 1
    longest = max(len(line) for line in data[:end].split(b"\n"))
    assert has_longer(data, end, limit) == (longest > limit)


@pytest.mark.parametrize("spare", [0, 1])
@pytest.mark.parametrize("start", [b"", b"\n", b"ab\n", b"abcdefgh\n"])
def test_limits_are_exact(spare: int, start: bytes) -> None:
    """A line of as many bytes as the limit is not longer; one byte more is."""
    data = start + b"x" * (8 + spare)
    for end in (b"", b"\n", b"\nab"):
        assert has_longer(data + end, len(data + end), 8) == bool(spare)
