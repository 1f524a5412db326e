"""Searching a whole block with `re` for the lines that a pattern matches. Pure."""

from s6log.script.tree import BOL, Alt, Assert, Cat, Empty, Node
from s6log.stream.regex import compile_block, to_re


class Finder:
    """One pattern, compiled to search a block in one go.

    For `re` an `^` may be anywhere, so it tries everywhere. Looking for the LF
    before it is seven times as fast; so those patterns get a block with one LF
    more in front, and are not shown its last one, after which no line begins.
    """

    __slots__ = ("_anchored", "_find")

    def __init__(self, tree: Node) -> None:
        rest = after_bol(tree)
        self._anchored = rest is not None
        if rest is None:
            self._find = compile_block(tree).finditer
        else:
            import re

            source = rb"\n%b.*" % to_re(rest, whole_block=False)
            self._find = re.compile(source).finditer

    def ends(self, data: bytes) -> list[int]:
        """Give where the lines that match end, in order; LF included."""
        if self._anchored:
            found = self._find(b"\n" + data, 0, len(data))
        else:
            found = self._find(data)
        return [match.end() for match in found]


def after_bol(tree: Node) -> Node | None:
    """Give what follows the `^` that a pattern begins with in any case, if it does."""
    if isinstance(tree, Assert) and tree.kind == BOL:
        return Empty()
    if isinstance(tree, Cat):
        first = after_bol(tree.parts[0])
        return first and Cat((first, *tree.parts[1:]))
    if isinstance(tree, Alt):
        rests = [rest for rest in map(after_bol, tree.branches) if rest is not None]
        return Alt(tuple(rests)) if len(rests) == len(tree.branches) else None
    return None
