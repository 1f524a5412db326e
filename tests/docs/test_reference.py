"""The reference pages say what the programs' own tables say."""

import json
import re
from pathlib import Path

import pytest

from pages import CHECKOUT, PAGES, read, table
from s6log.__main__ import PROGRAMS
from s6log.script.directives import ACTION, DIRECTIVES, SELECTION
from s6log.script.manual import LONG_OPTIONS
from s6log.script.options import OPTIONS
from s6log.script.words import Directive

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
