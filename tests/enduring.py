"""A tree in which something is wrong with one service, and nothing with another.

Whatever it is: the other is kept running, the supervisor rests when there is nothing
to do, and what it says is known word by word.
"""

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import harness
from harness import wait_until
from outliving import Tree, outliving
from supervising import Ear, make_service, status, supervised, tell, wait_up

GOOD, BAD = "good", "bad"
REST_S = 0.3
MOST_CPU_NS = 30_000_000
"""In that time; a supervisor that spins uses all it gets, one that rests nothing."""

WARNING = "s6-svscan: warning: "


class Trial:
    """The tree under trial; `bad` is the directory of the service to be spoilt."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.bad = tree.scandir / BAD
        self.good = tree.scandir / GOOD

    @property
    def pid(self) -> int:
        """The supervisor's."""
        return self.tree.process.pid

    def warnings(self) -> list[str]:
        """Give what the supervisor has warned of."""
        return [line.removeprefix(WARNING) for line in self.tree.lines()]

    def wait_for(self, *warnings: str) -> None:
        """Wait until so much was warned of, and see that there is nothing else."""
        wait_until(lambda: len(self.warnings()) >= len(warnings), f"{warnings}")
        assert self.warnings() == list(warnings)

    def rests(self) -> None:
        """See that the supervisor does next to nothing for a while."""
        before_ns = cpu_ns(self.pid)
        with pytest.raises(subprocess.TimeoutExpired):
            self.tree.process.wait(REST_S)
        assert cpu_ns(self.pid) - before_ns < MOST_CPU_NS

    def goes_on(self) -> None:
        """See that the other service can be taken down and up, and then all rests."""
        pid = wait_up(self.good)
        with Ear(self.good) as ear:
            tell(self.good, b"d")
            ear.wait_for(b"dD")
            tell(self.good, b"u")
            ear.wait_for(b"u")
        assert status(self.good).pid != pid
        self.rests()

    def ends(self) -> None:
        """See that the tree can be ended."""
        self.tree.process.terminate()
        assert self.tree.process.wait(harness.DEADLINE_S) == 0


@contextlib.contextmanager
def enduring(scandir: Path, *behind: str) -> Iterator[Trial]:
    """Run our s6-svscan on a directory with a good service, and what else there is.

    `behind` is a program that executes it.
    """
    make_service(scandir / GOOD)
    with outliving(harness.ours("s6-svscan"), scandir, behind=behind) as tree:
        wait_until(lambda: supervised(scandir / GOOD), "the good service")
        yield Trial(tree)


def cpu_ns(pid: int) -> int:
    """Give the processor time that a process has used (proc(5), schedstat)."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0])
