"""A whole container: everything at once, s6-svscan being PID 1, as people run it.

Single recipes are in tests/supervisor/scan/test_recipes.py. The real program passes
the same tests, but where the name says that ours does more.
"""

import os
import random
import signal
from functools import partial
from pathlib import Path

import pytest

import harness
from chatty import Account, chatty, noted
from harness import DEADLINE_S, Program, finish, wait_until
from outliving import kill
from scanning import all_up, as_pid_1, lines, logged, namespaces_allowed, script
from supervising import Ear, make_service, status, supervised, tell
from watching import children, facts

pytestmark = pytest.mark.skipif(
    not namespaces_allowed(), reason="this needs root and PID namespaces"
)

SLEEP = "exec sleep 1000"
DEAF = "trap : TERM; touch deaf; while :; do sleep 0.01; done"
SEED = os.environ.get("S6_LOG_SEED", "")
KILLS = 20


@pytest.fixture(params=["ours", "real"])
def svscan(request: pytest.FixtureRequest) -> Program:
    """Give each of the two programs."""
    find = harness.ours if request.param == "ours" else harness.oracle
    return find("s6-svscan")


def outside(scanner: int, pid: int) -> int:
    """Find by its pid in the namespace a process below the scanner; 0: none."""
    waiting = [scanner]
    while waiting:
        found = waiting.pop()
        if facts(found).get("NSpid", "").split()[-1:] == [str(pid)]:
            return found
        waiting += children(found)
    return 0


def test_c10_a_stubborn_service_keeps_the_container(
    svscan: Program, tmp_path: Path
) -> None:
    """Until whoever runs the container loses patience."""
    deaf = make_service(tmp_path / "deaf", DEAF)
    other = make_service(tmp_path / "other", SLEEP)
    with as_pid_1(svscan, tmp_path) as (process, scanner):
        all_up(deaf, other)
        wait_until((deaf / "deaf").exists, "the trap")
        pid = outside(scanner, status(deaf).pid)
        with Ear(other) as ear:
            kill(scanner, signal.SIGTERM)
            ear.wait_for(b"x")
        assert process.poll() is None
        kill(scanner)
        assert finish(process).code != 0
        wait_until(lambda: not facts(pid), "its end with the namespace")


@pytest.mark.parametrize("name", ["INT", "QUIT"])
def test_c11_other_ways_to_stop(svscan: Program, tmp_path: Path, name: str) -> None:
    """INT as TERM; QUIT ends loggers too that would not end by themselves."""
    log = "exec cat >> ../out" if name == "INT" else SLEEP
    service = logged(tmp_path, "foo", SLEEP, log)
    with as_pid_1(svscan, tmp_path) as (process, scanner):
        all_up(service)
        kill(scanner, getattr(signal, f"SIG{name}"))
        assert finish(process).code == 0


def test_c11_hup_looks_again_and_prunes(svscan: Program, tmp_path: Path) -> None:
    """The tree stays."""
    old = make_service(tmp_path / "old", SLEEP)
    stays = make_service(tmp_path / "stays", "echo begun >> begun; " + SLEEP)
    with as_pid_1(svscan, tmp_path) as (process, scanner):
        all_up(old, stays)
        moved = old.rename(tmp_path / ".old")
        new = make_service(tmp_path / "new", SLEEP)
        with Ear(moved) as ear:
            kill(scanner, signal.SIGHUP)
            ear.wait_for(b"x")
        all_up(new)
        assert lines(stays / "begun") == 1
        kill(scanner, signal.SIGTERM)
        assert finish(process).code == 0


