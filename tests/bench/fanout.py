"""Compare what s6-log cannot do with the nearest that it, or Python, can.

    python tests/bench/fanout.py            # everything, five minutes
    python tests/bench/fanout.py --quick    # a first look

Two commands in turn, A B A B, each as in running.py. A ratio is formed in each pair,
of CPU time or of speed, and the median is what counts.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from subprocess import DEVNULL, PIPE, Popen, check_call

from cells import KEEP, Cell
from conditions import conditions
from inputs import write_input
from report import table
from running import LIMIT_S, Program, RunError, Usage, measure, wait_for

THEIRS = Program("s6-log", ("/usr/bin/s6-log",))
OURS = Program("ours", (str(Path(sys.executable).with_name("s6-log")),))
NO_KERNEL = Program("no kernel", OURS.argv, {"S6LOG_KERNEL": "no"})
LOOP = """
import json, sys
out = sys.stdout.buffer
for line in sys.stdin.buffer:
    json.loads(line)
    out.write(line)
"""
JSON_LOOP = Program("json loop", (sys.executable, "-I", "-S", "-c", LOOP))
MEMORY = "/dev/shm"  # noqa: S108 - what is made there is a private directory
MIB = 1 << 20
QUIET = ("-q",)
PLAIN = (*KEEP, "./d")
HEADINGS = ("cell", "of", "A s", "B s", "A / B", "least-most", "target", "met")


@dataclass(frozen=True)
class Side:
    """One of two: a program, its options and what follows a `--`."""

    program: Program
    words: tuple[str, ...] = ()
    options: tuple[str, ...] = QUIET


@dataclass(frozen=True)
class Duel:
    """A is what ours, B, is measured by; `target` is what A / B should be, at least."""

    name: str
    a: Side
    b: Side
    target: float
    kind: str = "access"
    times: int = 4
    wall: bool = False
    same: Callable[[Path, Path], bool] | None = None


def ours(*words: str) -> Side:
    """Make a side of our s6-log."""
    return Side(OURS, words)


def theirs(*words: str) -> Side:
    """Make a side of the real s6-log."""
    return Side(THEIRS, words)


def same_lines(a: Path, b: Path) -> bool:
    """Tell whether two runs have shown as many lines on standard output."""
    return count(a / "stdout") == count(b / "stdout") > 0


def same_records(a: Path, b: Path) -> bool:
    """Tell whether two log directories have as many lines."""
    return directory_count(a / "d") == directory_count(b / "d") > 0


def directory_count(logdir: Path) -> int:
    """Count the lines of all files of a log directory."""
    return sum(map(count, [*logdir.glob("@*"), logdir / "current"]))


def count(path: Path) -> int:
    """Count the lines of a file."""
    with path.open("rb") as file:
        pieces = iter(lambda: file.read(MIB), b"")
        return sum(piece.count(b"\n") for piece in pieces)


LOOPING = Side(JSON_LOOP, options=())

DUELS = (
    Duel("@tag", theirs("pweb:", "1"), ours("@tag=web", "1"), 3, same=same_lines),
    Duel("@json", theirs("T", "1"), ours("@json", "1"), 3, same=same_lines),
    Duel(
        "@json, no kernel",
        theirs("T", "1"),
        Side(NO_KERNEL, ("@json", "1")),
        2,
        same=same_lines,
    ),
    Duel(
        "@tag, objects",
        LOOPING,
        ours("@tag=web", "1"),
        3,
        kind="json",
        times=2,
        same=same_lines,
    ),
    Duel(
        "@json, objects",
        LOOPING,
        ours("@json", "1"),
        3,
        kind="json",
        times=2,
        same=same_lines,
    ),
    Duel(
        "@json, objects, no kernel",
        LOOPING,
        Side(NO_KERNEL, ("@json", "1")),
        0.5,
        kind="json",
        times=1,
        same=same_lines,
    ),
    Duel("@pipe", ours(*PLAIN), ours("@pipe=cat >/dev/null"), 0.6, wall=True),
    *(
        Duel(
            f"@join={kind}",
            ours(*PLAIN),
            ours(*KEEP, f"@join={kind}", "./d"),
            0.5,
            same=same_records,
        )
        for kind in ("python", "java", "go", "indent", "start:^[A-Z]")
    ),
    Duel("@metrics", ours(*PLAIN), ours("@metrics=m", *PLAIN), 0.8, same=same_records),
    Duel(
        "@full=drop-oldest",
        ours("t", "1"),
        ours("@full=drop-oldest", "t", "1"),
        0.9,
    ),
)


class Session:
    """A scratch directory, and how much and how often."""

    def __init__(self, scratch: Path, mib: int, pairs: int) -> None:
        self.scratch = scratch
        self.mib = mib
        self.pairs = pairs

    def row(self, duel: Duel) -> tuple[str, ...]:
        """Let both sides run in turn; give the table's row."""
        found = []
        for _ in range(self.pairs):
            a, b = self.run(duel, duel.a, "a"), self.run(duel, duel.b, "b")
            if duel.same and not duel.same(self.scratch / "a", self.scratch / "b"):
                raise RunError(f"{duel.name}: other lines")
            found.append((a.wall_s, b.wall_s) if duel.wall else (a.cpu_s, b.cpu_s))
        ratios = [a / b for a, b in found]
        return (
            duel.name,
            "wall" if duel.wall else "CPU",
            f"{median(a for a, _ in found):.3f}",
            f"{median(b for _, b in found):.3f}",
            f"{median(ratios):.2f}",
            f"{min(ratios):.2f}-{max(ratios):.2f}",
            f"{duel.target:g}",
            "yes" if median(ratios) >= duel.target else "no",
        )

    def run(self, duel: Duel, side: Side, name: str) -> Usage:
        """Run one side once, in a directory that stays until its next turn."""
        where = self.scratch / name
        shutil.rmtree(where, ignore_errors=True)
        cell = Cell(
            duel.name,
            side.words,
            duel.target,
            kind=duel.kind,
            times=duel.times,
            options=side.options,
        )
        return measure(side.program, cell, self.input(duel.kind), where)

    def input(self, kind: str) -> Path:
        """Give the file with this kind of input, made when first asked for."""
        path = self.scratch / f"input-{kind}"
        if not path.exists():
            write_input(kind, self.mib * MIB, path)
        return path


