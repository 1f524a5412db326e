"""What s6-supervise does since 2.11.3.2, and what no version of s6 does right.

There is nothing to compare ours with in Debian's package. What is tested first was
seen to hold for s6 2.15.1.0, too.
"""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

import watching
from chains import needs_root
from differing import WARNING
from harness import ours, wait_until
from s6log.unix.locks import is_locked
from supervising import processes_in
from trying import HANG, LISTEN, Trial, asleep, read

IN_GROUP = f"sleep 1000 & {LISTEN}"
LOCK_FILE = "supervise/service-lock"
BLOCKED = "child will block"
CONFLICT = f"{WARNING}unable to start service: notification-fd and lock-fd are the same"


@pytest.fixture
def trial(tmp_path: Path) -> Iterator[Trial]:
    """Try ours alone."""
    with Trial(ours("s6-supervise"), tmp_path) as made:
        yield made


def test_finish_is_told_the_process_group_of_run(trial: Trial) -> None:
    """As its fourth argument: some of it may still live."""
    trial.service(HANG, 'echo "$@" >args')
    trial.start()
    trial.hear(b"su")
    pid = trial.status.pid
    trial.command(b"Ok")
    trial.hear(b"dD")
    assert read(trial.directory / "args") == b"256 9 service %d\n" % pid


@pytest.mark.parametrize(("text", "got"), [("USR1\n", "USR1"), ("HOP", "HUP")])
def test_reload_signal(trial: Trial, text: str, got: str) -> None:
    """For `l`; a mistake is told, and SIGHUP serves."""
    trial.service(LISTEN, notification_fd="3", reload_signal=text)
    trial.start()
    trial.hear(b"suU")
    trial.command(b"l")
    assert read(trial.directory / "got").split() == [b"ready", got.encode()]
    assert trial.told() == ([f"{WARNING}invalid reload-signal"] if got == "HUP" else [])


@pytest.mark.parametrize("group", [True, False])
def test_timeout_kill_of_the_group(trial: Trial, group: bool) -> None:
    """With flag-timeout-killpg its children die, too; else they go on."""
    files = {"flag_timeout_killpg": ""} if group else {}
    trial.service(IN_GROUP, notification_fd="3", timeout_kill="100", **files)
    trial.start()
    trial.hear(b"suU")
    trial.command(b"d")
    trial.hear(b"dD")
    wait_until(lambda: living(trial) == (1 if group else 2), "the group to be dead")
    assert trial.status.wait_status == signal.SIGKILL


def test_letters_for_the_group(trial: Trial) -> None:
    """P stops it, C continues it, K kills it."""
    trial.service(IN_GROUP, notification_fd="3")
    trial.start()
    trial.hear(b"suU")
    (child,) = watching.children(trial.status.pid)
    trial.command(b"P")
    wait_until(lambda: state(child) == "T", "the child to be stopped")
    assert trial.status.paused
    trial.command(b"C")
    wait_until(lambda: state(child) == "S", "the child to go on")
    assert not trial.status.paused
    trial.command(b"OK")
    trial.hear(b"dD")
    wait_until(lambda: living(trial) == 1, "the group to be dead")


@needs_root
def test_a_pid_namespace(trial: Trial) -> None:
    """With flag-newpidns run is PID 1, and all that it started dies with it."""
    run = f"echo $$ >pid; sleep 1000 & {LISTEN}"
    trial.service(run, "echo $$ >finish-pid", flag_newpidns="", notification_fd="3")
    trial.start()
    trial.hear(b"suU")
    pid = trial.status.pid
    assert read(trial.directory / "pid") == b"1\n"
    assert watching.facts(pid)["NSpid"].split()[-2:] == [str(pid), "1"]
    trial.command(b"Ok")
    trial.hear(b"dD")
    wait_until(lambda: living(trial) == 1, "the namespace to be empty")
    assert int(read(trial.directory / "finish-pid")) > 1
    trial.command(b"u")
    trial.hear(b"uU")
    assert read(trial.directory / "pid") == b"1\n"


