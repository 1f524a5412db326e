"""Compare our supervisor with s6, runit and supervisord, and print tables.

    python tests/bench/supervision.py                           # half an hour
    python tests/bench/supervision.py --part trees --size 100
    python tests/bench/supervision.py --quick                   # a minute

The method is described in docs/explanation/performance.md.
"""

import argparse
import os
import signal
import sys
import tempfile
from pathlib import Path

from bench import MEMORY, say
from census import swept
from conditions import conditions, output
from contenders import SUPERVISORS, Contender, contenders
from contest import Contest, Taken, side_by_side
from lives import SIZES, Rest, Size, live
from programs import HEADINGS, Programs
from report import table
from restarts import FIGURES, restarts
from running import RunError

OTHERS = ("dpkg-query", "-W", "-f", "${Package} ${Version}\n", "runit", "supervisor")
NAMES = tuple(contender.name for contender in contenders(Path(), 0))


class Session:
    """A scratch directory, who takes part, how much and how often."""

    def __init__(self, scratch: Path, options: argparse.Namespace) -> None:
        self.scratch = scratch
        self.programs_folder: Path = options.programs
        self.names = tuple(name for name in NAMES if name in options.names)
        self.options = options
        self.failures: list[str] = []

    def report(self) -> str:
        """Take all that is asked for; return it as Markdown."""
        ours = (str(self.programs_folder / "s6-log"),)
        parts = [conditions(self.scratch, ours) + f"- others: {output(OTHERS)}\n"]
        for part in self.options.parts:
            title, take = PARTS[part]
            parts += (f"### {title}\n", take(self))
        if self.failures:
            parts += ("### Failed\n", "".join(self.failures))
        return "\n".join(parts)

    def trees(self) -> str:
        """Start, rest and stop trees of services of all sizes."""
        contests = [self.contest(size) for size in self.options.sizes]
        return side_by_side(contests, tuple(one.name for one in self.contenders(1)))

    def contest(self, size: Size) -> Contest:
        """Give everyone a turn, and again; they rest in the first turn only."""
        contest = Contest(f"{size.services}: ", size.figures)
        rest: Rest | None = self.options.rest
        rounds: int = self.options.rounds or size.rounds
        for number in range(rounds):
            taken = {}
            for contender in self.contenders(size.services):
                what = f"{size.services} services, {contender.name}"
                say(f"{what}: {number + 1} of {rounds}")
                taken[contender.name] = self.live(what, contender, size, rest)
            contest.rounds.append(taken)
            rest = None
        return contest

    def live(
        self, what: str, contender: Contender, size: Size, rest: Rest | None
    ) -> Taken:
        """Give one contender its turn; one that fails is told of and shows nothing."""
        try:
            return live(contender, self.scratch, size.services, rest)
        except (RunError, OSError) as error:
            self.failed(what, error)
            return {}

    def restarts(self) -> str:
        """Kill services that are ready."""
        say(f"{self.options.kills} kills")
        contest = Contest("", FIGURES)
        who = tuple(one for one in self.contenders(1) if one.name in SUPERVISORS)
        try:
            contest.rounds.append(restarts(who, self.scratch, self.options.kills))
        except (RunError, OSError) as error:
            self.failed("restarts", error)
        return side_by_side([contest], tuple(one.name for one in who))

    def programs(self) -> str:
        """Run clients and chain programs on a service that the real s6 supervises."""
        rows = []
        real, *_ = contenders(self.programs_folder, 1)
        programs = Programs(self.scratch, self.programs_folder, self.options.runs)
        with programs.supervised(real):
            for command in programs.commands():
                say(" ".join(command))
                try:
                    rows.append(programs.row(*command))
                except (RunError, OSError) as error:
                    self.failed(command[0], error)
        return table(HEADINGS, rows)

    def contenders(self, services: int) -> tuple[Contender, ...]:
        """Give those who take part and are installed."""
        return tuple(
            contender
            for contender in contenders(self.programs_folder, services)
            if contender.name in self.names and contender.exists
        )

    def failed(self, what: str, error: Exception) -> None:
        """Tell of a failure, now and in the report."""
        say(f"{what} failed: {error}")
        self.failures.append(f"- {what}: {error}\n")


PARTS = {
    "trees": ("Trees of logged services", Session.trees),
    "restarts": ("Restarts", Session.restarts),
    "programs": ("Clients and chain programs", Session.programs),
}


def options_of(words: list[str]) -> argparse.Namespace:
    """Read the command line into validated options."""
    sizes = {str(size.services): size for size in SIZES}
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add = parser.add_argument
    add("--quick", action="store_true", help="ten services and few runs, for a look")
    add("--part", action="append", choices=PARTS, help="only this one; repeatable")
    add("--size", action="append", choices=sizes, help="only trees of so many services")
    add("--with", action="append", choices=NAMES, dest="names", help="only this one")
    add("--rounds", type=int, help="turns for each at each size")
    add("--programs", type=Path, metavar="DIR", help="where ours are installed")
    add("--markdown", type=Path, metavar="FILE", help="write the report there too")
    options = parser.parse_args(words)
    real, *_ = contenders(Path(), 0)
    if not real.exists:
        parser.error(f"there is no {real.argv[0]} (Debian: apt-get install s6)")
    options.parts = options.part or list(PARTS)
    options.names = options.names or NAMES
    options.programs = (options.programs or Path(sys.executable).parent).absolute()
    chosen = options.size or (["10"] if options.quick else list(sizes))
    options.sizes = [sizes[name] for name in chosen]
    options.rest = Rest(settle_s=0.3, idle_s=0.3) if options.quick else Rest()
    options.rounds = options.rounds or (1 if options.quick else None)
    options.kills = 3 if options.quick else 200
    options.runs = 3 if options.quick else 40
    return options


def main(words: list[str]) -> int:
    """Run the bench; return the exit code: 1 when something failed."""
    options = options_of(words)
    # As ^C does: so that the blocks that clean up are left in order.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    place = os.environ.get("TMPDIR", MEMORY)
    with tempfile.TemporaryDirectory(prefix="s6-bench.", dir=place) as scratch:
        real = Path(scratch).resolve()  # as /proc/PID/cwd gives it
        with swept(real):
            session = Session(real, options)
            text = session.report()
    sys.stdout.write(text)
    if options.markdown:
        options.markdown.write_text(text)
    return 1 if session.failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
