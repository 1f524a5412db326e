"""One block on its way to the outputs: which lines, with which prefix. Pure.

Outputs ask for what they want by their routes; what two of them want alike is
made once. Everything given out is valid until the next block begins.
"""

from s6log.stream.format import prefix_size, prefixed, repeat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Protocol

    from s6log.script.model import Format
    from s6log.stream.blocks import Data
    from s6log.stream.format import Prefixes

    Piece = tuple[bytes, Data, int]
    """head + data[:end]: whole lines. Most often nothing was copied for it."""

    class Classified(Protocol):
        """Which line of a block has which outcome (see runs.py)."""

        ends: Sequence[int]
        outcomes: Sequence[int]

        def outcome(self) -> int:
            """Give the outcome of all lines, or -1 when they differ."""

        def gather(self, table: Sequence[tuple[bytes, ...]], /) -> bytes:
            """Write each line once for each prefix in `table[outcome]`."""

        def last(self, wanted: Sequence[bool], /) -> tuple[int, int] | None:
            """Give (start, end) of the last line with a wanted outcome."""

    class Selecting(Protocol):
        """What classifies blocks (see selection.py).

        `masks[outcome]` has bit i set when element i takes such a line.
        """

        masks: list[int]

        def classify(self, block: memoryview, /) -> Classified:
            """Find the outcome of each line of a block."""


class Route:
    """One action's wish: lines that this element selects, in this format."""

    __slots__ = ("bit", "format")

    def __init__(self, element: int, format_: "Format") -> None:
        self.bit = 1 << element
        self.format = format_

    @property
    def size(self) -> int:
        """How many bytes are put before each line."""
        return prefix_size(self.format)


class Batch:
    """A block of whole lines, classified by the script's selection.

    Without a selection there is one element, and it takes every line.
    """

    __slots__ = (
        "_cache",
        "_mask",
        "_masks",
        "_runs",
        "_selection",
        "data",
        "end",
        "now_ns",
        "prefixes",
    )

    def __init__(self, selection: "Selecting | None", prefixes: "Prefixes") -> None:
        self._selection = selection
        self._masks = [1] if selection is None else selection.masks
        self._mask = 1  # of all lines of the block; -1 when they differ
        self._runs: Classified | None = None
        self._cache: dict[object, Piece] = {}
        self.prefixes = prefixes
        self.data: Data = b""
        self.end = 0
        self.now_ns = 0

    def begin(self, data: "Data", end: int, now_ns: int) -> None:
        """Take the block data[:end], not empty, read at `now_ns`."""
        self.data = data
        self.end = end
        self.now_ns = now_ns
        self._cache.clear()
        self.prefixes.at(now_ns)
        if self._selection is not None:
            self._runs = runs = self._selection.classify(memoryview(data)[:end])
            outcome = runs.outcome()
            self._mask = -1 if outcome < 0 else self._masks[outcome]

    def spans(
        self, routes: "Sequence[Route]"
    ) -> "Iterator[tuple[int, int, tuple[int, ...]]]":
        """Give the parts (start, end) of the block, and who wants each, in order.

        Who: numbers of routes, not none. Consecutive lines for the same are a part.
        """
        masks, runs = self._masks, self._runs
        if self._mask >= 0 or runs is None:
            found = [(self.end, self._mask)]
        else:
            pairs = zip(runs.ends, runs.outcomes, strict=True)
            found = [(end, masks[outcome]) for end, outcome in pairs]
        start = 0
        for end, mask in found:
            wanted = tuple(n for n, route in enumerate(routes) if route.bit & mask)
            if wanted:
                yield start, end, wanted
            start = end

    def render(self, routes: "Sequence[Route]") -> "Piece | None":
        """Give the lines these routes want as records, or None for no line.

        A line that several routes want comes once for each, one after the other.
        """
        of = self.prefixes.of
        if self._mask < 0:
            return self._gather([of(route.format) for route in routes], routes)
        wanted = [of(route.format) for route in routes if route.bit & self._mask]
        if len(wanted) > 1:
            repeated = repeat(self.data, self.end, wanted)
            return b"", repeated, len(repeated)
        return self._prefixed(wanted[0]) if wanted else None

    def plain(
        self, routes: "Sequence[Route]", marks: "Sequence[bytes]"
    ) -> "Piece | None":
        """Give the lines as they are, each after its route's mark (may be empty)."""
        if self._mask < 0:
            return self._gather(marks, routes)
        wanted = [
            mark
            for route, mark in zip(routes, marks, strict=True)
            if route.bit & self._mask
        ]
        if not wanted:
            return None
        if wanted == [b""]:
            return b"", self.data, self.end
        marked = repeat(self.data, self.end, wanted)
        return b"", marked, len(marked)

    def last(self, route: Route) -> bytes | None:
        """Give the last line the route wants, as a record; None for no line."""
        span = None
        if self._mask >= 0:
            if route.bit & self._mask:
                span = self.data.rfind(b"\n", 0, self.end - 1) + 1, self.end
        elif self._runs is not None:
            span = self._runs.last([bool(mask & route.bit) for mask in self._masks])
        if span is None:
            return None
        return self.prefixes.of(route.format) + self.data[slice(*span)]

    def _prefixed(self, prefix: bytes) -> "Piece":
        piece = self._cache.get(prefix)
        if piece is None:
            piece = self._cache[prefix] = prefixed(self.data, self.end, prefix)
        return piece

    def _gather(
        self, prefixes: "Sequence[bytes]", routes: "Sequence[Route]"
    ) -> "Piece | None":
        pairs = list(zip(routes, prefixes, strict=True))
        table = tuple(
            tuple(prefix for route, prefix in pairs if route.bit & mask)
            for mask in self._masks
        )
        piece = self._cache.get(table)
        if piece is None:
            data = b"" if self._runs is None else self._runs.gather(table)
            piece = self._cache[table] = b"", data, len(data)
        return piece if piece[2] else None
