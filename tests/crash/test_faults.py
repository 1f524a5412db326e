"""The system refuses what a logger needs: it keeps everything and tries again.

Faults are injected with strace, or made for real: a full file system, a limit
on the size of files, a directory without permissions or without existence.
"""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness import Pipe, Program, Stage, finish, running, wait_until
from injection import failing, need_strace
from numbered import Reading, leftovers, lines
from watching import settle

COUNT = 100
SCRIPT = ["n100", "s4096", "l2000", "r20"]
UNPRIVILEGED = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search")
"""Root without the right to pass over permissions."""


@dataclass(frozen=True)
class Fault:
    """An injected fault: the calls, from which to which one, and the complaint."""

    calls: str
    error: str
    when: str
    complaint: bytes
    paths: tuple[str, ...] = ()
    processor: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.calls.partition(',')[0]} {self.error}{' '.join(self.processor)}"


CURRENT = ("./d/current",)
WRITES = "write,writev,pwritev,pwritev2"
RENAMES = "rename,renameat,renameat2"
FAULTS = [
    Fault(WRITES, "ENOSPC", "1..3", b"write to ./d/current: No space left on", CURRENT),
    Fault(WRITES, "EIO", "2..4", b"write to ./d/current: Input/output error", CURRENT),
    Fault(WRITES, "EDQUOT", "1", b"write to ./d/current: Disk quota exceeded", CURRENT),
    Fault("fsync,fdatasync", "EIO", "1..3", b"fd_sync ./d/current: Input", CURRENT),
    Fault(RENAMES, "EACCES", "1..3", b"rename ./d/current to ./d/previous: Perm"),
    Fault("openat", "EMFILE", "2..4", b"open_append ./d/current: Too many", CURRENT),
    Fault("chmod,fchmodat", "EPERM", "1..3", b"chmod ./d/previous: Operation not"),
    Fault("fchmod", "EPERM", "2..4", b"open_append ./d/current: Operation not"),
    Fault("clone,clone3,vfork", "EAGAIN", "1..3", b"", processor=("?cat",)),
    Fault(RENAMES, "EIO", "2..4", b"", processor=("?cat",)),
    Fault("fsync,fdatasync", "EIO", "2..5", b"", processor=("?cat",)),
    Fault("unlink,unlinkat", "EIO", "4..6", b"", processor=("?cat",)),
]


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_fault_is_outlived(ours: Program, fault: Fault, tmp_path: Path) -> None:
    """Whatever fails is reported, tried again until it works, and nothing is lost."""
    need_strace()
    (tmp_path / "d").mkdir()
    injected = f"{fault.calls}:error={fault.error}:when={fault.when}"
    program = failing(ours, injected, tmp_path, *fault.paths)
    with Pipe() as pipe:
        stage = Stage(tmp_path, stdin=pipe.read)
        pipe.feed(lines(0, COUNT))
        pipe.end()
        with running(program, [*SCRIPT, *fault.processor, "./d"], stage) as process:
            ending = finish(process)
    reading = Reading(tmp_path / "d")
    assert (ending.code, reading.torn) == (0, [])
    assert reading.numbers == list(range(COUNT))
    assert not leftovers(tmp_path / "d")
    warnings = ending.err.splitlines()
    assert warnings
    assert all(
        warning.startswith(b"s6-log: warning: unable to " + fault.complaint)
        for warning in warnings
    )


def test_each_retry_is_reported_once(ours: Program, tmp_path: Path) -> None:
    """Three failures make three warnings, not one for every line or wake-up."""
    need_strace()
    (tmp_path / "d").mkdir()
    program = failing(ours, f"{WRITES}:error=EIO:when=1..3", tmp_path, *CURRENT)
    with Pipe() as pipe:
        stage = Stage(tmp_path, stdin=pipe.read)
        with running(program, ["r100", "./d"], stage) as process:
            for number in range(COUNT):
                pipe.feed(lines(number, number + 1))
            pipe.end()
            ending = finish(process)
    complaint = b"s6-log: warning: unable to write to ./d/current: Input/output error\n"
    assert (ending.code, ending.err) == (0, 3 * complaint)
    assert Reading(tmp_path / "d").numbers == list(range(COUNT))


def test_full_file_system(ours: Program, tmp_path: Path) -> None:
    """A full file system delays lines; another directory gets its own meanwhile."""
    with tmpfs(tmp_path / "small", "256k"), Pipe() as pipe:
        (tmp_path / "small" / "ballast").write_bytes(bytes(200_000))
        stage = Stage(tmp_path, stdin=pipe.read)
        script = ["n1000", "s1000000", "r50", f"{tmp_path}/small/d", "./e"]
        with running(ours, script, stage) as process:
            pipe.feed(lines(0, 3000))
            wait_until(
                lambda: Reading(tmp_path / "e").numbers == list(range(3000)),
                "the directory with room to have everything",
            )
            assert len(Reading(tmp_path / "small/d").numbers) < 3000
            (tmp_path / "small" / "ballast").unlink()
            pipe.end()
            ending = finish(process)
        reading = Reading(tmp_path / "small/d")
    complaint = f"s6-log: warning: unable to write to {tmp_path}/small/d/current: "
    assert ending.code == 0
    assert ending.err.startswith(complaint.encode() + b"No space left on device\n")
    assert (reading.numbers, reading.torn) == (list(range(3000)), [])


