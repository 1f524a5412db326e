"""The reference pages of the supervisor say what its own tables say."""

import ast
import importlib
import re
from itertools import pairwise
from pathlib import Path

import pytest

from pages import CHECKOUT, read, table
from s6log.__main__ import PROGRAMS
from supervisor.adoption import keeping, record
from supervisor.manual import Manual
from supervisor.scan import orders, scripts
from supervisor.scan.control import NAME
from supervisor.service import status, tally
from supervisor.service.commands import COMMANDS
from supervisor.service.events import NOTIFY
from supervisor.service.transitions import TABLE

REFERENCE = CHECKOUT / "docs" / "reference"
PROTOCOL = REFERENCE / "supervise-protocol.md"
SERVICE = REFERENCE / "service-directory.md"
SCAN = REFERENCE / "scan-directory.md"
SUPERVISION = [p for p, module in PROGRAMS.items() if module.startswith("supervisor.")]

SECOND_NS = 1_000_000_000
READERS = {"has", "number", "signal", "parsed", "_limit"}
"""What reads small files of a service directory, by the name of the file."""


def manual(program: str) -> Manual:
    """Give what a program says about itself."""
    found = importlib.import_module(PROGRAMS[program]).MANUAL
    assert isinstance(found, Manual)
    return found


def described(program: Manual) -> list[list[str]]:
    """Write the options of a program as its page does."""
    rows: list[list[str]] = []
    for option, meaning in program.options:
        if option:
            words = ", ".join(f"`{word}`" for word in option.split(", "))
            rows.append([words, meaning])
        else:  # the line before goes on
            rows[-1][1] += " " + meaning
    return rows


@pytest.mark.parametrize("program", SUPERVISION)
def test_the_synopsis_is_that_of_the_program(program: str) -> None:
    """As it prints it."""
    line = f"    {program} {manual(program).synopsis}"
    assert line in read(REFERENCE / f"{program}.md").prose


@pytest.mark.parametrize("program", SUPERVISION)
def test_options_are_those_of_the_program(program: str) -> None:
    """In its words, and in the same order."""
    wanted = described(manual(program))
    page = REFERENCE / f"{program}.md"
    if not wanted:
        with pytest.raises(LookupError):
            table(page, "Option", "Meaning")
        return
    only_options = all(option.startswith("`-") for option, _ in wanted)
    kind = "Option" if only_options else "Word"
    assert table(page, kind, "Meaning") == wanted


def test_signals_are_those_that_are_handled() -> None:
    """Each by what it does as a letter, and whether a script may answer it."""
    letters = {of: chr(letter) for letter, of in orders.LETTERS.items()}
    assert letters[(orders.STOP,)] == "t"  # and `i`, which is the same
    wanted = [
        [
            name,
            f"`-{letters[of]}`" if of else "nothing",
            "yes" if name in orders.SCRIPTED else "no",
        ]
        for name, of in orders.SIGNALS.items()
    ]
    page = REFERENCE / "s6-svscan.md"
    assert table(page, "Signal", "As s6-svscanctl with", "Script instead") == wanted


def test_scripts_of_a_scan_directory_are_described() -> None:
    """All that s6-svscan may execute there."""
    rows = table(SCAN, "File", "What it is")
    named = {name for row in rows for name in re.findall(r"`([\w-]+)`", row[0])}
    folder = f"{NAME}/"
    paths = (scripts.FINISH.decode(), scripts.CRASH.decode())
    programs = {path.removeprefix(folder) for path in paths}
    assert named == {"lock", "control", "keeper"} | programs | orders.SCRIPTED


def test_words_for_the_keeper_are_described() -> None:
    """Those of its packets."""
    words = (keeping.KEEP, keeping.DROP, keeping.GIVE)
    wanted = [*words, keeping.END]
    # `end` has two meanings, in one row.
    rows = table(SCAN, "Word", "Meaning")
    assert [row[0] for row in rows] == [f"`{word.decode()}`" for word in wanted]


