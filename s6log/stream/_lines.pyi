"""Looks at blocks of lines, in C. Optional."""

def count(block: bytes | bytearray | memoryview, start: int, end: int, /) -> int:
    """Count the LFs of block[start:end]. Raises ValueError if there is no such part."""

def begins(
    block: bytes | bytearray | memoryview, start: int, end: int, firsts: bytes, /
) -> int:
    """Find the first line within block[start:end] with a wanted beginning, or -1.

    A line begins behind an LF, so the one that begins at `start` is not looked at.
    firsts[byte] is not 0 for wanted first bytes: 1, or what the second must be.
    Raises ValueError.
    """
