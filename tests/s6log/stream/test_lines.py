"""A block as lines, and sets of its lines."""

from s6log.stream.lines import Lines, column
from selecting import block_of


def test_lines_know_their_ends() -> None:
    """An end is behind the LF."""
    lines = Lines(block_of([b"ab", b"", b"c"]))
    assert lines.lines == [b"ab", b"", b"c"]
    assert lines.ends == [3, 4, 6]
    assert lines.number_of() == {3: 0, 4: 1, 6: 2}


def test_sets_of_lines_combine_as_numbers() -> None:
    """One byte a line: all of them, some of them, the others."""
    lines = Lines(block_of([b"a", b"b", b"c"]))
    some = column(b"\1\0\0")
    assert lines.flags(lines.every()) == b"\1\1\1"
    assert lines.flags(lines.every() ^ some) == b"\0\1\1"
    assert lines.flags(0) == b"\0\0\0"
