"""Rules of the house that no tool checks: sizes, and a word at each module's head."""

import ast
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parent.parent
FOLDERS = ("s6log", "supervisor", "tests", "fixtures")
FILE_LINES = 500
FUNCTION_LINES = 50
UNFINISHED = ("TO" + "DO", "FIX" + "ME", "XX" + "X")

SOURCES = [
    path.relative_to(CHECKOUT)
    for folder in FOLDERS
    for pattern in ("*.py", "*.c", "*.h")
    for path in sorted((CHECKOUT / folder).rglob(pattern))
]
MODULES = [path for path in SOURCES if path.suffix == ".py"]


@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_a_file_can_be_read_in_one_sitting(path: Path) -> None:
    """No source is longer than 500 lines."""
    assert len((CHECKOUT / path).read_text().splitlines()) <= FILE_LINES


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_a_function_fits_a_screen(path: Path) -> None:
    """No function is longer than 50 lines, docstring and all."""
    functions = [
        node
        for node in ast.walk(ast.parse((CHECKOUT / path).read_text()))
        if isinstance(node, ast.FunctionDef)
    ]
    lengths = {f.name: (f.end_lineno or f.lineno) - f.lineno + 1 for f in functions}
    assert not {name for name in lengths if lengths[name] > FUNCTION_LINES}


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_a_module_says_what_it_is_for(path: Path) -> None:
    """Every module begins with a docstring."""
    assert ast.get_docstring(ast.parse((CHECKOUT / path).read_text()))


@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_nothing_is_left_for_later(path: Path) -> None:
    """What is not done is in the issues, not in comments."""
    words = (CHECKOUT / path).read_text().split()
    assert not [word for word in words if word.strip("#:(") in UNFINISHED]
