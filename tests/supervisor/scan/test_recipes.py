"""Containers whose ENTRYPOINT is s6-svscan: as PID 1 of a namespace.

The recipes are those of people who run several services in one container without
any init but s6-svscan. The real program passes the same tests.
"""

import os
import shlex
import signal
from functools import partial
from pathlib import Path

import pytest

import harness
from harness import Program, finish, wait_until
from scanning import all_up, as_pid_1, lines, logged, namespaces_allowed, script
from supervising import Ear, make_service, status, supervised, wait_up
from watching import children, facts

pytestmark = pytest.mark.skipif(
    not namespaces_allowed(), reason="this needs root and PID namespaces"
)

CRON = "exec sleep 1000"
SYSLOG = "echo syslog starts; exec sleep 1000"
DATABASE = """
trap 'sleep 1; echo clean shutdown > clean; exit 0' TERM
echo ready > ready
while :; do sleep 0.01; done
"""


@pytest.fixture(params=["ours", "real"])
def maker(request: pytest.FixtureRequest) -> str:
    """Name each of the two."""
    return str(request.param)


@pytest.fixture
def svscan(maker: str) -> Program:
    """Give each of the two programs."""
    return tool(maker, "s6-svscan")


def tool(maker: str, name: str) -> Program:
    """Give another program of the same maker."""
    return harness.ours(name) if maker == "ours" else harness.oracle(name)


def command(program: Program, *arguments: str) -> str:
    """Give the shell command that runs a program."""
    return shlex.join([*program.argv, *arguments])


def test_c1_the_scanner_is_process_1(svscan: Program, tmp_path: Path) -> None:
    """A service that is killed is finished and run again; the scanner stays."""
    cron = make_service(tmp_path / "cron", CRON, finish='echo "$@" >> finished')
    syslog = make_service(tmp_path / "syslog", SYSLOG)
    hidden = make_service(tmp_path / ".hidden")
    with as_pid_1(svscan, tmp_path) as (_, scanner):
        all_up(cron, syslog)
        pid = wait_up(cron)
        with Ear(cron) as ear:
            os.kill(child_outside(scanner, pid), signal.SIGKILL)
            ear.wait_for(b"u")
        told = (cron / "finished").read_text().split()
        assert told[:3] == ["256", "9", "cron"]
        assert facts(scanner)["NSpid"].split()[-1] == "1"
        assert not (hidden / "supervise").exists()


def child_outside(scanner: int, pid: int) -> int:
    """Find by its pid in the namespace a process below the scanner."""
    waiting = [scanner]
    while waiting:
        found = waiting.pop()
        if facts(found).get("NSpid", "").split()[-1:] == [str(pid)]:
            return found
        waiting += children(found)
    raise AssertionError(pid)


def test_c2_finish_may_be_true(svscan: Program, tmp_path: Path) -> None:
    """A link to /bin/true, in services and in the scan directory."""
    cron = make_service(tmp_path / "cron", CRON)
    (cron / "finish").symlink_to("/bin/true")
    (tmp_path / ".s6-svscan").mkdir()
    (tmp_path / ".s6-svscan" / "finish").symlink_to("/bin/true")
    with as_pid_1(svscan, tmp_path) as (process, scanner):
        all_up(cron)
        os.kill(scanner, signal.SIGTERM)
        assert finish(process).code == 0


def test_c3_c4_nobody_is_cut_short(svscan: Program, tmp_path: Path) -> None:
    """The script runs when a slow database has ended, and its code is the container's.

    Nobody has to put a sleep anywhere.
    """
    database = make_service(tmp_path / "database", DATABASE)
    cron = make_service(tmp_path / "cron", CRON)
    script(tmp_path, "finish", "echo I am $$; cat database/clean; exit 3")
    with as_pid_1(svscan, tmp_path) as (process, scanner):
        all_up(database, cron)
        wait_until((database / "ready").exists, "the database")
        os.kill(scanner, signal.SIGTERM)
        ended = finish(process)
    assert ended.code == 3
    assert ended.out == b"I am 1\nclean shutdown\n"


def test_c5_what_finish_scripts_say_is_seen(svscan: Program, tmp_path: Path) -> None:
    """In the log of the container, also in the end."""
    syslog = make_service(tmp_path / "syslog", SYSLOG, finish="echo bye; echo ! >&2")
    with as_pid_1(svscan, tmp_path) as (process, scanner):
        all_up(syslog)
        assert process.stdout is not None
        assert process.stdout.readline() == b"syslog starts\n"
        os.kill(scanner, signal.SIGTERM)
        ended = finish(process)
    assert ended.out == b"bye\n!\n"
    assert ended.code == 0


