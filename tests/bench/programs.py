"""What one run of a small program costs: clients of a supervisor, chain programs.

The measure is a Python that does nothing: `python3 -I -S -c pass`. Ours are run twice:
by Python, to be compared with that, and as users do, by the launcher in sh. What a
chain program becomes (here `true`) is in all its figures.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from subprocess import DEVNULL, Popen

from contenders import Contender, Services
from running import RunError, wait_for
from supervised import running, wait_for_each

BARE = (sys.executable, "-I", "-S", "-c", "pass")
LAUNCH = "lib*/python3*/*-packages/s6log/launch.py"
MOST = 1.6
HEADINGS = (
    "program",
    "s6, ms",
    "ours, ms",
    "with launcher, ms",
    "times bare Python",
    "at most",
    "met",
)

COMMANDS = (
    ("s6-svc", "-u", "service"),
    ("s6-svstat", "service"),
    ("s6-svok", "service"),
    ("s6-svwait", "-u", "service"),
    ("s6-svlisten1", "-u", "service", "true"),
    ("s6-svlisten", "-u", "service", "", "true"),
    ("s6-svscanctl", "-z", "."),
    ("s6-svdt", "service"),
    ("s6-svdt-clear", "service"),
    ("s6-svperms", "service"),
    ("s6-setsid", "true"),
    ("s6-setlock", "lock", "true"),
    ("s6-envdir", ".variables", "true"),
    ("s6-envuidgid", "root", "true"),
    ("s6-applyuidgid", "-z", "true"),
    ("s6-softlimit", "-o", "100", "true"),
)
"""Run in a scan directory, where a service `service` is up."""

AS_ROOT = (("s6-setuidgid", "0:0", "true"),)
"""Run there too, by those who may."""


@dataclass(frozen=True)
class Costs:
    """CPU milliseconds, all of one turn."""

    bare: float
    real: float
    ours: float
    launched: float


class Programs:
    """The programs at work on one supervised service."""

    def __init__(self, scratch: Path, installed: Path, runs: int) -> None:
        self.tree = scratch / "programs"
        self.installed = installed
        launch = next(installed.parent.glob(LAUNCH))
        self.direct = (*BARE[:-2], "-X", "utf8", str(launch))
        self.runs = runs

    @contextmanager
    def supervised(self, supervisor: Contender) -> Iterator[None]:
        """Have a service up while the block lasts."""
        services = Services(("service",), log=None)
        supervisor.form.make(self.tree, services)
        variables = self.tree / ".variables"  # the dot: this is no service
        variables.mkdir()
        (variables / "NAME").write_text("value\n")
        with running(supervisor, self.tree) as process:
            wait_for_each(self.tree, services.names, supervisor.form.is_up, process)
            yield

    def commands(self) -> tuple[tuple[str, ...], ...]:
        """Give the commands that can be run."""
        return (*COMMANDS, *AS_ROOT) if os.geteuid() == 0 else COMMANDS

    def row(self, name: str, *arguments: str) -> tuple[str, ...]:
        """Run one command in its four ways in turn; give the table's row."""
        turns = [self.turn(name, arguments) for _ in range(self.runs)]
        ratio = median(costs.ours / costs.bare for costs in turns)
        return (
            " ".join((name, *(word or '""' for word in arguments))),
            f"{median(costs.real for costs in turns):.1f}",
            f"{median(costs.ours for costs in turns):.1f}",
            f"{median(costs.launched for costs in turns):.1f}",
            f"{ratio:.2f}",
            f"{MOST:g}",
            "yes" if ratio <= MOST else "no",
        )

    def turn(self, name: str, arguments: tuple[str, ...]) -> Costs:
        """Run bare Python and the three ways to a program, one after another."""
        return Costs(
            self.cost(*BARE),
            self.cost(f"/usr/bin/{name}", *arguments),
            self.cost(*self.direct, name, *arguments),
            self.cost(str(self.installed / name), *arguments),
        )

    def cost(self, *command: str) -> float:
        """Run a command; give the CPU milliseconds of it and what it waited for."""
        process = Popen(command, cwd=self.tree, stdin=DEVNULL, stdout=DEVNULL)
        cpu_s = wait_for(process)
        if process.returncode != 0:
            raise RunError(f"{' '.join(command)} exited {process.returncode}")
        return 1000 * cpu_s
