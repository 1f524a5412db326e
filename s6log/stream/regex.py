r"""A syntax tree as a pattern of Python's own `re`, with the same verdicts.

`re` takes the first branch that works where POSIX takes the longest; asked
only yes or no, both try whatever is left to try. Where it reads things its own
way, the source is written so that it cannot: every set is spelled out without
LF, every repeat of more than one byte has its own parentheses (`a*?` would be
lazy, `a*+` possessive), no `\B` (false on an empty line before Python 3.14).
`re` is imported where it is used: a logger without patterns never needs it.
"""

from s6log.script.ere_atoms import ANY
from s6log.script.tree import (
    BOL,
    EOL,
    NOT_WORD_EDGE,
    WORD_EDGE,
    WORD_END,
    WORD_START,
    Alt,
    Assert,
    BackRef,
    Cat,
    Group,
    Node,
    Repeat,
    Set,
)
from s6log.stream.backtracking import is_linear

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re

__all__ = ["compile_block", "compile_line", "is_linear", "to_re"]

PLACES = {
    BOL: b"^",
    EOL: b"$",
    WORD_START: rb"\b(?=\w)",
    WORD_END: rb"\b(?<=\w)",
    WORD_EDGE: rb"\b",
    NOT_WORD_EDGE: rb"(?!\b)",
}


def compile_line(node: Node) -> "re.Pattern[bytes]":
    """Give an object whose `search(line)` finds a match in one line without LF."""
    import re

    return re.compile(to_re(node, whole_block=False))


def compile_block(node: Node) -> "re.Pattern[bytes]":
    """Give an object whose `finditer(block)` finds each matching line once.

    A block is whole lines, each with its LF; NUL must have become LF already. A
    match begins somewhere in its line and ends after that line's LF.
    """
    import re

    return re.compile(to_re(node, whole_block=True))


def to_re(node: Node, whole_block: bool) -> bytes:
    """Write a tree for `re.compile`, for one line or for whole blocks of lines.

    For a block the rest of the line, LF included, is part of the match: so
    nothing matches after the last LF, where no line begins.
    """
    return b"(?m:%b)%b" % (_source(node), rb".*\n" if whole_block else b"")


def _source(node: Node) -> bytes:
    if isinstance(node, Set):
        return _set(node.mask)
    if isinstance(node, Assert):
        return PLACES[node.kind]
    if isinstance(node, Cat):
        return b"".join(map(_part, node.parts))
    if isinstance(node, Alt):
        return b"|".join(map(_source, node.branches))
    if isinstance(node, Repeat):
        return _atom(node.node) + _count(node.least, node.most)
    return _capture(node)


def _capture(node: Node) -> bytes:
    if isinstance(node, Group):
        return b"(?P<g%d>%b)" % (node.number, _source(node.node))
    if isinstance(node, BackRef):
        return b"(?P=g%d)" % node.number
    return b""


def _part(node: Node) -> bytes:
    source = _source(node)
    return b"(?:%b)" % source if isinstance(node, Alt) else source


def _atom(node: Node) -> bytes:
    source = _source(node)
    return source if isinstance(node, (Set, Group, BackRef)) else b"(?:%b)" % source


def _count(least: int, most: int | None) -> bytes:
    if most is None:
        return b"*" if not least else b"{%d,}" % least
    return b"{%d,%d}" % (least, most)


def _set(mask: int) -> bytes:
    """Write a set; its bytes as hexadecimal, so that none can mean anything."""
    if not mask:
        return b"(?!)"
    if mask == ANY:
        return b"."  # without DOTALL, just what we mean
    spans = _spans(mask)
    if mask & (mask - 1) == 0:
        return rb"\x%02x" % spans[0][0]
    return b"[%b]" % b"".join(rb"\x%02x-\x%02x" % span for span in spans)


def _spans(mask: int) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    for byte in range(256):
        if mask >> byte & 1:
            adjoins = spans and spans[-1][1] == byte - 1
            first = spans.pop()[0] if adjoins else byte
            spans.append((first, byte))
    return spans
