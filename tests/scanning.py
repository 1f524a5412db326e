"""Scan directories for whole programs: made, supervised, asked and ended.

The same calls run our s6-svscan and the real one.
"""

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import harness
from harness import ENVIRONMENT, Process, Program, Stage, running, wait_until
from supervising import (
    end_all_in,
    keeper_ended,
    listens,
    make_service,
    supervised,
    wait_up,
)
from supervisor.clients import asking
from watching import children, facts

CONTROL = ".s6-svscan/control"
KEEP = "exec cat >> ../out"
"""A logger: appends all it reads to the file `out` of its service."""


def order(scandir: Path, letters: bytes) -> None:
    """Write letters to a supervisor, as s6-svscanctl does."""
    asking.send(bytes(scandir / CONTROL), letters)


def logged(
    scandir: Path, name: str, run: str, log: str = KEEP, finish: str | None = None
) -> Path:
    """Make a service with a logger."""
    service = make_service(scandir / name, run, finish)
    make_service(service / "log", log)
    return service


def script(scandir: Path, name: str, text: str, mode: int = 0o755) -> Path:
    """Make a script in .s6-svscan."""
    folder = scandir / ".s6-svscan"
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(mode)
    return path


@contextlib.contextmanager
def scanned(
    program: Program,
    scandir: Path,
    *options: str,
    stdout: int = subprocess.DEVNULL,
    stderr: int = subprocess.DEVNULL,
    fds: tuple[int, ...] = (),
) -> Iterator[Process]:
    """Run a supervisor on a directory; begin when it takes orders."""
    stage = Stage(scandir, stdout=stdout, stderr=stderr, fds=fds)
    words = [*options, str(scandir)]
    with keeper_ended(scandir), running(program, words, stage) as process:
        try:
            wait_until(lambda: listens(scandir / CONTROL), "orders to be taken")
            yield process
        finally:
            end_all_in(scandir)


@contextlib.contextmanager
def as_pid_1(program: Program, scandir: Path) -> Iterator[tuple[Process, int]]:
    """Run a supervisor as PID 1 of a namespace; give unshare(1) and its pid here.

    unshare(1) ends with the exit code of its child, and takes it along when it is
    killed. Whatever the namespace still holds is ended by the kernel.
    """
    argv = ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child=KILL")
    container = Program(program.name, (*argv, *program.argv))
    stage = Stage(scandir, stderr=subprocess.STDOUT)
    with running(container, [str(scandir)], stage) as process:
        wait_until(lambda: listens(scandir / CONTROL), "orders to be taken")
        (pid,) = children(process.pid)
        assert facts(pid)["NSpid"].split() == [str(pid), "1"]
        yield process, pid


def all_up(*services: Path) -> None:
    """Wait until these are up, and their loggers."""
    for service in services:
        for directory in (service, service / "log"):
            if (directory / "run").exists():
                wait_until(partial(supervised, directory), f"{directory}")
                wait_up(directory)


def end(process: Process, signum: int = signal.SIGTERM) -> int:
    """Send a signal and give the exit code."""
    process.send_signal(signum)
    return process.wait(harness.DEADLINE_S)


def lines(path: Path) -> int:
    """Count the lines of a file, which may be missing."""
    return len(path.read_text().splitlines()) if path.exists() else 0


def said(process: Process) -> list[str]:
    """Read what a program has said on stderr, when it has ended."""
    assert process.stderr is not None
    return process.stderr.read().decode().splitlines()


def namespaces_allowed() -> bool:
    """Tell whether this process may make PID namespaces."""
    command = ["unshare", "--pid", "--fork", "--mount-proc", "true"]
    return (
        os.geteuid() == 0
        and subprocess.call(command, env=ENVIRONMENT, stderr=subprocess.DEVNULL) == 0
    )
