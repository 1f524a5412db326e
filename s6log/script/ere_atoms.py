"""The pieces of a POSIX extended regular expression that hold no other. Pure.

Byte sets, bracket expressions, intervals and escapes, each read exactly as
glibc 2.36 reads it in the C locale (posix/regcomp.c: peek_token,
parse_bracket_exp, parse_dup_op). No set ever contains LF: no line does.
"""

from s6log.script.tree import (
    BOL,
    EOL,
    NOT_WORD_EDGE,
    WORD_EDGE,
    WORD_END,
    WORD_START,
    Assert,
    Node,
    Set,
)

REPEAT_LIMIT = 32767  # RE_DUP_MAX of glibc


class EreError(Exception):
    """The pattern is not valid, or is refused.

    `reason` is for the user; `position` counts the pattern's bytes from 0.
    """

    def __init__(self, reason: str, position: int) -> None:
        super().__init__(reason, position)
        self.reason = reason
        self.position = position


class EreRefusal(EreError):
    """glibc takes the pattern, but we could not promise its verdict."""


def span(first: int, last: int) -> int:
    """Give the mask of the bytes `first` to `last`, both included."""
    return (2 << last) - (1 << first)


LF = 1 << 0x0A
ANY = span(0, 255) ^ LF
DIGIT = span(0x30, 0x39)
UPPER = span(0x41, 0x5A)
LOWER = span(0x61, 0x7A)
SPACE = (span(0x09, 0x0D) | 1 << 0x20) & ~LF
WORD = DIGIT | UPPER | LOWER | 1 << 0x5F
GRAPH = span(0x21, 0x7E)

CLASSES = {
    b"alnum": DIGIT | UPPER | LOWER,
    b"alpha": UPPER | LOWER,
    b"blank": 1 << 0x09 | 1 << 0x20,
    b"cntrl": (span(0x00, 0x1F) | 1 << 0x7F) & ~LF,
    b"digit": DIGIT,
    b"graph": GRAPH,
    b"lower": LOWER,
    b"print": GRAPH | 1 << 0x20,
    b"punct": GRAPH & ~(DIGIT | UPPER | LOWER),
    b"space": SPACE,
    b"upper": UPPER,
    b"xdigit": DIGIT | span(0x41, 0x46) | span(0x61, 0x66),
}
"""isalpha(3) and its like in the C locale: ASCII only."""

ESCAPES: dict[int, Node] = {
    ord("w"): Set(WORD),
    ord("W"): Set(ANY & ~WORD),
    ord("s"): Set(SPACE),
    ord("S"): Set(ANY & ~SPACE),
    ord("b"): Assert(WORD_EDGE),
    ord("B"): Assert(NOT_WORD_EDGE),
    ord("<"): Assert(WORD_START),
    ord(">"): Assert(WORD_END),
    ord("`"): Assert(BOL),
    ord("'"): Assert(EOL),
}
"""What a backslash gives a meaning to, besides the digits 1 to 9."""


def interval(pattern: bytes, brace: int) -> tuple[int, int | None, int]:
    """Read `{m}`, `{m,}`, `{,n}` or `{m,n}`: least, most, first byte after it.

    glibc fetches the inside as tokens, so an escaped `0` or `,` still counts.
    """
    end = pattern.find(b"}", brace)
    if end < 0:
        raise EreError("unmatched {", brace)
    inside = pattern[brace + 1 : end].replace(b"\\0", b"0").replace(b"\\,", b",")
    low, comma, high = inside.partition(b",")
    if not inside or (low + high).strip(b"0123456789"):
        raise EreError("bad interval: write {m}, {m,}, {,n} or {m,n}", brace)
    least = _number(low) if low else 0
    most = (_number(high) if high else None) if comma else least
    if most is not None and most < least:
        raise EreError("bad interval: the first number is the greater one", brace)
    if (most or least) > REPEAT_LIMIT:
        raise EreError(f"bad interval: more than {REPEAT_LIMIT} times", brace)
    return least, most, end + 1


def _number(digits: bytes) -> int:
    """Give the number; of one far beyond the limit only enough to see that."""
    return int(digits.lstrip(b"0")[:6] or b"0")


class Bracket:
    """A reader of one bracket expression; `at` is the next byte to read."""

    __slots__ = ("at", "opening", "pattern")

    def __init__(self, pattern: bytes, opening: int) -> None:
        self.pattern = pattern
        self.opening = opening
        self.at = opening + 1

    def read(self) -> int:
        """Give the mask of the whole expression; leave `at` after its `]`."""
        negated = self._sees(b"^")
        if negated:
            self.at += 1
        start = self.at
        mask = 0
        while self.at == start or not self._sees(b"]"):
            mask |= self._item(self.at == start)
        self.at += 1
        return ANY & ~mask if negated else mask & ~LF

    def _sees(self, text: bytes) -> bool:
        return self.pattern.startswith(text, self.at)

    def _item(self, first: bool) -> int:
        """Read a class, a byte or a range of bytes; a `-` only where it may be."""
        if self._sees(b"[:"):
            return self._class()
        if self._sees(b"[="):
            return 1 << self._one_byte(b"=")
        if self._sees(b"-") and not first and not self._sees(b"-]"):
            raise EreError("a range without a first byte", self.at)
        low = self._byte()
        if not self._sees(b"-") or self._sees(b"-]"):
            return 1 << low
        return self._range(low)

    def _range(self, low: int) -> int:
        """Read the `-` and what follows it."""
        dash = self.at
        self.at += 1
        if self._sees(b"[:") or self._sees(b"[="):
            raise EreError("a class cannot end a range", self.at)
        high = self._byte()
        if high < low:
            raise EreError("a range of bytes runs backwards", dash)
        return span(low, high)

    def _byte(self) -> int:
        if self._sees(b"[."):
            return self._one_byte(b".")
        if self.at >= len(self.pattern):
            raise EreError("unmatched [", self.opening)
        self.at += 1
        return self.pattern[self.at - 1]

    def _name(self, kind: bytes) -> bytes:
        """Read what stands between `[:` and `:]`, or another kind of mark."""
        start = self.at + 2
        end = self.pattern.find(kind + b"]", start)
        if end < 0:
            raise EreError(f"unmatched [{kind.decode()}", self.at)
        self.at = end + 2
        return self.pattern[start:end]

    def _one_byte(self, kind: bytes) -> int:
        start = self.at
        name = self._name(kind)
        if len(name) != 1:
            raise EreError("not one byte between the marks", start)
        return name[0]

    def _class(self) -> int:
        start = self.at
        mask = CLASSES.get(self._name(b":"))
        if mask is None:
            raise EreError(f"unknown class: use one of {_class_names()}", start)
        return mask


def _class_names() -> str:
    return " ".join(f"[:{name.decode()}:]" for name in CLASSES)
