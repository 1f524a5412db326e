"""Compare our s6-log with Debian's, interleaved, and print tables.

    python tests/bench/bench.py                      # everything, 20 minutes
    python tests/bench/bench.py --quick --cell t     # one cell, seconds

The method is described in docs/explanation/performance.md.
"""

import argparse
import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from cells import CELLS, Cell
from conditions import conditions
from inputs import write_input
from live import QUICK, Probes, Sizes
from outputs import difference, size_difference
from report import HEADINGS, Result, legend, table
from running import Program, RunError, Usage, measure

THEIRS = Path("/usr/bin/s6-log")
OURS = Path(sys.executable).with_name("s6-log")
VARIANTS: dict[str, dict[str, str]] = {
    "kernel": {},
    "no-kernel": {"S6LOG_KERNEL": "no"},
}
Comparison = Callable[[Path, Path, bool], str]
MIB = 1 << 20
MEMORY = "/dev/shm"  # noqa: S108 - what is made there is a private directory


class Bench:
    """One session: a scratch directory, the programs, how much and how often."""

    def __init__(self, scratch: Path, options: argparse.Namespace) -> None:
        self.scratch = scratch
        self.expected = scratch / "expected"
        self.size_bytes: int = options.mib * MIB
        self.pairs: int = options.pairs
        self.failures: list[str] = []
        self.theirs = Program("s6-log", (str(options.theirs),))
        argv = tuple(shlex.split(options.ours))
        self.ours = [Program(name, argv, VARIANTS[name]) for name in options.variants]

    def compare(self, cell: Cell) -> list[Result]:
        """Run one cell pair by pair: A B A B, or A B C with both variants.

        A first run, not counted, gives the expected output. It stays while
        all others come and go, so that each finds the same memory in use: of
        two runs in a row that both stay, the second is up to a tenth dearer.
        """
        results = [Result(cell, ours.name, []) for ours in self.ours]
        source = self.input(cell.kind)
        measure(self.theirs, cell, source, self.expected)
        for number in range(self.pairs):
            say(f"{cell.name}: {number + 1} of {self.pairs}")
            compare = size_difference if number else difference
            theirs = self.run(self.theirs, cell, source, size_difference)
            for ours, result in zip(self.ours, results, strict=True):
                result.pairs.append((theirs, self.run(ours, cell, source, compare)))
        shutil.rmtree(self.expected)
        return results

    def compare_all(self, cells: tuple[Cell, ...]) -> list[Result]:
        """Run every cell; one that fails is told of and left out."""
        for cell in cells:
            self.input(cell.kind)
        self.touch_memory()
        results = []
        for cell in cells:
            try:
                results += self.compare(cell)
            except RunError as error:
                say(f"{cell.name} failed: {error}")
                self.failures.append(f"- {cell.name}: {error}\n")
                shutil.rmtree(self.expected)
                shutil.rmtree(self.scratch / "run", ignore_errors=True)
        return results

    def run(
        self, program: Program, cell: Cell, source: Path, compare: Comparison
    ) -> Usage:
        """Run one program once; what it wrote must be what was expected."""
        where = self.scratch / "run"
        usage = measure(program, cell, source, where)
        if found := compare(self.expected, where, cell.trimmed):
            raise RunError(f"{program.name} wrote something else: {found}")
        shutil.rmtree(where)
        return usage

    def input(self, kind: str) -> Path:
        """Give the file with this kind of input, made when first asked for."""
        path = self.scratch / f"input-{kind}"
        if not path.exists():
            say(f"writing {self.size_bytes // MIB} MiB of input: {kind}")
            write_input(kind, self.size_bytes, path)
        return path

    def touch_memory(self) -> None:
        """Use as much memory as two runs' outputs may take, and give it back.

        In a virtual machine a page that was never used before costs several
        times as much, and would be charged to whoever comes first.
        """
        path = self.scratch / "touch"
        with path.open("wb") as file:
            for _ in range(12 * self.size_bytes // MIB):
                file.write(bytes(MIB))
        path.unlink()


def say(text: str) -> None:
    """Tell on stderr how far we are; tables alone go to stdout."""
    sys.stderr.write(f"bench: {text}\n")


def options_of(words: list[str]) -> argparse.Namespace:
    """Read the command line into validated options."""
    names = {cell.name: cell for cell in CELLS}
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add = parser.add_argument
    add("--quick", action="store_true", help="32 MiB and 3 pairs, for a first look")
    add("--cell", action="append", choices=names, help="only this one; repeatable")
    add("--live", action="store_true", help="only start-up, memory and latency")
    add("--pairs", type=int, help="runs of each program and cell (default 5)")
    add("--mib", type=int, help="size of the input in MiB (default 128)")
    add("--theirs", type=Path, default=THEIRS, metavar="FILE", help=f"default {THEIRS}")
    add("--ours", default=str(OURS), metavar="CMD", help=f"default {OURS}")
    add("--variant", choices=VARIANTS, help="only with or without the C kernel")
    add("--markdown", type=Path, metavar="FILE", help="write the report there too")
    options = parser.parse_args(words)
    if not options.theirs.exists():
        parser.error(f"there is no {options.theirs} (Debian: apt-get install s6)")
    options.mib = options.mib or (32 if options.quick else 128)
    options.pairs = options.pairs or (3 if options.quick else 5)
    options.cells = () if options.live else CELLS
    if options.cell:
        options.cells = tuple(names[name] for name in options.cell)
    options.variants = [options.variant] if options.variant else list(VARIANTS)
    return options


def report(bench: Bench, options: argparse.Namespace) -> str:
    """Measure everything asked for; return the report as Markdown."""
    programs = (bench.theirs, bench.ours[0])
    parts = [conditions(bench.scratch, bench.ours[0].argv)]
    if options.cells:
        results = bench.compare_all(options.cells)
        for ours in bench.ours:
            rows = [result.row() for result in results if result.variant == ours.name]
            parts += (f"### Throughput, {ours.name}\n", table(HEADINGS, rows))
        parts += ("### What the cells run\n", legend(options.cells))
    if not options.cell:
        say("start-up, memory, latency")
        sizes = QUICK if options.quick else Sizes()
        probes = Probes(programs, bench.input("access"), bench.scratch, sizes)
        parts += ("### Start-up, memory, latency\n", probes.report())
    if bench.failures:
        parts += ("### Failed\n", *bench.failures)
    return "\n".join(parts)


def main(words: list[str]) -> int:
    """Run the bench; return the exit code: 1 when a cell failed."""
    options = options_of(words)
    place = os.environ.get("TMPDIR", MEMORY)
    with tempfile.TemporaryDirectory(prefix="s6log-bench.", dir=place) as scratch:
        bench = Bench(Path(scratch), options)
        text = report(bench, options)
    sys.stdout.write(text)
    if options.markdown:
        options.markdown.write_text(text)
    return 1 if bench.failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
