"""s6-logscript: a logger described by a file, also as its interpreter."""

import subprocess
import sys
from pathlib import Path

import pytest

import harness
from harness import LAUNCHER, Outcome, Program, Stage

SCRIPT = r"""#!/usr/bin/env s6-logscript
options -q
- +'a b' 2    # an alert for some
f p"it's" 1   # the rest
"""


@pytest.fixture
def logscript() -> Program:
    """Our s6-logscript."""
    return harness.ours("s6-logscript")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make a folder with a script in it."""
    (tmp_path / "run").write_text(SCRIPT)
    return tmp_path


def run(program: Program, args: list[str], folder: Path) -> Outcome:
    """Run it on two lines."""
    return harness.run(program, args, b"x\na b\n", Stage(folder))


def test_a_file_is_a_logger(logscript: Program, folder: Path) -> None:
    """The running logger speaks as s6-log."""
    ended = run(logscript, ["run"], folder)
    assert ended == Outcome(0, b"it's x\n", b"s6-log: alert: a b\n")


def test_it_can_be_an_interpreter(folder: Path) -> None:
    """An executable file that names it in its first line is the logger."""
    command = folder / "s6-logscript"
    python = f'"{sys.executable}" -I -S "{LAUNCHER}"'
    command.write_text(f'#!/bin/sh\nexec {python} s6-logscript "$@"\n')
    command.chmod(0o755)
    (folder / "run").chmod(0o755)
    ended = subprocess.run(
        [folder / "run", "web/log"],
        input=b"x\na b\n",
        capture_output=True,
        check=True,
        env={"PATH": f"{folder}:/usr/bin:/bin"},
    )
    assert (ended.stdout, ended.stderr) == (b"it's x\n", b"s6-log: alert: a b\n")


def test_arguments_come_after_the_file(logscript: Program, folder: Path) -> None:
    """Options win over the file's; behind `--`, directives go at the end.

    Any other word is what s6-supervise adds, the service's name.
    """
    ended = run(logscript, ["run", "web/log"], folder)
    assert ended.err == b"s6-log: alert: a b\n"
    ended = run(logscript, ["run", "-v", "--", "+", "p", "1", "+nothing"], folder)
    assert ended.out == b"it's x\nx\na b\n"
    assert ended.err == (
        b"s6-log: warning: ignoring extraneous non-action directives\n"
        b"s6-log: alert: a b\n"
    )


@pytest.mark.parametrize(
    ("text", "err"),
    [
        ("1\n'abc\n", "fatal: ./f: line 2: unmatched quote"),
        ("n5\noptions -z\n1", "fatal: ./f: line 2: unknown option -z"),
        ("options -q x\n1", "fatal: ./f: line 1: this is no option: x"),
        ("\noptions -l 5x", "fatal: ./f: line 2: -l takes a number from 0 to "),
        ("options -d 2\n1", "fatal: ./f: line 1: notification fd must be 3 or more"),
        (
            "options -d 77\n1",
            "fatal: ./f: line 1: invalid notification fd: Bad file descriptor",
        ),
        (
            "n5\n\nt \\\n nfoo\n1",
            "fatal: unrecognized directive: nfoo\n"
            's6-logscript: ./f: line 4: directive 3, "nfoo": n takes a number from ',
        ),
        (
            "# nothing\n",
            "fatal: no action directive specified\n"
            "s6-logscript: ./f: nothing says where lines go: ",
        ),
    ],
)
def test_mistakes_name_the_line(
    logscript: Program, tmp_path: Path, text: str, err: str
) -> None:
    """What is wrong in the file is told with its name and line, exit code 100."""
    (tmp_path / "f").write_text(text)
    ended = run(logscript, ["./f"], tmp_path)
    assert (ended.code, ended.out) == (100, b"")
    assert ended.err.decode().startswith(f"s6-logscript: {err}")


def test_mistakes_in_the_arguments(logscript: Program, folder: Path) -> None:
    """A directive that is not in the file is said not to be."""
    ended = run(logscript, ["run", "--", "zz"], folder)
    assert ended.code == 100
    assert ended.err.startswith(
        b"s6-logscript: fatal: unrecognized directive: zz\n"
        b's6-logscript: after the file: directive 7, "zz": '
    )


@pytest.mark.parametrize("args", [[], ["-x", "run"], ["run", "-x"], ["--explain"]])
def test_usage(logscript: Program, folder: Path, args: list[str]) -> None:
    """A command line that is not valid is answered with the right form."""
    usage = (
        b"usage: s6-logscript [ --explain ] file [ options ] [ name ] [ -- directives ]"
    )
    ended = run(logscript, args, folder)
    assert ended == Outcome(100, b"", b"s6-logscript: " + usage + b"\n")


def test_files_that_cannot_be_read(logscript: Program, folder: Path) -> None:
    """The system's refusal is told, with exit code 111."""
    ended = run(logscript, ["--", "-none"], folder)
    assert ended.code == 111
    assert ended.err == (
        b"s6-logscript: fatal: unable to read -none: No such file or directory\n"
    )
    assert run(logscript, ["."], folder).code == 111


def test_help_version_and_explanation(logscript: Program, folder: Path) -> None:
    """They go to stdout; an explanation is of the file and the arguments together."""
    told = run(logscript, ["--help"], folder)
    assert told.out.startswith(b"usage: s6-logscript [--explain] FILE [ARGS]\n")
    told = run(logscript, ["--version"], folder)
    assert told.out.startswith(b"s6-logscript (s6log 0.1.0), compatible with s6 ")
    told = run(logscript, ["--explain", "run", "-b", "--", "./d"], folder)
    assert (told.code, told.err) == (0, b"")
    assert b"-> the log directory ./d\n" in told.out
    assert b"(-b)" in told.out
    assert sorted(path.name for path in folder.iterdir()) == ["run"]


def test_explanation_of_a_mistake(logscript: Program, tmp_path: Path) -> None:
    """It is told as when the logger is started."""
    (tmp_path / "run").write_text("zz\n")
    told = run(logscript, ["--explain", "run"], tmp_path)
    assert told.code == 100
    assert b's6-logscript: run: line 1: directive 1, "zz": ' in told.err
