"""What the programs that read and judge say of themselves, and what they load."""

import subprocess
from pathlib import Path

import pytest

import harness
from harness import Outcome, Stage
from s6log import __version__
from standins import supervised, up

TOOLS = (
    "s6-svstat",
    "s6-svdt",
    "s6-svdt-clear",
    "s6-svperms",
    "s6-permafailon",
    "s6-notifyoncheck",
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
    "select",
    "signal",
    "socket",
    "subprocess",
    "supervisor.clients.survey",
    "supervisor.clients.table",
    "typing",
}
"""Of no use to one who asks about a single service."""


@pytest.mark.parametrize("tool", TOOLS)
def test_help_and_usage_are_about_the_same(tmp_path: Path, tool: str) -> None:
    """Help begins with the usage line, which goes with exit 100 by itself."""
    stage = Stage(tmp_path, env={"S6_SCANDIR": ""})
    asked = harness.run(harness.ours(tool), ["--help"], b"", stage)
    assert (asked.code, asked.err) == (0, b"")
    usage, _, rest = asked.out.partition(b"\n")
    assert usage.startswith(f"usage: {tool} ".encode())
    assert rest.endswith(b"print this text\n")
    assert max(map(len, rest.splitlines())) <= 88
    words = ["-o"] if tool == "s6-svstat" else []
    wrong = harness.run(harness.ours(tool), words, b"", stage)
    assert wrong == Outcome(100, b"", f"{tool}: ".encode() + usage + b"\n")


@pytest.mark.parametrize("tool", TOOLS)
def test_the_version_names_what_it_is_compatible_with(
    tmp_path: Path, tool: str
) -> None:
    """Beside the program's own."""
    outcome = harness.run(harness.ours(tool), ["--version"], b"", Stage(tmp_path))
    text = f"{tool} {__version__}, compatible with s6 2.15.1.0\n"
    assert outcome == Outcome(0, text.encode(), b"")


@pytest.mark.parametrize(
    "words",
    [
        "s6-svstat .",
        "s6-svstat -o pid,up .",
        "s6-svdt .",
        "s6-svdt-clear .",
        "s6-svperms .",
        "s6-permafailon 1 1 9 true",
        "s6-notifyoncheck -3 99 true",
    ],
)
def test_nothing_heavy_is_loaded(tmp_path: Path, words: str) -> None:
    """Start-up is most of what a client does."""
    python, *options = harness.PYTHON
    command = [python, "-X", "importtime", *options, str(harness.LAUNCHER)]
    with supervised(tmp_path, up()):
        ended = subprocess.run(
            [*command, *words.split()],
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
