"""s6-setsid: sessions, process groups and the terminal."""

import contextlib
import os
import pty
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import harness
from chains import agree, become, behind
from harness import Outcome, Program, Stage, wait_until
from watching import facts

TOOL = "s6-setsid"
PLACE = ["cut", "-d ", "-f1,5,6", "/proc/self/stat"]
"""Prints pid, process group and session."""

TELL = """
read pid comm state parent group session terminal foreground rest </proc/$$/stat
while read name mask; do [ $name != SigIgn: ] || break; done </proc/$$/status
echo "told $group $foreground $mask"
read line <&1
"""
"""Prints the group, that of the terminal, and the ignored signals; then waits."""

ALREADY_LEADER = ("setsid", "-w")

SHELL = """
exec <>"$0" >&0 2>&0
"$@" &
echo "pid $!"
wait
"""
"""A session leader that takes a terminal and starts a job behind itself."""


def stopped(pid: int) -> bool:
    """Tell whether a signal has stopped a process."""
    return facts(pid)["State"].startswith("T")


def relations(text: bytes) -> list[bool]:
    """Tell of PLACE whether it leads its process group, and its session."""
    pid, group, session = text.split()
    return [pid == group, pid == session]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], [True, True]),
        (["-s"], [True, True]),
        (["-b"], [True, False]),
        (["-sb"], [True, False]),
        (["-bs"], [True, True]),
        (["-bd", "99"], [True, False]),
        (["-I"], [True, True]),
        (["-i"], [True, True]),
        (["-q"], [True, True]),
        (["-f"], [True, False]),
        (["-g"], [True, False]),
        (["-gq"], [True, False]),
        (["-fd", "99"], [True, False]),
        (["-fd99", "-q"], [True, False]),
        (["-gd", "1"], [True, False]),
        (["--"], [True, True]),
    ],
)
def test_the_program_leads_what_it_leads_in_s6(
    words: list[str], expected: list[bool], tmp_path: Path
) -> None:
    """A session or a process group, warnings included; here without a terminal."""
    told = agree(TOOL, [*words, *PLACE], Stage(tmp_path), relations)
    assert relations(told.out) == expected


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["-fi"], 111),
        (["-gi"], 111),
        (["-iIf"], 0),
        (["-qIif"], 111),
        (["-fid", "99"], 111),
        (["-bi"], 0),
        (["-d", "x"], 100),
        (["-d", "-1"], 100),
        (["-d", ""], 100),
        (["-d", "4294967296"], 100),
    ],
)
def test_what_cannot_be_done_is_told_as_in_s6(
    words: list[str], code: int, tmp_path: Path
) -> None:
    """An error with -i, else a warning."""
    assert agree(TOOL, [*words, "true"], Stage(tmp_path)).code == code


@pytest.mark.parametrize(
    ("words", "code"),
    [([], 0), (["-i"], 111), (["-q"], 0), (["-b"], 0), (["-bi"], 111), (["-bq"], 0)],
)
def test_a_session_leader_stays_where_it_is(
    words: list[str], code: int, tmp_path: Path
) -> None:
    """It can make neither a session nor a group (setsid(2), setpgid(2))."""
    told = agree(TOOL, [*words, "true"], Stage(tmp_path), start=ALREADY_LEADER)
    assert told.code == code


def test_a_program_is_needed(tmp_path: Path) -> None:
    """Else the usage line, exit 100."""
    assert agree(TOOL, [], Stage(tmp_path)).code == 100
    assert agree(TOOL, ["-f"], Stage(tmp_path)).code == 100


def ours(words: list[str], folder: Path) -> Outcome:
    """Run ours as a session leader."""
    program = behind(ALREADY_LEADER, harness.ours(TOOL))
    return become(program, [*words, "true"], Stage(folder))