@contextlib.contextmanager
def tmpfs(folder: Path, size: str) -> Iterator[None]:
    """Mount a small file system; needs root."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(folder)]
    if os.getuid() != 0 or subprocess.call(mount, stderr=subprocess.DEVNULL):
        pytest.skip("mounting a tmpfs takes root and a kernel that lets it")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_full_at_sigterm(ours: Program, tmp_path: Path) -> None:
    """A logger that cannot write stays after SIGTERM until it can."""
    with tmpfs(tmp_path / "small", "128k"), Pipe() as pipe:
        (tmp_path / "small" / "ballast").write_bytes(bytes(100_000))
        stage = Stage(tmp_path, stdin=pipe.read)
        script = ["s1000000", "r20", f"{tmp_path}/small/d"]
        with running(ours, script, stage) as process:
            pipe.feed(lines(0, 900))
            wait_until(lambda: not pipe.waiting(), "everything to be read")
            settle(process)
            process.terminate()
            settle(process)
            assert process.poll() is None
            (tmp_path / "small" / "ballast").unlink()
            assert finish(process).code == 0
        assert Reading(tmp_path / "small/d").numbers == list(range(900))


def test_unwritable_directory(ours: Program, tmp_path: Path) -> None:
    """A directory that allows no renaming any more: rotation waits until it does."""
    program = without_privileges(ours)
    with Pipe() as pipe:
        stage = Stage(tmp_path, stdin=pipe.read)
        with running(program, [*SCRIPT, "./d"], stage) as process:
            settle(process)
            logdir = tmp_path / "d"
            logdir.chmod(0o555)
            pipe.feed(lines(0, COUNT))
            wait_until(lambda: not pipe.waiting(), "everything to be read")
            settle(process)
            assert {p.name for p in logdir.iterdir()} == {"lock", "current", "state"}
            logdir.chmod(0o755)
            pipe.end()
            ending = finish(process)
    reading = Reading(tmp_path / "d")
    complaint = b"s6-log: warning: unable to rename ./d/current to ./d/previous: "
    assert ending.code == 0
    assert ending.err.startswith(complaint + b"Permission denied\n")
    assert (reading.numbers, reading.torn) == (list(range(COUNT)), [])
    assert not leftovers(logdir)


def without_privileges(program: Program) -> Program:
    """Make permissions count for root too."""
    if os.getuid() != 0:
        return program
    if shutil.which(UNPRIVILEGED[0]) is None:
        pytest.skip("permissions mean nothing to root without setpriv(1)")
    return Program(program.name, (*UNPRIVILEGED, *program.argv))


def test_removed_directory(ours: Program, tmp_path: Path) -> None:
    """A directory removed while running comes back, with the lines written since."""
    with Pipe() as pipe:
        stage = Stage(tmp_path, stdin=pipe.read)
        with running(ours, [*SCRIPT, "./d"], stage) as process:
            pipe.feed(lines(0, 10))
            settle(process)
            for path in (tmp_path / "d").iterdir():
                path.unlink()
            (tmp_path / "d").rmdir()
            pipe.feed(lines(10, COUNT))
            pipe.end()
            ending = finish(process)
    reading = Reading(tmp_path / "d")
    assert ending.code == 0
    # Those that were in the removed file may be gone with it.
    assert set(range(10, COUNT)) <= set(reading.numbers)
    assert reading.numbers == sorted(set(reading.numbers))


def test_removed_current(ours: Program, tmp_path: Path) -> None:
    """A file removed from a directory that stays comes back, content and all."""
    with Pipe() as pipe:
        stage = Stage(tmp_path, stdin=pipe.read)
        with running(ours, [*SCRIPT, "./d"], stage) as process:
            pipe.feed(lines(0, 10))
            settle(process)
            (tmp_path / "d" / "current").unlink()
            pipe.feed(lines(10, COUNT))
            pipe.end()
            ending = finish(process)
    assert ending.code == 0
    assert ending.err == (
        b"s6-log: warning: ./d/current had been removed: put it back\n"
    )
    assert Reading(tmp_path / "d").numbers == list(range(COUNT))


def test_moved_directory(ours: Program, tmp_path: Path) -> None:
    """A directory moved away and put back again goes on as if nothing had been."""
    with Pipe() as pipe:
        stage = Stage(tmp_path, stdin=pipe.read)
        with running(ours, [*SCRIPT, "./d"], stage) as process:
            pipe.feed(lines(0, 10))
            settle(process)
            (tmp_path / "d").rename(tmp_path / "elsewhere")
            pipe.feed(lines(10, 20))
            settle(process)
            (tmp_path / "elsewhere").rename(tmp_path / "d")
            pipe.feed(lines(20, COUNT))
            pipe.end()
            ending = finish(process)
    assert (ending.code, ending.err) == (0, b"")
    assert Reading(tmp_path / "d").numbers == list(range(COUNT))
