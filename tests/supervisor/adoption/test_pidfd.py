"""Processes that are not our children: signals to them, and how they end."""

import functools
import os
import platform
import signal
import subprocess
from collections.abc import Callable, Iterator

import pytest

import inside
from chains import needs_root
from harness import Pipe, wait_until
from inside import drive, heard, settle
from s6log.unix.loop import Loop
from supervisor.adoption import processes
from supervisor.adoption.pidfd import Adopted, adopt
from supervisor.adoption.record import Record
from watching import ended, facts

EXIT_INFO = (6, 15)
"""The first Linux that tells how a process ended that somebody else has collected."""

ENDS = {"exit 0": 0, "exit 3": 3 << 8, "kill -9 $$": 9, "kill -15 $$": 15}

# A process of another user that nobody collects; it may not be looked at.
UNSEEN = """
import os
from s6log.unix.loop import Loop
from supervisor.adoption.pidfd import Adopted
from supervisor.adoption import pidfd
held, release = os.pipe()
pid = os.fork()
if pid == 0:
    os.setuid(65534)
    os.close(release)
    os.read(held, 1)
    os._exit(5)
os.setgroups([])
os.setuid(65534)
loop = Loop()
told = []
Adopted(pid).on_exit(loop, told.append)
os.close(release)
loop.turn()
if sys.argv[1] == "collected":
    os.waitpid(pid, 0)
turns = 0
while not told:
    loop.turn()
    turns += 1
print(told, "without spinning" if turns < 5 else turns, flush=True)
"""


@pytest.fixture(params=[False, True], ids=["poll", "epoll"])
def loop(request: pytest.FixtureRequest) -> Iterator[Loop]:
    """Give a loop of each kind: what poll(2) and epoll(7) report is the same."""
    made = Loop(many=request.param)
    yield made
    made.close()


def knows_ends() -> bool:
    """Tell whether this kernel has PIDFD_INFO_EXIT."""
    major, minor = platform.release().split(".")[:2]
    return (int(major), int(minor)) >= EXIT_INFO


def record_of(pid: int) -> Record:
    """Give the record of a process that lives."""
    record = Record(processes.own_place())
    record.pid = pid
    record.start_ticks = processes.start_time(pid) or 0
    return record


def end_of(loop: Loop, adopted: Adopted) -> int | None:
    """Wait for the end of a process and give what is told about it."""
    told: list[int | None] = []
    adopted.on_exit(loop, told.append)
    drive(loop, lambda: bool(told), "the end of the process")
    settle(loop)
    (wait_status,) = told
    return wait_status


# ---- taking hold


def test_a_recorded_process_is_adopted(loop: Loop, orphan: Callable[..., int]) -> None:
    """It gets our signals, and its end is seen."""
    with Pipe() as pipe:
        pid = orphan("exec cat", pipe.read)
        adopted = adopt(record_of(pid), processes.own_place())
        assert adopted is not None
        assert adopted.pid == pid
        adopted.send(signal.SIGTERM)
        assert end_of(loop, adopted) == signal.SIGTERM


@pytest.mark.parametrize("off_ticks", [-1, 1])
def test_a_process_with_a_reused_pid_is_left_alone(off_ticks: int) -> None:
    """One that started at another time than the recorded one is another."""
    before = inside.open_descriptors()
    record = record_of(os.getpid())
    record.start_ticks += off_ticks
    assert adopt(record, processes.own_place()) is None
    assert inside.open_descriptors() == before


def test_a_process_of_another_place_is_gone() -> None:
    """After a reboot pid and start time may be right by accident."""
    record = record_of(os.getpid())
    assert adopt(record, "another boot/4026531836") is None


def test_a_process_that_was_collected_is_gone() -> None:
    """There is nothing to adopt, and nothing is left open."""
    with subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE) as process:
        record = record_of(process.pid)
    before = inside.open_descriptors()
    assert adopt(record, processes.own_place()) is None
    assert inside.open_descriptors() == before


def test_a_dead_process_is_adopted_until_it_is_collected(loop: Loop) -> None:
    """So its end is known although it came before the adoption."""
    with subprocess.Popen(["/bin/sh", "-c", "exit 3"]) as process:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        adopted = adopt(record_of(process.pid), processes.own_place())
        assert adopted is not None
        assert adopted.ended
        assert end_of(loop, adopted) == 3 << 8


# ---- ends


