"""No descriptors, no processes, no /proc: what can go on goes on, and comes back."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import harness
from chains import needs_root
from enduring import BAD, GOOD, Trial, enduring
from harness import wait_until
from outliving import kill, outliving
from scanning import all_up, lines, logged, order
from supervising import (
    Ear,
    make_service,
    status,
    supervised,
    tell,
    wait_up,
)
from watching import descriptors

COUNT = "echo begun >> begun; exec sleep 1000"
NO_FILES = "Too many open files"
NO_PROCESS = "Resource temporarily unavailable"
NOBODY = 65534
FILES, PROCESSES = "Max open files", "Max processes"
KINDS = {FILES: "--nofile", PROCESSES: "--nproc"}


@contextmanager
def limited(pid: int, kind: str, soft: int, *behind: str) -> Iterator[None]:
    """Lower a limit of a process that runs, for the length of a block."""
    table = Path(f"/proc/{pid}/limits").read_text().splitlines()
    (before,) = [row.split()[-3] for row in table if row.startswith(kind)]
    change = [*behind, "prlimit", "--pid", str(pid)]
    subprocess.run([*change, f"{KINDS[kind]}={soft}:"], check=True)
    try:
        yield
    finally:
        subprocess.run([*change, f"{KINDS[kind]}={before}:"], check=True)


# ---- descriptors


def test_no_descriptor_is_left(tmp_path: Path) -> None:
    """Not even for a status file: all come back when there are some again."""
    scandir = tmp_path / "scan"
    bad = make_service(scandir / BAD, COUNT, "exit 0")
    with enduring(scandir) as trial:
        wait_until(lambda: supervised(bad), "the bad service")
        pid = wait_up(bad)
        wait_up(trial.good)
        wait_until(lambda: lines(bad / "begun") == 1, "the first run")
        lowest = lowest_free(trial.pid)
        with limited(trial.pid, FILES, lowest):
            kill(pid)
            make_service(scandir / "new", COUNT)
            order(scandir, b"a")
            wait_until(lambda: bool(trial.warnings()), "a warning")
            trial.rests()
        all_say(trial, NO_FILES)
        tell(bad, b"u")
        wait_up(bad, other_than=pid)
        order(scandir, b"a")
        wait_until(lambda: supervised(scandir / "new"), "the new service")
        wait_up(scandir / "new")
        trial.goes_on()
        trial.ends()


def lowest_free(pid: int) -> int:
    """Give the lowest descriptor that a process has not open."""
    taken = descriptors(pid)
    return next(fd for fd in range(len(taken) + 1) if fd not in taken)


def all_say(trial: Trial, reason: str) -> None:
    """See that all warnings have the same reason."""
    assert [line for line in trial.warnings() if reason not in line] == []


# ---- processes


OVERRIDE = "+dac_override,+dac_read_search"
AS_NOBODY = (
    *("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"),
    *(f"--inh-caps={OVERRIDE}", f"--ambient-caps={OVERRIDE}"),
)
"""The superuser may have as many processes as he likes (setrlimit(2)).

Somebody else, then, who may write to the directories of a test all the same.
"""


@needs_root
def test_no_process_can_be_started(tmp_path: Path) -> None:
    """The service is tried again, by itself or when told to; others run on."""
    scandir = tmp_path / "scan"
    bad = make_service(scandir / BAD, COUNT, "exit 0")
    good = make_service(scandir / GOOD, COUNT)
    svscan = harness.ours("s6-svscan")
    with outliving(svscan, scandir, behind=AS_NOBODY) as tree:
        trial = Trial(tree)
        all_up(bad, good)
        pids = [status(service).pid for service in (bad, good)]
        (keeper,) = tree.keepers()
        with limited(trial.pid, PROCESSES, 0, *AS_NOBODY):
            with Ear(bad) as ear:
                kill(pids[0])
                ear.wait_for(b"dD")
                ear.listen()
            text = f"{BAD}: unable to spawn ./run (waiting 10 seconds): {NO_PROCESS}"
            wait_until(lambda: text in trial.warnings(), text)
            kill(keeper)
            text = "the keeper of log pipes has died; another takes over"
            wait_until(lambda: text in trial.warnings(), text)
            trial.rests()
            assert status(good).pid == pids[1]
        tell(bad, b"u")
        wait_up(bad, other_than=pids[0])
        wait_until(lambda: len(tree.keepers()) == 1, "another keeper")
        trial.goes_on()
        said = trial.warnings()
        assert said.count(f"{BAD}: unable to spawn ./finish: {NO_PROCESS}") == 1
        assert len(said) == 3
        trial.ends()


# ---- /proc

WITHOUT_PROC = ("unshare", "--mount", "--propagation=private", "sh", "-c")
UNABLE = "unable to tell whether it still runs without /proc"
UNMOUNT = 'umount --lazy /proc && exec "$@"'


@needs_root
def test_there_is_no_proc(tmp_path: Path) -> None:
    """Services cannot be adopted, which is told at once; all else works."""
    if subprocess.call([*WITHOUT_PROC, UNMOUNT, "sh", "true"]):
        pytest.skip("/proc cannot be unmounted")
    scandir = tmp_path / "scan"
    service = logged(scandir, BAD, "echo $$; echo begun >> begun; exec sleep 1000")
    good = make_service(scandir / GOOD, COUNT)
    svscan = harness.ours("s6-svscan")
    behind = (*WITHOUT_PROC, UNMOUNT, "sh")
    with outliving(svscan, scandir, behind=behind) as tree:
        trial = Trial(tree)
        all_up(service, good)
        pid = status(service).pid
        kill(pid)
        wait_up(service, other_than=pid)
        wait_until(lambda: lines(service / "out") == 2, "both lines")
        text = "services cannot outlive their supervisor: No such file or directory"
        trial.wait_for(text)
        assert tree.keepers() == []
        trial.goes_on()
        trial.ends()


@needs_root
def test_there_is_no_proc_any_more(tmp_path: Path) -> None:
    """Whether a service still runs cannot be told: it is not started again."""
    if subprocess.call([*WITHOUT_PROC, UNMOUNT, "sh", "true"]):
        pytest.skip("/proc cannot be unmounted")
    scandir = tmp_path / "scan"
    bad = make_service(scandir / BAD, COUNT)
    with enduring(scandir) as trial:
        wait_until(lambda: supervised(bad), "the bad service")
        pid = wait_up(bad)
        wait_up(trial.good)
        wait_until(lambda: lines(bad / "begun") == 1, "the service")
        trial.tree.kill()
        trial.tree.start(*WITHOUT_PROC, UNMOUNT, "sh")
        trial.wait_for(
            "services cannot outlive their supervisor: No such file or directory",
            f"unable to supervise {BAD}: {UNABLE}",
            f"unable to supervise {GOOD}: {UNABLE}",
        )
        trial.rests()
        assert lines(bad / "begun") == 1
        kill(pid)
        order(scandir, b"a")
        wait_until(lambda: lines(bad / "begun") == 2, "the second run")
        assert len(trial.warnings()) == 3
