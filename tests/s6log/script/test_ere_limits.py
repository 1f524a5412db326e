"""What is refused because glibc does not do what the pattern says."""

import pytest

import oracle_regex
from s6log.script.ere import EreRefusal, parse

glibc = pytest.mark.skipif(not oracle_regex.available(), reason="not on glibc")

WRONG = [
    (b"(^a)+$", b"aa", True),
    (rb"(b\b){2}", b"bb", True),
    (b"(b$){2}", b"bb", True),
    (rb"(\<b){3}", b"bbb", True),
    (rb"([ab]{1,2}){2}\1", b"aaa", False),
    (rb"(a){0,2}\1b", b"aab", False),
    (rb"((b?|(|a)(.).)\3)", b"", True),
    (rb"^(($|)[ab]\2)$", b"a", False),
    (rb"^b?(([ab]*)(\2\2))$", b"bb", True),
]
"""Patterns, lines, and what regexec says of them, which is not what they mean."""


@glibc
@pytest.mark.parametrize(("pattern", "line", "found"), WRONG)
def test_glibc_is_still_wrong(pattern: bytes, line: bytes, found: bool) -> None:
    """Should this fail one day, the refusal is no longer needed."""
    assert oracle_regex.matches(pattern, line) == found


@pytest.mark.parametrize("pattern", [pattern for pattern, _, _ in WRONG])
def test_what_glibc_gets_wrong_is_refused(pattern: bytes) -> None:
    """Neither its verdict nor another is given."""
    with pytest.raises(EreRefusal):
        parse(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        rb"\b(foo ?)+\b",
        b"(^|,)+x",
        b"(^a)*b",
        b"(^a)?b",
        b"(^a){1}b",
        rb"(\w+\>){1}",
        rb"(.)\1",
        rb"(.)\1{3,}",
        rb"^(.*)\1$",
        rb"^(.*) and \1$",
        rb"(\w+) (\w+) \2 \1",
        rb"([ab])(c|\1)*d",
    ],
)
def test_what_glibc_gets_right_is_not_refused(pattern: bytes) -> None:
    """The rules leave alone what people write."""
    parse(pattern)
