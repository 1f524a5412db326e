"""A supervisor dies; the next one goes on with the services that still run.

They are adopted, not started twice, and obey as if nothing had happened: with the
supervisor of a scan directory, and with that of one service.
"""

import os
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

import pytest

import harness
from harness import wait_until
from injection import need_strace
from outliving import Tree, kill, knows_ends, outliving
from scanning import lines
from supervising import (
    Ear,
    make_service,
    processes_in,
    status,
    supervised,
    tell,
    wait_up,
)
from supervisor.adoption import processes
from supervisor.adoption.record import Record, encode
from supervisor.service import tally
from supervisor.service.status import Status
from supervisor.service.status import decode as decode_status
from supervisor.service.tally import Death
from trying import LISTEN, LISTENER
from watching import facts

COUNT = "echo begun >> begun; exec sleep 1000"
NOTE = 'echo "$@" >> finished'
MISSED = "died while it was not supervised"
UNKNOWN = "it was not our child: its exit status is not known"
ENDS = [(b"1", Death(0, 7, 0)), (b"k", Death(0, 137, 9)), (b"t", Death(0, 0, 0))]
"""How a run ends that gets a signal."""

SAID_IF_UNKNOWN = 0 if knows_ends() else 1

Supervise = Callable[[Path], AbstractContextManager[Tree]]


@pytest.fixture(params=["s6-svscan", "s6-supervise"])
def supervise(request: pytest.FixtureRequest) -> Supervise:
    """Give a function that runs each of the supervisors for a service."""

    def run(service: Path) -> AbstractContextManager[Tree]:
        tool = request.param
        alone = service.name if tool == "s6-supervise" else ""
        return outliving(harness.ours(tool), service.parent, service=alone)

    return run


@pytest.fixture
def scandir(tmp_path: Path) -> Path:
    """Give a scan directory."""
    path = tmp_path / "scan"
    path.mkdir()
    return path


def up(service: Path) -> int:
    """Wait until a service is up that has counted that; give its pid."""
    wait_until(lambda: lines(service / "begun") > 0, "the service")
    return wait_up(service)


def told(tree: Tree, text: str) -> int:
    """Count how often something was said."""
    return sum(line.endswith(text) for line in tree.lines())


# ---- they go on


def test_a_service_is_not_started_twice(supervise: Supervise, scandir: Path) -> None:
    """Supervisor after supervisor finds it; each begins with an `s`, and no `u`."""
    service = make_service(scandir / "foo", COUNT)
    with supervise(service) as tree:
        pid = up(service)
        before = status(service)
        for _ in range(3):
            tree.kill()
            with Ear(service) as ear:
                tree.start()
                ear.wait_for(b"s")
                assert ear.listen() == b"s"
            now = status(service)
            assert (now.pid, now.stamp_ns) == (pid, before.stamp_ns)
            assert now.want_up
        assert lines(service / "begun") == 1
        # The supervisor of one service works there too.
        assert set(processes_in(service)) - {tree.process.pid} == {pid}
        assert tree.lines() == []


def test_orders_are_obeyed(supervise: Supervise, scandir: Path) -> None:
    """To go down, to come up, to restart: with the events of any service."""
    service = make_service(scandir / "foo", COUNT, finish=NOTE)
    with supervise(service) as tree:
        pid = up(service)
        tree.again(service)
        with Ear(service) as ear:
            tell(service, b"r")
            ear.wait_for(b"dDu")
        pid = wait_up(service, other_than=pid)
        tree.again(service)
        with Ear(service) as ear:
            tell(service, b"d")
            ear.wait_for(b"dD")
            assert not status(service).want_up
            tell(service, b"u")
            ear.wait_for(b"dDu")
        assert wait_up(service, other_than=pid) in processes_in(service)
        wait_until(lambda: lines(service / "begun") == 3, "the third run")


