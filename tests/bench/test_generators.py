"""The benchmark's own honesty: its input, its comparison, its accounts."""

import itertools
import os
import random
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from cells import CELLS, Cell, Feed
from harness import oracle, ours
from inputs import KINDS, write_input
from outputs import PIECE, Stream, difference
from report import Result, table
from running import Program, RunError, Usage, measure

BENCH = Path(__file__).with_name("bench.py")
SIZE = 300_000
CELL = Cell("copy", (), target=2)
CUTS = (0, PIECE - 1, PIECE + 1, PIECE + 1, 2 * PIECE + 3)


def program(command: str) -> Program:
    """Make a shell command the program under test."""
    return Program("under test", ("sh", "-c", command))


def written(kind: str, path: Path) -> bytes:
    """Give the input of a kind, as written to a file."""
    write_input(kind, SIZE, path)
    return path.read_bytes()


@pytest.mark.parametrize("kind", KINDS)
def test_input_is_repeatable_and_ends_with_the_record(
    kind: str, tmp_path: Path
) -> None:
    """The same kind and size give the same bytes, cut after the last record."""
    data = written(kind, tmp_path / "a")
    end = b"\0" if kind == "nul" else b"\n"
    assert data == written(kind, tmp_path / "b")
    assert data.endswith(end)
    assert data[:-1].rfind(end) + 1 < SIZE <= len(data)


def test_access_lines_have_the_sizes_and_shares_the_cells_count_on(
    tmp_path: Path,
) -> None:
    """Access lines: 92 bytes, all HTTP/1, 2 % errors, 2 % server failures."""
    lines = written("access", tmp_path / "access").splitlines(keepends=True)
    assert abs(sum(map(len, lines)) / len(lines) - 92) < 2
    assert all(b"HTTP/1" in line for line in lines)
    for pattern in (rb"^ERROR", rb" 5[0-9][0-9] "):
        share = sum(bool(re.search(pattern, line)) for line in lines) / len(lines)
        assert 0.01 < share < 0.03


@pytest.mark.parametrize(("kind", "size"), [("short", 20), ("wide", 1000)])
def test_lines_of_one_size_have_it(kind: str, size: int, tmp_path: Path) -> None:
    """The kinds named by a length hold lines of exactly that length."""
    lines = written(kind, tmp_path / kind).splitlines(keepends=True)
    assert {len(line) for line in lines} == {size}


def test_other_kinds_are_what_they_are_for(tmp_path: Path) -> None:
    """NUL-separated input has no newline; long lines are longer than the limit."""
    assert b"\n" not in written("nul", tmp_path / "nul")
    assert min(map(len, written("huge", tmp_path / "huge").splitlines())) > 8192


def test_cells_are_told_apart_and_use_known_input() -> None:
    """Cell names are unique, kinds exist, and only trimmed cells may lose lines."""
    names = [cell.name for cell in CELLS]
    assert len(set(names)) == len(names)
    assert all(cell.kind in KINDS and cell.target > 1 for cell in CELLS)
    for cell in CELLS:
        rotates = any(word.startswith((".", "/")) for word in cell.script)
        assert not rotates or cell.trimmed != ("s16777216" in cell.script)


def logdir(tree: Path, lines: list[bytes], cuts: list[int]) -> None:
    """Make a log directory in a run's tree, rotated after the lines in `cuts`."""
    folder = tree / "d"
    folder.mkdir(parents=True)
    bounds = [0, *sorted(cuts), len(lines)]
    names = [f"@{number:024x}.s" for number in range(len(cuts))] + ["current"]
    for name, (begin, end) in zip(names, itertools.pairwise(bounds), strict=True):
        (folder / name).write_bytes(b"".join(lines[begin:end]))


def stamped(lines: list[bytes], clock: int) -> list[bytes]:
    """Put stamps before lines, TAI64N and ISO, with some digits of a clock."""
    iso = b"2025-11-21 20:42:37.%09d" % clock
    return [b"@%024x %s  %s" % (clock, iso, line) for line in lines]


def test_output_is_the_same_whatever_the_clock_and_the_rotation(
    tmp_path: Path,
) -> None:
    """Other stamps and other archives are no difference."""
    lines = [b"line %d\n" % number for number in range(50)]
    logdir(tmp_path / "a", stamped(lines, 1), [10, 20])
    logdir(tmp_path / "b", stamped(lines, 2), [7])
    assert difference(tmp_path / "a", tmp_path / "b", trimmed=False) == ""


@pytest.mark.parametrize("changed", [b"lino 3\n", b"line 33\n", b""])
def test_output_that_differs_is_told(changed: bytes, tmp_path: Path) -> None:
    """A changed, longer or missing line is a difference."""
    lines = [b"line %d\n" % number for number in range(5)]
    logdir(tmp_path / "a", lines, [])
    lines[3] = changed
    logdir(tmp_path / "b", lines, [])
    assert difference(tmp_path / "a", tmp_path / "b", trimmed=False).startswith("d: ")


