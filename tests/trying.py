"""One s6-supervise on one service directory, and all that can be seen of it.

The same trial is made with two programs; what was seen is then compared. Times,
pids and inode numbers differ each time, so only their changes count.
"""

import contextlib
import os
import re
import stat
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import harness
import watching
from differing import Difference
from harness import DEADLINE_S, Process, Program, Stage, running, wait_until
from supervising import Ear, end_all_in, make_service, processes_in, tell
from supervising import status as read_status
from supervisor.service import tally
from supervisor.service.status import FINISHING, PAUSED, READY, WANT_UP, Status

FLAGS = ((PAUSED, "paused"), (FINISHING, "finishing"), (WANT_UP, "wanted"))
LISTENER = """
import os, signal
NAMES = "HUP INT QUIT ABRT USR1 USR2 ALRM TERM CONT WINCH"
log = os.open("got", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
for name in NAMES.split():
    number = getattr(signal, "SIG" + name)
    said = name.encode() + b" "
    signal.signal(number, lambda *_, said=said: os.write(log, said))
os.write(log, b"ready ")
try:
    os.write(3, b"\\n")
except OSError:
    pass
while True:
    signal.pause()
"""
HANG = "exec sleep 1000"
LISTEN = f"exec {sys.executable} -IS ../listener.py"
"""A run or finish that notes in `got` that it is ready (also on fd 3), and signals."""


PIPE = re.compile(r"pipe:\[\d+\]")
OWN_RECORD = "process"
"""What ours alone has in supervise/: the next supervisor adopts run by it."""


class Trial:
    """A supervisor under test; `seen` is what is compared, by label.

    `names` stand in for what differs between two trials: paths, and pipes.

    Service directories are called `service`, and supervisors are started from the
    directory above, so that messages of both programs name the same.
    """

    def __init__(self, program: Program, parent: Path) -> None:
        self.program = program
        self.directory = parent / "service"
        self.stage = Stage(parent, stdout=subprocess.DEVNULL)
        self.seen: dict[str, object] = {}
        self.names = {str(parent): "."}
        self._stderr = parent / "stderr"
        self._block = contextlib.ExitStack()
        self._ear: Ear | None = None
        self._process: Process | None = None
        self._understood = 0
        self._last: Status | None = None
        self._got = b""

    def __enter__(self) -> "Trial":
        return self

    def __exit__(self, *_: object) -> None:
        self._block.close()
        if self.directory.exists():
            end_all_in(self.directory)

    # ---- before

    def service(self, run: str = HANG, finish: str | None = None, **files: str) -> None:
        """Make the service directory, with an event/ to listen in."""
        (self.directory.parent / "listener.py").write_text(LISTENER)
        make_service(self.directory, run, finish, **files)
        self.listen()

    def listen(self) -> None:
        """Subscribe to events; event/ is made if it is missing."""
        event = self.directory / "event"
        event.mkdir(exist_ok=True)
        event.chmod(0o3730)
        self._ear = self._block.enter_context(Ear(self.directory))

    def start(
        self, *words: str, behind: tuple[str, ...] = (), umask: int = 0o022
    ) -> None:
        """Start the supervisor; `behind` is a program that executes it."""
        program = replace(self.program, argv=(*behind, *self.program.argv))
        with self._stderr.open("ab") as stderr:
            stage = replace(self.stage, stderr=stderr.fileno(), umask=umask)
            self._process = self._block.enter_context(
                running(program, words or ["service"], stage)
            )

    def stage_in(self, folder: str) -> Stage:
        """Give the stage in another directory, from which supervisors are started."""
        return replace(self.stage, cwd=self.stage.cwd / folder)

    @property
    def process(self) -> Process:
        """The supervisor."""
        assert self._process is not None
        return self._process

    # ---- while it lives

    def hear(self, said: bytes) -> None:
        """Wait until the next events are heard, which have to be these."""
        assert self._ear is not None
        ear, start = self._ear, self._understood
        self._understood += len(said)
        what = f"{said!r} from {self.program.name}"
        with contextlib.suppress(AssertionError):
            wait_until(lambda: len(ear.listen()) >= self._understood, what)
        said_now = ear.heard[start : self._understood]
        assert said_now == said, f"{what}, after {ear.heard[:start]!r}: {said_now!r}"

    def command(self, letters: bytes) -> None:
        """Write letters to supervise/control, and let them have their effect."""
        tell(self.directory, letters)
        self.settle()

    def signal(self, signum: int) -> None:
        """Send a signal to the supervisor, and let it have its effect."""
        self.process.send_signal(signum)
        self.settle()

    def kill(self, signum: int = 9) -> None:
        """Send a signal to the process that the status names."""
        pid = self.status.pid
        assert pid > 0, "nobody is there to be killed"
        os.kill(pid, signum)

    def settle(self) -> None:
        """Wait until the supervisor and its child sleep, everything done."""
        wait_until(self._settled, f"{self.program.name} to settle")

    def _settled(self) -> bool:
        if not asleep(self.process.pid):
            return False
        # 2.11 sleeps while it waits for a child that is about to become run.
        children = watching.children(self.process.pid)
        known = [self.status.pid] if self._has_status() else children
        return (
            all(child in known and asleep(child) for child in children)
            # One of them may have died in the meantime.
            and asleep(self.process.pid)
            and watching.children(self.process.pid) == children
        )

    def _has_status(self) -> bool:
        return (self.directory / "supervise" / "status").exists()

    def death_ns(self) -> int:
        """When run last died, as the tally says."""
        record = read(self.directory / "supervise" / "death_tally")
        return tally.decode(record)[-1].when_ns

    @property
    def status(self) -> Status:
        """What the supervisor says."""
        return read_status(self.directory)

    # ---- what was seen

    def look(self, label: str) -> None:
        """Note what the status says, whether there is `down`, what signals came."""
        shown = self.status
        flags = [name for flag, name in FLAGS if shown.flags & flag]
        flags.append("ready" if shown.flags & READY else "not ready")
        words = ["up" if shown.up else f"pid {'is' if shown.pid else 'is not'} there"]
        if self._last is not None:
            fields = ("pid", "stamp_ns", "ready_ns")
            old = self._last
            words += [
                f"new {f}" for f in fields if getattr(shown, f) != getattr(old, f)
            ]
        got = read(self.directory / "got")
        if got != self._got:
            # Signals that wait together come by number, not by time.
            new = sorted(got.removeprefix(self._got).decode().split())
            words.append("got " + " ".join(new))
        if (self.directory / "down").exists():
            words.append("down file")
        self._last, self._got = shown, got
        self.seen[label] = (
            f"{' '.join(flags)}; 0x{shown.wait_status:04x}; " + ", ".join(words)
        )

    def named(self, text: str) -> str:
        """Put names in place of what differs."""
        for there, name in self.names.items():
            text = text.replace(there, name)
        return PIPE.sub("another pipe", text)

    def note(self, label: str, value: object) -> None:
        """Note something else."""
        self.seen[label] = value

    def end(self) -> None:
        """Wait for the supervisor's end, and note all that it leaves behind."""
        self.note("exit code", self.process.wait(DEADLINE_S))
        self.leave()

    def leave(self) -> None:
        """Note what there is to see from outside, and what was said."""
        if self._ear is not None:
            self.note("events", self._ear.listen())
        # Sorted: 2.11 says some things from two processes.
        self.note("stderr", sorted(self.told()))
        if self._has_status():
            left = self.status.pid
            wait_until(lambda: not left or asleep(left), "what is left to settle")
            self.look("status")
            record = read(self.directory / "supervise" / "death_tally")
            deaths = tally.decode(record)
            self.note("deaths", [(death.code, death.signal) for death in deaths])
            stamps = [death.when_ns for death in deaths]
            self.note("deaths are in order", stamps == sorted(stamps))
            last = not deaths or stamps[-1] == self.status.stamp_ns
            self.note("the last death is the stamp", last)
        self.note("files", self.files())
        self.note("processes left", len(processes_in(self.directory)))

    def told(self) -> list[str]:
        """Give the lines of what the supervisor has said on stderr."""
        return self._stderr.read_text().splitlines()

    def files(self) -> dict[str, str]:
        """List supervise/ and event/: kind, mode, size."""
        found = {}
        for folder in ("supervise", "event"):
            path = self.directory / folder
            for entry in [path, *sorted(path.glob("*"))] if path.exists() else []:
                if self._ear is not None and entry == self._ear.path:
                    continue
                if entry.name == OWN_RECORD:
                    continue
                about = entry.stat()
                name = str(entry.relative_to(self.directory))
                size = about.st_size if stat.S_ISREG(about.st_mode) else 0
                found[name] = f"{stat.filemode(about.st_mode)} {size}"
        return found


