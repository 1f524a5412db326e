"""s6-setlock: locks that a program holds for as long as it lives."""

import contextlib
import fcntl
import os
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import harness
from chains import agree, become, behind
from harness import Pipe, Process, Program, Stage, wait_until

TOOL = "s6-setlock"
HOLD = ["sh", "-c", "echo held; read line"]
FDS = ["sh", "-c", "for fd in 3 4 5 6 7 8; do readlink /proc/$$/fd/$fd; done; :"]
PRINT_TIMER = "import signal; print(signal.getitimer(signal.ITIMER_REAL))"
PRINT_ALARM = "import signal; print(signal.getsignal(signal.SIGALRM).name)"
IGNORE_ALARM = ("sh", "-c", 'trap "" ALRM; exec "$@"', "sh")

PROGRAMS = [harness.ours(TOOL), harness.real(TOOL)]
both = pytest.mark.parametrize(
    "holder", [program for program in PROGRAMS if program], ids=lambda p: p.name
)


@contextlib.contextmanager
def held(
    program: Program, words: list[str], folder: Path
) -> Iterator[tuple[Process, Pipe]]:
    """Run a program that holds the lock until the pipe ends."""
    with Pipe() as pipe:
        stage = Stage(folder, stdin=pipe.read)
        with harness.running(program, [*words, *HOLD], stage) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"held\n"
            yield process, pipe


def waits(pid: int) -> bool:
    """Tell whether a process waits for a lock on a file (proc_locks(5))."""
    lines = Path("/proc/locks").read_text().splitlines()
    return any(" -> " in line and f" {pid} " in line for line in lines)


def owner(path: Path) -> int:
    """Give the process that has the lock; 0 for none."""
    request = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
    with path.open("r+") as file:
        kind, *_, pid = struct.unpack(
            "hhqqi4x", fcntl.fcntl(file, fcntl.F_GETLK, request)
        )
    return pid if kind != fcntl.F_UNLCK else 0


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["lock"], 0),
        (["-w", "lock"], 0),
        (["-r", "lock"], 0),
        (["-rw", "new"], 0),
        (["-r", "new"], 0),
        (["-n", "new"], 0),
        (["-nN", "-w", "new"], 0),
        (["-t", "1000", "new"], 0),
        (["-N", "-t1000", "new"], 0),
        (["-r", "folder"], 0),
        (["-r", "fifo"], 0),
        (["fifo"], 111),
        (["folder"], 111),
        (["nowhere/lock"], 111),
        (["-r", "nowhere/lock"], 111),
        (["lock/lock"], 111),
        (["-r", "lock/lock"], 111),
        ([""], 111),
        (["-t", "x", "lock"], 100),
        (["-t", "", "lock"], 100),
        (["-t", "-1", "lock"], 100),
        (["-Z", "lock"], 100),
        (["--", "-n"], 0),
    ],
)
def test_a_lock_is_taken_as_in_s6(words: list[str], code: int, tmp_path: Path) -> None:
    """The file is made where there is none; what cannot be opened is named."""
    (tmp_path / "lock").touch()
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "fifo")
    assert agree(TOOL, [*words, "true"], Stage(tmp_path)).code == code


def test_a_program_and_a_file_are_needed(tmp_path: Path) -> None:
    """Else the usage line, exit 100; a program that is not there is told last."""
    assert agree(TOOL, [], Stage(tmp_path)).code == 100
    assert agree(TOOL, ["lock"], Stage(tmp_path)).code == 100
    assert agree(TOOL, ["-t"], Stage(tmp_path)).code == 100
    assert agree(TOOL, ["lock", "no-such-program"], Stage(tmp_path)).code == 127
    assert (tmp_path / "lock").exists()


@pytest.mark.parametrize("umask", [0o022, 0o077, 0])
def test_the_file_is_made_with_the_modes_that_umask_leaves(
    umask: int, tmp_path: Path
) -> None:
    """Whoever may read it can then see the lock."""
    words = ["lock", "stat", "-c", "%a", "lock"]
    told = become(harness.ours(TOOL), words, Stage(tmp_path, umask=umask))
    assert told.out == f"{0o666 & ~umask:o}\n".encode()


@pytest.mark.parametrize("flags", [[], ["-r"], ["-t", "1000"]])
def test_the_program_gets_the_descriptor(flags: list[str], tmp_path: Path) -> None:
    """The lowest that is free, or the one that -d names, and no other."""
    expected = os.fsencode(tmp_path) + b"/lock\n"
    assert (
        become(harness.ours(TOOL), [*flags, "lock", *FDS], Stage(tmp_path)).out
        == expected
    )
    numbered = ["sh", "-c", 'readlink /proc/$$/fd/"$1"', "sh"]
    for number in ("0", "3", "7", "200"):
        words = [*flags, "-d", number, "lock", *numbered, number]
        assert become(harness.ours(TOOL), words, Stage(tmp_path)).out == expected
    words = [*flags, "-d", "7", "lock", *FDS]
    assert become(harness.ours(TOOL), words, Stage(tmp_path)).out == expected