def test_settings_are_those_that_are_read() -> None:
    """Every small file that the sources ask for, and no other."""
    described_files = {
        row[0].strip("`")
        for row in table(SERVICE, "File", "Content", "Without it", "Read")
    }
    folders = (CHECKOUT / "supervisor" / folder for folder in ("service", "warm"))
    asked = {
        name
        for folder in folders
        for path in folder.glob("*.py")
        for name in files_asked_for(path)
    }
    constants = {"down", "nowarm"}  # the first is asked for by a name of its own
    assert described_files == (asked - {"finish"}) | constants


def files_asked_for(path: Path) -> set[str]:
    """Find the literal names in calls such as `definition.number("timeout-kill")`."""
    calls = [
        n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Call)
    ]
    return {
        call.args[0].value
        for call in calls
        if isinstance(call.func, ast.Attribute) and call.func.attr in READERS
        if call.args and isinstance(call.args[0], ast.Constant)
        if isinstance(call.args[0].value, str)
    }


def test_commands_are_those_of_the_table() -> None:
    """The letters of the control FIFO."""
    wanted = [[f"`{c.letter.decode()}`", c.meaning] for c in COMMANDS.values()]
    assert table(PROTOCOL, "Byte", "Command") == wanted


def test_events_are_those_that_happen() -> None:
    """All letters that the table of a service sends, and the first word."""
    sent = {
        chr(letter)
        for _, actions in TABLE.values()
        for action in actions
        if not isinstance(action, str) and action[0] == NOTIFY
        for letter in as_bytes(action[1])
    }
    rows = table(PROTOCOL, "Byte", "What has happened")
    assert {row[0].strip("`") for row in rows} == {"s"} | sent


def as_bytes(argument: int | bytes) -> bytes:
    """Give the text that comes with a notification."""
    assert isinstance(argument, bytes)
    return argument


def test_the_status_is_laid_out_as_described() -> None:
    """Fields follow one another, and each is where the page has it."""
    rows = table(PROTOCOL, "Offset", "Bytes", "Content")
    places = [(int(offset), int(size)) for offset, size, _ in rows]
    assert all(a + size == b for (a, size), (b, _) in pairwise(places))
    now = status.Status(7, 3 * SECOND_NS, 5 * SECOND_NS, 0x0900, status.WANT_UP)
    parts = [
        status.stamp(3 * SECOND_NS),
        status.stamp(5 * SECOND_NS),
        (7).to_bytes(8, "big"),
        b"\x09\x00",
        bytes([status.WANT_UP]),
    ]
    encoded = status.encode(now)
    assert [encoded[offset:][:size] for offset, size in places] == parts
    assert sum(size for _, size in places) == status.RECORD_BYTES == len(encoded)


def test_flags_are_those_of_the_status() -> None:
    """One bit each."""
    bits = [int(row[0]) for row in table(PROTOCOL, "Flag", "Meaning")]
    flags = [status.PAUSED, status.FINISHING, status.WANT_UP, status.READY]
    assert bits == flags


def test_sizes_in_the_first_table_are_those_of_the_records() -> None:
    """Of the status and of one death."""
    contents = {
        row[0].strip("`"): row[2]
        for row in table(PROTOCOL, "In the service directory", "Mode", "What it is")
    }
    assert f" {status.RECORD_BYTES} bytes" in contents["supervise/status"]
    assert f" {tally.RECORD_BYTES} bytes" in contents["supervise/death_tally"]


def test_the_record_that_is_shown_is_one() -> None:
    """It can be read, and is what would be written; each word is explained."""
    blocks = [block.text + "\n" for block in read(PROTOCOL).blocks]
    (shown,) = [text for text in blocks if text.startswith(record.HEAD)]
    decoded = record.decode(shown.encode())
    assert decoded is not None
    assert record.encode(decoded) == shown.encode()
    words = [line.split()[0] for line in shown.splitlines()[1:]]
    rows = table(PROTOCOL, "Word", "Meaning")
    assert [w for row in rows for w in re.findall(r"`(\w+)`", row[0])] == words
