"""`backoff`, `give-up` and `essential` in service directories, with real processes."""

import itertools
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import harness
from differing import WARNING
from harness import Program, ours, wait_until
from supervising import Ear, make_service, svscan, tell
from supervisor.service import tally
from supervisor.service.machine import NANOSECONDS_PER_MS
from trying import HANG, LISTEN, Trial, read

HOST = f"""
import os, sys
sys.path.append({str(harness.LAUNCHER.parent.parent)!r})
from s6log.unix.loop import Loop
from s6log.unix.messages import Messages
from s6log.unix.signals import signal
from supervisor.service.host import Host
from supervisor.service.service import Service
from supervisor.service.host import Streams
from supervisor.service.spawner import Spawner

reports = os.open("reports", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
changes = os.open("changes", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

def report(name, wait_status):
    os.write(reports, b"%s %d %s\\n" % (name, wait_status, service.state.encode()))
    if os.path.exists("stop"):
        service.send("TERM")

def change():
    ready = b"ready" if service.ready else b"not ready"
    os.write(changes, b"%s, %s\\n" % (service.state.encode(), ready))

os.chdir(sys.argv[1] + "/..")
loop = Loop()
host = Host(loop, Messages(b"host"), dict(os.environb), Spawner())
host.on_essential, host.on_change = report, change
ended = []
directory = os.open(sys.argv[1], os.O_PATH)
service = Service(host, b"web", directory, Streams(), ended.append)
loop.on_signal(signal.SIGCHLD, loop.reap_children)
service.begin()
os.write(changes, b"notifies\\n" if service.notifies else b"")
while not ended:
    loop.turn()
"""
"""A supervisor that notes what services tell it."""

NEVER = "1h x2 1h"
"""A pause after which nothing starts any more, as far as a test is concerned."""


@pytest.fixture
def trial(tmp_path: Path) -> Iterator[Trial]:
    """Try s6-supervise."""
    with Trial(ours("s6-supervise"), tmp_path) as made:
        yield made


@pytest.fixture
def hosted(tmp_path: Path) -> Iterator[Trial]:
    """Try a supervisor that wants to know of essential services."""
    program = Program("host", (sys.executable, "-I", "-S", "-c", HOST))
    with Trial(program, tmp_path) as made:
        yield made


def deaths_ns(directory: Path) -> list[int]:
    """Give when run has died, each time."""
    record = read(directory / "supervise" / "death_tally")
    return [death.when_ns for death in tally.decode(record)]


def reports(trial: Trial) -> list[bytes]:
    """Give what a host has been told of essential services."""
    return read(trial.directory.parent / "reports").splitlines()


# ---- backoff


def test_pauses_grow_and_end(trial: Trial) -> None:
    """A service that dies at once is started after 20, 40, 80, 80 ... ms."""
    trial.service("exit 1", backoff="20ms x2 80ms\n")
    trial.start()
    trial.hear(b"s" + 6 * b"udD")
    trial.command(b"dx")
    died = deaths_ns(trial.directory)
    between = [b - a for a, b in itertools.pairwise(died)]
    for found_ns, least_ms in zip(between[:5], [20, 40, 80, 80, 80], strict=True):
        assert found_ns >= least_ms * NANOSECONDS_PER_MS
    assert trial.told() == []


def test_a_pause_is_as_long_as_it_says(trial: Trial) -> None:
    """And not a second; a command ends it, and finish comes before it."""
    trial.service("echo run >>log; exit 1", "echo finish >>log", backoff=NEVER)
    trial.start()
    trial.hear(b"sudD")
    for _ in range(3):
        trial.settle()
        assert trial.status.pid == 0
        trial.command(b"u")
        trial.hear(b"udD")
    assert read(trial.directory / "log") == 4 * b"run\nfinish\n"


def test_a_restart_by_command_is_as_in_s6(trial: Trial) -> None:
    """It does not wait for what nobody asked it to wait for."""
    trial.service(HANG, backoff=NEVER)
    trial.start()
    trial.hear(b"su")
    for letters in (b"r", b"du"):
        trial.command(letters)
        trial.hear(b"dDu")
    trial.kill()
    trial.hear(b"dD")
    trial.settle()
    assert trial.status.pid == 0


# ---- give-up


@pytest.mark.parametrize("finish", [None, "exit 0"])
def test_it_gives_up(trial: Trial, finish: str | None) -> None:
    """After the third death; whoever wants it up again has three more."""
    trial.service("exit 1", finish, give_up="3/10m\n", backoff="1ms x1\n")
    trial.start()
    trial.hear(b"s" + 2 * b"udD" + b"udOD")
    trial.settle()
    assert not trial.status.want_up
    assert trial.told() == [f"{WARNING}gives up: died 3 times within 10m"]
    trial.command(b"u")
    trial.hear(2 * b"udD" + b"udOD")
    assert len(trial.told()) == 2


def test_deaths_that_were_asked_for_do_not_count(trial: Trial) -> None:
    """However many there are."""
    trial.service(HANG, give_up="2/1h", backoff="1ms x1")
    trial.start()
    trial.hear(b"su")
    for letters in (b"k", b"k", b"r"):
        trial.command(letters)
        trial.hear(b"dD")
        trial.command(b"u")
        trial.hear(b"u")
    trial.kill()
    trial.hear(b"dDu")
    trial.kill(11)
    trial.hear(b"dOD")


def test_deaths_long_ago_do_not_count(trial: Trial) -> None:
    """Only those within the time; here the pause is as long as that."""
    trial.service("exit 1", give_up="2/10ms", backoff="20ms x1 20ms")
    trial.start()
    trial.hear(b"s" + 4 * b"udD")
    assert trial.status.want_up


