"""s6-softlimit: resource limits of a program."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import harness
from chains import agree, become
from harness import Program, Stage

TOOL = "s6-softlimit"
LIMITS = ["cat", "/proc/self/limits"]

LOW = {
    "a": 1 << 29,
    "c": 0,
    "d": 1 << 28,
    "f": 0,
    "l": 0,
    "m": 1 << 29,
    "o": 20,
    "p": 0,
    "r": 0,
    "s": 1 << 20,
    "t": 100,
}
"""What each limit must not go below for the program to run all the same."""

HUGE = [2**63 - 1, 2**63, 2**64 - 2, 2**64 - 1]
ABOVE = [0, 1, 300, 10**6, 2**31, 2**32]

START = (
    "prlimit",
    "--nofile=256:512",
    "--core=1000:2000000",
    "--stack=8388608:2000000000",
)
PRLIMIT = Program("prlimit", ("prlimit",))
POWERLESS = ("setpriv", "--bounding-set=-sys_resource")


@st.composite
def options(draw: st.DrawFn) -> list[str]:
    """Draw some options, with values that can be lived with."""
    words = []
    for letter in draw(st.lists(st.sampled_from([*LOW, "H", "h", "Z"]), max_size=6)):
        words.append("-" + letter)
        if letter in LOW:
            low = LOW[letter]
            # Linux counts processor time in nanoseconds, and lets them overflow.
            huge = HUGE if letter != "t" else []
            choices = ["=", *huge, *(low + more for more in ABOVE)]
            words.append(str(draw(st.sampled_from(choices))))
    return words


@given(options(), st.sampled_from([START, (*START, *POWERLESS)]))
def test_the_limits_are_those_of_s6(words: list[str], start: tuple[str, ...]) -> None:
    """Soft and hard ones, and whether the system lets us set them."""
    agree(TOOL, [*words, *LIMITS], Stage(Path("/")), start=start)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["-o", "100"], b"100 512"),
        (["-o", "1000"], b"512 512"),
        (["-o", "="], b"512 512"),
        (["-h", "-o", "300"], b"256 300"),
        (["-H", "-o", "300"], b"300 300"),
        (["-Ho300", "-o", "200"], b"200 200"),
        (["-ho300", "-o280"], b"256 280"),
        (["-Zo", "100"], b"100 512"),
        (["-o", "100", "-o", "200"], b"200 512"),
    ],
)
def test_hard_and_soft_limits_go_by_the_options_before(
    words: list[str], expected: bytes, tmp_path: Path
) -> None:
    """A soft limit is cut at the hard one."""
    told = agree(TOOL, [*words, *LIMITS], Stage(tmp_path), start=START)
    line = next(line for line in told.out.splitlines() if b"open files" in line)
    assert b" ".join(line.split()[3:5]) == expected


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ([], 100),
        (["-o"], 100),
        (["-o", "100"], 100),
        (["-o", "", "true"], 100),
        (["-o", "x", "true"], 100),
        (["-o", "-1", "true"], 100),
        (["-o", "==", "true"], 100),
        (["-o", "18446744073709551616", "true"], 100),
        (["--foo", "true"], 100),
        (["-h", "-o", "100", "true"], 111),
        (["-h", "-o", "=", "true"], 111),
        (["-o", "100", "no-such-program"], 127),
        (["-Z", "true"], 0),
        (["--", "true"], 0),
    ],
)
def test_mistakes_are_told_as_in_s6(
    words: list[str], code: int, tmp_path: Path
) -> None:
    """Those of the user, and what the system refuses."""
    start = (*START, *POWERLESS)
    assert agree(TOOL, words, Stage(tmp_path), start=start).code == code


@pytest.mark.parametrize("letter", "adsmo")
@pytest.mark.parametrize("value", [0, 1000, 1000000, 10000000, 30000000])
def test_a_limit_too_low_for_python_is_set_all_the_same(
    letter: str, value: int, tmp_path: Path
) -> None:
    """What happens to the program then is what happens to it under s6."""
    agree(TOOL, [f"-{letter}", str(value), "true"], Stage(tmp_path))


def test_real_time_priority_is_limited(tmp_path: Path) -> None:
    """An option of later versions than the one that is compared with."""
    raise_it = become(PRLIMIT, ["--rtprio=7", *LIMITS], Stage(tmp_path))
    told = become(harness.ours(TOOL), ["-HP7", *LIMITS], Stage(tmp_path))
    assert told.out == raise_it.out
    assert told.code == (0 if raise_it.code == 0 else 111)
    assert become(harness.ours(TOOL), ["-Px", "true"], Stage(tmp_path)).code == 100