def test_missing_stamp_and_missing_output_are_told(tmp_path: Path) -> None:
    """A line without its stamp is a difference, and so is an absent file."""
    lines = [b"line %d\n" % number for number in range(5)]
    logdir(tmp_path / "a", stamped(lines, 1), [])
    logdir(tmp_path / "b", [*stamped(lines[:4], 1), lines[4]], [])
    assert difference(tmp_path / "a", tmp_path / "b", trimmed=True) == "d: other bytes"
    (tmp_path / "a" / "status").write_bytes(b"x")
    told = difference(tmp_path / "a", tmp_path / "b", trimmed=True)
    assert told == "outputs ['d', 'status'] and ['d']"


def test_trimmed_directories_are_compared_from_the_end(tmp_path: Path) -> None:
    """Retention may keep a little more of the beginning, not other lines."""
    lines = [b"line %d\n" % number for number in range(100, 150)]
    logdir(tmp_path / "a", lines, [10])
    logdir(tmp_path / "b", lines[5:], [20])
    logdir(tmp_path / "c", lines[40:], [5])
    assert difference(tmp_path / "a", tmp_path / "b", trimmed=True) == ""
    assert difference(tmp_path / "a", tmp_path / "b", trimmed=False) != ""
    assert difference(tmp_path / "a", tmp_path / "c", trimmed=True) != ""


@pytest.mark.parametrize("skip", [0, 1, PIECE - 1, PIECE, PIECE + 2, 2 * PIECE + 3])
def test_stream_pieces_do_not_depend_on_files(skip: int, tmp_path: Path) -> None:
    """A stream's bytes are those of its files, less what is skipped."""
    data = random.Random(1).randbytes(2 * PIECE + 3)
    files = [tmp_path / name for name in "abcd"]
    for file, (begin, end) in zip(files, itertools.pairwise(CUTS), strict=True):
        file.write_bytes(data[begin:end])
    pieces = list(Stream(files).pieces(skip))
    assert b"".join(pieces) == data[skip:]
    assert {len(piece) for piece in pieces[:-1]} <= {PIECE}


@pytest.mark.parametrize("feed", Feed)
def test_measured_program_gets_the_whole_input(feed: Feed, tmp_path: Path) -> None:
    """Whatever the feed, every byte passes, and stdout and stderr are kept."""
    source, where = tmp_path / "input", tmp_path / "run"
    write_input("access", SIZE, source)
    cell = Cell("copy", (), target=2, feed=feed, times=2)
    usage = measure(program("tee /dev/stderr"), cell, source, where)
    assert usage.cpu_s > 0
    assert usage.wall_s > 0
    assert (where / "stdout").read_bytes() == 2 * source.read_bytes()
    assert (where / "stderr").read_bytes() == 2 * source.read_bytes()


def test_failing_program_is_told_with_its_reason(tmp_path: Path) -> None:
    """A program that fails ends its cell, and its last words are quoted."""
    source = tmp_path / "input"
    write_input("access", SIZE, source)
    with pytest.raises(RunError, match="under test exited 111: no space"):
        measure(program("echo no space >&2; exit 111"), CELL, source, tmp_path / "run")


def test_children_of_the_logger_count(tmp_path: Path) -> None:
    """CPU time of a processor is the logger's, that of feeder and readers not."""
    source = tmp_path / "input"
    source.write_bytes(b"line\n")
    spin = "import time\nwhile time.process_time() < 0.2: pass"
    command = f"cat; {shlex.join((sys.executable, '-c', spin))}; :"
    usage = measure(program(command), CELL, source, tmp_path / "run")
    assert usage.cpu_s >= 0.2


def test_row_is_made_from_the_median_pair() -> None:
    """A pair that the machine disturbed does not move the ratio."""
    pairs = [
        (Usage(2.0, 4.0), Usage(1.0, 1.0)),
        (Usage(2.2, 4.0), Usage(1.0, 1.0)),
        (Usage(9.0, 9.0), Usage(1.0, 1.0)),
    ]
    row = Result(CELL, "kernel", pairs).row()
    assert row[:4] == ("copy", "2.200", "1.000", "2.20")
    assert row[4:] == ("2.00-9.00", "2", "yes", "4.00")


def test_row_says_when_the_target_is_missed() -> None:
    """A ratio below the target is not met."""
    row = Result(CELL, "kernel", [(Usage(1.9, 4.0), Usage(1.0, 1.0))]).row()
    assert row[6] == "no"


def test_table_columns_line_up() -> None:
    """A table is Markdown, and readable without being rendered."""
    assert table(("name", "s"), [("a", "1.5"), ("longer", "10.25")]).splitlines() == [
        "| name   |     s |",
        "|--------|-------|",
        "| a      |   1.5 |",
        "| longer | 10.25 |",
    ]


def test_bench_compares_with_the_real_program(tmp_path: Path) -> None:
    """A small run goes through, and its report is what is printed."""
    size = ("--mib", "1", "--pairs", "1", "--cell", "t", "--cell", "small-n10")
    programs = ("--theirs", *oracle().argv, "--ours", shlex.join(ours().argv))
    report = ("--markdown", str(tmp_path / "report.md"))
    ended = subprocess.run(
        [sys.executable, BENCH, *size, *programs, *report],
        check=False,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == (tmp_path / "report.md").read_text()
    assert [*tmp_path.iterdir()] == [tmp_path / "report.md"]
    for line in (r"\| t +\|", r"\| small-n10 +\|"):
        assert len(re.findall(line, ended.stdout)) == 2
