"""s6-envuidgid: numbers of users and groups as variables."""

from pathlib import Path

import pytest

import harness
from chains import VARIABLES, agree, become, variables
from harness import Stage

ENVIRONMENT = {"UID": "u", "GID": "g", "GIDLIST": "l", "OTHER": "o"}

CASES = [
    ["nobody"],
    ["root"],
    ["--", "nobody"],
    ["no-such-user"],
    ["0"],
    [""],
    [b"\xff"],
    ["-u", "nobody"],
    ["-u", ""],
    ["-u", "no-such-user"],
    ["-g", "nogroup"],
    ["-g", "nobody"],
    ["-g", ""],
    ["-B", "nobody"],
    ["-B", "nobody:"],
    ["-B", ":nogroup"],
    ["-B", ":"],
    ["-B", "nobody:nogroup"],
    ["-B", "nobody:no-such-group"],
    ["-B", "no-such-user:nogroup"],
    ["-B", "no-such-user:no-such-group"],
    ["-B", "nobody:nogroup:more"],
    ["-B", "12:nogroup"],
    ["-n", "nobody"],
    ["-n", "nobody:nogroup"],
    ["-n", "12:13"],
    ["-n", "00012:4294967295"],
    ["-n", "nobody:13"],
    ["-n", "12"],
    ["-n", ":13"],
    ["-n", "x:13"],
    ["-nu", "12"],
    ["-un", "12"],
    ["-un", "nobody"],
    ["-gn", "13"],
    ["-ng", "x"],
    ["-nB", "12:13"],
    ["-Bn", "12:13"],
    ["-uB", "nobody:nogroup"],
    ["-Bu", "nobody"],
    ["-D", "1:2:3,4", "nobody"],
    ["-D", "1:2:3,4", "no-such-user"],
    ["-D1:2:3,4", "no-such-user"],
    ["-D", "1:2:3;4 5,,6,", "no-such-user"],
    ["-D", "1", "no-such-user"],
    ["-D", "1:", "no-such-user"],
    ["-D", "1:2", "no-such-user"],
    ["-D", "1:2:", "no-such-user"],
    ["-D", "1::5", "no-such-user"],
    ["-D", "::5", "no-such-user"],
    ["-D", ":", "no-such-user"],
    ["-D", ":2", "no-such-user"],
    ["-D", "", "no-such-user"],
    ["-D", "x", "no-such-user"],
    ["-D", "1x", "no-such-user"],
    ["-D", "1:x", "no-such-user"],
    ["-D", "1:2:x", "no-such-user"],
    ["-D", "-1", "no-such-user"],
    ["-D", "1:2:3", ""],
    ["-D", "1:2:3", "-u", "no-such-user"],
    ["-D", "1:2:3", "-g", "no-such-group"],
    ["-D", "1:2:3", "-B", "no-such-user"],
    ["-D", "1:2:3", "-B", "nobody:no-such-group"],
    ["-D", "1:2:3", "-B", ":nogroup"],
    ["-D", "1:2:3", "-B", ":"],
    ["-D", "1:2:3", "-n", "55:no-such-group"],
    ["-D", "1:2:3", "-i", "no-such-user"],
    ["-i", "-D", "1:2:3", "no-such-user"],
    ["-Z", "nobody"],
    ["--user", "nobody"],
    ["-D"],
]


@pytest.mark.parametrize("words", CASES, ids=lambda words: " ".join(map(str, words)))
def test_the_variables_are_those_of_s6(
    words: list[str | bytes], tmp_path: Path
) -> None:
    """Or the account is unknown, or the command line not understood."""
    stage = Stage(tmp_path, env=ENVIRONMENT)
    agree("s6-envuidgid", [*words, *VARIABLES], stage, variables)


@pytest.mark.parametrize("words", [[], ["nobody"], ["-u"], ["-u", "nobody"]])
def test_a_program_is_needed(words: list[str], tmp_path: Path) -> None:
    """Else the usage line, exit 100."""
    assert agree("s6-envuidgid", words, Stage(tmp_path)).code == 100


@pytest.mark.parametrize(
    "words",
    [
        ["-n", "4294967296:1"],
        ["-n", "12x:1"],
        ["-D", "1:2:3x", "no-such-user"],
        ["-D", "4294967296", "no-such-user"],
    ],
)
def test_half_a_number_is_no_number(words: list[str], tmp_path: Path) -> None:
    """Where s6 drops what it cannot read, and goes on with another user."""
    told = become(harness.ours("s6-envuidgid"), [*words, "env"], Stage(tmp_path))
    assert told.code in (1, 100)
    assert told.out == b""


def test_the_program_gets_its_arguments(tmp_path: Path) -> None:
    """And is the one that is named."""
    words = ["nobody", "sh", "-c", 'echo "$UID $GID $1"', "sh", "-u"]
    assert agree("s6-envuidgid", words, Stage(tmp_path)).out == b"65534 65534 -u\n"