@pytest.mark.parametrize("number", ["x", "-1", "99999", "2147483648", ""])
def test_a_descriptor_that_cannot_be_is_an_error(number: str, tmp_path: Path) -> None:
    """Of the user, or of the system where the number is above its limit."""
    start = ("prlimit", "--nofile=256")
    program = behind(start, harness.ours(TOOL))
    told = become(program, ["-d", number, "lock", "true"], Stage(tmp_path))
    if number == "99999":
        assert told.code == 111
        text = b"unable to move lock descriptor: Bad file descriptor\n"
        assert told.err == b"s6-setlock: fatal: " + text
    else:
        assert told.code == 100


@pytest.mark.parametrize("flags", [[], ["-d", "3"], ["-d", "9"], ["-t", "9999"]])
def test_the_lock_is_that_of_the_process(flags: list[str], tmp_path: Path) -> None:
    """It goes with it; that the descriptor gets another number does not lose it."""
    with held(harness.ours(TOOL), [*flags, "lock"], tmp_path) as (process, pipe):
        assert owner(tmp_path / "lock") == process.pid
        pipe.end()
        process.wait()
        assert owner(tmp_path / "lock") == 0


@both
@pytest.mark.parametrize(
    ("held_with", "flags", "code"),
    [
        ("-w", "-n", 1),
        ("-w", "-nr", 1),
        ("-r", "-n", 1),
        ("-r", "-rn", 0),
    ],
)
def test_who_does_not_want_to_wait_is_told(
    holder: Program, held_with: str, flags: str, code: int, tmp_path: Path
) -> None:
    """Exit 1, whether the lock is ours or s6's; readers share it."""
    with held(holder, [held_with, "lock"], tmp_path):
        assert agree(TOOL, [flags, "lock", "true"], Stage(tmp_path)).code == code


@both
@pytest.mark.parametrize("flags", ["-w", "-r", "-N", "-t60000", "-rt60000", "-t0"])
def test_who_wants_to_wait_waits(holder: Program, flags: str, tmp_path: Path) -> None:
    """Until the other has ended; with a time limit that is not reached, too."""
    words = [flags, "lock", "echo", "mine"]
    with (
        held(holder, ["lock"], tmp_path) as (_, pipe),
        harness.running(harness.ours(TOOL), words, Stage(tmp_path)) as process,
    ):
        wait_until(lambda: waits(process.pid), "it waits")
        pipe.end()
        assert harness.finish(process).out == b"mine\n"


@both
@pytest.mark.parametrize("flags", [["-t", "1"], ["-t", "30"], ["-rt", "30"]])
def test_a_time_limit_that_is_reached_is_told(
    holder: Program, flags: list[str], tmp_path: Path
) -> None:
    """Exit 1, in the words of the later s6."""
    with held(holder, ["lock"], tmp_path):
        words = [*flags, "lock", "true"]
        told = become(harness.ours(TOOL), words, Stage(tmp_path))
        assert (told.code, told.out) == (1, b"")
        assert told.err == b"s6-setlock: fatal: lock lock: timed out\n"


def test_without_waiting_there_is_no_time_limit(tmp_path: Path) -> None:
    """-n comes first, wherever it stands."""
    with held(harness.ours(TOOL), ["lock"], tmp_path):
        for flags in (["-n", "-t", "60000"], ["-t", "60000", "-n"]):
            words = [*flags, "lock", "true"]
            told = become(harness.ours(TOOL), words, Stage(tmp_path))
            assert told.code == 1
            assert b"Device or resource busy" in told.err


def test_the_program_finds_no_timer(tmp_path: Path) -> None:
    """One that goes on would kill it (setitimer(2): kept across exec)."""
    words = ["-t", "60000", "lock", sys.executable, "-c", PRINT_TIMER]
    assert become(harness.ours(TOOL), words, Stage(tmp_path)).out == b"(0.0, 0.0)\n"


def test_the_program_finds_its_alarm_signal_as_it_was(tmp_path: Path) -> None:
    """Ignored, if it was."""
    words = ["-t", "60000", "lock", sys.executable, "-c", PRINT_ALARM]
    program = harness.ours(TOOL)
    assert become(program, words, Stage(tmp_path)).out == b"SIG_DFL\n"
    ignoring = behind(IGNORE_ALARM, program)
    assert become(ignoring, words, Stage(tmp_path)).out == b"SIG_IGN\n"