def test_run_may_give_up(trial: Trial) -> None:
    """By the exit code that finish has for that."""
    trial.service("exit 125", give_up="5/1m")
    trial.start()
    trial.hear(b"sudOD")
    assert trial.told() == [f"{WARNING}gives up: run exited 125"]


def test_run_cannot_give_up_without_the_file(trial: Trial) -> None:
    """As in s6, where exit code 125 of run means nothing."""
    trial.service("exit 125")
    trial.start()
    trial.hear(b"sudDu")


@pytest.mark.parametrize(
    ("name", "text"),
    [("backoff", "1s x2 60s please"), ("give-up", "often"), ("backoff", "1s" * 40)],
)
def test_a_mistake_is_told(trial: Trial, name: str, text: str) -> None:
    """Once for each death, and the file counts as missing."""
    trial.service("exit 1")
    (trial.directory / name).write_text(text)
    trial.start()
    trial.hear(b"sudDu")
    assert trial.told()[0] == f"{WARNING}invalid {name}"


def test_a_tree_gives_up_as_well(tmp_path: Path) -> None:
    """The warning says which service."""
    web = make_service(tmp_path / "web", "exit 1", give_up="2/1h", backoff="1ms")
    (web / "event").mkdir()
    with (
        (tmp_path.parent / "said").open("w+b") as said,
        Ear(web) as ear,
        svscan(ours("s6-svscan"), tmp_path, stderr=said.fileno()),
    ):
        ear.wait_for(b"sudDudOD")
        text = b"s6-svscan: warning: web: gives up: died 2 times within 1h\n"
        assert os.pread(said.fileno(), 1000, 0) == text


# ---- essential


@pytest.mark.parametrize("finish", [None, "exit 0"])
def test_an_essential_death_is_told(hosted: Trial, finish: str | None) -> None:
    """Each one, when finish is over, with how run died."""
    hosted.service(HANG, finish, essential="", backoff="1ms")
    hosted.start()
    hosted.hear(b"su")
    hosted.kill(11)
    hosted.hear(b"dDu")
    hosted.kill(15)
    hosted.hear(b"dDu")
    assert reports(hosted) == [b"web 11 down", b"web 15 down"]


def test_a_death_by_command_is_not_told(hosted: Trial) -> None:
    """Nor one of a service that runs once, or for the last time."""
    hosted.service(HANG, essential="")
    hosted.start()
    hosted.hear(b"su")
    for letters in (b"r", b"k", b"K", b"1", b"h", b"l", b"du"):
        hosted.command(letters)
        hosted.hear(b"dD")
        hosted.command(b"u")
        hosted.hear(b"u")
    hosted.command(b"O")
    hosted.kill()
    hosted.hear(b"dD")
    hosted.command(b"u")
    hosted.hear(b"u")
    hosted.command(b"x")
    hosted.kill()
    hosted.hear(b"dDx")
    assert reports(hosted) == []


def test_a_reload_is_not_an_order_to_die(hosted: Trial) -> None:
    """A service that survives it may die of something else."""
    hosted.service(LISTEN, notification_fd="3", essential="", backoff="1ms")
    hosted.start()
    hosted.hear(b"suU")
    hosted.command(b"h12ayl")
    hosted.kill()
    hosted.hear(b"dDu")
    assert reports(hosted) == [b"web 9 down"]


def test_with_give_up_only_the_end_is_told(hosted: Trial) -> None:
    """The deaths before it are permitted."""
    files = {"give_up": "3/1h", "backoff": "1ms", "essential": ""}
    hosted.service("exit 7", **files)
    hosted.start()
    hosted.hear(b"s" + 2 * b"udD" + b"udOD")
    assert reports(hosted) == [b"web 1792 down"]


def test_that_finish_gives_up_is_told(hosted: Trial) -> None:
    """With how run died, which finish has no part in."""
    hosted.service("exit 7", "exit 125", give_up="3/1h", essential="")
    hosted.start()
    hosted.hear(b"sudOD")
    assert reports(hosted) == [b"web 1792 down"]


def test_who_is_not_essential_dies_in_silence(hosted: Trial) -> None:
    """Its host is told of changes only."""
    hosted.service("exit 1", give_up="2/1h", backoff="1ms")
    hosted.start()
    hosted.hear(b"sudDudOD")
    assert reports(hosted) == []


@pytest.mark.parametrize("finish", [None, "exit 0"])
def test_whoever_is_told_may_stop_everything(hosted: Trial, finish: str | None) -> None:
    """At once: the service has come down by then."""
    hosted.service("exit 1", finish, essential="")
    (hosted.directory.parent / "stop").touch()
    hosted.start()
    hosted.hear(b"sudDx")
    assert hosted.process.wait(harness.DEADLINE_S) == 0
    assert reports(hosted) == [b"web 256 down"]
    assert hosted.told() == []


# ---- what else a host is told


def test_changes_are_told_when_all_is_done(hosted: Trial) -> None:
    """So that whoever looks then sees what has become of the service."""
    hosted.service("echo >&3; exec sleep 1000", notification_fd="3", down="")
    hosted.start()
    hosted.hear(b"s")
    changes = hosted.directory.parent / "changes"
    wait_until(lambda: b"notifies\n" in read(changes), "the host to have begun")
    tell(hosted.directory, b"u")
    hosted.hear(b"uU")
    hosted.command(b"x")
    hosted.kill()
    hosted.hear(b"dDx")
    assert hosted.process.wait(harness.DEADLINE_S) == 0
    told = read(changes).splitlines()
    assert b"up, ready" in told
    assert told.index(b"up, not ready") < told.index(b"up, ready")
    assert told[-1] == b"ended, not ready"
    assert b"down, ready" not in told
