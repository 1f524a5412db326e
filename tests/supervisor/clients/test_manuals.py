"""What the clients say of themselves, and what they load to be as quick as they are."""

import subprocess
from pathlib import Path

import pytest

import harness
from harness import Stage
from s6log import __version__
from supervising import record
from supervisor.service.status import READY, Status

TOOLS = (
    "s6-svc",
    "s6-svok",
    "s6-svwait",
    "s6-svlisten",
    "s6-svlisten1",
    "s6-svscanctl",
    "s6-svlink",
    "s6-svunlink",
)

HEAVY = {
    "argparse",
    "collections",
    "contextlib",
    "dataclasses",
    "enum",
    "functools",
    "json",
    "pathlib",
    "re",
    "signal",
    "socket",
    "subprocess",
    "typing",
}
"""Modules of which each costs a tenth of a bare interpreter or more."""


@pytest.mark.parametrize("tool", TOOLS)
def test_help_is_asked_for_by_a_word(tmp_path: Path, tool: str) -> None:
    """It begins with the usage line that mistakes get."""
    program, stage = harness.ours(tool), Stage(tmp_path)
    asked = harness.run(program, ["--help"], b"", stage)
    assert (asked.code, asked.err) == (0, b"")
    usage, _, rest = asked.out.partition(b"\n")
    assert usage.startswith(f"usage: {tool} ".encode())
    assert b"--help" in rest
    wrong = harness.run(program, ["-T"] if tool != "s6-svok" else [], b"", stage)
    assert (wrong.code, wrong.err) == (100, f"{tool}: ".encode() + usage + b"\n")


@pytest.mark.parametrize("tool", TOOLS)
def test_the_version_is_asked_for_by_a_word(tmp_path: Path, tool: str) -> None:
    """Name, version, and whose behaviour it has."""
    outcome = harness.run(harness.ours(tool), ["--version"], b"", Stage(tmp_path))
    text = f"{tool} {__version__}, compatible with s6 2.15.1.0\n"
    assert outcome == harness.Outcome(0, text.encode(), b"")


@pytest.mark.parametrize(
    "words",
    [
        "s6-svok .",
        "s6-svc -u .",
        "s6-svc -wd -d .",
        "s6-svwait -d .",
        "s6-svlisten1 -d . true",
        "s6-svscanctl -a .",
    ],
)
def test_nothing_heavy_is_loaded(tmp_path: Path, words: str) -> None:
    """Start-up is most of what a client does."""
    record(tmp_path, Status(0, 0, 0, 0, READY))
    python, *options = harness.PYTHON
    ended = subprocess.run(
        [python, "-X", "importtime", *options, harness.LAUNCHER, *words.split()],
        cwd=tmp_path,
        env=harness.ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [line for line in ended.stderr.splitlines() if "import time" in line]
    loaded = {line.rpartition("|")[2].strip() for line in lines[1:]}
    assert "supervisor.manual" in loaded
    assert loaded & HEAVY == set()
