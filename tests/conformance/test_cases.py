"""Recorded cases, run against our programs and against the real ones.

The fixture was recorded from the real programs, so a failure on their side
means a wrong expectation. `expect_ours` is what a decided difference makes of
a case; the number is that of the list in the reference page.
"""

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NotRequired, TypedDict

import pytest

import harness
from harness import Outcome, Pipe, Process, Program, Stage, finish, running
from trees import Entry, Listing, listing, timeless, unstamped
from watching import rest, settle

Step = tuple[str] | tuple[str, str | float]


class File(TypedDict):
    """What a case expects of one path; directories have no content."""

    mode: str
    content: NotRequired[str]


class Expectation(TypedDict):
    """What a program gives; `notify` is what came through the -d descriptor."""

    exit: int | str
    stdout: str
    stderr: str
    files: NotRequired[dict[str, File] | None]
    notify: NotRequired[str | None]


class Case(TypedDict):
    """One recorded case; the fixture's own note explains the fields."""

    name: str
    args: list[str]
    input: str
    expect: Expectation
    expect_2_11: NotRequired[Expectation]
    expect_2_15: NotRequired[Expectation | None]
    expect_ours: NotRequired[Expectation]
    prog: NotRequired[str]
    steps: NotRequired[list[Step]]
    timeout: NotRequired[float]
    setup: NotRequired[list[tuple[str, int, str | None]]]
    hardlinks: NotRequired[list[tuple[str, str]]]
    lock: NotRequired[str]
    umask: NotRequired[int]
    env: NotRequired[dict[str, str]]
    extra_fd: NotRequired[bool]
    notify: NotRequired[bool]


FIXTURE = Path(__file__).parents[2] / "fixtures" / "logger-cases.json"
CASES: list[Case] = json.loads(FIXTURE.read_text())["cases"]
KILLED = "killed-after-timeout"
DESCRIPTOR_3 = ("/bin/sh", "-c", 'exec "$0" "$@" 3</dev/null')

each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])


@dataclass(frozen=True)
class Result:
    """What a case expects and what a run gives, in comparable form."""

    code: int | str
    out: bytes
    err: bytes
    files: Listing
    notified: bytes | None


@each_case
def test_ours(case: Case, tmp_path: Path) -> None:
    """Our program does what was recorded, but for the decided differences."""
    wanted = case.get("expect_ours") or case.get("expect_2_15") or case["expect"]
    found = play(harness.ours(case.get("prog", "s6-log")), case, tmp_path)
    assert without_hints(found) == expectation(wanted)


@each_case
def test_real(case: Case, tmp_path: Path) -> None:
    """The real program does what was recorded."""
    wanted = case.get("expect_2_11") or case["expect"]
    found = play(harness.oracle(case.get("prog", "s6-log")), case, tmp_path)
    assert found == expectation(wanted)


def without_hints(found: Result) -> Result:
    """Leave s6-log's own line of a script error; the hints below it are ours."""
    first, newline, hints = found.err.partition(b"\n")
    if found.code != 100 or b": fatal: " not in first:
        return found
    assert all(hint.startswith(b"s6-log: ") for hint in hints.splitlines())
    return Result(found.code, found.out, first + newline, found.files, found.notified)


def expectation(wanted: Expectation) -> Result:
    """Read one of a case's expectations."""
    files = {
        name: Entry(int(entry["mode"], 8), octets(entry.get("content")))
        for name, entry in (wanted.get("files") or {}).items()
    }
    return Result(
        wanted["exit"],
        wanted["stdout"].encode("latin-1"),
        wanted["stderr"].encode("latin-1"),
        files,
        octets(wanted.get("notify")),
    )


def octets(text: str | None) -> bytes | None:
    """Bytes stand in the fixture as one character each."""
    return None if text is None else text.encode("latin-1")


def play(program: Program, case: Case, folder: Path) -> Result:
    """Set the stage of a case, run it to its end, and report."""
    old = furnish(folder, case)
    with contextlib.ExitStack() as stack:
        pipe = stack.enter_context(Pipe())
        notice = stack.enter_context(Pipe())
        stack.enter_context(held_lock(folder, case.get("lock")))
        args = [a.replace("$NOTIFY_FD", str(notice.write)) for a in case["args"]]
        stage = Stage(
            folder,
            stdin=pipe.read,
            umask=case.get("umask", 0o022),
            env=case.get("env", {}),
            fds=(notice.write,) if case.get("notify") else (),
        )
        if case.get("extra_fd"):
            program = Program(program.name, (*DESCRIPTOR_3, *program.argv))
        with running(program, args, stage) as process:
            notice.end()
            code, ending = conclude(process, pipe, case)
        notified = os.read(notice.read, 100) if case.get("notify") else None
    files = timeless(listing(folder), old)
    return Result(code, unstamped(ending.out), unstamped(ending.err), files, notified)


def furnish(folder: Path, case: Case) -> set[str]:
    """Make the files that a case begins with; return their names."""
    for name, mode, content in case.get("setup", []):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
        if content is None:
            path.mkdir(exist_ok=True)
        else:
            path.write_bytes(content.encode("latin-1"))
        path.chmod(mode)
    for source, link in case.get("hardlinks", []):
        os.link(folder / source, folder / link)
    return set(listing(folder))


@contextlib.contextmanager
def held_lock(folder: Path, name: str | None) -> Iterator[None]:
    """Hold the lock of a log directory, as another logger would."""
    if name is None:
        yield
        return
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.lockf(file, fcntl.LOCK_EX)
        yield


def conclude(process: Process, pipe: Pipe, case: Case) -> tuple[int | str, Outcome]:
    """Give a program its input, step by step where the case says so."""
    steps = case.get("steps")
    if steps is None:
        pipe.feed(case["input"].encode("latin-1"))
    else:
        settle(process)
        for step in steps:
            perform(process, pipe, step)
    pipe.end()
    try:
        ending = finish(process, case.get("timeout", harness.DEADLINE_S))
    except subprocess.TimeoutExpired:
        process.kill()
        return KILLED, finish(process)
    return ending.code, ending


def perform(process: Process, pipe: Pipe, step: Step) -> None:
    """Do one step of a case and wait until the program has dealt with it."""
    match step:
        case ["write", str(text)]:
            pipe.feed(text.encode("latin-1"))
            settle(process)
        case ["signal", str(name)]:
            process.send_signal(signal.Signals[f"SIG{name}"])
            settle(process)
        case ["sleep", int(seconds) | float(seconds)]:
            # Part of the case: a timeout of the program passes, or does not.
            time.sleep(seconds)
            rest(process)
        case ["close"]:
            pipe.end()
        case _:
            pytest.fail(f"unknown step {step!r}")