STUCK_LIMITS = (0, 1, 4, 16)
"""MiB that an output may hold which nobody reads; 0: there is no such output."""


def stuck_rows(source: Path, scratch: Path) -> list[tuple[str, ...]]:
    """Measure what an output costs that takes nothing, by its limit."""
    found = [stuck(source, scratch, limit) for limit in STUCK_LIMITS]
    base_kib = found[0][0]
    return [
        (
            f"{limit} MiB" if limit else "none",
            f"{kib / 1024:.1f}",
            f"{(kib - base_kib) / 1024:.1f}",
            f"{cpu_s:.2f}",
            f"{lines}",
        )
        for limit, (kib, cpu_s, lines) in zip(STUCK_LIMITS, found, strict=True)
    ]


def stuck(source: Path, scratch: Path, limit_mib: int) -> tuple[int, float, int]:
    """Log to a directory, and to a pipe that nobody reads; KiB, seconds, lines.

    Memory is the most there was once all is logged, read before the input ends.
    """
    where = scratch / "stuck"
    shutil.rmtree(where, ignore_errors=True)
    where.mkdir()
    reading, writing = os.pipe()
    output = (f"@buffer={limit_mib}M", "@full=drop-oldest", "1") if limit_mib else ()
    words = (*OURS.argv, "-q", "-t", "50", "--", *KEEP, *output, "@full=block", "./d")
    logger = Popen(words, stdin=PIPE, stdout=writing, stderr=DEVNULL, cwd=where)
    assert logger.stdin is not None
    with logger.stdin as stdin:
        check_call(["cat", str(source)], stdout=stdin)
        wait_for_bytes(where / "d", source.stat().st_size)
        kib = high_water_kib(logger.pid)
    cpu_s = wait_for(logger)
    os.close(reading)
    os.close(writing)
    if logger.returncode:
        raise RunError(f"the logger exited {logger.returncode}")
    return kib, cpu_s, directory_count(where / "d")


def wait_for_bytes(logdir: Path, size_bytes: int) -> None:
    """Wait until the files of a log directory have so many bytes together."""
    deadline = time.monotonic() + LIMIT_S
    while sum(file.stat().st_size for file in logdir.iterdir()) < size_bytes:
        if time.monotonic() > deadline:
            raise RunError("the directory did not get everything")
        time.sleep(0.01)


def high_water_kib(pid: int) -> int:
    """Give the most memory that a process has had resident (proc(5), VmHWM)."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])


STUCK_HEADINGS = ("limit of the stuck output", "MiB", "more", "CPU s", "lines logged")


def options_of(words: list[str]) -> argparse.Namespace:
    """Read the command line into validated options."""
    names = {duel.name: duel for duel in DUELS}
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add = parser.add_argument
    add("--quick", action="store_true", help="32 MiB and 3 pairs, for a first look")
    add("--cell", action="append", choices=names, help="only this one; repeatable")
    options = parser.parse_args(words)
    options.duels = [names[name] for name in options.cell or names]
    return options


def main(words: list[str]) -> int:
    """Run the bench; return the exit code: 1 when a cell failed."""
    options = options_of(words)
    place = os.environ.get("TMPDIR", MEMORY)
    with tempfile.TemporaryDirectory(prefix="s6log-fanout.", dir=place) as made:
        scratch = Path(made)
        session = Session(scratch, *((32, 3) if options.quick else (96, 7)))
        parts = [conditions(scratch, OURS.argv), "### Fan-out\n"]
        rows = []
        for duel in options.duels:
            sys.stderr.write(f"fanout: {duel.name}\n")
            rows.append(session.row(duel))
        parts.append(table(HEADINGS, rows))
        if not options.cell:
            parts += (
                "### An output that nobody reads\n",
                table(STUCK_HEADINGS, stuck_rows(session.input("access"), scratch)),
            )
    sys.stdout.write("\n".join(parts))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