@pytest.mark.parametrize("command", ENDS)
def test_the_end_of_an_orphan_is_known(
    command: str, loop: Loop, orphan: Callable[..., int]
) -> None:
    """However fast init collects it."""
    if not knows_ends():
        pytest.skip(f"Linux {platform.release()} has no PIDFD_INFO_EXIT (6.15)")
    with Pipe() as pipe:
        adopted = Adopted(orphan(f"read x; {command}", pipe.read))
        assert not adopted.ended
        pipe.feed(b"\n")
        assert end_of(loop, adopted) == ENDS[command]


@pytest.mark.parametrize("command", ENDS)
def test_the_end_of_a_collected_process_is_known(command: str, loop: Loop) -> None:
    """Asked of the kernel, since /proc shows nothing any more."""
    if not knows_ends():
        pytest.skip(f"Linux {platform.release()} has no PIDFD_INFO_EXIT (6.15)")
    with subprocess.Popen(
        ["/bin/sh", "-c", f"read x; {command}"], stdin=subprocess.PIPE
    ) as process:
        adopted = Adopted(process.pid)
        process.communicate(b"\n")
        assert end_of(loop, adopted) == ENDS[command]


@pytest.mark.parametrize("command", ENDS)
def test_the_end_of_an_uncollected_process_is_known(command: str, loop: Loop) -> None:
    """With any kernel: it is waited for by nobody, and shown in /proc."""
    with subprocess.Popen(
        ["/bin/sh", "-c", f"read x; {command}"], stdin=subprocess.PIPE
    ) as process:
        adopted = Adopted(process.pid)
        inside.tell(process)
        assert end_of(loop, adopted) == ENDS[command]


@needs_root
def test_an_end_that_is_hidden_is_known_when_it_is_collected() -> None:
    """A process that may not be looked at shows 0 before that: no answer."""
    if not knows_ends():
        pytest.skip(f"Linux {platform.release()} has no PIDFD_INFO_EXIT (6.15)")
    with inside.other_process(UNSEEN, "collected") as process:
        assert heard(process) == f"[{5 << 8}] without spinning"


@needs_root
def test_an_end_that_stays_hidden_is_told_all_the_same() -> None:
    """Nobody collects it: after a moment it is given up."""
    with inside.other_process(UNSEEN, "never") as process:
        assert heard(process) == "[None] without spinning"


def test_a_living_process_makes_no_event(loop: Loop) -> None:
    """Its end comes once."""
    with subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE) as process:
        told: list[int | None] = []
        adopted = Adopted(process.pid)
        adopted.on_exit(loop, told.append)
        settle(loop)
        assert told == []
        process.kill()
        drive(loop, lambda: bool(told), "its end")
        process.wait()
        settle(loop)
        assert told == [signal.SIGKILL]


def test_many_ends_are_told_apart(loop: Loop, orphan: Callable[..., int]) -> None:
    """Each callback gets the end of its own process."""
    if not knows_ends():
        pytest.skip(f"Linux {platform.release()} has no PIDFD_INFO_EXIT (6.15)")
    told: dict[int, int | None] = {}
    with Pipe() as pipe:
        pids = [orphan(f"read x; exit {code}", pipe.read) for code in range(5)]
        for code, pid in enumerate(pids):
            Adopted(pid).on_exit(loop, functools.partial(told.__setitem__, code))
        pipe.end()
        drive(loop, lambda: len(told) == 5, "all ends")
    assert told == {code: code << 8 for code in range(5)}


# ---- letting go


def test_what_was_let_go_is_not_reported(loop: Loop) -> None:
    """And lives on."""
    before = inside.open_descriptors()
    with subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE) as process:
        opened = inside.open_descriptors()
        adopted = Adopted(process.pid)
        adopted.on_exit(loop, lambda _: pytest.fail("it was let go"))
        adopted.close()
        adopted.close()
        assert inside.open_descriptors() == opened
        assert not ended(facts(process.pid))
        process.kill()
        wait_until(lambda: ended(facts(process.pid)), "its end")
        settle(loop)
    assert inside.open_descriptors() == before


def test_a_signal_to_a_dead_process_hits_nobody() -> None:
    """The pid may be another's by then."""
    with subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE) as process:
        adopted = Adopted(process.pid)
    with pytest.raises(ProcessLookupError):
        adopted.send(signal.SIGKILL)
    adopted.close()
