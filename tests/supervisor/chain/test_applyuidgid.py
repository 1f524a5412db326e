"""s6-applyuidgid: other users and groups, given by numbers."""

from pathlib import Path

import pytest

import harness
from chains import (
    STATUS,
    VARIABLES,
    WITHOUT_PRIVILEGES,
    agree,
    become,
    needs_root,
    status,
    variables,
)
from harness import Stage

TOOL = "s6-applyuidgid"
IDS = status(b"Uid", b"Gid", b"Groups", b"CapEff")
EXPORTED = {"UID": "12", "GID": "13", "GIDLIST": "14,15"}

CASES = [
    [],
    ["-u", "12"],
    ["-g", "13"],
    ["-u", "12", "-g", "13"],
    ["-G", ""],
    ["-G", "14"],
    ["-G", "15,14"],
    ["-G", "5 6;7:8\t9,,10,"],
    ["-g", "13", "-G", ""],
    ["-g", "13", "-G", "14,13,15"],
    ["-u12", "-g13", "-G14,15"],
    ["-u", "0", "-g", "0"],
    ["-u", "12", "-u", "0"],
    ["-u", "007"],
    ["-U"],
    ["-U", "-u", "5"],
    ["-u", "5", "-U"],
    ["-U", "-G", "16", "-g", "6"],
    ["-zU"],
    ["-z"],
    ["-u", "4294967295"],
    ["-g", "4294967295"],
    ["-G", "4294967295"],
    ["-u", "x"],
    ["-u", ""],
    ["-u", "+7"],
    ["-u", " 7"],
    ["-g", "-1"],
    ["-G", "x"],
    ["-G", "-1"],
    ["-Z"],
    ["--uid=12"],
    ["--", "-u"],
]


@needs_root
@pytest.mark.parametrize("words", CASES, ids=" ".join)
def test_the_process_is_whom_s6_makes_it(words: list[str], tmp_path: Path) -> None:
    """In its users, groups, supplementary groups, and what it may do."""
    stage = Stage(tmp_path, env=EXPORTED)
    agree(TOOL, [*words, *STATUS], stage, IDS)
    agree(TOOL, [*words, *VARIABLES], stage, variables)


@needs_root
def test_each_step_comes_before_the_one_that_forbids_it(tmp_path: Path) -> None:
    """Groups while it is root, the user last."""
    words = ["-u", "12", "-g", "13", "-G", "14", *STATUS]
    told = become(harness.ours(TOOL), words, Stage(tmp_path))
    assert IDS(told.out) == [
        b"Uid:\t12\t12\t12\t12",
        b"Gid:\t13\t13\t13\t13",
        b"Groups:\t13 14 ",
        b"CapEff:\t0000000000000000",
    ]


@needs_root
@pytest.mark.parametrize("words", [["-g", "8"], ["-G", "8"], ["-u", "8"], ["-U"]])
def test_who_is_not_root_is_refused(words: list[str], tmp_path: Path) -> None:
    """By the system, exit 111; the message names the call."""
    stage = Stage(tmp_path, env=EXPORTED)
    told = agree(TOOL, [*words, "true"], stage, start=WITHOUT_PRIVILEGES)
    assert told.code == 111


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, b"UID not set"),
        ({"UID": "1"}, b"GID not set"),
        ({"UID": "1", "GID": "1"}, b"GIDLIST not set"),
        ({"UID": "x", "GID": "1", "GIDLIST": ""}, b"invalid $UID"),
        ({"UID": "", "GID": "1", "GIDLIST": ""}, b"invalid $UID"),
        ({"UID": "1", "GID": "-1", "GIDLIST": ""}, b"invalid $GID"),
        ({"UID": "1", "GID": "1", "GIDLIST": "x"}, b"invalid $GIDLIST"),
    ],
)
def test_variables_must_be_set_and_make_sense(
    given: dict[str, str], message: bytes, tmp_path: Path
) -> None:
    """It is said which one does not; exit 100."""
    told = agree(TOOL, ["-U", "true"], Stage(tmp_path, env=given))
    assert told.code == 100
    assert told.err == b"s6-applyuidgid: fatal: " + message + b"\n"


@pytest.mark.parametrize("words", [["-G", "14,x"], ["-G", "14,4294967296"]])
def test_half_a_list_is_no_list(words: list[str], tmp_path: Path) -> None:
    """Where s6 goes on with the groups before the mistake."""
    told = become(harness.ours(TOOL), [*words, "true"], Stage(tmp_path))
    assert told.code == 100


@pytest.mark.parametrize("words", [[], ["-z"], ["-u"], ["-u", "12"]])
def test_a_program_is_needed(words: list[str], tmp_path: Path) -> None:
    """Else the usage line, exit 100."""
    assert agree(TOOL, words, Stage(tmp_path)).code == 100
