"""Proof that Python's backtracking `re` is linear for a pattern. Pure.

A log line must not be able to stall the logger, and each byte of a line is a
place where `re` may start anew: already `x*y` is quadratic on a line of x. The
proof counts, for one start, the ways through a part of the pattern (each of
them the rest may have to be tried on) and the steps spent in it, as a constant
times the line's length n to some power:

- a byte has one way, parts in a row multiply their ways, branches add theirs,
  `x{m,n}` adds the ways of m to n rounds;
- `x*` of single bytes has n ways, but one if what comes next is a byte that is
  not in x, or the end of the line: everywhere else the rest fails at once.

A branch is linear when its steps for one start do not depend on n, or when it
can start in one place only (`^` first). A third case, `ab[0-9]*c`: before its
only unbounded repeat each match needs a byte which that cannot take, so every
stretch of the line is run through from few starts.

Whatever else there is counts as not linear: "no" may be wrong, "yes" never is.
"""

from s6log.script.ere_facts import has_backref, longest, shortest
from s6log.script.tree import BOL, EOL, Alt, Assert, Cat, Empty, Node, Repeat, Set

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

STEPS_PER_BYTE = 200
"""The greatest constant we call linear: 8 KiB take some 20 ms at the worst."""

ROUNDS_LIMIT = 1000
"""More rounds of a repeat than this are not counted out."""


class Amount:
    """At most `factor` times the line's length to the power `degree`."""

    __slots__ = ("degree", "factor")

    def __init__(self, factor: int, degree: int = 0) -> None:
        self.factor = factor
        self.degree = degree

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(self.factor + other.factor, max(self.degree, other.degree))

    def __mul__(self, other: "Amount") -> "Amount":
        return Amount(self.factor * other.factor, self.degree + other.degree)


class Cost:
    """What one part of a pattern takes from one start: ways through it, steps."""

    __slots__ = ("steps", "ways")

    def __init__(self, ways: Amount, steps: Amount) -> None:
        self.ways = ways
        self.steps = steps

    def then(self, rest: "Cost") -> "Cost":
        """Add a part that is tried after each way through this one."""
        return Cost(self.ways * rest.ways, self.steps + self.ways * rest.steps)

    def beside(self, other: "Cost") -> "Cost":
        """Add an alternative."""
        return Cost(self.ways + other.ways, self.steps + other.steps)


ONE = Amount(1)
STEP = Cost(ONE, ONE)
NOTHING = Cost(ONE, Amount(0))
ENDLESS = Cost(Amount(1, 9), Amount(1, 9))


def is_linear(node: Node) -> bool:
    """Tell whether `re` surely takes at most STEPS_PER_BYTE steps for each byte.

    This holds for a search in a line as well as in a block of lines.
    """
    if has_backref(node):
        return False
    branches = node.branches if isinstance(node, Alt) else (node,)
    total = Amount(0)
    for branch in branches:
        total += _per_byte(branch.parts if isinstance(branch, Cat) else (branch,))
    return total.degree == 0 and total.factor <= STEPS_PER_BYTE


def _per_byte(parts: "Sequence[Node]") -> Amount:
    """Give the steps for each byte of a line, of one branch of the pattern."""
    steps = _row(parts).steps
    first = parts[0]
    if isinstance(first, Assert) and first.kind == BOL and steps.degree <= 1:
        return Amount(steps.factor + 1)
    if steps.degree == 1:
        return _per_byte_after_mark(parts, steps)
    return steps


def _per_byte_after_mark(parts: "Sequence[Node]", steps: Amount) -> Amount:
    """Try the third case; see the module's text.

    Let the repeat run over a stretch of bytes that it can take, and let a match
    of what is before it be at most `reach` long. That cannot lie all within the
    stretch, so it begins at one of the `reach` bytes before the stretch.
    """
    for index, part in enumerate(parts):
        if isinstance(part, Repeat) and part.most is None:
            before, after = parts[:index], parts[index + 1 :]
            reach = longest(Cat(tuple(before)))
            marked = isinstance(part.node, Set) and any(
                isinstance(mark, Set) and not mark.mask & part.node.mask
                for mark in before
            )
            if marked and reach is not None and not _row(after).steps.degree:
                return Amount(steps.factor * max(reach, 1))
    return steps


def _cost(node: Node) -> Cost:
    if isinstance(node, (Set, Assert)):
        return STEP
    if isinstance(node, Empty):
        return NOTHING
    if isinstance(node, Cat):
        return _row(node.parts)
    if isinstance(node, Alt):
        total = Cost(Amount(0), Amount(0))
        for branch in node.branches:
            total = total.beside(_cost(branch))
        return total
    return _repeat(node) if isinstance(node, Repeat) else ENDLESS


def _row(parts: "Sequence[Node]") -> Cost:
    total = NOTHING
    for part, following in zip(parts, (*parts[1:], None), strict=True):
        cost = _cost(part)
        if following is not None and _must_stop(part, following):
            cost = Cost(ONE, cost.steps + cost.steps)
        total = total.then(cost)
    return total


def _must_stop(part: Node, following: Node) -> bool:
    """Tell whether a repeat of single bytes has one end that what follows allows."""
    if not isinstance(part, Repeat) or not isinstance(part.node, Set):
        return False
    if isinstance(following, Repeat) and following.least:
        following = following.node
    if isinstance(following, Set):
        return not following.mask & part.node.mask
    return isinstance(following, Assert) and following.kind == EOL


def _repeat(node: Repeat) -> Cost:
    once = _cost(node.node)
    if node.most is None:
        if once.ways.factor > 1 or once.steps.degree or not shortest(node.node):
            return ENDLESS
        return Cost(Amount(1, 1), Amount(once.steps.factor + 1, 1))
    if node.most > ROUNDS_LIMIT:
        return ENDLESS
    rounds = NOTHING
    ways = Amount(0) if node.least else ONE
    for count in range(1, node.most + 1):
        rounds = rounds.then(once)
        if count >= node.least:
            ways += rounds.ways
        if rounds.ways.factor > STEPS_PER_BYTE:
            return ENDLESS
    return Cost(ways, rounds.steps)
