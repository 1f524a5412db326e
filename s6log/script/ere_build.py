"""Building the smallest tree for a pattern that is only asked yes or no. Pure.

Every step is exact, and rests on one of two facts: the order of branches does
not matter, and neither does where in the line a match begins or ends.
"""

from s6log.script.ere_atoms import ANY
from s6log.script.ere_facts import nullable_without_assertion
from s6log.script.tree import BOL, EOL, Alt, Assert, Cat, Empty, Node, Repeat, Set

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

NEVER = Set(0)
EMPTY = Empty()
COUNT_LIMIT = 1 << 31
"""Repeats are not folded into one beyond this; Python's `re` ends at 2**32."""


def cat(parts: "list[Node]") -> Node:
    """Put parts one after the other."""
    flat: list[Node] = []
    for part in parts:
        if isinstance(part, Set) and not part.mask:
            return NEVER
        if isinstance(part, Cat):
            flat.extend(part.parts)
        elif not isinstance(part, Empty):
            flat.append(part)
    if not flat:
        return EMPTY
    return flat[0] if len(flat) == 1 else Cat(tuple(flat))


def alt(branches: "list[Node]") -> Node:
    """Let any of the branches match; single bytes become one set."""
    mask = 0
    optional = False
    others: list[Node] = []
    for branch in _flat(branches):
        if isinstance(branch, Set):
            mask |= branch.mask
        elif isinstance(branch, Empty):
            optional = True
        else:
            others.append(branch)
    if mask:
        others.insert(0, Set(mask))
    if not others:
        return EMPTY if optional else NEVER
    either = others[0] if len(others) == 1 else Alt(tuple(others))
    return repeat(either, 0, 1) if optional else either


def _flat(branches: "list[Node]") -> "Iterator[Node]":
    """Take branches apart that are branches themselves: `a|(b|c?)`."""
    for branch in branches:
        if isinstance(branch, Alt):
            yield from branch.branches
        elif isinstance(branch, Repeat) and (branch.least, branch.most) == (0, 1):
            yield EMPTY
            yield from _flat([branch.node])
        else:
            yield branch


def repeat(node: Node, least: int, most: int | None) -> Node:
    """Repeat a node in which no back-reference names a group."""
    if isinstance(node, Empty) or most == 0:
        return EMPTY
    if isinstance(node, Assert):
        return node if least else EMPTY
    if isinstance(node, Set) and not node.mask:
        return NEVER if least else EMPTY
    if nullable_without_assertion(node):
        least = 0  # the empty string, several times, is no times
    if most is None:
        node = _rounds(node)
    if isinstance(node, Repeat):
        folded = _fold(node, least, most)
        if folded is not None:
            return folded
    return node if (least, most) == (1, 1) else Repeat(node, least, most)


def _fold(inner: Repeat, least: int, most: int | None) -> Node | None:
    """Make one repeat of two, where the counts leave no gap between them.

    `k` rounds give `k * inner.least` to `k * inner.most` times, and if there is
    a gap at all there is one after the smallest `k`.
    """
    if inner.most is not None or not least:
        reach = least * (inner.most or 0)
        if least != most and reach + 1 < (least + 1) * inner.least:
            return None
    low = least * inner.least
    high = None if most is None or inner.most is None else most * inner.most
    if max(low, high or 0) > COUNT_LIMIT:
        return None
    return repeat(inner.node, low, high)


def _rounds(node: Node) -> Node:
    """Simplify what is repeated without end: `(a*b?)*` and `(a+|b)*` are `[ab]*`."""
    if isinstance(node, Cat) and nullable_without_assertion(node):
        return alt([_round(part) for part in node.parts])
    if isinstance(node, Alt):
        return alt([_round(branch) for branch in node.branches])
    return _round(node)


def _round(node: Node) -> Node:
    """Take one round out of `x*`, `x+` or `x?`."""
    if isinstance(node, Repeat) and node.least <= 1 and node.most in (None, 1):
        return node.node
    return node


def trim(node: Node, left: bool = True, right: bool = True) -> Node:
    """Drop what does not change in which lines a match is found.

    `left` and `right` tell at which ends of the whole pattern the node stands;
    at one at least.
    What may be empty there can go, and of `x{3,}` only `x{3}` is needed.
    """
    if nullable_without_assertion(node):
        return EMPTY
    if left and right and _is_edge(node):
        return EMPTY  # every line has its edges
    if isinstance(node, Cat):
        return _trim_cat(node, left, right)
    if isinstance(node, Alt):
        return alt([trim(branch, left, right) for branch in node.branches])
    if isinstance(node, Repeat):
        return _trim_repeat(node, left, right)
    return node


def _is_edge(node: Node) -> bool:
    return isinstance(node, Assert) and node.kind in (BOL, EOL)


def _trim_repeat(node: Repeat, left: bool, right: bool) -> Node:
    if node.least == 1:
        return trim(node.node, left, right)
    return repeat(node.node, node.least, node.least)


def _trim_cat(node: Cat, left: bool, right: bool) -> Node:
    parts = list(node.parts)
    while left and len(parts) > 1 and _idle(BOL, parts[0], parts[1]):
        del parts[0]
    while right and len(parts) > 1 and _idle(EOL, parts[-1], parts[-2]):
        del parts[-1]
    if len(parts) == 1:
        return trim(parts[0], left, right)
    if left:
        parts[0] = trim(parts[0], True, False)
    if right:
        parts[-1] = trim(parts[-1], False, True)
    return cat(parts)


def _idle(edge: int, outer: Node, inner: Node) -> bool:
    """Tell whether the outer part asks for nothing, as both do in `^.*x`."""
    if isinstance(outer, Assert) and outer.kind == edge:
        return (
            isinstance(inner, Repeat)
            and inner.most is None
            and isinstance(inner.node, Set)
            and inner.node.mask == ANY
        )
    return nullable_without_assertion(outer)