def test_signals_are_delivered(supervise: Supervise, scandir: Path) -> None:
    """All of them; a pause is still one for the next supervisor."""
    (scandir / "listener.py").write_text(LISTENER)
    service = make_service(scandir / "foo", LISTEN, notification_fd="3")
    got = service / "got"
    with supervise(service) as tree:
        wait_until(lambda: got.exists() and b"ready" in got.read_bytes(), "it")
        tree.again(service)
        for letter, name in zip(b"abqhi12yt", SIGNALS.split(), strict=True):
            tell(service, bytes((letter,)))
            wait_until(partial(said_last, got, name), name)
        tell(service, b"p")
        wait_until(lambda: status(service).paused, "a pause")
        tree.again(service)
        assert status(service).paused
        tell(service, b"c")
        wait_until(partial(said_last, got, "CONT"), "CONT")
        wait_until(lambda: not status(service).paused, "the status")


def said_last(got: Path, name: str) -> bool:
    """Tell whether that is the last signal that came."""
    return got.read_text().endswith(f" {name} ")


SIGNALS = "ALRM ABRT QUIT HUP INT USR1 USR2 WINCH TERM"


def test_once_stays_once(supervise: Supervise, scandir: Path) -> None:
    """A service that is not wanted up any more is not restarted after its end."""
    service = make_service(scandir / "foo", COUNT)
    with supervise(service) as tree:
        pid = up(service)
        tell(service, b"O")
        wait_until(lambda: not status(service).want_up, "the order")
        tree.again(service)
        with Ear(service) as ear:
            kill(pid)
            ear.wait_for(b"dD")
        assert status(service).pid == 0
        assert lines(service / "begun") == 1


# ---- readiness

SAY_READY = "while ! test -e go; do sleep 0.01; done; echo >&3; touch said; " + COUNT


def ready_before(service: Path, tree: Tree) -> None:
    """When both are there."""
    (service / "go").touch()
    wait_until(lambda: status(service).ready, "readiness")
    tree.again(service)


def ready_meanwhile(service: Path, tree: Tree) -> None:
    """While nobody listens."""
    if not tree.keepers():
        pytest.skip("s6-supervise has no keeper: nobody could read what is told")
    tree.kill()
    (service / "go").touch()
    wait_until((service / "said").exists, "readiness")
    tree.start()


def ready_afterwards(service: Path, tree: Tree) -> None:
    """When it is adopted."""
    tree.again(service)
    with Ear(service) as ear:
        (service / "go").touch()
        ear.wait_for(b"U")


def ready_after_the_keeper(service: Path, tree: Tree) -> None:
    """When nobody but the service has the pipe for a while."""
    tree.kill()
    tree.kill_keeper()
    tree.again(service)
    with Ear(service) as ear:
        (service / "go").touch()
        ear.wait_for(b"U")


@pytest.mark.parametrize(
    "moment", [ready_before, ready_meanwhile, ready_afterwards, ready_after_the_keeper]
)
def test_readiness_is_seen(
    supervise: Supervise, scandir: Path, moment: Callable[[Path, Tree], None]
) -> None:
    """Whenever it is told; and kept by the supervisors that follow."""
    service = make_service(scandir / "foo", SAY_READY, notification_fd="3")
    with supervise(service) as tree:
        wait_until(lambda: supervised(service), "the service")
        pid = wait_up(service)
        moment(service, tree)
        wait_until(lambda: status(service).ready, "readiness")
        before = status(service)
        tree.again(service)
        now = status(service)
        assert (now.pid, now.ready, now.ready_ns) == (pid, True, before.ready_ns)
        tell(service, b"d")
        wait_until(lambda: status(service).pid == 0, "its end")
        assert tree.lines() == []


# ---- ends


