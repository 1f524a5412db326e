"""Patterns to trees: what is valid, and what is made small."""

import pytest
from hypothesis import given, settings

import ere_cases
import oracle_regex
import strategies_ere
from s6log.script.ere import EreError, EreRefusal, parse
from s6log.script.ere_facts import size
from s6log.script.ere_limits import DEPTH_LIMIT
from s6log.stream.regex import compile_line, is_linear, to_re

glibc = pytest.mark.skipif(not oracle_regex.available(), reason="not on glibc")


def verdict(pattern: bytes) -> str:
    """Say what becomes of a pattern."""
    try:
        parse(pattern)
    except EreRefusal:
        return "refused"
    except EreError:
        return "invalid"
    return "valid"


def accepted_by_glibc(pattern: bytes) -> bool:
    """Say what regcomp does with a pattern."""
    try:
        with oracle_regex.Compiled(pattern):
            return True
    except oracle_regex.InvalidPattern:
        return False


def written(pattern: bytes) -> bytes:
    """Write a pattern's tree in a form that can be compared."""
    return to_re(parse(pattern), whole_block=False)


@pytest.mark.parametrize("subject", ere_cases.SUBJECTS)
def test_takes_what_the_table_says(subject: str) -> None:
    """Each pattern of the table is valid, invalid or refused as it says there."""
    for case in ere_cases.about(subject):
        assert verdict(case.pattern) == case.verdict, case


@glibc
@pytest.mark.parametrize("subject", ere_cases.SUBJECTS)
def test_the_table_is_right_about_what_is_valid(subject: str) -> None:
    """The real regcomp takes the patterns that the table says it takes."""
    for case in ere_cases.about(subject):
        assert accepted_by_glibc(case.pattern) == (case.verdict != "invalid"), case


@glibc
@pytest.mark.parametrize("subject", ere_cases.SUBJECTS)
def test_the_table_is_right_about_lines(subject: str) -> None:
    """The real regexec finds in the table's lines what the table says."""
    for case in ere_cases.about(subject, "valid"):
        with oracle_regex.Compiled(case.pattern) as compiled:
            lines = (*case.matched, *case.missed)
            found = tuple(line for line in lines if compiled.matches(line))
        assert found == case.matched, case


@glibc
@settings(max_examples=300)
@given(strategies_ere.patterns())
def test_takes_what_regcomp_takes(pattern: bytes) -> None:
    """Whatever the pattern, it is invalid exactly if it is so for glibc."""
    assert (verdict(pattern) != "invalid") == accepted_by_glibc(pattern)


@pytest.mark.parametrize(
    ("pattern", "simple"),
    [
        (b"(a|b|[cd])x", b"[a-d]x"),
        (b"((((a))))", b"a"),
        (b"a((b|c)(d))", b"a[bc]d"),
        (b"x(a|(b|(c|)))y", b"x[abc]?y"),
        (b"x()y", b"xy"),
        (b"xa{1}y", b"xay"),
        (b"xa{0}y", b"xy"),
        (b"x(a*)*y", b"xa*y"),
        (b"x(a+)*y", b"xa*y"),
        (b"x(a*)+y", b"xa*y"),
        (b"x(a?)*y", b"xa*y"),
        (b"xa**y", b"xa*y"),
        (b"xa?+y", b"xa*y"),
        (b"xa{2}{3}y", b"xa{6}y"),
        (b"x(a{2,3}){4,5}y", b"xa{8,15}y"),
        (b"x(a?){3}y", b"xa{0,3}y"),
        (b"x(a+|b)*y", b"x[ab]*y"),
        (b"x(a*b?)*y", b"x[ab]*y"),
        (b"x(^)*y", b"xy"),
        (b"a\n|b", b"b"),
        (b".*a", b"a"),
        (b"a.*", b"a"),
        (b"^.*a", b"a"),
        (b"a.*$", b"a"),
        (b"(x*a|b)c", b"(a|b)c"),
        (b"a+", b"a"),
        (b"a{3,}", b"a{3}"),
        (b"(ab?)+c?$|d+", b"(ab?)+c?$|d"),
        (b"^", b""),
        (b"^.*$", b""),
        (b"x*", b""),
        (b"a||b", b""),
    ],
)
def test_simplifies(pattern: bytes, simple: bytes) -> None:
    """A pattern has the same tree as its simple form."""
    assert written(pattern) == written(simple)


@pytest.mark.parametrize(
    "pattern", [b"x(a{2})*y", b"x(a{2,3}){0,2}y", b"x(a{3,4}){1,2}y", b"x^.+y"]
)
def test_simplifies_only_what_is_exact(pattern: bytes) -> None:
    """Repeats whose counts would leave gaps, and edges that matter, are kept."""
    inside = written(pattern)
    assert inside.count(b"{") + inside.count(b"^") + inside.count(b"*") > 1


@pytest.mark.parametrize(
    ("pattern", "position", "reason"),
    [
        (b"ab(c", 2, "unmatched ("),
        (b"ab[c", 2, "unmatched ["),
        (b"a[[:bad:]]", 2, "unknown class"),
        (b"a[[:alpha]", 2, "unmatched [:"),
        (b"a[z-b]", 3, "backwards"),
        (b"a[b-d-f]", 5, "range"),
        (b"a[[.ab.]]", 2, "not one byte"),
        (b"ab\\", 2, "trailing backslash"),
        (b"a|*", 2, "nothing to repeat"),
        (b"ab{1", 2, "unmatched {"),
        (b"ab{2,1}", 2, "greater"),
        (b"ab{32768}", 2, "32767"),
        (rb"a\1", 1, "back-reference"),
        (rb"(a)?\1", 4, "back-reference"),
        (b"(^a)+", 4, "ignores"),
        (b"a\0", 1, "NUL"),
    ],
)
def test_says_what_is_wrong_and_where(
    pattern: bytes, position: int, reason: str
) -> None:
    """An error has the offset of what is wrong, and a reason for the user."""
    with pytest.raises(EreError) as caught:
        parse(pattern)
    assert caught.value.position == position
    assert reason in caught.value.reason


def test_what_is_invalid_is_not_called_refused() -> None:
    """A refusal gives way to an error further on: glibc would not take that either."""
    assert verdict(b"(^a)+b") == "refused"
    assert verdict(b"(^a)+b{") == "invalid"


def test_reads_any_nesting_that_means_nothing() -> None:
    """Parentheses that only hold each other are no nesting."""
    assert written(b"(" * 5000 + b"a" + b")" * 5000) == written(b"a")


def nested(levels: int) -> bytes:
    """Give a pattern whose tree is that deep and cannot be made less so."""
    return b"(" * levels + b"a" + b"b|c)d" * levels


def test_nesting_has_a_limit_that_is_told() -> None:
    """A tree too deep to be matched safely is refused, with the limit."""
    with pytest.raises(EreRefusal) as caught:
        parse(nested(5000))
    assert str(DEPTH_LIMIT) in caught.value.reason


def test_what_is_within_the_limit_works_everywhere() -> None:
    """The deepest tree is not too deep for anything done with it."""
    levels = DEPTH_LIMIT // 2 - 1
    tree = parse(nested(levels) + b"$")
    assert size(tree) == 3 * levels + 2
    assert not is_linear(tree)
    assert compile_line(tree).search(b"a" + b"bd" * levels)
