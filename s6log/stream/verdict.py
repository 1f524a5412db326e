"""What a script's selectors decide, as soon as enough patterns are known. Pure.

The rules are those of s6-log: for each line (selected, acted) starts as (yes,
no); `+` selects, `-` deselects, `f` selects what no element has acted on so far;
each element acts on what is selected after its selectors, and the next element
starts from there.
"""

from s6log.script.ere_facts import nullable_without_assertion

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from s6log.script.model import Selector
    from s6log.script.tree import Node

    Step = tuple[bytes, int]

# Ordered so that "or" is max, "and" is min, "not" is YES - x.
NO, UNKNOWN, YES = range(3)

SELECT, DESELECT, REST = b"+", b"-", b"f"
ALWAYS = 0  # in place of a pattern's bit: matches every line


class Program:
    """The selectors of all elements, with patterns as bits.

    An *outcome* is a number for the set of elements that act on a line;
    `masks[outcome]` has bit i set when element i does. `trees` are the
    patterns by number; 1 << number stands for one in a step.
    """

    __slots__ = ("_known", "_numbers", "elements", "everything", "masks", "trees")

    def __init__(
        self, elements: "Sequence[Sequence[Step]]", trees: "Sequence[Node]"
    ) -> None:
        self.elements = elements
        self.trees = trees
        self.everything = (1 << len(trees)) - 1
        self.masks: list[int] = []
        self._numbers: dict[int, int] = {}
        self._known: dict[tuple[int, int], tuple[int, int]] = {}

    def part(self, numbers: "Sequence[int]") -> "Program":
        """Make a program that only tells which of these patterns match.

        Bit i of its masks stands for the pattern numbers[i] of this one.
        """
        alone = [
            ((DESELECT, ALWAYS), (SELECT, 1 << own)) for own in range(len(numbers))
        ]
        return Program(alone, [self.trees[number] for number in numbers])

    def number(self, mask: int) -> int:
        """Give the outcome for a set of elements."""
        if mask not in self._numbers:
            self._numbers[mask] = len(self.masks)
            self.masks.append(mask)
        return self._numbers[mask]

    def constant(self) -> int:
        """Give the outcome of every line, if patterns make no difference, else -1."""
        if len(self.trees) == 1 and self.verdict(0) == self.verdict(1):
            return self.verdict(0)  # as in `-a +a`
        return self.judge(0, 0)[0]

    @property
    def remembered(self) -> int:
        """Tell how many verdicts are kept until `forget`."""
        return len(self._known)

    def forget(self) -> None:
        """Drop what was remembered of verdicts; outcomes keep their numbers."""
        self._known.clear()

    def verdict(self, yes: int) -> int:
        """Give the outcome of a line that matches exactly these patterns."""
        return self.judge(yes, self.everything & ~yes)[0]

    def judge(self, yes: int, no: int) -> tuple[int, int]:
        """Evaluate with the patterns known to match, and those known not to.

        Returns (outcome, open): the outcome is -1 until it is certain; then
        `open` has the patterns that may still make a difference.
        """
        key = yes, no
        if key not in self._known:
            self._known[key] = self._judge(yes, no)
        return self._known[key]

    def _judge(self, yes: int, no: int) -> tuple[int, int]:
        selected, acted = YES, NO
        mask = matters = 0
        certain = True
        for number, element in enumerate(self.elements):
            states = []
            values = []
            for kind, pattern in element:
                value = _value(pattern, yes, no)
                states.append(selected)
                values.append(value)
                selected = _apply(kind, value, selected, acted)
            matters |= _open(element, states, values)
            acted = max(acted, selected)
            certain &= selected != UNKNOWN
            mask |= (selected == YES) << number
        return (self.number(mask), 0) if certain else (-1, matters)


def program_of(elements: "Sequence[Sequence[Selector]]") -> Program:
    """Read a script's selectors; equal patterns become one, or ALWAYS."""
    numbers: dict[bytes, int] = {}
    trees: list[Node] = []
    steps: list[list[Step]] = []
    for element in elements:
        steps.append([])
        for selector in element:
            pattern = ALWAYS
            if selector.tree and not nullable_without_assertion(selector.tree):
                number = numbers.setdefault(selector.pattern, len(trees))
                if number == len(trees):
                    trees.append(selector.tree)
                pattern = 1 << number
            steps[-1].append((selector.kind, pattern))
    return Program(steps, trees)


def _value(pattern: int, yes: int, no: int) -> int:
    if pattern == ALWAYS or pattern & yes:
        return YES
    return NO if pattern & no else UNKNOWN


def _apply(kind: bytes, value: int, selected: int, acted: int) -> int:
    if kind == SELECT:
        return max(selected, value)
    if kind == DESELECT:
        return min(selected, YES - value)
    return YES - acted


def _open(element: "Sequence[Step]", states: list[int], values: list[int]) -> int:
    """Give the unknown patterns that can still change what an element selects.

    From the last selector back to one that decides whatever came before it.
    """
    found = 0
    for (kind, pattern), selected, value in zip(
        reversed(element), reversed(states), reversed(values), strict=True
    ):
        if kind == REST:
            break
        decided = YES if kind == SELECT else NO
        if value == UNKNOWN and selected != decided:
            found |= pattern
        if value == YES:
            break
    return found
