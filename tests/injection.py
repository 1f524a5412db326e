"""Faults at chosen system calls of a program, made by strace's injection."""

import functools
import re
import shutil
import subprocess
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness import Program, wait_until

STEPS = (
    "mkdir,mkdirat,openat,write,writev,pwritev,pwritev2,fsync,fdatasync,fchmod,chmod,"
    "fchmodat,rename,renameat,renameat2,link,linkat,unlink,unlinkat,clone,clone3,vfork,"
    "splice"
)
"""What may change a log directory, or must come in order with what does."""

CALL = re.compile(r"(\w+)\(")
ENDED = "+++ exited with "
WITHOUT_EFFECT = re.compile(r" = -1 |openat\([^|]*O_RDONLY")
IN_LOGDIR = re.compile(r'"(\./)?d[/"]')
STRACE = ("strace", "-D", "-q")
"""-D: the program is the process that was started, with strace beside it. So it
gets the signals, and is ended with the test even if that fails.
"""


@dataclass(frozen=True)
class Call:
    """The `number`-th call (from 1) of one name that a process makes."""

    name: str
    number: int


def need_strace() -> None:
    """Skip the test where strace is missing or may not trace."""
    if not _strace_works():
        pytest.skip("strace is not installed or not allowed (apt install strace)")


@functools.cache
def _strace_works() -> bool:
    if shutil.which(STRACE[0]) is None:
        return False
    command = [*STRACE, "-o", "/dev/null", "true"]
    return subprocess.call(command, stderr=subprocess.DEVNULL) == 0


def watched(program: Program, log: Path) -> Program:
    """Run the program with its steps written to a log; see `steps`."""
    return Program(
        program.name,
        (*STRACE, "-o", str(log), "-e", f"trace={STEPS}", *program.argv),
    )


def killed_at(program: Program, call: Call) -> Program:
    """Run the program until just before that call: SIGKILL comes instead."""
    injection = f"inject={call.name}:signal=KILL:when={call.number}"
    return Program(
        program.name, (*STRACE, "-o", "/dev/null", "-e", injection, *program.argv)
    )


def failing(program: Program, fault: str, folder: Path, *paths: str) -> Program:
    """Run the program with a fault, such as `fsync:error=EIO:when=1`.

    Only calls that name one of the paths, or use it through a descriptor, count,
    if any are given; they are relative to `folder`, where the program runs.
    """
    forms = [form for path in paths for form in (path, str(folder / path))]
    chosen = [word for form in forms for word in ("-P", form)]
    traced = (*STRACE, "-o", "/dev/null", *chosen, "-e", f"inject={fault}")
    return Program(program.name, (*traced, *program.argv))


def steps(log: Path) -> list[Call]:
    """List the steps in a log from the first that touches the directory `d` on."""
    wait_until(lambda: ENDED in log.read_text(errors="replace"), "strace's log")
    counts: Counter[str] = Counter()
    found: list[Call] = []
    begun = False
    for line in log.read_text(errors="replace").splitlines():
        match = CALL.match(line)
        if match is None:
            continue
        counts[match[1]] += 1
        begun = begun or IN_LOGDIR.search(line) is not None
        if begun and not WITHOUT_EFFECT.search(line):
            found.append(Call(match[1], counts[match[1]]))
    return found
