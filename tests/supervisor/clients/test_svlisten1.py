"""s6-svlisten1: s6-svlisten for one service, without a block."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

import harness
from chains import agree
from harness import Program, Stage
from supervising import record
from supervisor.service.status import READY, Status
from waiters import CASES, FAILED, RESTARTS, Case, attend, expected

TOOL = "s6-svlisten1"
Find = Callable[[str], Program]


def single(cases: tuple[Case, ...]) -> list[Case]:
    """Pick the cases of one service, whose failure this program tells by name."""
    text = "0 failed permanently or its supervisor died"
    return [
        dataclasses.replace(case, error=text if case.error == FAILED else case.error)
        for case in cases
        if len(case.states) == 1
    ]


@pytest.mark.parametrize("case", single(CASES), ids=str)
def test_it_ends_as_the_real_one_does(find: Find, tmp_path: Path, case: Case) -> None:
    """Same events, same exit code, same words; and no FIFO is left."""
    words = [*case.options.split(), "0", "true"]
    assert attend(find(TOOL), words, tmp_path, case) == expected(TOOL, case)


@pytest.mark.parametrize("case", single(RESTARTS), ids=str)
def test_it_sees_a_restart_however_fast(tmp_path: Path, case: Case) -> None:
    """Even when down and up come in one piece."""
    words = [*case.options.split(), "0", "true"]
    assert attend(harness.ours(TOOL), words, tmp_path, case) == expected(TOOL, case)


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["0"],
        ["-a", "0", "true"],
        ["-o", "0", "true"],
        ["-t", "x", "0", "true"],
        ["-d", "0", "no-such-command"],
        ["-d", "0", ""],
        ["-d", "", "true"],
        ["-d", " 0", "true"],
        ["-d", "nowhere", "true"],
        ["-d", "0", "false"],
    ],
    ids=repr,
)
def test_it_takes_what_the_real_one_takes(tmp_path: Path, words: list[str]) -> None:
    """And refuses the rest with the same words."""
    record(tmp_path / "0", Status(0, 0, 0, 0, READY))
    agree(TOOL, words, Stage(tmp_path))
