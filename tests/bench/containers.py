"""Measure containers: how soon the CMD runs, what they need, how soon they stop.

    PYTHONPATH=tests python tests/bench/containers.py             # a minute
    PYTHONPATH=tests python tests/bench/containers.py --rounds 3

s6-overlay 3 needs programs that Debian 12 does not have, so the targets are absolute.
docs/explanation/performance.md has the method, and figures of s6-overlay beside ours.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from conditions import conditions
from harness import ours, wait_until
from inits import Image, Start, booted, boxes_allowed
from report import table

HEADINGS = ("figure", "median", "least", "most", "target", "met")
STARTED = ("sh", "-c", 'date +%s%N; exec "$@"', "")
REACHED = "date +%s%N; cut -d ' ' -f 1 /proc/1/schedstat"
SERVICE = "trap 'exit 0' TERM; echo up; sleep 1000 & wait"
NURSERY = "s6-log-nursery"
RESTS = 5  # are waited for; each takes ten seconds
OURS = {"s6-init", "s6-log", NURSERY, "s6-init-console"}
NANOSECONDS_PER_MS = 1_000_000
KIB_PER_MIB = 1024


@dataclass
class Figure:
    """One thing that is measured, with the limit that it should stay below."""

    name: str
    target: float
    taken: list[float] = field(default_factory=list)

    def row(self) -> tuple[str, ...]:
        """Give the cells of its row."""
        middle = median(self.taken)
        figures = (middle, min(self.taken), max(self.taken))
        met = "yes" if middle < self.target else "no"
        return (self.name, *(f"{f:.1f}" for f in figures), f"< {self.target:g}", met)


class Containers:
    """Boots containers in a scratch directory, and notes what it sees."""

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        self._made = 0
        self.cpu = Figure(
            "exec of /init to CMD, three services: CPU of s6-init, ms", 300
        )
        self.wall = Figure("exec of /init to CMD, three services: wall, ms", 1000)
        self.memory = Figure("five logged services, our processes: PSS, MiB", 24)
        self.stop = Figure("stop of five logged services: wall, ms", 500)
        self.idle = Figure("stop without any service: wall, ms", 500)

    @property
    def figures(self) -> tuple[Figure, ...]:
        """Give all of them, in the order of the table."""
        return self.cpu, self.wall, self.memory, self.stop, self.idle

    def round(self) -> None:
        """Take each figure once."""
        self.boot()
        self.rest()
        self.stop_idle()

    def image(self, services: int, log: bool) -> tuple[Image, Path]:
        """Make an image with some services."""
        self._made += 1
        folder = self._scratch / str(self._made)
        image = Image(folder / "image")
        for number in range(services):
            name = f"s{number}"
            logger = {"log_run": f"exec logutil-service /srv/{name}"} if log else {}
            image.service(name, SERVICE, **logger)
        return image, folder

    def boot(self) -> None:
        """Measure the way to the CMD."""
        image, folder = self.image(3, log=False)
        start = Start(below=STARTED, env={"S6_VERBOSITY": "1"})
        with booted(image, folder, "sh", "-c", REACHED, start=start) as box:
            box.ended()
        begun, reached, cpu = [int(n) for n in box.out.split() if n.isdigit()]
        self.cpu.taken.append(cpu / NANOSECONDS_PER_MS)
        self.wall.taken.append((reached - begun) / NANOSECONDS_PER_MS)

    def rest(self) -> None:
        """Measure the memory of logged services, and how they stop."""
        image, folder = self.image(5, log=True)
        image.file("/etc/nsswitch.conf", "passwd: files\ngroup: files\n", 0o644)
        with booted(image, folder) as box:
            logs = [box.path(f"/srv/s{number}/current") for number in range(5)]
            wait_until(lambda: all(map(_has_lines, logs)), "lines in all logs")
            if len(self.memory.taken) < RESTS:
                wait_until(lambda: NURSERY not in box.processes(), "its rest")
                self.memory.taken.append(_pss_kib(box.pid) / KIB_PER_MIB)
            self.stop.taken.append(_ms(box.stop))

    def stop_idle(self) -> None:
        """Measure the stop of a container with nothing in it."""
        image, folder = self.image(0, log=False)
        with booted(image, folder) as box:
            box.says(
                "[s6-init] ensuring user provided files have correct perms...exited"
            )
            self.idle.taken.append(_ms(box.stop))


def _has_lines(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0


def _ms(action: Callable[[], object]) -> float:
    begun = time.monotonic()
    action()
    return (time.monotonic() - begun) * 1000


def _pss_kib(init: int) -> int:
    """Add up what our processes in a container have, shared memory by its parts."""
    total = 0
    below = [init]
    while below:
        pid = below.pop()
        below += map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
        if Path(f"/proc/{pid}/comm").read_text().strip() in OURS:
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
            total += int(rollup.partition("\nPss:")[2].split()[0])
    return total


def main() -> int:
    """Measure and print; 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    if not boxes_allowed():
        why = "this needs root, PID namespaces and overlayfs"
        sys.stdout.write(f"containers: skipped: {why}\n")
        return 0
    with tempfile.TemporaryDirectory() as scratch:
        containers = Containers(Path(scratch))
        for _ in range(options.rounds):
            containers.round()
        sys.stdout.write(conditions(Path(scratch), ours().argv))
    rows = [figure.row() for figure in containers.figures]
    sys.stdout.write("\n### Containers\n\n" + table(HEADINGS, rows))
    return int(any(row[-1] == "no" for row in rows))


if __name__ == "__main__":
    sys.exit(main())