@pytest.mark.parametrize(
    "name", ["HUP", "INT", "TERM", "QUIT", "USR1", "USR2", "PWR", "WINCH"]
)
def test_c11_a_script_takes_the_place_of_a_signal(
    svscan: Program, tmp_path: Path, name: str
) -> None:
    """And is reaped; the tree goes on."""
    service = make_service(tmp_path / "foo", SLEEP)
    script(tmp_path, f"SIG{name}", "echo $0 $# > answered")
    with as_pid_1(svscan, tmp_path) as (process, scanner):
        all_up(service)
        pid = status(service).pid
        kill(scanner, getattr(signal, f"SIG{name}"))
        wait_until(lambda: lines(tmp_path / "answered") == 1, "an answer")
        assert (tmp_path / "answered").read_text() == f".s6-svscan/SIG{name} 0\n"
        assert status(service).pid == pid
        kill(scanner, signal.SIGABRT)
        assert finish(process).code == 0


def test_service_directories_may_be_read_only(svscan: Program, tmp_path: Path) -> None:
    """As in an image: what is written lies elsewhere, behind links."""
    image, run = tmp_path / "image", tmp_path / "run"
    for directory in ("foo", "foo/log", ".s6-svscan"):
        (image / directory).mkdir(parents=True)
        (run / directory).mkdir(parents=True)
    make_runs(image, run)
    for place in ("foo", "foo/log"):
        for name in ("supervise", "event"):
            (image / place / name).symlink_to(run / place / name)
    for name in ("lock", "control"):
        (image / ".s6-svscan" / name).symlink_to(run / ".s6-svscan" / name)
    (run / ".s6-svscan" / "lock").touch()
    os.mkfifo(run / ".s6-svscan" / "control")
    read_only = 'mount --bind -o ro "$0" "$0" && exec "$@"'
    mounted = ("unshare", "--mount", "sh", "-c", read_only, str(image))
    program = Program("mounted", (*mounted, *svscan.argv))
    with as_pid_1(program, image) as (process, scanner):
        all_up(image / "foo")
        assert f" {image} ro" in Path(f"/proc/{scanner}/mountinfo").read_text()
        wait_until(lambda: lines(run / "out") == 1, "the line")
        tell(image / "foo", b"d")
        wait_until(lambda: status(image / "foo").pid == 0, "its end")
        kill(scanner, signal.SIGTERM)
        assert finish(process).code == 0


def make_runs(image: Path, run: Path) -> None:
    """Write the programs of a service that is logged outside of the image."""
    for place, text in (
        ("foo", "echo begun; " + SLEEP),
        ("foo/log", f"exec cat >> {run}/out"),
    ):
        path = image / place / "run"
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)


@pytest.mark.slow
def test_no_line_is_missing_when_services_and_loggers_are_killed(
    tmp_path: Path,
) -> None:
    """Process 1 needs no keeper: with it, everything ends. Ours, with our logger."""
    scandir = tmp_path / "scan"
    logger = harness.ours("s6-log")
    services = [chatty(scandir, f"s{n}", logger, "-b") for n in range(4)]
    rng = random.Random(repr((SEED, "container")))
    with as_pid_1(harness.ours("s6-svscan"), scandir) as (process, scanner):
        all_up(*services)
        killed = [0, 0]
        for _ in range(KILLS):
            is_log = rng.randrange(2)
            side = rng.choice(services) / ("", "log")[is_log]
            wait_until(partial(kill_below, scanner, side), f"{side} to be killed")
            killed[is_log] += 1
        wait_until(lambda: all(map(supervised, services)), "all services")
        kill(scanner, signal.SIGTERM)
        process.communicate(timeout=DEADLINE_S)
        assert process.returncode == 0
    accounts = [Account(service) for service in services]
    assert all(sum(noted(service)) for service in services)
    assert [account.missing for account in accounts] == [[]] * 4
    assert [account.strange for account in accounts] == [[]] * 4
    assert sum(account.doubled for account in accounts) <= killed[1]
    assert not list(scandir.glob("*/supervise/process"))


def kill_below(scanner: int, side: Path) -> bool:
    """Kill the process of a service in the namespace, if it is up."""
    now = status(side)
    pid = outside(scanner, now.pid) if now.up else 0
    if pid:
        kill(pid)
        wait_until(lambda: status(side).pid != now.pid, "its end to be seen")
    return bool(pid)
