"""Which sorts of lines reach which directive, against a walk line by line."""

from hypothesis import given
from hypothesis import strategies as st

from s6log.script.directives import classify
from s6log.script.reach import PATTERNS_MOST, reach

PATTERNS = [b"", b"a", b"b", b"c"]
WORDS = [b"f", b"1", b"n5", *(sign + p for sign in (b"+", b"-") for p in PATTERNS)]


def walk(script: list[bytes], line: bytes) -> tuple[list[bool], bool]:
    """Follow one line as s6-log does: selected after each word, and ever acted on."""
    selected, acted, seen = True, False, [True]
    for word in script:
        matches = word[1:] in line
        if word == b"1":
            acted = acted or selected
        elif word == b"f":
            selected = not acted
        elif word.startswith(b"+"):
            selected = selected or matches
        elif word.startswith(b"-"):
            selected = selected and not matches
        seen.append(selected)
    return seen, acted


@given(st.lists(st.sampled_from(WORDS), max_size=12))
def test_agrees_with_a_walk(script: list[bytes]) -> None:
    """A set is empty, or everything, exactly if no line, or each line, is in it."""
    lines = [b"", b"a", b"b", b"c", b"ab", b"ac", b"bc", b"abc"]
    walks = [walk(script, line) for line in lines]
    found = reach(classify(script))
    assert found is not None
    for position, selected in enumerate(found.selected):
        reached = [seen[position] for seen, _ in walks]
        assert bool(selected) == any(reached)
        assert (selected == found.everything) == all(reached)
    assert bool(found.dropped) == (not all(acted for _, acted in walks))


def test_too_many_patterns_are_not_followed() -> None:
    """The sets double with each pattern, so there is a limit."""
    script = [b"+%d" % number for number in range(PATTERNS_MOST + 1)]
    assert reach(classify(script)) is None
    assert reach(classify(script[1:])) is not None
