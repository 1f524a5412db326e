"""Text for a terminal of 80 columns."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s6log.script.layout import WIDTH, duration, hang, listed, row, size, verbatim


@given(st.lists(st.text("abc -", min_size=1, max_size=12), min_size=1, max_size=40))
def test_paragraphs_fit(words: list[str]) -> None:
    """A paragraph hangs behind its beginning and keeps its words in order."""
    lines = hang("  * ", " ".join(words))
    assert all(len(line) <= WIDTH for line in lines)
    assert all(line.startswith("    ") for line in lines[1:])
    assert " ".join(lines).replace("*", " ").split() == " ".join(words).split()


def test_a_row_without_room_goes_below() -> None:
    """What is left of the column never runs into what is right of it."""
    assert row("ab", "text", 4) == ["ab  text"]
    assert row("abcd", "text", 4) == ["abcd", "    text"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (b"a  b", "x a  b"),
        (b" a ", 'x " a "'),
        (b"", 'x ""'),
        (b"\n\xff", r"x \n\xff"),
        ("é".encode(), "x é"),
    ],
)
def test_verbatim(text: bytes, shown: str) -> None:
    """The user's bytes survive the setting; ends that would blur are quoted."""
    assert hang("", f"x {verbatim(text)}") == [shown]


def test_listed() -> None:
    """Words are joined as in a sentence."""
    assert [listed(["1"]), listed(["1", "2"]), listed(["1", "2", "3"])] == [
        *("1", "1 and 2", "1, 2 and 3")
    ]


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (0, "0 bytes"),
        (99999, "99,999 bytes"),
        (1 << 20, "1,048,576 bytes (1.0 MiB)"),
        (3 << 29, "1,610,612,736 bytes (1.5 GiB)"),
    ],
)
def test_size(count: int, shown: str) -> None:
    """Big sizes are also given in a unit."""
    assert size(count) == shown


@pytest.mark.parametrize(
    ("milliseconds", "shown"),
    [
        *((0, "0 ms"), (1500, "1500 ms"), (2000, "2 s"), (90_000, "90 s")),
        *((120_000, "2 min"), (86_400_000, "24 h")),
    ],
)
def test_duration(milliseconds: int, shown: str) -> None:
    """A time is given exactly, in the largest unit that can."""
    assert duration(milliseconds) == shown
