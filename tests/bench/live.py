"""Figures that are not throughput: start-up, memory, latency, idleness."""

import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from subprocess import DEVNULL, Popen

from alive import started
from report import table
from running import Program, RunError, wait_for

HEADINGS = ("figure", "s6-log", "ours", "at most", "met")
BARE = (sys.executable, "-I", "-S", "-c", "pass")
SCRIPT = ("n3", "t", "./d")
LINE = b"GET /docs/index.html HTTP/1.1 200 5120 0.004 s, one write for each line ...\n"

STARTS = 25
ROUNDS = 3
LINES_PER_S = 1000
LATENCY_FACTOR = 2.5
MIB = 1 << 20


@dataclass(frozen=True)
class Sizes:
    """How long and how much."""

    paced_s: float = 4
    idle_s: float = 10
    fed_bytes: int = 1024 * MIB


QUICK = Sizes(paced_s=1, idle_s=2, fed_bytes=128 * MIB)


@dataclass(frozen=True)
class Figure:
    """One row: a figure of both programs and the most that ours may be."""

    name: str
    theirs: float
    ours: float
    limit: float | None = None

    def row(self) -> tuple[str, ...]:
        """Give the table's row."""
        figures = (self.name, f"{self.theirs:.1f}", f"{self.ours:.1f}")
        if self.limit is None:
            return (*figures, "", "")
        met = "yes" if self.ours <= self.limit else "no"
        return (*figures, f"{self.limit:.1f}", met)


class Probes:
    """The measurements, of both programs in turn, in fresh directories."""

    def __init__(
        self, programs: tuple[Program, Program], source: Path, where: Path, sizes: Sizes
    ) -> None:
        self.programs = programs
        self.source = source
        self.where = where
        self.sizes = sizes

    def report(self) -> str:
        """Take all figures; return the table."""
        probes = (self.startup, self.memory, self.latency, self.idleness)
        return table(HEADINGS, [figure.row() for probe in probes for figure in probe()])

    def startup(self) -> list[Figure]:
        """CPU time from exec to exit, with nothing on stdin."""
        bare, theirs, ours = self.starts()
        above = f"start-up CPU above bare Python ({bare:.1f}), ms"
        return [
            Figure("start-up CPU, ms", theirs, ours),
            Figure(above, theirs - bare, ours - bare, 20),
        ]

    def memory(self) -> list[Figure]:
        """Resident memory once a gigabyte has passed."""
        now, highest = self.medians(self.swallow, 1)
        return [
            Figure(f"VmRSS after {self.sizes.fed_bytes // MIB} MiB, MiB", *now, 12),
            Figure("VmHWM, MiB", *highest),
        ]

    def latency(self) -> list[Figure]:
        """CPU time and delay of each line at a low rate."""
        middle, late, cpu = self.medians(self.pace, ROUNDS)
        return [
            Figure("write to file, median, µs", *middle, LATENCY_FACTOR * middle[0]),
            Figure("write to file, 99 of 100, µs", *late),
            Figure("CPU per paced line, µs", *cpu, LATENCY_FACTOR * cpu[0]),
        ]

    def idleness(self) -> list[Figure]:
        """Wake-ups while nothing happens."""
        (wakeups,) = self.medians(self.sleep, 1)
        return [Figure(f"wake-ups in {self.sizes.idle_s:g} idle s", *wakeups, 0)]

    def medians(
        self, probe: Callable[[Program], tuple[float, ...]], rounds: int
    ) -> list[tuple[float, float]]:
        """Probe both programs in turn; give each figure's medians as a pair."""
        seen = [[probe(program) for program in self.programs] for _ in range(rounds)]
        theirs, ours = (
            [median(values) for values in zip(*runs, strict=True)]
            for runs in zip(*seen, strict=True)
        )
        return list(zip(theirs, ours, strict=True))

    def starts(self) -> list[float]:
        """Start bare Python and both loggers in turn; give medians in ms."""
        commands = [BARE, *((*program.argv, *SCRIPT) for program in self.programs)]
        rounds = [[self.start(command) for command in commands] for _ in range(STARTS)]
        return [1000 * median(costs) for costs in zip(*rounds, strict=True)]

    def start(self, command: tuple[str, ...]) -> float:
        """Run a command to its end; give its CPU seconds."""
        process = Popen(command, stdin=DEVNULL, cwd=self.where)
        cpu_s = wait_for(process)
        if process.returncode != 0:
            raise RunError(f"{command[0]} exited {process.returncode}")
        return cpu_s

    def swallow(self, program: Program) -> tuple[float, float]:
        """Give resident memory, now and highest, in MiB after much input."""
        with started(program, self.fresh()) as logger:
            times = -(-self.sizes.fed_bytes // self.source.stat().st_size)
            logger.swallow(self.source, times)
            return logger.status("VmRSS") / 1024, logger.status("VmHWM") / 1024

    def pace(self, program: Program) -> tuple[float, float, float]:
        """Give median and 99th percentile latency and CPU per line, in µs."""
        with started(program, self.fresh()) as logger:
            before = logger.cpu_s()
            lines = int(self.sizes.paced_s * LINES_PER_S)
            latencies = paced(logger.write, lines)
            cpu_us = 1e6 * (logger.cpu_s() - before) / lines
        return 1e6 * median(latencies), 1e6 * quantiles(latencies, n=100)[98], cpu_us

    def sleep(self, program: Program) -> tuple[float]:
        """Count how often an idle logger went to sleep again."""
        with started(program, self.fresh()) as logger:
            time.sleep(0.5)
            before = logger.status("voluntary_ctxt_switches")
            time.sleep(self.sizes.idle_s)
            return (float(logger.status("voluntary_ctxt_switches") - before),)

    def fresh(self) -> Path:
        """Give the name of a directory that does not exist."""
        shutil.rmtree(self.where / "fresh", ignore_errors=True)
        return self.where / "fresh"


def paced(write: Callable[[bytes], float], lines: int) -> list[float]:
    """Write lines at an even rate; give what `write` returned for each."""
    due = time.monotonic()
    latencies = []
    for _ in range(lines):
        due += 1 / LINES_PER_S
        time.sleep(max(0.0, due - time.monotonic()))
        latencies.append(write(LINE))
    return latencies
