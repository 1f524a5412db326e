"""The life of a tree of services: started, idle, fed, stopped; with its figures."""

import fcntl
import os
import select
import sys
import tempfile
import termios
import time
from dataclasses import dataclass
from pathlib import Path

from census import processes, pss_bytes, rss_bytes, wakeups
from contenders import LOGGER, OUR_SUPERVISOR, SERVICE, Contender, Services
from contest import BOTH, Figure, Taken
from running import RunError
from supervised import NAP_S, PATIENCE_S, Clock, has, running, stop, wait_for_each

MIB = 1 << 20
LINE = b"%-99s\n" % b"GET /docs/index.html HTTP/1.1 200 5120 0.004 s"

UP, AT_WORK, STOPPED = "all up", "all loggers at work", "all stopped"
MEMORY, FED = "memory for each service", "the same, 1 MB logged by each"
ALL, SUPERVISION = "memory in all", "memory of all but services and loggers"
SUPERVISOR = "memory of the supervisor's process"
WAKEUPS = "wake-ups while idle"


@dataclass(frozen=True)
class Size:
    """How many logged services, how many rounds, and which figures of them."""

    services: int
    rounds: int
    figures: tuple[Figure, ...]


STARTING = (Figure(UP, "s", 1.5, times=True, judged=BOTH), Figure(AT_WORK, "s"))
RESTING = (
    Figure(MEMORY, "PSS MiB", 1, judged=BOTH),
    Figure(FED, "PSS MiB", 1.8, judged=BOTH),
    Figure(WAKEUPS, "", 0, judged=BOTH),
)
STOPPING = (Figure(STOPPED, "s", 2, times=True, judged=BOTH),)
FEW = (Figure(UP, "s"), Figure(ALL, "PSS MiB", 24), *RESTING, Figure(STOPPED, "s"))
MANY = (
    Figure(SUPERVISOR, "resident MiB", 20, judged=(OUR_SUPERVISOR,)),
    Figure(SUPERVISION, "PSS MiB"),
)
SIZES = (
    Size(10, 3, FEW),
    Size(100, 5, (*STARTING, *RESTING, *STOPPING)),
    Size(500, 3, (*STARTING, *RESTING, *STOPPING)),
    Size(1000, 3, (*STARTING, *MANY, *RESTING, *STOPPING)),
)


@dataclass(frozen=True)
class Rest:
    """What happens between start and stop."""

    settle_s: float = 2
    idle_s: float = 10
    fed_bytes: int = 1_000_000


def live(contender: Contender, scratch: Path, count: int, rest: Rest | None) -> Taken:
    """Start so many logged services, let them rest, stop them; give the figures."""
    services = Services(tuple(f"service{number:04}" for number in range(count)))
    with tempfile.TemporaryDirectory(dir=scratch) as name:
        tree = Path(name)
        contender.form.make(tree, services)
        clock = Clock()
        with running(contender, tree) as supervisor:
            wait_for_each(tree, services.names, contender.form.is_up, supervisor)
            taken = {UP: clock.elapsed_s()}
            wait_for_each(tree, services.names, has(contender.form.log), supervisor)
            taken[AT_WORK] = clock.elapsed_s()
            if rest is not None:
                taken |= rested(tree, count, rest)
                taken[SUPERVISOR] = rss_bytes([supervisor.pid]) / MIB
            return taken | {STOPPED: stop(contender, tree, supervisor)}


def rested(tree: Path, count: int, rest: Rest) -> Taken:
    """Look at processes while nothing happens, then after some lines each."""
    time.sleep(rest.settle_s)
    found = processes(tree)
    services = [pid for pid, name in found.items() if name == SERVICE]
    if len(services) != count:
        raise RunError(f"{len(services)} services run instead of {count}")
    supervision = [pid for pid, name in found.items() if name not in (SERVICE, LOGGER)]
    others = [pid for pid, name in found.items() if name != SERVICE]
    before = wakeups(others)
    time.sleep(rest.idle_s)
    taken = {
        WAKEUPS: float(wakeups(others) - before),
        ALL: pss_bytes(others) / MIB,
        MEMORY: pss_bytes(others) / MIB / count,
        SUPERVISION: pss_bytes(supervision) / MIB,
    }
    for pid in services:
        feed(pid, rest.fed_bytes)
    time.sleep(rest.settle_s)
    return taken | {FED: pss_bytes(others) / MIB / count}


def feed(pid: int, size_bytes: int) -> None:
    """Write lines to where a process writes, and wait until they have been read."""
    lines = memoryview(LINE * (size_bytes // len(LINE)))
    # A description of our own, or the service would find its pipe non-blocking.
    output = os.open(f"/proc/{pid}/fd/1", os.O_WRONLY | os.O_NONBLOCK)
    try:
        while lines:
            if not select.select([], [output], [], PATIENCE_S)[1]:
                raise RunError("nobody reads what a service writes")
            lines = lines[os.write(output, lines) :]
        while unread_bytes(output):
            time.sleep(NAP_S)
    finally:
        os.close(output)


def unread_bytes(pipe: int) -> int:
    """Count what is still in a pipe."""
    answer = fcntl.ioctl(pipe, termios.FIONREAD, bytes(4))
    return int.from_bytes(answer, sys.byteorder)
