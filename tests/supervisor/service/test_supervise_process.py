"""What run and finish are born with: the same from the real s6-supervise and ours."""

import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from differing import SIGNALFD, Difference
from harness import Pipe, wait_until
from trying import HANG, Trial, agree, asleep
from watching import descriptors, facts

SIGNALS = ("--ignore-signal=USR1,HUP", "--block-signal=USR2,TERM")
FACTS = ("SigBlk", "SigCgt", "Umask", "Uid", "Groups", "NoNewPrivs", "Seccomp")
GLIBC_SIGNALS = 3 << 31
"""32 and 33, which glibc's posix_spawn ignores in its children; 2.11 forks."""


def born(trial: Trial, label: str) -> None:
    """Note all that a process has from its parent, once it is `sleep`."""
    pid = trial.status.pid
    place = Path(f"/proc/{pid}")
    wait_until(lambda: (place / "comm").read_text() == "sleep\n", "it to be sleep")
    wait_until(lambda: asleep(pid), "it to sleep")
    known = facts(pid)
    stat = (place / "stat").read_text().rpartition(")")[2].split()
    trial.note(f"{label}: session", [int(field) == pid for field in stat[2:4]])
    trial.note(f"{label}: nice", stat[16])
    trial.note(f"{label}: parent", int(known["PPid"]) == trial.process.pid)
    trial.note(f"{label}: facts", {name: known[name] for name in FACTS})
    ignored = int(known["SigIgn"], 16) & ~GLIBC_SIGNALS
    trial.note(f"{label}: ignored signals", f"{ignored:#x}")
    trial.note(f"{label}: limits", (place / "limits").read_text())
    trial.note(f"{label}: in", os.readlink(place / "cwd") == str(trial.directory))
    variables = (place / "environ").read_text().split("\0")
    trial.note(f"{label}: environment", sorted(map(trial.named, variables)))
    opened = {fd: trial.named(name) for fd, name in descriptors(pid).items()}
    trial.note(f"{label}: descriptors", opened)


def between(trial: Trial, begin: Callable[[], None], steps: Callable[[], None]) -> None:
    """Do `steps` with pipes for 0, 1 and 2, and for 9, which is inherited too."""
    with Pipe() as stdin, Pipe() as stdout, Pipe() as other:
        named = {"stdin": stdin.read, "stdout": stdout.write, "other": other.write}
        for name, fd in named.items():
            trial.names[os.readlink(f"/proc/self/fd/{fd}")] = name
        trial.stage = replace(
            trial.stage, stdin=stdin.read, stdout=stdout.write, fds=(other.write,)
        )
        begin()
        steps()


def test_run_and_finish(tmp_path: Path) -> None:
    """A session, the directory, the environment, signals, limits, descriptors."""

    def play(trial: Trial) -> None:
        trial.service(HANG, HANG, notification_fd="5", timeout_finish="0")

        def begin() -> None:
            trial.start("service", behind=("nice", "-n", "3"), umask=0o027)
            trial.hear(b"su")

        def steps() -> None:
            born(trial, "run")
            trial.command(b"k")
            trial.hear(b"d")
            born(trial, "finish")
            trial.command(b"x")
            trial.kill()
            trial.hear(b"Dx")
            trial.end()

        between(trial, begin, steps)

    agree(play, tmp_path)


def test_signals_that_an_ancestor_ignores_or_blocks(tmp_path: Path) -> None:
    """Ignored stays ignored but for what the supervisor takes; none is blocked."""

    def play(trial: Trial) -> None:
        trial.service(HANG, HANG, timeout_finish="0")
        trial.start("service", behind=("env", *SIGNALS))
        trial.hear(b"su")
        born(trial, "run")
        trial.command(b"k")
        trial.hear(b"d")
        born(trial, "finish")
        trial.signal(signal.SIGTERM)
        trial.kill()
        trial.hear(b"Dx")
        trial.end()

    known = Difference("0x201", "0x200", SIGNALFD)
    labels = ("run: ignored signals", "finish: ignored signals")
    agree(play, tmp_path, dict.fromkeys(labels, known))


@pytest.mark.parametrize("how", ["x", "HUP", "TERM"])
def test_the_streams_of_a_last_finish(how: str, tmp_path: Path) -> None:
    """The supervisor has let go of its stdin and stdout, but not after SIGTERM."""

    def play(trial: Trial) -> None:
        trial.service(HANG, HANG, timeout_finish="0")

        def begin() -> None:
            trial.start("service")
            trial.hear(b"su")

        def steps() -> None:
            if how == "x":
                trial.command(b"x")
            else:
                trial.process.send_signal(signal.Signals["SIG" + how])
            if how != "TERM":
                trial.settle()
                born(trial, "last run")
                trial.kill()
            trial.hear(b"d")
            born(trial, "last finish")
            trial.kill()
            trial.hear(b"Dx")
            trial.end()

        between(trial, begin, steps)

    agree(play, tmp_path)


@pytest.mark.parametrize("closed", ["<&- >&-", "<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_standard_descriptors_that_are_closed(closed: str, tmp_path: Path) -> None:
    """They are /dev/null then."""

    def play(trial: Trial) -> None:
        trial.service(HANG)

        def begin() -> None:
            shell = ("sh", "-c", f'exec "$@" {closed}', "sh")
            trial.start("service", behind=shell)
            trial.hear(b"su")

        def steps() -> None:
            born(trial, "run")
            trial.command(b"dx")
            trial.end()

        between(trial, begin, steps)

    agree(play, tmp_path)
