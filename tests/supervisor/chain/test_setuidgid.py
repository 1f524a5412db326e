"""s6-setuidgid: another user, by name or by numbers."""

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

TOOL = "s6-setuidgid"
IDS = status(b"Uid", b"Gid", b"Groups", b"CapEff")
EXPORTED = {"UID": "u", "GID": "g", "GIDLIST": "l", "OTHER": "o"}

ACCOUNTS = [
    "nobody",
    "daemon",
    "root",
    "",
    "12:13",
    "12:0",
    "0:13",
    "0:0",
    "00012:13",
    "4294967295:1",
    "no-such-user",
    "12",
    b"\xff",
    "nobody:nogroup",
    "12:nogroup",
    "12:",
    ":13",
    ":",
    "12:13:14",
]


@needs_root
@pytest.mark.parametrize("account", ACCOUNTS)
def test_the_process_is_whom_s6_makes_it(account: str | bytes, tmp_path: Path) -> None:
    """Or it is said, by the program that s6 would have come to, why not."""
    stage = Stage(tmp_path, env=EXPORTED)
    agree(TOOL, [account, *STATUS], stage, IDS)
    agree(TOOL, [account, *VARIABLES], stage, variables)


@needs_root
def test_a_member_of_groups_gets_them(tmp_path: Path) -> None:
    """Those that /etc/group gives to the user, and the primary one."""
    members = [
        line.split(":") for line in Path("/etc/group").read_text().splitlines() if line
    ]
    names = {name for *_, users in members for name in users.split(",") if name}
    if not names:
        pytest.skip("no user is named as a member of any group")
    for name in names:
        agree(TOOL, [name, *STATUS], Stage(tmp_path), IDS)


@needs_root
@pytest.mark.parametrize("account", ["nobody", "12:13", ""])
def test_what_cannot_be_executed_is_said_in_the_end(
    account: str, tmp_path: Path
) -> None:
    """By the program that s6 would have come to."""
    assert agree(TOOL, [account, "no-such-program"], Stage(tmp_path)).code == 127


@needs_root
@pytest.mark.parametrize(
    ("account", "code"), [("nobody", 111), ("12:13", 111), ("", 0), ("no-such-user", 1)]
)
def test_who_is_not_root_is_refused(account: str, code: int, tmp_path: Path) -> None:
    """Unless nothing is to be changed."""
    words = [account, "true"]
    told = agree(TOOL, words, Stage(tmp_path), start=WITHOUT_PRIVILEGES)
    assert told.code == code


@pytest.mark.parametrize("words", [[], ["nobody"], [""]])
def test_an_account_and_a_program_are_needed(words: list[str], tmp_path: Path) -> None:
    """Else the usage line, exit 100."""
    assert agree(TOOL, words, Stage(tmp_path)).code == 100


@pytest.mark.parametrize("account", ["-n", "--", "-x"])
def test_there_are_no_options(account: str, tmp_path: Path) -> None:
    """A word with a dash is an account; in s6 it confuses the next program."""
    told = become(harness.ours(TOOL), [account, "nobody", "true"], Stage(tmp_path))
    assert told.code == 1
    assert told.err == f"s6-envuidgid: fatal: unknown user: {account}\n".encode()
