"""A pattern stepped as a bit set; its verdicts are tested with the positions."""

from s6log.script.ere import parse
from s6log.stream.bits import BitSet
from s6log.stream.work import Work


def test_a_pattern_for_every_line_is_known() -> None:
    """Without a byte being looked at."""
    work = Work()
    assert BitSet(parse(b"x*"), work).matches(b"a" * 100)


def test_a_decided_line_is_left_early() -> None:
    """After a match, or when none is possible any more, no step is made."""
    for pattern in (b"^a", b"^b"):
        work = Work()
        BitSet(parse(pattern), work).matches(b"a" * 1000)
        assert work.steps < 20
