"""A supervisor and its tree of services: run, waited for, stopped, never left over."""

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import inf
from pathlib import Path

from census import MARK, processes, sweep
from contenders import Contender
from running import RunError

Supervisor = subprocess.Popen[bytes]

PATIENCE_S = 180
STOP_S = 60
NAP_S = 0.002


class Clock:
    """Measures from when it is made."""

    def __init__(self) -> None:
        self._began_s = time.perf_counter()

    def elapsed_s(self) -> float:
        """Give the seconds so far."""
        return time.perf_counter() - self._began_s


@contextmanager
def running(contender: Contender, tree: Path) -> Iterator[Supervisor]:
    """Run a supervisor in its tree; in the end nothing of it is left."""
    with said_in(tree).open("wb") as said:
        supervisor = subprocess.Popen(
            contender.argv,
            cwd=tree,
            env={"PATH": contender.path, MARK: str(tree)},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
        )
    try:
        yield supervisor
    finally:
        sweep(tree)
        supervisor.wait()


def wait_for_each(
    tree: Path,
    names: tuple[str, ...],
    condition: Callable[[Path], bool],
    supervisor: Supervisor,
) -> None:
    """Return once a condition has been seen to hold for each of the services.

    One after the other, so that looking costs the machine next to nothing.
    """
    clock = Clock()
    for name in names:
        while not condition(tree / name):
            if supervisor.poll() is not None or clock.elapsed_s() > PATIENCE_S:
                raise RunError(f"{name} did not start: {last_words(tree)}")
            time.sleep(NAP_S)


def has(file: str) -> Callable[[Path], bool]:
    """Make a condition: a directory has this file."""
    return lambda directory: (directory / file).exists()


def stop(contender: Contender, tree: Path, supervisor: Supervisor) -> float:
    """Stop everything in order; give the seconds until nothing runs any more.

    They are infinite when a minute is not enough: supervisord takes several.
    """
    clock = Clock()
    supervisor.send_signal(contender.form.stop)
    try:
        supervisor.wait(STOP_S)
    except subprocess.TimeoutExpired:
        return inf
    elapsed_s = clock.elapsed_s()
    while processes(tree):  # runsvdir leaves before those it has told to
        if elapsed_s > STOP_S:
            return inf
        time.sleep(NAP_S)
        elapsed_s = clock.elapsed_s()
    return elapsed_s


def last_words(tree: Path) -> str:
    """Give the end of what the supervisor and its services have said."""
    said = said_in(tree).read_text(errors="replace")
    return "; ".join(said.splitlines()[-3:])


def said_in(tree: Path) -> Path:
    """Name the file, beside the tree, that takes stdout and stderr."""
    return tree.with_name(f"{tree.name}.said")
