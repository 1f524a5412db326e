"""A block as lines, and sets of its lines. Pure.

A set of lines is an int with one byte a line, 0 or 1: sets combine in one
operation, however many lines there are.
"""

from itertools import accumulate


class Lines:
    """A block cut into lines, which have no LF; ends[i] is behind that of line i."""

    __slots__ = ("_numbers", "data", "ends", "lines")

    def __init__(self, block: memoryview) -> None:
        self.data = block.tobytes()
        self.lines = self.data[:-1].split(b"\n")
        self.ends = list(accumulate([len(line) + 1 for line in self.lines]))
        self._numbers: dict[int, int] = {}

    def every(self) -> int:
        """Give the set of all lines."""
        return column(b"\1" * len(self.lines))

    def flags(self, lines: int) -> bytes:
        """Give a set as bytes: one a line, 0 or 1."""
        return lines.to_bytes(len(self.lines), "little")

    def number_of(self) -> dict[int, int]:
        """Give a line's number by its end."""
        if not self._numbers:
            self._numbers = {end: number for number, end in enumerate(self.ends)}
        return self._numbers


def column(flags: bytes | bytearray) -> int:
    """Give a set of lines from one byte a line."""
    return int.from_bytes(flags, "little")
