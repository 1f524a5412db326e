"""A supervisor is killed before each of its steps, and another goes on.

First a life without a kill lists the system calls that change something, while a
logged service starts, dies, is told things and ends. Then each of them gets a life
that ends there, at SIGKILL, and a second supervisor with which the rest is done.
"""

import contextlib
import os
import re
import shlex
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

import harness
from harness import DEADLINE_S, Program, wait_until
from injection import STRACE, Call, need_strace
from numbered import Reading
from outliving import Tree, kill, works_in
from scanning import logged, order
from supervising import Ear, processes_in, status, tell
from supervisor.service import tally

pytestmark = pytest.mark.slow

SHARES = 8
# All of them take eight minutes; with this variable in the environment they are tried.
STRIDE = 1 if "S6LOG_EACH_STEP" in os.environ else 18
CHANGES = (
    "mkdir,mkdirat,mknod,mknodat,openat,write,rename,renameat,renameat2,unlink,unlinkat"
    ",chmod,fchmodat,fchown,fchownat,fcntl,pipe2,bind,connect,sendmsg,wait4"
    ",kill,pidfd_open,pidfd_send_signal,fork,vfork,clone,clone3,prlimit64,fchdir"
    ",exit_group"
)
CALL = re.compile(r"(\w+)\(")
BEGIN = '".s6-svscan"'
WITHOUT_EFFECT = re.compile(
    r" = -1 |openat\([^|]*O_RDONLY|fcntl\(\d+, F_(?!OFD)"
    r"|wait4\(.* = 0$|prlimit64\(.*NULL,"
)

SPEAKER = r"""
import fcntl, os, signal, sys

def say():
    with open("notes", "ab") as notes:
        number = notes.tell()
        os.write(1, b"<%09d:%s:%09d>\n" % (number, b"x" * 40, number))
        notes.write(b".")

signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
lock = os.open("alone", os.O_RDWR | os.O_CREAT)
try:
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    open("twice", "a").write(sys.argv[1] + "\n")
say()
if sys.argv[1] == "run":
    try:
        os.write(3, b"\n")
    except BrokenPipeError:
        pass  # its supervisor has just died
    with open("ready.new", "w") as file:
        file.write(str(os.getpid()))
    os.rename("ready.new", "ready")
    signal.sigwait([signal.SIGTERM])
    say()
"""
"""Run and finish. Each is alone at any time; what it has said is noted after that."""

WORDS = shlex.join(["exec", sys.executable, "-I", "-S", "../.speaker"])
SHOWN = {"control", "death_tally", "lock", "process", "status"}
Step = Callable[["Story"], None]


class Story:
    """What happens to a service while its supervisor lives; and what must be so."""

    def __init__(self, tree: Tree, service: Path) -> None:
        self._tree = tree
        self._service = service
        self._sides = (service, service / "log")

    def comes_up(self) -> None:
        """Wait until both sides are up, and the service is ready."""
        self._wait(lambda: self._is_up(self._service, ready=True), "a service")
        self._wait(lambda: self._is_up(self._service / "log"), "a logger")

    def dies(self) -> None:
        """Kill the service; it finishes, and is started again."""
        self._replaced(self._service, kill)

    def loses_its_logger(self) -> None:
        """Kill the logger, when it has nothing to do: another starts."""
        self._wait(self._is_logged, "all lines in the log")
        self._replaced(self._service / "log", kill)

    def is_told(self) -> None:
        """Take it down, which makes a file, and up again, and pause it."""
        self._order(b"D")
        self._wait(lambda: status(self._service).pid == 0, "to be down")
        self._order(b"U")
        self.comes_up()
        self.is_paused()

    def is_paused(self) -> None:
        """Pause the service, and let it go on."""
        self._order(b"p")
        self._wait(lambda: status(self._service).paused, "a pause")
        self._order(b"c")
        self._wait(lambda: not status(self._service).paused, "its end")

    def ends(self) -> None:
        """End the tree in good order."""
        with contextlib.suppress(OSError):
            order(self._tree.scandir, b"t")
        assert self._tree.process.wait(DEADLINE_S) in (0, -9)

    def survives(self) -> bool:
        """Go on with a new supervisor, until the end; tell whether it was ready."""
        self._succeed()
        for side in self._sides:
            # It may have been stopped, or told to stay down, just before.
            tell(side, b"cU")
        self._wait(self._has_said_so, "the service to have said that it is ready")
        self._wait(lambda: self._is_up(self._service / "log"), "a logger")
        # What the supervisor was told before this, it has heard of.
        self.is_paused()
        ready = status(self._service).ready
        self.stays_one()
        self.dies()
        self.stays_one()
        self.ends()
        return ready

    def _succeed(self) -> None:
        """Start another supervisor; go on when it says so."""
        with contextlib.ExitStack() as block:
            ears = []
            for side in self._sides:
                (side / "event").mkdir(exist_ok=True, mode=0o3730)
                ears.append(block.enter_context(Ear(side)))
            self._tree.start()
            for ear in ears:
                ear.wait_for(b"s")

    def stays_one(self) -> None:
        """Check that there is one process of each, the one in the status."""
        for side in self._sides:
            assert [pid for pid in processes_in(side) if side == cwd(pid)] == [
                status(side).pid
            ]

    def has_ended_well(self) -> None:
        """Check what is left of it all."""
        service = self._service
        assert self._tree.process.returncode == 0
        wait_until(lambda: not self._tree.keepers(), "the end of the keeper")
        assert not processes_in(service)
        assert not (service / "twice").exists()
        for side in self._sides:
            left = {path.name for path in (side / "supervise").iterdir()}
            assert left <= SHOWN - {"process"}
            assert not (side / "down").exists()
            deaths = (side / "supervise" / "death_tally").read_bytes()
            assert tally.decode(deaths) or not deaths
        assert self._is_logged()
        assert not [line for line in self._tree.lines() if "rror" in line]

    def _replaced(self, side: Path, end: Callable[[int], None]) -> None:
        """End a process, and wait for the next one in its place."""
        if not self._lives:
            return
        before = status(side).pid
        end(before)
        self._wait(lambda: status(side).pid not in (0, before), "another process")
        self.comes_up()

    @property
    def _lives(self) -> bool:
        return self._tree.process.poll() is None

    def _wait(self, predicate: Callable[[], bool], what: str) -> None:
        wait_until(lambda: not self._lives or predicate(), what)

    def _order(self, letters: bytes) -> None:
        with contextlib.suppress(OSError):
            tell(self._service, letters)

    def _is_up(self, side: Path, ready: bool = False) -> bool:
        if not (side / "supervise" / "status").exists():
            return False
        found = status(side)
        up = found.up and works_in(found.pid, side)  # not a status of before
        return up and (found.ready or not ready)

    def _has_said_so(self) -> bool:
        found, ready = status(self._service), self._service / "ready"
        said = ready.exists() and ready.read_text() == str(found.pid)
        return said and self._is_up(self._service)

    def _is_logged(self) -> bool:
        said = (self._service / "notes").stat().st_size
        reading = Reading(self._service / "log" / "main")
        # The logger that is killed may not have taken out of the pipe yet what it
        # has written: only that is written twice.
        (first, *others) = reading.breaks or [0]
        again = set(reading.numbers[:first]) & set(reading.numbers[first:])
        once = [number for number in reading.numbers[:first] if number not in again]
        assert not others
        once += reading.numbers[first:]
        return once == list(range(said)) and not reading.torn