def test_c6_finish_scripts_may_be_run_again(svscan: Program, tmp_path: Path) -> None:
    """By a loop that is not needed."""
    cron = make_service(tmp_path / "cron", CRON, finish="echo done >> ran")
    script(tmp_path, "finish", "for f in */finish; do (cd ${f%/*} && ./finish); done")
    with as_pid_1(svscan, tmp_path) as (process, scanner):
        all_up(cron)
        os.kill(scanner, signal.SIGTERM)
        assert finish(process).code == 0
    assert lines(cron / "ran") == 2


def test_c7_finish_may_wait_for_each_service(
    maker: str, svscan: Program, tmp_path: Path
) -> None:
    """They are down already, and their supervisor gone: it takes no time."""
    services = [make_service(tmp_path / name, CRON) for name in ("a", "b")]
    wait = command(tool(maker, "s6-svwait"), "-D", "-t", "20000")
    script(tmp_path, "finish", f"for s in ./*; do {wait} $s || exit 9; done; exit 4")
    with as_pid_1(svscan, tmp_path) as (process, scanner):
        all_up(*services)
        os.kill(scanner, signal.SIGTERM)
        assert finish(process).code == 4


def test_c8_a_key_service_ends_the_container(
    maker: str, svscan: Program, tmp_path: Path
) -> None:
    """Its finish script orders the end, and hands its exit code on."""
    stop = command(tool(maker, "s6-svscanctl"), "-t", str(tmp_path))
    key = make_service(
        tmp_path / "key",
        "while ! test -e go; do sleep 0.01; done; exit 5",
        finish=f"test -e ../code || echo $1 > ../code; exec {stop}",
    )
    others = [make_service(tmp_path / "cron", CRON), logged(tmp_path, "web", CRON)]
    script(tmp_path, "finish", "exit $(cat code)")
    with as_pid_1(svscan, tmp_path) as (process, _):
        all_up(key, *others)
        (key / "go").touch()
        ended = finish(process)
    assert ended.code == 5
    assert ended.out == b""


def test_c8_the_same_script_does_no_harm_in_a_normal_stop(
    maker: str, svscan: Program, tmp_path: Path
) -> None:
    """It tells a tree that stops already."""
    stop = command(tool(maker, "s6-svscanctl"), "-t", str(tmp_path))
    key = make_service(tmp_path / "key", CRON, finish=stop)
    with as_pid_1(svscan, tmp_path) as (process, scanner):
        all_up(key)
        os.kill(scanner, signal.SIGTERM)
        ended = finish(process)
    assert (ended.code, ended.out) == (0, b"")


def test_c9_a_container_starts_again(svscan: Program, tmp_path: Path) -> None:
    """With all that was left behind, also when it was killed."""
    cron = logged(tmp_path, "cron", "echo begun >> begun; exec sleep 1000")
    ends = (signal.SIGTERM, signal.SIGKILL, signal.SIGTERM)
    for number, signum in enumerate(ends, 1):
        with as_pid_1(svscan, tmp_path) as (process, scanner):
            wait_until(partial(begun, cron, number), "cron to begin")
            os.kill(scanner, signum)
            ended = finish(process)
            assert (ended.code == 0) == (signum == signal.SIGTERM)
        (tmp_path / ".s6-svscan" / "control").unlink()


def begun(service: Path, times: int) -> bool:
    """Tell whether a service has begun so many times."""
    return lines(service / "begun") == times


def test_c10_a_stubborn_service_is_killed_in_the_end(
    svscan: Program, tmp_path: Path
) -> None:
    """When it says how long it may take."""
    run = "trap : TERM; touch deaf; while :; do sleep 0.01; done"
    deaf = make_service(tmp_path / "deaf", run, timeout_kill="300")
    with as_pid_1(svscan, tmp_path) as (process, scanner):
        all_up(deaf)
        wait_until((deaf / "deaf").exists, "the trap")
        os.kill(scanner, signal.SIGTERM)
        assert finish(process).code == 0
    assert status(deaf).wait_status == signal.SIGKILL


