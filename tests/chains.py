"""Run a program that becomes another, ours and the real one, and compare the two."""

import os
from collections.abc import Callable, Sequence

import pytest

import harness
from harness import Outcome, Program, Stage

needs_root = pytest.mark.skipif(os.getuid() != 0, reason="only root may do this")

Words = Sequence[str | bytes]
STATUS = ["cat", "/proc/self/status"]
VARIABLES = ["env", "-0"]


WITHOUT_PRIVILEGES = ("setpriv", "--bounding-set=-setuid,-setgid")
"""Starts a program as a root that may not change users, but read its files."""


def become(program: Program, words: Words, stage: Stage) -> Outcome:
    """Run a program to its end."""
    with harness.running(program, words, stage) as process:
        return harness.finish(process)


def behind(words: Sequence[str], program: Program) -> Program:
    """Put another program before one, which executes it."""
    return Program(program.name, (*words, *program.argv))


def agree(
    tool: str,
    words: Words,
    stage: Stage,
    view: Callable[[bytes], object] = bytes,
    start: Sequence[str] = (),
) -> Outcome:
    """Run ours and the real one; fail unless they do the same.

    `view` is what counts of the standard output. Usage lines list the options of
    their versions, so they are only compared up to there. `start` is a program
    that executes them.
    """
    real = become(behind(start, harness.oracle(tool)), words, stage)
    ours = become(behind(start, without_launcher(tool)), words, stage)
    assert (ours.code, said(ours.err)) == (real.code, said(real.err))
    assert view(ours.out) == view(real.out)
    return ours


def without_launcher(tool: str) -> Program:
    """Give our program without the shell script that starts it elsewhere.

    That shell sets PWD, and loses variables that it could not have (dash); both
    are named in docs/how-to/migrate-from-s6.md.
    """
    return Program("ours", (*harness.PYTHON, str(harness.LAUNCHER), tool))


def said(message: bytes) -> bytes:
    """Cut the synopsis off a usage line."""
    before, usage, _ = message.partition(b": usage: ")
    return before + usage


def variables(text: bytes) -> set[bytes]:
    """Split what env -0 prints, which is in no particular order."""
    return set(text.split(b"\0"))


def status(*names: bytes) -> Callable[[bytes], list[bytes]]:
    """Pick some lines of /proc/self/status."""
    return lambda text: [
        line for line in text.splitlines() if line.partition(b":")[0] in names
    ]
