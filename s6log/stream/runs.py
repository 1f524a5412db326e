"""A classified block: runs of consecutive lines with the same outcome. Pure."""

from s6log.stream.format import repeat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Protocol

    class Kernel(Protocol):
        """The C module `_scan`; its stub says what the functions do."""

        LANES: int
        scan: Callable[
            [memoryview, bytes, memoryview, memoryview, bytearray, int, bool], int
        ]
        hop: Callable[[memoryview, bytes, int, bytearray, int, int], int]
        gather: Callable[
            [memoryview, bytearray, int, tuple[tuple[bytes, ...], ...]], bytes
        ]


DONE, FULL = -1, -2  # results of the kernel, beside a number
NUMBER_BYTES = 8
RUN_BYTES = 2 * NUMBER_BYTES
WINDOW_BYTES = 256  # looked through first for the start of a last line


class Packed:
    """Runs as the kernel writes them: pairs (end, outcome) of 64-bit numbers."""

    __slots__ = ("buffer", "count", "kernel")

    def __init__(self, kernel: "Kernel", buffer: bytearray, count: int) -> None:
        self.kernel = kernel
        self.buffer = buffer
        self.count = count

    def numbers(self) -> memoryview:
        """Give end, outcome, end, outcome... as ints."""
        used = memoryview(self.buffer)[: 2 * NUMBER_BYTES * self.count]
        return used.cast("Q")


class Runs:
    """Which lines of a block have which outcome.

    Run number i ends at offset ends[i] with an LF and has outcomes[i]; the next
    one has another outcome. Valid only until the block's buffer or the kernel's
    is used again.
    """

    __slots__ = ("_packed", "block", "ends", "outcomes")

    def __init__(
        self,
        block: memoryview,
        ends: "Sequence[int]",
        outcomes: "Sequence[int]",
        packed: Packed | None = None,
    ) -> None:
        self.block = block
        self.ends = ends
        self.outcomes = outcomes
        self._packed = packed

    def outcome(self) -> int:
        """Give the outcome of all lines, or -1 when they differ."""
        return self.outcomes[0] if len(self.outcomes) == 1 else -1

    def gather(self, table: "Sequence[tuple[bytes, ...]]") -> bytes:
        """Write each line once for each prefix in `table[outcome]`, in order.

        An empty tuple leaves the line out; an empty prefix is the line as it is.
        """
        if self._packed is not None:
            packed = self._packed
            return packed.kernel.gather(
                self.block, packed.buffer, packed.count, tuple(table)
            )
        data = self.block.tobytes()
        pieces = []
        start = 0
        for end, outcome in zip(self.ends, self.outcomes, strict=True):
            prefixes = table[outcome]
            if prefixes == (b"",):
                pieces.append(data[start:end])
            elif len(prefixes) == 1:
                [prefix] = prefixes
                rest = data[start : end - 1].replace(b"\n", b"\n" + prefix)
                pieces += (prefix, rest, b"\n")
            elif prefixes:
                pieces.append(repeat(data[start:end], end - start, prefixes))
            start = end
        return b"".join(pieces)

    def last(self, wanted: "Sequence[bool]") -> tuple[int, int] | None:
        """Give (start, end) of the last line with a wanted outcome, LF included."""
        for number in reversed(range(len(self.ends))):
            if wanted[self.outcomes[number]]:
                lower = self.ends[number - 1] if number else 0
                end = self.ends[number]
                return line_start(self.block, lower, end), end
        return None


def packed_runs(block: memoryview, packed: Packed) -> Runs:
    """Wrap what the kernel wrote."""
    numbers = packed.numbers()
    return Runs(block, numbers[::2], numbers[1::2], packed)


def merged_runs(
    block: memoryview, ends: "Sequence[int]", outcomes: "Sequence[int]"
) -> Runs:
    """Make runs of what is known for each line."""
    pairs = zip(outcomes, [*outcomes[1:], -1], strict=True)
    lasts = [number for number, (this, after) in enumerate(pairs) if this != after]
    return Runs(block, [ends[i] for i in lasts], [outcomes[i] for i in lasts])


def line_start(block: memoryview, lower: int, end: int) -> int:
    """Find where the line ending at `end` begins, not before `lower`.

    A memoryview cannot search; so copy a little, then more.
    """
    window = WINDOW_BYTES
    while True:
        start = max(lower, end - window)
        found = bytes(block[start : end - 1]).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        if start == lower:
            return lower
        window *= 8
