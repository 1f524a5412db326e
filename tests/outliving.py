"""A supervisor that is killed, and started again where services have gone on.

Unlike `scanning`, which ends with its supervisor, this keeps a directory through the
lives of several, and ends what any of them has left: services, and keepers.
"""

import contextlib
import os
import platform
import signal
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from harness import DEADLINE_S, ENVIRONMENT, Process, Program, wait_until
from scanning import CONTROL
from supervising import Ear, end_all_in, listens, status
from watching import descriptors, ended, facts

KEEPER = b"s6-svscan-keep\n"
EXIT_INFO = (6, 15)
"""The first Linux that tells how somebody else's child has ended (PIDFD_INFO_EXIT)."""

FIRST_PID = 2
"""No test has a reason to signal PID 1; 0 and -1 are everybody (kill(2))."""


class Tree:
    """A scan directory and its supervisor, while there is one.

    `said` is where each of them speaks, services included. With `service`, it is
    the supervisor of that service alone.
    """

    def __init__(
        self, program: Program, scandir: Path, *options: str, service: str = ""
    ) -> None:
        self.scandir = scandir
        self.said = scandir.parent / f"{scandir.name}.said"
        self._argv = (*program.argv, *options, service or str(scandir))
        self._control = f"{service}/supervise/control" if service else CONTROL
        self._process: Process | None = None

    @property
    def process(self) -> Process:
        """The supervisor that was started last."""
        assert self._process is not None
        return self._process

    def start(self, *behind: str) -> None:
        """Start a supervisor, behind another program; go on when it takes orders."""
        self.launch(*behind)
        wait_until(lambda: listens(self.scandir / self._control), "orders to be taken")

    def launch(self, *behind: str) -> None:
        """Start a supervisor, behind another program, and do not wait."""
        with self.said.open("ab") as said:
            self._process = subprocess.Popen(
                [*behind, *self._argv],
                cwd=self.scandir,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                env=ENVIRONMENT,
            )

    def kill(self) -> None:
        """Let the supervisor die without warning."""
        self.process.kill()
        self.process.wait(DEADLINE_S)

    def again(self, *services: Path) -> None:
        """Kill the supervisor and start another; go on when it has these services."""
        self.kill()
        with contextlib.ExitStack() as block:
            ears = [block.enter_context(Ear(service, 99)) for service in services]
            self.start()
            for ear in ears:
                ear.wait_for(b"s")

    def lines(self) -> list[str]:
        """Give what was said, by all of them."""
        return self.said.read_text(errors="backslashreplace").splitlines()

    def keepers(self) -> list[int]:
        """List the keepers of supervisors of this directory."""
        found = []
        for name in os.listdir("/proc"):
            with contextlib.suppress(OSError):
                if name.isdigit() and self._is_keeper(Path("/proc") / name):
                    found.append(int(name))
        return [pid for pid in found if not ended(facts(pid))]

    def _is_keeper(self, process: Path) -> bool:
        if (process / "comm").read_bytes() != KEEPER:
            return False
        # A forked child shows the command line of its parent (proc(5)).
        words = (process / "cmdline").read_bytes().split(b"\0")
        return os.fsencode(self.scandir) in words

    def kept(self) -> int:
        """Count the ends of pipes that are kept; 0 unless there is one keeper."""
        keepers = self.keepers()
        if len(keepers) != 1:
            return 0
        try:
            found = descriptors(keepers[0]).values()
        except OSError:
            return 0  # it has just died
        return sum(name.startswith("pipe:") for name in found)

    def kill_keeper(self) -> None:
        """Let the keeper die without warning."""
        for pid in self.keepers():
            kill(pid)

    def end_all(self) -> None:
        """End whatever is left, wherever it comes from."""
        if self._process is not None:
            self.kill()
        end_all_in(self.scandir)
        self.kill_keeper()


@contextlib.contextmanager
def outliving(
    program: Program,
    scandir: Path,
    *options: str,
    service: str = "",
    behind: Sequence[str] = (),
) -> Iterator[Tree]:
    """Run supervisors on a directory, the first of them at once."""
    scandir.mkdir(parents=True, exist_ok=True)
    tree = Tree(program, scandir, *options, service=service)
    try:
        tree.start(*behind)
        yield tree
    finally:
        tree.end_all()


def kill(pid: int, signum: int = signal.SIGKILL) -> None:
    """Send a signal to one process, which may have ended."""
    assert pid >= FIRST_PID, f"{pid} is more than one process"
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signum)


def kill_in(directory: Path) -> bool:
    """Kill the process of a service, if it lives; tell whether it did."""
    pid = alive(directory)
    if pid:
        kill(pid)
        wait_until(lambda: ended(facts(pid)), f"the end of {pid}")
    return bool(pid)


def alive(directory: Path) -> int:
    """Give the pid of a service; 0 when it is down, or has died unnoticed."""
    pid = status(directory).pid
    return pid if pid >= FIRST_PID and works_in(pid, directory) else 0


def knows_ends() -> bool:
    """Tell whether this kernel says how a process ended that was not our child."""
    major, minor = platform.release().split(".")[:2]
    return (int(major), int(minor)) >= EXIT_INFO


def works_in(pid: int, directory: Path) -> bool:
    """Tell whether a process lives and works in a directory."""
    try:
        return os.path.samefile(f"/proc/{pid}/cwd", directory)
    except OSError:
        return False