@pytest.mark.skipif(not knows_ends(), reason="Linux tells since 6.15")
@pytest.mark.parametrize(("letter", "end"), ENDS)
def test_finish_gets_the_real_exit_status(
    supervise: Supervise, scandir: Path, letter: bytes, end: Death
) -> None:
    """Of a process that is somebody else's child; so does the tally."""
    run = "trap 'exit 7' USR1; trap 'exit 0' TERM; echo > begun; "
    run += "while :; do sleep 0.01; done"
    service = make_service(scandir / "foo", run, finish=NOTE)
    with supervise(service) as tree:
        pid = up(service)
        tree.again(service)
        with Ear(service) as ear:
            tell(service, b"O" + letter)
            ear.wait_for(b"D")
        code = 256 if end.signal else end.code
        finished = (service / "finished").read_text()
        assert finished == f"{code} {end.signal} foo {pid}\n"
        assert deaths(service) == [(end.code, end.signal)]
        assert tree.lines() == []


def deaths(service: Path) -> list[tuple[int, int]]:
    """Give the exit codes and signals in the tally."""
    content = (service / "supervise" / "death_tally").read_bytes()
    return [(death.code, death.signal) for death in tally.decode(content)]


def test_what_died_meanwhile_is_finished(supervise: Supervise, scandir: Path) -> None:
    """With exit code 255, which nobody knows; the tally goes on; one warning."""
    service = make_service(scandir / "foo", COUNT, finish=NOTE)
    with supervise(service) as tree:
        first = up(service)
        with Ear(service) as ear:
            kill(first)
            ear.wait_for(b"u")
        pid = wait_up(service, other_than=first)
        tree.kill()
        kill(pid)
        # Until somebody has collected it, its exit status is known.
        wait_until(lambda: not facts(pid), "its end")
        with Ear(service) as ear:
            tree.start()
            ear.wait_for(b"sdDu")
        assert (service / "finished").read_text().split("\n") == [
            f"256 9 foo {first}",
            f"255 0 foo {pid}",
            "",
        ]
        assert deaths(service) == [(137, 9), (255, 0)]
        assert told(tree, MISSED) == 1
        assert len(tree.lines()) == 1


def test_the_tally_is_kept(supervise: Supervise, scandir: Path) -> None:
    """As long as there is something to adopt; a fresh start begins a new one."""
    service = make_service(scandir / "foo", COUNT)
    with supervise(service) as tree:
        pid = up(service)
        with Ear(service) as ear:
            kill(pid)
            ear.wait_for(b"u")
        pid = wait_up(service, other_than=pid)
        tree.again(service)
        assert deaths(service) == [(137, 9)]
        with Ear(service) as ear:
            kill(pid)
            ear.wait_for(b"u")
        assert len(deaths(service)) == 2
        assert told(tree, UNKNOWN) == SAID_IF_UNKNOWN


# ---- finish

SLOW_FINISH = NOTE + "; while ! test -e go; do sleep 0.01; done; exit $(cat code)"


@pytest.mark.parametrize("code", [0, 125])
def test_a_finish_is_adopted(supervise: Supervise, scandir: Path, code: int) -> None:
    """It runs once; that it gives up for good is understood."""
    if code and not knows_ends():
        pytest.skip("Linux tells since 6.15")
    service = make_service(scandir / "foo", COUNT, SLOW_FINISH, timeout_finish="0")
    (service / "code").write_text(str(code))
    with supervise(service) as tree:
        pid = up(service)
        with Ear(service) as ear:
            kill(pid)
            ear.wait_for(b"d")
        wait_until((service / "finished").exists, "finish")
        finishing = status(service)
        tree.again(service)
        now = status(service)
        assert (now.pid, now.finishing) == (finishing.pid, True)
        assert now.wait_status == 9
        with Ear(service) as ear:
            (service / "go").touch()
            ear.wait_for(b"OD" if code else b"Du")
        assert status(service).want_up == (not code)
        assert lines(service / "finished") == 1


def test_an_adopted_finish_has_its_limit(supervise: Supervise, scandir: Path) -> None:
    """One that hangs is killed, as if it had been started by the same supervisor."""
    finish = "trap : TERM; touch hangs; while :; do sleep 0.01; done"
    service = make_service(scandir / "foo", COUNT, finish, timeout_finish="500")
    with supervise(service) as tree:
        pid = up(service)
        kill(pid)
        wait_until((service / "hangs").exists, "finish")
        tree.kill()
        with Ear(service) as ear:
            tree.start()
            ear.wait_for(b"Du")
        assert told(tree, "sending it a SIGKILL") == 1