STORY: tuple[Step, ...] = (
    Story.comes_up,
    Story.dies,
    Story.loses_its_logger,
    Story.is_told,
    Story.ends,
)


def cwd(pid: int) -> Path | None:
    """Give the working directory of a process, if there is one."""
    try:
        return Path(f"/proc/{pid}/cwd").readlink()
    except OSError:
        return None


@pytest.mark.parametrize("share", range(SHARES))
def test_killed_before_each_step(share: int, tmp_path: Path) -> None:
    """No service runs twice or is given up, and no line is lost."""
    need_strace()
    program = harness.ours("s6-svscan")
    log = tmp_path / "steps"
    trace = (*STRACE, "-o", str(log), "-e", f"trace={CHANGES}")
    play(program, tmp_path / "whole", *trace)
    calls = steps(log)
    assert {"renameat", "sendmsg", "unlinkat", "wait4"} <= {call.name for call in calls}
    deaf = []
    for number, call in enumerate(calls[share :: SHARES * STRIDE]):
        fault = f"inject={call.name}:signal=KILL:when={call.number}"
        behind = (*STRACE, "-o", "/dev/null", "-e", fault)
        if not play(program, tmp_path / str(number), *behind):
            deaf.append(call)
    # It is not ready for the next one when this one has read that it is, but not
    # written it down yet: three steps.
    assert len(deaf) <= 3, deaf


def play(program: Program, folder: Path, *behind: str) -> bool:
    """Let the story happen; tell whether each supervisor knew that it is ready."""
    ready = True
    scandir = folder / "scan"
    logger = shlex.join(["exec", *harness.ours("s6-log").argv, "-b", "n9", "./main"])
    service = logged(scandir, "foo", f"{WORDS} run", logger, f"{WORDS} finish")
    (service / "notification-fd").write_text("3")
    (scandir / ".speaker").write_text(SPEAKER)
    tree = Tree(program, scandir)
    try:
        story = Story(tree, service)
        tree.launch(*behind)
        for step in STORY:
            step(story)
        if tree.process.wait(DEADLINE_S):
            ready = story.survives()
        story.has_ended_well()
    finally:
        tree.end_all()
    return ready


def steps(log: Path) -> list[Call]:
    """List the steps in a log from the first in the scan directory on."""
    wait_until(lambda: "+++ exited" in log.read_text(errors="replace"), "strace's log")
    counts: Counter[str] = Counter()
    found: list[Call] = []
    begun = False
    for line in log.read_text(errors="replace").splitlines():
        match = CALL.match(line)
        if match is None:
            continue
        counts[match[1]] += 1
        begun = begun or BEGIN in line
        if begun and not WITHOUT_EFFECT.search(line):
            found.append(Call(match[1], counts[match[1]]))
    return found
