"""Which run files can only become a logger: a table, and the programs themselves."""

from pathlib import Path

import pytest

from runfiles import NAME, RUNS, WARM, Run, Stand
from supervisor.warm.recognize import recognize


def name(run: Run) -> str:
    """Name a case."""
    return run.about


@pytest.mark.parametrize("run", RUNS, ids=name)
def test_a_run_file_is_what_the_table_says(run: Run) -> None:
    """A logger, with its words, its user and what is executed on the way; or not."""
    command = recognize(run.text, NAME.encode())
    if run.program is None:
        assert command is None
        return
    assert command is not None
    assert (command.program, command.arguments) == (run.program, run.arguments)
    assert (command.user, command.chain) == (run.user, run.chain)


def in_reach(run: Run) -> bool:
    """Tell whether stand-ins are what the file would find, and its interpreter is."""
    command = recognize(run.text, b"")
    assert command is not None
    names = (command.logger, *command.chain)
    paths = any(word.startswith(b"/") for word in names)
    return Path(command.interpreter.decode()).exists() and not paths


@pytest.mark.parametrize("run", WARM, ids=name)
def test_executing_it_comes_to_the_same(run: Run, tmp_path: Path) -> None:
    """The kernel, the interpreter and what they find agree with the table."""
    if not in_reach(run):
        pytest.skip("it names programs that are not here, or no stand-ins")
    assert Stand(tmp_path).told(run.text) == run.words


def test_the_path_is_that_of_the_logger() -> None:
    """As it is written, for somebody else to find it."""
    command = recognize(b"#!/bin/sh\nexec /opt/bin/s6-log x\n", b"")
    assert command is not None
    assert (command.interpreter, command.logger) == (b"/bin/sh", b"/opt/bin/s6-log")
    command = recognize(b"#!/opt/bin/s6-logscript\n", b"")
    assert command is not None
    assert (command.interpreter, command.logger) == (
        b"/bin/sh",
        b"/opt/bin/s6-logscript",
    )