@pytest.mark.parametrize("text", ["0", "x", "1000000000"])
def test_a_lock_fd_that_cannot_be(trial: Trial, text: str) -> None:
    """It is told, and run is started without."""
    trial.service(LISTEN, lock_fd=text, notification_fd="3")
    trial.start()
    trial.hear(b"suU")
    assert not (trial.directory / LOCK_FILE).exists()
    assert trial.told() == [f"{WARNING}invalid lock-fd"]


def test_one_descriptor_for_two_things(trial: Trial) -> None:
    """It is told, and the service stays down until a command comes."""
    trial.service(HANG, lock_fd="7", notification_fd="7")
    trial.start()
    trial.hear(b"s")
    trial.settle()
    assert trial.told() == [CONFLICT]
    (trial.directory / "notification-fd").unlink()
    trial.command(b"u")
    trial.hear(b"u")
    assert trial.told() == [CONFLICT]


# ---- and what no s6 does right


def test_a_lock_that_run_holds(trial: Trial) -> None:
    """On the descriptor that lock-fd names, for as long as it lives.

    In 2.15 it is lost before run starts: s6-setlock -d closes another descriptor on
    the file (fcntl(2), POSIX locks), and in 2.11 in the same way.
    """
    trial.service(LISTEN, lock_fd="7", notification_fd="3")
    trial.start()
    trial.hear(b"suU")
    path = trial.directory / LOCK_FILE
    assert os.readlink(f"/proc/{trial.status.pid}/fd/7") == str(path)
    assert locked(path)
    trial.command(b"Ok")
    trial.hear(b"dD")
    assert not locked(path)
    assert trial.told() == []


def test_a_lock_that_somebody_holds(trial: Trial) -> None:
    """The service counts as up, and waits; both is told, and that it was written to."""
    trial.service(LISTEN, lock_fd="7", notification_fd="3", down="")
    path = trial.directory / LOCK_FILE
    path.parent.mkdir()
    path.write_text("something")
    with path.open("ab") as other:
        os.lockf(other.fileno(), os.F_LOCK, 0)
        trial.start()
        trial.hear(b"s")
        trial.command(b"u")
        trial.hear(b"u")
        wait_until(lambda: asleep(trial.status.pid), "it to wait for the lock")
    trial.hear(b"U")
    assert trial.told() == [
        f"{WARNING}a previous instance of the service wrote to the lock file!",
        f"{WARNING}another instance of the service is already running, {BLOCKED}",
    ]
    assert read(path) == b""


@pytest.mark.parametrize("fd", ["0", "1000000000"])
def test_a_notification_fd_that_cannot_be(trial: Trial, fd: str) -> None:
    """It is told, and run is started without; s6 does not start it, or not rightly."""
    trial.service(HANG, notification_fd=fd)
    trial.start()
    trial.hear(b"su")
    trial.settle()
    assert trial.told() == [f"{WARNING}invalid notification-fd"]


def test_words_without_a_newline_keep_nobody_from_anything(trial: Trial) -> None:
    """S6 waits for the rest of the line, and for nothing else."""
    trial.service(f"printf 'not yet' >&3; : >done; {HANG}", notification_fd="3")
    trial.start()
    trial.hear(b"su")
    wait_until((trial.directory / "done").exists, "run to have said it")
    trial.command(b"d")
    trial.hear(b"dD")
    trial.signal(signal.SIGTERM)
    trial.hear(b"x")


def test_the_letter_q_in_capitals(trial: Trial) -> None:
    """It does what the manual says; 2.15 has lost it."""
    trial.service()
    trial.start()
    trial.hear(b"su")
    trial.command(b"Q")
    assert (trial.directory / "down").exists()
    assert trial.status.up
    assert not trial.status.want_up


def living(trial: Trial) -> int:
    """Count the processes in the service directory, its supervisor among them."""
    return len(processes_in(trial.directory))


def state(pid: int) -> str:
    """Give the letter for what a process is doing."""
    return watching.facts(pid)["State"][0]


def locked(path: Path) -> bool:
    """Tell whether somebody has a lock on a file."""
    with path.open() as file:
        return is_locked(file.fileno())
