"""Patterns as one nondeterministic automaton, stepped with plain integers. Pure.

A set of positions (`positions.py`) is an int, and all patterns of a script share
one such int, so that a step costs a few operations on integers: a mask and a
shift for each distance between neighbours, a test for each link.

An assertion is a position that takes no byte. What it asks about the byte
before is settled when it is reached; it then waits for the byte after.
"""

from s6log.script.ere_atoms import WORD as WORD_BYTES
from s6log.script.tree import (
    BOL,
    EOL,
    NOT_WORD_EDGE,
    WORD_EDGE,
    WORD_END,
    WORD_START,
    Node,
)
from s6log.stream.positions import Builder, mask_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from s6log.stream.work import Work

BYTES = 256
LF = 10

SIDES = EDGE, OTHER, WORD = range(3)
"""What stands beside a place: an end of the line, a byte of no word, of a word."""


def holds(kind: int, before: int, after: int) -> bool:
    """Tell whether an assertion is true between two sides (EDGE, OTHER, WORD).

    An edge before is the line's start, after it the line's end; both count as
    no word.
    """
    if kind == BOL:
        return before == EDGE
    if kind == EOL:
        return after == EDGE
    starts = before != WORD and after == WORD
    ends = before == WORD and after != WORD
    return {
        WORD_START: starts,
        WORD_END: ends,
        WORD_EDGE: starts or ends,
        NOT_WORD_EDGE: not (starts or ends),
    }[kind]


def partition(masks: "Iterable[int]") -> list[int]:
    """Split the 256 bytes into the fewest classes that tell all masks apart."""
    classes = [(1 << BYTES) - 1]
    for mask in masks:
        if len(classes) == BYTES:
            break
        halves = [half for old in classes for half in (old & mask, old & ~mask)]
        classes = [half for half in halves if half]
    return classes


class Nfa:
    """Several patterns, searched for at once; numbered as they were given.

    A *place* in a line is (bits, before): the positions that may take the next
    byte, assertions that wait for it, finals just reached; and what stands
    before. `always` has the patterns that match any line, as bits by number.
    """

    __slots__ = (
        "_again",
        "_asserts",
        "_down",
        "_final_of",
        "_links",
        "_members",
        "_opened",
        "_possible",
        "_spans",
        "_start",
        "_stay",
        "_step",
        "_up",
        "always",
        "classes",
        "finals",
        "width",
        "work",
    )

    def __init__(self, trees: "Sequence[Node]", work: "Work") -> None:
        builder = Builder()
        self.work = work
        self.always = 0
        self._start: list[int] = []  # of each pattern: first positions in a line
        self._spans: list[int] = []  # of each pattern: all its positions
        self._final_of: dict[int, int] = {}
        for number, tree in enumerate(trees):
            base = builder.positions
            whole, final = builder.add(tree)
            self.always |= whole.nullable << number
            self._final_of[1 << final] = 1 << number
            self._start.append(mask_of(whole.first))
            self._spans.append((2 << final) - (1 << base))
        self.finals = sum(self._final_of)
        moves, self._links = builder.edges()
        self._stay = moves.pop(0, 0)
        self._up = [(mask, by) for by, mask in moves.items() if by > 0]
        self._step = 1 + len(moves) + len(self._links)
        self._down = [(mask, -by) for by, mask in moves.items() if by < 0]
        self._set_asserts(builder.asserts, (1 << builder.positions) - 1)
        self._set_classes(builder.sets, builder.asserts)

    def _set_asserts(self, asserts: dict[int, list[int]], everything: int) -> None:
        masks = {kind: mask_of(positions) for kind, positions in asserts.items()}
        self._asserts = sum(masks.values())
        self._opened = [
            [
                sum(mask for kind, mask in masks.items() if holds(kind, before, after))
                for after in SIDES
            ]
            for before in SIDES
        ]
        consuming = everything & ~self._asserts
        self._possible = [
            consuming | opened[0] | opened[1] | opened[2] for opened in self._opened
        ]
        not_bol = everything & ~masks.get(BOL, 0)
        self._again = [start & not_bol for start in self._start]

    def _set_classes(
        self, sets: dict[int, list[int]], asserts: dict[int, list[int]]
    ) -> None:
        edges = bool(asserts.keys() - {BOL, EOL})
        parts = partition([1 << LF, *([WORD_BYTES] if edges else ()), *sets])
        self.width = len(parts)
        classes = bytearray(BYTES)
        members = {mask: mask_of(positions) for mask, positions in sets.items()}
        self._members: list[tuple[int, int]] = []
        for number, part in enumerate(parts):
            for byte in range(BYTES):
                if part >> byte & 1:
                    classes[byte] = number
            member = sum(m for mask, m in members.items() if mask & part)
            side = WORD if edges and part & WORD_BYTES else OTHER
            self._members.append((member, side))
        self.classes = bytes(classes)

    def begin(self) -> int:
        """Give the bits at the start of a line; what stands before is EDGE."""
        bits = 0
        for start in self._start:
            bits |= start
        # What holds here whatever comes after: only `^`.
        certain = self._opened[EDGE][OTHER] & ~self._possible[OTHER]
        return self._through(bits, certain) & self._possible[EDGE] & ~certain

    def again(self, gone: int) -> int:
        """Give the bits with which patterns, but for those `gone`, begin later."""
        bits = 0
        for number, again in enumerate(self._again):
            if not gone >> number & 1:
                bits |= again
        return bits

    def advance(
        self, bits: int, before: int, class_: int, again: int
    ) -> tuple[int, int]:
        """Take one byte, then let the patterns of `again` begin after it."""
        member, after = self._members[class_]
        if bits & self._asserts:
            bits = self._through(bits, self._opened[before][after])
        bits = self._follow(bits & member) | bits & self.finals | again
        bits &= self._possible[after]
        return bits, after if bits & self._asserts else OTHER

    def finish(self, bits: int, before: int) -> int:
        """Take the end of the line: assertions see the edge."""
        return self._through(bits, self._opened[before][EDGE])

    def matched(self, bits: int) -> int:
        """Give the patterns whose final position is among the bits."""
        hits = bits & self.finals
        found = 0
        while hits:
            found |= self._final_of[hits & -hits]
            hits &= hits - 1
        return found

    def keep(self, bits: int, patterns: int) -> int:
        """Leave only the positions of these patterns."""
        kept = 0
        for number, span in enumerate(self._spans):
            if patterns >> number & 1:
                kept |= span
        return bits & kept & ~self.finals

    def dead(self, bits: int, patterns: int) -> int:
        """Give those of the patterns that nothing after here can match."""
        found = 0
        for number, span in enumerate(self._spans):
            if patterns >> number & 1 and not (bits & span or self._again[number]):
                found |= 1 << number
        return found

    def _follow(self, bits: int) -> int:
        self.work.steps += self._step
        after = bits & self._stay
        for sources, distance in self._up:
            after |= (bits & sources) << distance
        for sources, distance in self._down:
            after |= (bits & sources) >> distance
        for sources, targets in self._links:
            if bits & sources:
                after |= targets
        return after

    def _through(self, bits: int, opened: int) -> int:
        """Go on through the assertions that hold, as far as they lead."""
        ready = bits & opened
        while ready:
            found = self._follow(ready) & ~bits
            bits |= found
            ready = found & opened
        return bits
