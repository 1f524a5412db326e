"""A logger that feeds commands, in a folder; nothing of it outlives the test.

What it and its commands say goes to a file: a command may go on when the logger has
ended, and would keep a pipe open.
"""

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

from harness import DEADLINE_S, Pipe, Process, Program, Stage, running, wait_until
from numbered import WHOLE
from outliving import kill
from supervising import end_all_in
from watching import children, ended, facts, settle

SAID = "said"
GATE = "gate"
WAIT = f"read -r _ < {GATE}"
"""What a command does to wait for `Feeding.open_gate`."""


class Feeding:
    """A logger that runs, its input, and its commands."""

    def __init__(self, process: Process, pipe: Pipe, folder: Path) -> None:
        self.process = process
        self.pipe = pipe
        self._folder = folder

    def feed(self, data: bytes) -> None:
        """Give the logger some input."""
        self.pipe.feed(data)

    def settle(self) -> None:
        """Wait until the logger has done all it can for now."""
        settle(self.process)

    def command(self, name: str) -> int:
        """Wait until the only child is a program of that name; give its pid."""
        found: list[int] = []

        def only_child() -> bool:
            found[:] = children(self.process.pid)
            known = facts(found[0]) if len(found) == 1 else {}
            return known.get("Name") == name and not ended(known)

        wait_until(only_child, f"{name} to run")
        return found[0]

    def commands(self, count: int) -> list[int]:
        """Wait until there are so many children, and each runs its own program."""
        found: list[int] = []

        def all_run() -> bool:
            found[:] = children(self.process.pid)
            own = facts(self.process.pid).get("Name")
            names = [facts(pid).get("Name") for pid in found]
            return len(found) == count and own not in names

        wait_until(all_run, f"{count} commands to run")
        return found

    def kill(self, name: str) -> None:
        """Kill the command, once it is a program of that name, and see it die."""
        pid = self.command(name)
        kill(pid)
        wait_until(lambda: ended(facts(pid)), f"the end of {name}")

    def open_gate(self) -> None:
        """Let one command go on that waits at the gate."""
        fd = -1
        gate = self._folder / GATE

        def entered() -> bool:
            nonlocal fd
            with contextlib.suppress(OSError):
                fd = os.open(gate, os.O_WRONLY | os.O_NONBLOCK)
            return fd >= 0

        wait_until(entered, "a command at the gate")
        os.write(fd, b"go\n")
        os.close(fd)

    def end(self) -> int:
        """End the input; wait for the logger's end, and give its exit code."""
        self.pipe.end()
        return self.process.wait(DEADLINE_S)

    def said(self) -> list[str]:
        """Give the lines on stderr so far, of the logger and of its commands."""
        text = (self._folder / SAID).read_text(errors="backslashreplace")
        return [line.removeprefix("s6-log: ") for line in text.splitlines()]

    def wait_for(self, text: str, times: int = 1) -> None:
        """Wait until something has been said, so often."""

        def heard() -> bool:
            return sum(text in line for line in self.said()) >= times

        wait_until(heard, f"{text!r} to be said")


@contextlib.contextmanager
def feeding(
    program: Program, folder: Path, *script: str | bytes, stdout: int | None = None
) -> Iterator[Feeding]:
    """Run a logger in a folder for the length of a with block, and its commands."""
    if not (folder / GATE).exists():
        os.mkfifo(folder / GATE)
    with (
        (folder / SAID).open("wb") as said,
        (folder / "out").open("wb") as out,
        Pipe() as pipe,
    ):
        stage = Stage(folder, pipe.read, stdout or out.fileno(), said.fileno())
        try:
            with running(program, script, stage) as process:
                yield Feeding(process, pipe, folder)
        finally:
            end_all_in(folder)


def numbers(data: bytes) -> list[int]:
    """Give the numbers of numbered lines, which are whole and nothing else."""
    matches = [WHOLE.fullmatch(line) for line in data.split(b"\n")[:-1]]
    assert all(matches), "something that is not a whole line"
    assert data[-1:] in {b"", b"\n"}, "the last line is torn"
    return [int(match[1]) for match in matches if match]


def wait_for_content(path: Path, data: bytes) -> None:
    """Wait until a file holds that, and nothing else."""
    wait_until(
        lambda: path.exists() and path.read_bytes() == data, f"all of {path.name}"
    )


def size_bytes(path: Path) -> int:
    """Give how much a file holds; 0 before it is there."""
    return path.stat().st_size if path.exists() else 0


MARK = re.compile(rb"s6-log: (\d+) lines? dropped \(.*\)")


def with_marks(data: bytes) -> tuple[list[int], int]:
    """Give the numbers of lines, and how many lines the marks among them tell of."""
    own = b""
    missing = 0
    for line in data.splitlines(keepends=True):
        if mark := MARK.fullmatch(line.rstrip(b"\n")):
            missing += int(mark[1])
        else:
            own += line
    return numbers(own), missing