# ---- in between


def test_what_was_started_but_not_recorded_is_found(
    supervise: Supervise, scandir: Path
) -> None:
    """By its working directory: the supervisor died right after the start."""
    service = make_service(scandir / "foo", COUNT, finish=NOTE)
    with supervise(service) as tree:
        pid = up(service)
        tree.kill()
        started = processes.start_time(pid)
        assert started is not None
        record = Record(processes.own_place())
        record.start_ticks = started
        (service / "supervise" / "process").write_bytes(encode(record))
        tree.again(service)
        assert status(service).pid == pid
        with Ear(service) as ear:
            tell(service, b"d")
            ear.wait_for(b"D")
        assert (service / "finished").read_text().split()[2:] == ["foo", str(pid)]
        assert lines(service / "begun") == 1


def test_what_was_announced_but_not_started_is_started(
    supervise: Supervise, scandir: Path
) -> None:
    """The supervisor died right before the start; nothing is there to be found."""
    service = make_service(scandir / "foo", COUNT, down="")
    with supervise(service) as tree:
        wait_until((service / "supervise" / "status").exists, "the first record")
        tree.kill()
        (service / "down").unlink()
        record = Record(processes.own_place())
        record.start_ticks = processes.ticks_now()
        (service / "supervise" / "process").write_bytes(encode(record))
        tree.start()
        up(service)
        assert lines(service / "begun") == 1
        assert tree.lines() == []


def test_a_record_of_another_boot_means_nothing(
    supervise: Supervise, scandir: Path
) -> None:
    """Its pid may be anybody's now, who is left alone."""
    service = make_service(scandir / "foo", COUNT, finish=NOTE)
    with supervise(service) as tree:
        pid = up(service)
        tree.kill()
        record = Record("another-boot/4026531836")
        record.pid = os.getpid()
        record.start_ticks = processes.start_time(record.pid) or 0
        (service / "supervise" / "process").write_bytes(encode(record))
        kill(pid)
        tree.start()
        wait_up(service, other_than=pid)
        assert not (service / "finished").exists()
        assert tree.lines() == []


@pytest.mark.parametrize("content", [b"", b"garbage", b"s6log process 1\npid 1\n"])
def test_a_damaged_record_is_none(
    supervise: Supervise, scandir: Path, content: bytes
) -> None:
    """Nobody is adopted by it, and nobody signalled."""
    service = make_service(scandir / "foo", COUNT)
    with supervise(service) as tree:
        pid = up(service)
        tree.kill()
        kill(pid)
        (service / "supervise" / "process").write_bytes(content)
        tree.start()
        wait_up(service, other_than=pid)
        wait_until(lambda: lines(service / "begun") == 2, "the second run")


def test_the_status_never_says_that_it_is_down(
    supervise: Supervise, scandir: Path
) -> None:
    """Not even for a moment: whoever reads it while it is adopted reads `up`."""
    need_strace()
    service = make_service(scandir / "foo", COUNT)
    trace = scandir.parent / "trace"
    with supervise(service) as tree:
        pid = up(service)
        tree.kill()
        with Ear(service) as ear:
            tree.start(*STRACE, "-o", str(trace))
            ear.wait_for(b"s")
        wait_until(lambda: bool(records(trace)), "a record")
        assert {decode(record).pid for record in records(trace)} == {pid}


STRACE = ("strace", "-D", "-q", "-xx", "-s", "64", "-e", "trace=write")


def records(trace: Path) -> list[bytes]:
    """Give all status records that were written."""
    found = re.findall(r'write\(\d+, "([^"]*)", 35\)', trace.read_text())
    return [bytes.fromhex(text.replace("\\x", "")) for text in found]


def decode(record: bytes) -> Status:
    """Read a status record."""
    found = decode_status(record)
    assert found is not None
    return found
