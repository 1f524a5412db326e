"""What a process does to become a logger, as far as it can be seen from inside."""

import pytest

from s6log import kernels
from s6log.daemon import select
from s6log.script.directives import parse


def test_a_script_without_selectors_needs_no_selection() -> None:
    """Nothing is loaded for it."""
    assert select(parse([b"t", b"1", b"./d"])) is None


def test_a_script_with_selectors_gets_one() -> None:
    """It tells which element takes a line."""
    selection = select(parse([b"-", b"+a", b"1", b"f", b"2"]))
    assert selection is not None
    runs = selection.classify(memoryview(b"abc\nxyz\n"))
    assert runs.outcome() == -1
    assert sorted(selection.masks) == [1, 2]


def test_the_kernel_can_be_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """By a variable: who doubts it can compare."""
    monkeypatch.setenv("S6LOG_KERNEL", "no")
    assert kernels.scan() is None
    monkeypatch.setenv("S6LOG_KERNEL", "")
    pytest.importorskip("s6log.stream._scan")
    assert kernels.scan() is not None
