"""The processes that belong to a place, a directory: counted, weighed, ended.

Those work in it or below it, or have been told of it in their environment: a
supervisor and all it starts work in its tree, but for a keeper, which must not be in
the way of anybody. Sessions and parents do not tell as much: services have sessions
of their own, and orphans have other parents.
"""

import os
import signal
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from running import RunError

MARK = "BENCH_PLACE"
"""The variable that holds a place, for those that are to be found by it."""

SWEEP_S = 60
NAP_S = 0.01
SWITCHES = ("voluntary_ctxt_switches", "nonvoluntary_ctxt_switches")


def processes(place: Path) -> dict[int, str]:
    """Give the processes that belong to a place, and their names (proc(5), comm)."""
    found = {}
    for pid in (int(name) for name in os.listdir("/proc") if name.isdigit()):
        with suppress(OSError):  # gone, or nobody's business
            if belongs(Path(f"/proc/{pid}"), place):
                found[pid] = Path(f"/proc/{pid}/comm").read_text().strip()
    return found


def belongs(process: Path, place: Path) -> bool:
    """Tell whether a process, a directory in /proc, belongs to a place."""
    works_in = str((process / "cwd").readlink()).removesuffix(" (deleted)")
    if Path(works_in).is_relative_to(place):
        return True
    variables = (process / "environ").read_text(errors="replace").split("\0")
    told = (text[len(MARK) + 1 :] for text in variables if text.startswith(f"{MARK}="))
    return any(Path(path).is_relative_to(place) for path in told)


def pss_bytes(pids: Iterable[int]) -> int:
    """Add up memory, each page that n processes share as 1/n to each of them."""
    return sum(field(f"/proc/{pid}/smaps_rollup", "Pss") for pid in pids) << 10


def rss_bytes(pids: Iterable[int]) -> int:
    """Add up resident memory, shared pages as often as they are shared."""
    return sum(field(f"/proc/{pid}/status", "VmRSS") for pid in pids) << 10


def wakeups(pids: Iterable[int]) -> int:
    """Count how often these processes have been put to sleep, all their threads."""
    threads = (task for pid in pids for task in Path(f"/proc/{pid}/task").iterdir())
    return sum(field(task / "status", name) for task in threads for name in SWITCHES)


def field(file: str | Path, name: str) -> int:
    """Read a number from a file of `name: number` lines."""
    for line in Path(file).read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1])
    raise RunError(f"no {name} in {file}")


def sweep(place: Path) -> None:
    """Kill whatever works in a place, until nothing does."""
    deadline = time.monotonic() + SWEEP_S
    while left := processes(place):
        if time.monotonic() > deadline:
            raise RunError(f"these cannot be killed: {left}")
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(NAP_S)


@contextmanager
def swept(place: Path) -> Iterator[None]:
    """Leave no process in a place behind, however the block ends.

    A child does it when its pipe ends: that comes even if we are killed.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.setsid()  # ^C at the terminal is not for this one
        os.close(writing)
        os.read(reading, 1)
        sweep(place)
        os._exit(0)
    os.close(reading)
    try:
        yield
    finally:
        os.close(writing)
        os.waitpid(child, 0)
