"""The command line of s6-log: what it says, where, and with which exit code."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import harness
from harness import Outcome, Program, Stage

USAGE = (
    b"s6-log: usage: s6-log [ -d notif ] [ -q | -v ] [ -b ] [ -p ] [ -l linelimit ] "
    b"[ -t lastlinetimeout ] [ -- ] logging_script\n"
)
ROOT = Path(__file__).parents[2]
HEAVY = {"argparse", "dataclasses", "enum", "pathlib", "re", "subprocess", "typing"}
CLOSURE = """
import sys
sys.path.append(sys.argv[1])
import s6log.cli
from s6log.script.directives import parse
parse([b"-", b"+", b"n5", b"!gzip -9", b"t", b"./d", b"f", b"1"])
print(*sys.modules)
"""


def run(program: Program, args: list[str | bytes], folder: Path) -> Outcome:
    """Run s6-log on two lines."""
    return harness.run(program, args, b"a\nb\n", Stage(folder))


@pytest.mark.parametrize(
    ("args", "err"),
    [
        ([], USAGE),
        (["-q"], USAGE),
        (["-x", "1"], USAGE),
        (["--foo", "1"], USAGE),
        (["-d", "2", "-x"], b"s6-log: fatal: notification fd must be 3 or more\n"),
        (
            ["-d", "77", "zz"],
            b"s6-log: fatal: invalid notification fd: Bad file descriptor\n",
        ),
        (
            ["-d", "4294967295", "1"],
            b"s6-log: fatal: invalid notification fd: Bad file descriptor\n",
        ),
        (
            ["1", "+x", "n5x"],
            b"s6-log: warning: ignoring extraneous non-action directives\n"
            b"s6-log: fatal: unrecognized directive: n5x\n"
            b's6-log: directive 3, "n5x": n takes a number from 0 to 4294967295: '
            b"how many archives to keep\n",
        ),
        (
            ["-q", "1", b"+\xff("],
            b"s6-log: fatal: unrecognized directive: +\xff(\n"
            b's6-log: directive 2, "+\\xff(": bad pattern at byte 2: unmatched (\n',
        ),
    ],
)
def test_mistakes(
    ours: Program, tmp_path: Path, args: list[str | bytes], err: bytes
) -> None:
    """What the user got wrong is told on stderr, and the exit code is 100."""
    assert run(ours, args, tmp_path) == Outcome(100, b"", err)
    assert not list(tmp_path.iterdir())


def test_a_script_is_run(ours: Program, tmp_path: Path) -> None:
    """Options, then directives; a lone dash is the first directive."""
    assert run(ours, ["-qb", "--", "-a", "1"], tmp_path) == Outcome(0, b"b\n", b"")
    assert run(ours, ["-", "+a", "1"], tmp_path) == Outcome(0, b"a\n", b"")


def test_log_directories_before_an_error_are_opened(
    ours: Program, tmp_path: Path
) -> None:
    """As s6-log does: initialised but not ended cleanly; those behind are not made."""
    ended = run(ours, ["./d", "nfoo", "./e"], tmp_path)
    assert ended.code == 100
    assert sorted(path.name for path in tmp_path.iterdir()) == ["d"]
    assert (tmp_path / "d" / "current").stat().st_mode & 0o777 == 0o644


def test_a_log_directory_that_fails_comes_before_a_later_error(
    ours: Program, tmp_path: Path
) -> None:
    """The system's refusal is met first, so it is what the user hears of."""
    ended = run(ours, ["./no/parent", "nfoo"], tmp_path)
    assert ended.code == 111
    assert ended.err.startswith(b"s6-log: fatal: unable to mkdir ./no/parent")
    assert b"nfoo" not in ended.err


def test_a_pattern_beyond_all_bounds_is_refused(ours: Program, tmp_path: Path) -> None:
    """A pattern that would take more memory than it may is the user's mistake."""
    ended = run(ours, ["-", "+a", "+x{30000}y{30000}z{30000}", "1", "+b"], tmp_path)
    assert ended.code == 100
    warning, first, hint = ended.err.splitlines()
    assert warning.startswith(b"s6-log: warning: ignoring extraneous ")
    assert first.startswith(b"s6-log: fatal: pattern too large: ")
    assert hint == (
        b's6-log: directive 3, "+x{30000}y{30000}z{30000}": repeat less, nest less'
    )