def read(path: Path) -> bytes:
    """Give a file's content; nothing when there is no file."""
    return path.read_bytes() if path.is_file() else b""


def asleep(pid: int) -> bool:
    """Tell whether a process sleeps (or is stopped, or gone), with nothing to do.

    A write to what it polls makes it runnable before the write returns; so once
    it is found asleep twice, and has slept all along, it has seen it.
    """
    first = watching.facts(pid)
    if watching.ended(first):
        return True
    if first["State"][0] not in "ST" or pending(first):
        return False
    second = watching.facts(pid)
    return watching.ended(second) or (
        second["State"][0] in "ST"
        and not pending(second)
        and watching.switches(second) == watching.switches(first)
    )


def pending(known: dict[str, str]) -> bool:
    """Tell whether signals wait for a process that would take them."""
    waiting = int(known["SigPnd"], 16) | int(known["ShdPnd"], 16)
    return bool(waiting) and known["State"][0] != "T"


def agree(
    play: Callable[[Trial], None],
    parent: Path,
    known: Mapping[str, Difference] | None = None,
) -> None:
    """Play a scenario with both programs; fail unless the same is seen.

    But for the known differences, by label, which have to be seen, too.
    """
    harness.oracle()  # skips where s6 is of another version than 2.11
    seen = []
    for program in (harness.oracle("s6-supervise"), harness.ours("s6-supervise")):
        place = parent / program.name
        place.mkdir()
        with Trial(program, place) as trial:
            play(trial)
        seen.append(trial.seen)
    theirs, ours = seen
    assert list(theirs) == list(ours)
    pairs = {label: (theirs[label], ours[label]) for label in theirs}
    apart = {label: pair for label, pair in pairs.items() if pair[0] != pair[1]}
    expected = {label: (d.theirs, d.ours) for label, d in (known or {}).items()}
    assert apart == expected, "\n".join(
        f"{label}:\n  theirs {pair[0]!r}\n  ours   {pair[1]!r}"
        for label, pair in apart.items()
    )
