"""Log directories and service directories shared with the real s6 programs."""

import os
import random
import signal
import subprocess
from pathlib import Path

import pytest

import harness
from harness import Pipe, Program, Stage, finish, running, start, wait_until
from numbered import Reading, leftovers, lines
from trees import Listing, listing, logged
from watching import rest, settle

ROUNDS = 14
RULES = ["n9999", "s4096", "l2000"]
SCRIPTS = {
    "plain": [*RULES, "./d"],
    "processor": [*RULES, "?cat", "./d"],
    "compressed": [*RULES, "?gzip -1", "./d"],
}


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS.keys())
def test_taking_turns_on_a_directory(
    ours: Program, real: Program, script: list[str], tmp_path: Path
) -> None:
    """Each goes on where the other stopped, ended in order or killed."""
    rng = random.Random(repr(script))
    count = 0
    for number in range(ROUNDS):
        program = ours if number % 2 else real
        how = rng.choice((signal.SIGKILL, signal.SIGTERM, None))
        more = rng.randrange(120)
        log_and_end(program, script, tmp_path, (count, count + more), how)
        count += more
        reading = Reading(tmp_path / "d")
        assert (reading.numbers, reading.torn) == (list(range(count)), [])
    log_and_end(ours, script, tmp_path, (count, count + 1), None)
    assert not leftovers(tmp_path / "d")


def log_and_end(
    program: Program,
    script: list[str],
    folder: Path,
    numbers: tuple[int, int],
    how: signal.Signals | None,
) -> None:
    """Run a logger on some lines; end it by a signal, or the end of its input."""
    with Pipe() as pipe:
        stage = Stage(folder, stdin=pipe.read, fds=(pipe.read,))
        with running(program, script, stage) as process:
            rest(process)
            for number in range(*numbers):
                pipe.feed(lines(number, number + 1))
                if number % 7 == 0:
                    rest(process)
            rest(process)
            if how is None:
                pipe.end()
            else:
                process.send_signal(how)
            ending = finish(process)
    assert ending.code == (-signal.SIGKILL if how is signal.SIGKILL else 0)
    assert ending.err == b""


def test_what_one_leaves_the_other_leaves_alone(
    ours: Program, real: Program, tmp_path: Path
) -> None:
    """Started on the other's clean directory without input, neither changes it."""
    log_and_end(ours, SCRIPTS["plain"], tmp_path, (0, 100), None)
    before = listing(tmp_path)
    assert only_started(real, tmp_path) == before
    assert only_started(ours, tmp_path) == before


def only_started(program: Program, folder: Path) -> Listing:
    """Run a logger on nothing and read what is there afterwards."""
    with running(program, SCRIPTS["plain"], Stage(folder)) as process:
        assert finish(process).code == 0
    return listing(folder)


@pytest.mark.parametrize("first", ["ours", "real"])
def test_they_keep_each_other_out(
    ours: Program, real: Program, first: str, tmp_path: Path
) -> None:
    """A directory locked by one is refused by the other."""
    holder, other = (ours, real) if first == "ours" else (real, ours)
    with Pipe() as pipe, start(holder, pipe, tmp_path) as process:
        settle(process)
        with running(other, ["./d"], Stage(tmp_path)) as refused:
            ending = finish(refused)
        pipe.end()
        assert finish(process).code == 0
    message = b"s6-log: fatal: unable to lock ./d/lock: Device or resource busy\n"
    assert (ending.code, ending.err) == (111, message)


def service(folder: Path, script: str) -> None:
    """Write an executable run script."""
    folder.mkdir(parents=True)
    (folder / "run").write_text(script)
    (folder / "run").chmod(0o755)


def test_under_the_real_supervisor(ours: Program, tmp_path: Path) -> None:
    """Our logger runs as log/run under the real s6-svscan, and is restarted by it."""
    svscan = harness.real("s6-svscan")
    if svscan is None:
        pytest.skip("the real s6-svscan is not installed (Debian: apt install s6)")
    words = " ".join(f"'{word}'" for word in ours.argv)
    service(
        tmp_path / "scan/foo",
        "#!/bin/sh\n"
        "i=0\n"
        "while test $i -lt 200; do i=$((i+1)); echo line $i; done\n"
        "exec sleep 1000\n",
    )
    service(
        tmp_path / "scan/foo/log",
        f"#!/bin/sh\nexec {words} -b -d3 n20 s4096 t {tmp_path}/logs\n",
    )
    (tmp_path / "scan/foo/log/notification-fd").write_text("3\n")
    path = f"{Path(svscan.argv[0]).parent}:{os.environ['PATH']}"
    stage = Stage(tmp_path, stderr=subprocess.DEVNULL, env={"PATH": path})
    with running(svscan, [f"{tmp_path}/scan"], stage) as process:
        try:
            logdir = tmp_path / "logs"
            wait_until(lambda: texts(logdir) == expected(1), "the service's lines")
            ready = [f"{Path(svscan.argv[0]).parent}/s6-svwait", "-U", "-t", "30000"]
            subprocess.run([*ready, f"{tmp_path}/scan/foo/log"], check=True)
            control(svscan, "s6-svc", "-k", f"{tmp_path}/scan/foo/log")
            control(svscan, "s6-svc", "-k", f"{tmp_path}/scan/foo")
            wait_until(lambda: texts(logdir) == expected(2), "lines of both lives")
        finally:
            control(svscan, "s6-svscanctl", "-t", f"{tmp_path}/scan")
            ending = finish(process)
    assert ending.code == 0
    assert (logdir / "current").stat().st_mode & 0o100


def control(svscan: Program, tool: str, option: str, folder: str) -> None:
    """Tell the real supervisor to do something."""
    path = Path(svscan.argv[0]).with_name(tool)
    subprocess.run([str(path), option, folder], check=True)


def texts(logdir: Path) -> list[bytes]:
    """Give the logged lines without their stamps; none during a rotation."""
    try:
        content = logged(logdir)
    except FileNotFoundError:
        return []
    return [line[26:] for line in content.splitlines()]


def expected(lives: int) -> list[bytes]:
    """Give what the service prints in that many lives."""
    return [b"line %d" % number for number in range(1, 201)] * lives