def test_a_pattern_too_large_is_found_behind_a_back_reference(
    ours: Program, tmp_path: Path
) -> None:
    """A pattern that needs no automaton is not the one to blame."""
    ended = run(ours, ["-", "+(a)\\1", "+x{30000}y{30000}z{30000}", "1"], tmp_path)
    assert ended.code == 100
    warning, first, hint = ended.err.splitlines()
    assert warning.startswith(b"s6-log: warning: back-reference")
    assert first.startswith(b"s6-log: fatal: pattern too large: ")
    assert hint.startswith(b"s6-log: directive 3, ")


def test_help_and_version_go_to_stdout(ours: Program, tmp_path: Path) -> None:
    """Asked for, they are no mistake: stdout and exit code 0."""
    told = run(ours, ["--help"], tmp_path)
    assert (told.code, told.err) == (0, b"")
    assert told.out.startswith(b"usage: s6-log [options] [--] directive...\n")
    version = run(ours, ["--version"], tmp_path)
    first, kernel, python = version.out.decode().splitlines()
    assert first == "s6-log (s6log 0.1.0), compatible with s6 2.15.1.0"
    assert kernel.startswith("kernel: ")
    assert python.startswith("Python 3.")


def test_only_the_first_word_can_ask_for_help(ours: Program, tmp_path: Path) -> None:
    """Further on, `--help` is what it is to s6-log."""
    assert run(ours, ["-q", "--help"], tmp_path).err == USAGE
    assert run(ours, ["--", "--help", "1"], tmp_path).out == b"a\nb\n"


def test_explanation(ours: Program, tmp_path: Path) -> None:
    """It reads no line and makes no directory, whatever the script says."""
    told = run(ours, ["--explain", "-d", "77", "t", "./d", "=st"], tmp_path)
    assert (told.code, told.err) == (0, b"")
    assert b"-> the log directory ./d\n" in told.out
    assert not list(tmp_path.iterdir())


def test_explanation_of_a_mistake(ours: Program, tmp_path: Path) -> None:
    """A script that is not valid is refused, and still nothing is made."""
    told = run(ours, ["--explain", "./d", "nfoo"], tmp_path)
    assert (told.code, told.out) == (100, b"")
    assert told.err.startswith(b"s6-log: fatal: unrecognized directive: nfoo\n")
    assert run(ours, ["--explain"], tmp_path).err == USAGE
    assert not list(tmp_path.iterdir())


def test_help_that_nobody_reads(ours: Program, tmp_path: Path) -> None:
    """A reader that has gone ends it by SIGPIPE, as any program; nothing is said."""
    read, write = os.pipe()
    os.close(read)
    with harness.running(ours, ["--help"], Stage(tmp_path, stdout=write)) as process:
        os.close(write)
        assert harness.finish(process) == Outcome(-signal.SIGPIPE, b"", b"")


def test_help_that_cannot_be_written(ours: Program, tmp_path: Path) -> None:
    """What the system refuses is told, with exit code 111."""
    with (
        open("/dev/full", "wb") as full,
        harness.running(ours, ["--help"], Stage(tmp_path, stdout=full.fileno())) as p,
    ):
        ended = harness.finish(p)
    assert ended.code == 111
    assert ended.err == (
        b"s6-log: fatal: unable to write to stdout: No space left on device\n"
    )


def test_starting_without_patterns_imports_nothing_heavy() -> None:
    """Start-up counts: one logger per service, each a fresh Python."""
    python = [sys.executable, "-I", "-S", "-c", CLOSURE, str(ROOT)]
    loaded = set(subprocess.check_output(python, text=True).split())
    assert not loaded & HEAVY
    assert not loaded & {"s6log.script.ere", "s6log.script.explain", "s6log.daemon"}
