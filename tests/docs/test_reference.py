"""The reference pages say what the programs' own tables say."""

import json
import re
from pathlib import Path

import pytest

from harness import Stage, ours, run
from pages import CHECKOUT, PAGES, read, table
from s6log.__main__ import PROGRAMS
from s6log.outputs import account
from s6log.script.directives import ACTION, DIRECTIVES, SELECTION
from s6log.script.extensions import EXTENSIONS, POLICIES
from s6log.script.manual import LONG_OPTIONS
from s6log.script.options import OPTIONS
from s6log.script.words import Directive
from s6log.stream.times import FORMS
from s6log.stream.traces import KINDS

REFERENCE = CHECKOUT / "docs" / "reference"
LOGGER = REFERENCE / "s6-log.md"
INSTALLED = re.compile(r"/opt/s6log/bin/([\w-]+)")
CASES = CHECKOUT / "fixtures" / "logger-cases.json"

HEADINGS = [
    *("Synopsis", "Options", "Signals", "Files", "Environment", "Exit codes"),
    "Differences from s6",
]
"""What each page about a program has, in this order, and maybe more in between."""


def synopsis(row: Directive) -> str:
    """Write a directive as the page does."""
    slash = "/" if row.letter == b"." else ""
    return f"`{row.letter.decode()}{slash}{row.argument.shape}`"


def purpose(row: Directive) -> str:
    """Say what a directive is for, and what an empty or zero argument means."""
    if not row.argument.none:
        return row.meaning
    zero = "0" if row.argument.limit else f"`{row.letter.decode()}` alone"
    return f"{row.meaning}; {zero}: {row.argument.none}"


def test_options_are_those_of_the_table() -> None:
    """Letters, values and meanings, and the long ones."""
    letters = [
        [f"`-{row.letter.decode()} {row.shape}".strip() + "`", row.meaning]
        for row in OPTIONS.values()
    ]
    words = [[f"`{word}`", meaning] for word, meaning in LONG_OPTIONS]
    assert table(LOGGER, "Option", "Meaning") == letters
    assert table(LOGGER, "First word", "Meaning") == words


def test_selections_and_actions_are_those_of_the_table() -> None:
    """Every directive that selects, and every one that does something."""
    for role, heading in ((SELECTION, "Selection"), (ACTION, "Action")):
        rows = [row for row in DIRECTIVES.values() if row.role is role]
        wanted = [[synopsis(row), purpose(row)] for row in rows]
        assert table(LOGGER, heading, "Meaning") == wanted


def test_settings_are_those_of_the_table() -> None:
    """Each with the actions it is for, and its default."""
    rows = [row for row in DIRECTIVES.values() if row.role.users]
    wanted = [
        [
            synopsis(row),
            row.role.name,
            str(row.argument.default) if row.argument.limit else "",
            purpose(row),
        ]
        for row in rows
    ]
    assert table(LOGGER, "Setting", "For each", "Default", "Meaning") == wanted


def test_extensions_are_those_of_the_table() -> None:
    """Each with the actions it is for; `@pipe` is one itself."""
    wanted = [
        [
            f"`{row.letter.decode()}{row.argument.shape}`",
            "an action itself" if row.role is ACTION else row.role.name,
            purpose(row),
        ]
        for row in EXTENSIONS.values()
    ]
    assert table(LOGGER, "Extension", "For each", "Meaning") == wanted


EVERY_OUTPUT = ["1", "2", "=status", "!cat", "./log", "@pipe=cat >fed"]


def test_figures_are_those_that_are_written(tmp_path: Path) -> None:
    """All of them, with their types and what the file says of them, in its order."""
    script = ["@metrics=figures", *EVERY_OUTPUT]
    ended = run(ours("s6-log"), script, b"line\n", Stage(tmp_path))
    assert ended.code == 0
    written = (tmp_path / "figures").read_text().splitlines()
    about = [line.split(" ", 3)[1:] for line in written if line.startswith("#")]
    helps = {name: text for kind, name, text in about if kind == "HELP"}
    types = {name: text for kind, name, text in about if kind == "TYPE"}
    wanted = [[f"`{name}`", types[name], text] for name, text in helps.items()]
    assert table(LOGGER, "Figure", "Type", "Meaning") == wanted


def test_times_are_those_that_there_are() -> None:
    """Each name of a form of `@time` is in its table."""
    rows = table(LOGGER, "FORM", "What it looks like")
    names = [name.encode() for row in rows for name in re.findall(r"`(\w+)`", row[0])]
    assert sorted(names) == sorted(FORMS)


def test_kinds_of_events_are_those_that_there_are() -> None:
    """Each KIND of `@join`, and the one with a pattern."""
    rows = table(LOGGER, "KIND", "What is one event")
    wanted = [f"`{kind.decode()}`" for kind in KINDS]
    assert [kind for kind, _ in rows] == [*wanted, "`start:RE`"]


def test_policies_are_those_that_there_are() -> None:
    """Each POLICY of `@full`."""
    rows = table(LOGGER, "POLICY", "What gives way")
    assert [name for name, _ in rows] == [f"`{name.decode()}`" for name in POLICIES]


REASONS = (account.FULL, account.RATE, account.CLOSED, account.AT_END)
FILE_REASONS = (account.SUPERSEDED, account.FAILED)


def test_reasons_are_those_that_there_are() -> None:
    """Each reason for which lines are dropped."""
    names = [f"`{reason.decode()}`" for reason in (*REASONS, *FILE_REASONS)]
    assert [name for name, _ in table(LOGGER, "`reason`", "Why")] == names


@pytest.mark.parametrize("program", PROGRAMS)
def test_each_program_has_a_page_of_one_form(program: str) -> None:
    """One set of headings, in one order."""
    headings = read(REFERENCE / f"{program}.md").headings
    assert headings[0] == program
    assert [heading for heading in headings if heading in HEADINGS] == HEADINGS


def numbers(page: Path) -> set[int]:
    """Give the numbers of the differences that a page describes."""
    lines = read(page).prose
    start = lines.index("## Differences from s6")
    items = [line.partition(". ") for line in lines[start:]]
    return {int(number) for number, dot, _ in items if dot and number.isdigit()}


def test_differences_that_cases_refer_to_are_described() -> None:
    """A case that ours answers differently names the difference by its number."""
    cases = json.loads(CASES.read_text())["cases"]
    used = {case["difference"] for case in cases if case.get("difference")}
    assert used <= numbers(LOGGER)
    assert numbers(LOGGER) == set(range(1, len(numbers(LOGGER)) + 1))


def test_programs_that_are_only_named_exist() -> None:
    """Also in blocks that cannot be run here, such as those for images."""
    texts = [block.text for page in PAGES for block in read(page).blocks]
    named = {program for text in texts for program in INSTALLED.findall(text)}
    assert named
    assert named <= {*PROGRAMS, "pip"}