def test_c11_an_abort_waits_for_nobody(svscan: Program, tmp_path: Path) -> None:
    """What still runs is ended by the kernel, with the namespace."""
    deaf = make_service(tmp_path / "deaf", "trap : TERM; while :; do sleep 0.01; done")
    script(tmp_path, "finish", "exit 6")
    with as_pid_1(svscan, tmp_path) as (process, scanner):
        all_up(deaf)
        os.kill(scanner, signal.SIGABRT)
        assert finish(process).code == 6


@pytest.mark.parametrize("name", ["SIGUSR1", "SIGUSR2", "SIGPWR", "SIGWINCH"])
def test_c11_other_signals_do_nothing(
    svscan: Program, tmp_path: Path, name: str
) -> None:
    """Nobody ends a container by chance."""
    with as_pid_1(svscan, tmp_path) as (process, scanner):
        os.kill(scanner, getattr(signal, name))
        service = make_service(tmp_path / "new", CRON)
        os.kill(scanner, signal.SIGALRM)
        all_up(service)
        os.kill(scanner, signal.SIGTERM)
        assert finish(process).code == 0


def test_c12_services_have_the_variables_of_the_container(
    maker: str, svscan: Program, tmp_path: Path
) -> None:
    """Unchanged; ours adds the name of the service."""
    show = make_service(tmp_path / "show", "env > ../env; exec sleep 1000")
    variables = {"GREETING": "hello  world", "EMPTY": "", "LC_CTYPE": "C"}
    given = ("env", *(f"{name}={value}" for name, value in variables.items()))
    with as_pid_1(Program("program", (*given, *svscan.argv)), tmp_path):
        all_up(show)
        wait_until(lambda: lines(tmp_path / "env") > 3, "the environment")
    seen = dict(
        line.split("=", 1)
        for line in (tmp_path / "env").read_text().split("\n")
        if line
    )
    seen = {k: v for k, v in seen.items() if k not in ("PWD", "OLDPWD", "SHLVL", "_")}
    named = {"S6_SERVICE": "show"} if maker == "ours" else {}
    assert seen == {**harness.ENVIRONMENT, **variables, **named}


def test_c13_a_logger_gets_all_and_ends_last(svscan: Program, tmp_path: Path) -> None:
    """It reads until nobody can write any more."""
    run = "i=0; trap 'echo last; exit' TERM; while :; do i=$((i+1)); echo $i; done"
    service = logged(tmp_path, "chatty", run)
    with as_pid_1(svscan, tmp_path) as (process, scanner):
        all_up(service)
        wait_until(lambda: lines(service / "out") > 1000, "some lines")
        os.kill(scanner, signal.SIGTERM)
        assert finish(process).code == 0
    told = (service / "out").read_text().split()
    assert told == [*map(str, range(1, len(told))), "last"]


ORPHANS = 10_000
MANY_ORPHANS = """
i=0; while [ $i -lt 1000 ]; do i=$((i+1))
(true & true & true & true & true & true & true & true & true & true &)
done
touch made
exec sleep 1000
"""


def test_c14_orphans_are_reaped(svscan: Program, tmp_path: Path) -> None:
    """Ten thousand of them; the tree goes on meanwhile."""
    service = make_service(tmp_path / "orphans", MANY_ORPHANS)
    with as_pid_1(svscan, tmp_path) as (process, scanner):
        wait_until((service / "made").exists, "all orphans")
        wait_until(lambda: not zombies(scanner), "them to be reaped")
        all_up(service)
        os.kill(scanner, signal.SIGTERM)
        assert finish(process).code == 0


def zombies(pid: int) -> list[int]:
    """List the dead children of a process."""
    return [
        child
        for child in children(pid)
        if facts(child).get("State", "").startswith("Z")
    ]


def test_a_service_that_leaves_its_child_behind(
    svscan: Program, tmp_path: Path
) -> None:
    """The service has died for its supervisor; the child becomes that of process 1."""
    run = "(touch child; exec sleep 1000) & touch ../left; exit 0"
    service = make_service(tmp_path / "forks", run, down="")
    with as_pid_1(svscan, tmp_path) as (process, scanner):
        wait_until(lambda: supervised(service), "the service")
        with Ear(service) as ear:
            control = service / "supervise" / "control"
            control.write_bytes(b"o")
            ear.wait_for(b"u")
            ear.wait_for(b"D")
        assert status(service).wait_status == 0
        os.kill(scanner, signal.SIGTERM)
        assert finish(process).code == 0
