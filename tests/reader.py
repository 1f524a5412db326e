"""Somebody who follows a page of the documentation, command by command.

Our programs come first on the PATH, and all that is made is below one folder.
"""

import itertools
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from harness import DEADLINE_S, SYSTEM_FOLDERS, ours, wait_until
from pages import CHECKOUT, Block
from s6log.__main__ import PROGRAMS
from supervising import processes_in

MAKE = """\
# The demo as it is, where its files are wanted; of other goals, that they exist.
case "$*" in
'demo DIR='*) exec sh '{checkout}/fixtures/demo/run' '{bin}' "${{2#DIR=}}" ;;
*) exec grep -q "^$1:" '{checkout}/Makefile' ;;
esac
"""
LOGGERS = ("s6-log", "s6-logscript")
CHANGERS = {"s6-setuidgid": 1, "setuidgid": 1, "chpst": 2}
"""Programs that change the user and execute the rest, and how many words they take."""


class Reader:
    """Runs commands one by one, each from where the one before has left off.

    What they start in the background, and supervisors have started, goes on: until
    the end of the with block.
    """

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self._bin = folder / "bin"
        self._explaining = folder / "explaining"
        self._cwd = folder / "cwd"
        self._outputs = (folder / f"output-{n}" for n in itertools.count(1))
        for place in (self.home, self._bin, self._explaining, self.home / ".venv"):
            place.mkdir()
        (self.home / ".venv" / "bin").symlink_to(self._bin)
        self._cwd.write_text(str(self.home))
        self._install()

    def __enter__(self) -> "Reader":
        return self

    def __exit__(self, *_: object) -> None:
        wait_until(self._nobody_left, f"the end of all that runs in {self.home}")

    def run(self, command: str) -> tuple[int, str]:
        """Run a command in a shell; give its exit code and all that it printed."""
        script = f"trap 'pwd >{self._cwd}' EXIT\n{command}"
        return self._start(["sh", "-ec", script], [self._bin])

    def look(self, command: str, enough: Callable[[str], object]) -> tuple[int, str]:
        """Run a command that changes nothing, again and again until it shows enough.

        Gives what it gave the last time.
        """
        seen = (0, "")

        def looked() -> bool:
            nonlocal seen
            seen = self.run(command)
            return seen[0] == 0 and bool(enough(seen[1]))

        with suppress(AssertionError):
            wait_until(looked, command)
        return seen

    def save(self, block: Block) -> Path:
        """Make the file that a block shows; with a `#!` it can be executed."""
        path = self._here / block.file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text + "\n")
        if block.text.startswith("#!"):
            path.chmod(0o755)
        return path

    def explain(self, script: Path) -> tuple[int, str]:
        """Run a script that becomes a logger; it explains itself instead."""
        return self._start([str(script)], [self._explaining, self._bin])

    def install(self, program: str, script: str) -> None:
        """Have one more program on the PATH: a few lines of shell."""
        add(self._bin / program, script)

    @property
    def _here(self) -> Path:
        return Path(self._cwd.read_text().rstrip("\n"))

    def _start(self, argv: list[str], programs: Iterable[Path]) -> tuple[int, str]:
        folders = [*map(str, programs), *SYSTEM_FOLDERS]
        environment = {"PATH": ":".join(folders), "TZ": "UTC", "HOME": str(self.home)}
        # Not a pipe: what goes on in the background would keep that open. And one
        # for each: there it may say something yet.
        path = next(self._outputs)
        with path.open("w") as output:
            process = subprocess.Popen(
                argv,
                cwd=self._here,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            code = process.wait(DEADLINE_S)
        return code, path.read_text(errors="replace")

    def _nobody_left(self) -> bool:
        """Kill all that still runs; True when there was nothing.

        Found by its working directory, or by the HOME that only this reader has: the
        keeper of a supervisor works in `/`.
        """
        mark = f"HOME={self.home}".encode()
        left = {pid for pid in map(int, pids()) if mark in environment(pid)}
        left.update(processes_in(self.home))
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return not left

    def _install(self) -> None:
        for program in PROGRAMS:
            add(self._bin / program, f'exec {shlex.join(ours(program).argv)} "$@"')
        for program in LOGGERS:
            logger = shlex.join(ours(program).argv)
            add(self._explaining / program, f'exec {logger} --explain "$@"')
        for program, words in CHANGERS.items():
            add(self._explaining / program, f'shift {words}\nexec "$@"')
        for name in ("python", "python3"):
            add(self._bin / name, f'exec {shlex.quote(sys.executable)} "$@"')
        add(self._bin / "make", MAKE.format(checkout=CHECKOUT, bin=self._bin))


def pids() -> Iterable[str]:
    """List all processes."""
    return filter(str.isdecimal, os.listdir("/proc"))


def environment(pid: int) -> list[bytes]:
    """Give the environment that a process was started with; empty if it has ended."""
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return []


def add(path: Path, script: str) -> None:
    """Make a program of a few lines of shell."""
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