@pytest.mark.parametrize(
    ("long", "short"),
    [
        ("--session", "-s"),
        ("--background-process-group", "-b"),
        ("--foreground-process-group", "-f"),
        ("--foreground-process-group-grab", "-g"),
        ("--strict", "-i"),
        ("--no-strict", "-I"),
        ("--quiet", "-q"),
    ],
)
def test_options_have_long_names(long: str, short: str, tmp_path: Path) -> None:
    """Those of the later s6."""
    assert ours([long], tmp_path) == ours([short], tmp_path)
    assert ours(["-f", long], tmp_path) == ours(["-f", short], tmp_path)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-Z"], b"unrecognized short option: Z"),
        (["--nothing"], b"unrecognized boolean option: --nothing"),
        (["--pid=1"], b"unrecognized option with argument: --pid=1"),
    ],
)
def test_an_unknown_option_is_named(
    words: list[str], message: bytes, tmp_path: Path
) -> None:
    """As in the later s6, exit 100."""
    told = ours(words, tmp_path)
    assert (told.code, told.err) == (100, b"s6-setsid: fatal: " + message + b"\n")


def test_quiet_stays_quiet(tmp_path: Path) -> None:
    """A later -I does not undo it, as in the later s6; -d has a long name, too."""
    assert ours(["-qI", "-f", "--ctty=99"], tmp_path) == Outcome(0, b"", b"")
    assert b"Bad file descriptor" in ours(["-If", "--ctty=99"], tmp_path).err


def test_strict_stays_strict(tmp_path: Path) -> None:
    """A later -q does not undo it, as in the later s6."""
    assert ours(["-iqf"], tmp_path).code == 111
    assert ours(["-iIf"], tmp_path).code == 0


@dataclass
class Terminal:
    """A terminal, and what has been written to it."""

    master: int
    text: bytes = b""

    def words(self, first: bytes) -> list[bytes]:
        """Wait for a line that begins with this word; give the others."""
        wait_until(lambda: self.seen(first) is not None, f"the line {first!r}")
        return self.seen(first) or []

    def seen(self, first: bytes) -> list[bytes] | None:
        """Look for such a line in what has been written so far."""
        with contextlib.suppress(BlockingIOError):
            self.text += os.read(self.master, 4096)
        lines = [line.split() for line in self.text.split(b"\n")[:-1]]
        return next((line[1:] for line in lines if line[:1] == [first]), None)

    def foreground(self) -> int:
        """Give the process group that has the terminal."""
        return os.tcgetpgrp(self.master)


@contextlib.contextmanager
def terminal(program: Program, words: list[str]) -> Iterator[Terminal]:
    """Run a program as a background job of the session that has a terminal.

    The job is hung up when the session's leader ends.
    """
    master, slave = pty.openpty()
    os.set_blocking(master, False)
    name = os.ttyname(slave)
    command = ["sh", "-c", SHELL, name, *program.argv, *words]
    leader = subprocess.Popen(command, start_new_session=True)
    try:
        yield Terminal(master)
    finally:
        leader.kill()
        leader.wait()
        os.close(slave)
        os.close(master)


@pytest.mark.parametrize("words", [["-g"], ["-gi"], ["-gi", "-d", "1"]])
def test_the_terminal_is_taken_from_whoever_has_it(words: list[str]) -> None:
    """At once, where s6 2.11 asks again and again for ever; from /dev/tty or -d."""
    with terminal(harness.ours(TOOL), [*words, "sh", "-c", TELL]) as screen:
        (pid,) = screen.words(b"pid")
        group, foreground, ignored = screen.words(b"told")
        assert pid == group == foreground
        assert int(ignored, 16) & 1 << (signal.SIGTTOU - 1) == 0
        assert screen.foreground() == int(pid)


@pytest.mark.parametrize("words", [["-f"], ["-fi", "-d", "1"]])
def test_a_background_job_waits_to_be_in_the_foreground(words: list[str]) -> None:
    """It is stopped when it asks for that, until somebody gives it the terminal."""
    with terminal(harness.ours(TOOL), [*words, "sh", "-c", TELL]) as screen:
        (pid,) = screen.words(b"pid")
        wait_until(lambda: stopped(int(pid)), "the job stops")
        assert screen.foreground() != int(pid)
        assert screen.seen(b"told") is None
