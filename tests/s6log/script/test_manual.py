"""The texts of --help."""

import pytest

from s6log.script.directives import DIRECTIVES
from s6log.script.manual import file_help, help_text
from s6log.script.options import OPTIONS

TEXTS = pytest.mark.parametrize("text", [help_text(), file_help()])


@TEXTS
def test_every_option_and_directive_is_there(text: str) -> None:
    """Each row of the tables has a line that begins with its letter."""
    starts = [line[2:].split(" ")[0] for line in text.splitlines() if line[:2] == "  "]
    assert {f"-{letter.decode()}" for letter in OPTIONS} <= set(starts)
    for letter, directive in DIRECTIVES.items():
        assert any(
            start.startswith(letter.decode())
            and start.endswith(directive.argument.shape)
            for start in starts
        )


@TEXTS
def test_it_fits_a_terminal(text: str) -> None:
    """No line has more than 79 columns, and the text ends in one newline."""
    assert max(len(line) for line in text.splitlines()) <= 79
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
