"""The program as a process: signals, what it costs, what it refuses."""

import os
import signal
from pathlib import Path

import pytest

from consoles import NAME, Holder, Who, drain, wakes
from harness import LAUNCHER, PYTHON, Pipe, Program, Stage, finish, ours, run
from numbered import line, lines
from storms import meet
from watching import resident_bytes, settle

PINNED = Path(__file__).parents[3] / "fixtures" / "pinned-modules-console.txt"
LINES = 900  # fewer than a pipe holds
WHOS: list[Who] = [("web", 1), ("web", 2), ("a", 1), ("database", 2)]


@pytest.mark.parametrize(
    "signum", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT]
)
def test_signals_do_not_end_it(tmp_path: Path, signum: signal.Signals) -> None:
    """It is the last to hear of what happens."""
    with Holder(tmp_path) as holder, Pipe() as out:
        (pipe,) = holder.open(("web", 1))
        with holder.showing("raw", out.write) as console:
            pipe.feed(b"before\n")
            assert os.read(out.read, 100) == b"before\n"
            console.process.send_signal(signum)
            settle(console.process)
            pipe.feed(b"after\n")
            assert os.read(out.read, 100) == b"after\n"
            holder.end()
            console.end()
            assert finish(console.process).code == 0


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGUSR1])
def test_a_storm_of_signals(tmp_path: Path, signum: signal.Signals) -> None:
    """While services write a line at a time: nothing is lost, none is given up."""
    with Holder(tmp_path) as holder, Pipe() as out:
        (pipe,) = holder.open(("web", 1))
        with holder.showing("raw", out.write) as console:
            settle(console.process)
            for number in range(LINES):
                pipe.feed(line(number))
                meet(console.process, signum, pipe)
            holder.end()
            console.end()
            seen = drain(out)
            ended = finish(console.process)
    assert (ended.code, ended.err) == (0, b"")
    assert seen == lines(0, LINES)


def test_idle_it_never_wakes(tmp_path: Path) -> None:
    """Not even within lines, or once the socket is closed."""
    with Holder(tmp_path) as holder, Pipe() as out:
        pipes = holder.open(*WHOS)
        with holder.showing("tag", out.write) as console:
            for pipe in pipes:
                pipe.feed(b"a line\nand an unfinished one")
            settle(console.process)
            assert wakes(console.process.pid) == 0
            console.end()
            settle(console.process)
            assert wakes(console.process.pid) == 0


def test_a_service_costs_little(tmp_path: Path) -> None:
    """After it has written something, too: buffers are for those who write now."""
    with Holder(tmp_path) as holder, Pipe() as out:
        (first,) = holder.open(("first", 1))
        with holder.showing("tag", out.write) as console:
            first.feed(lines(0, 100))
            settle(console.process)
            base_bytes = resident_bytes(console.process.pid)
            everybody = [(f"s{number}", 1) for number in range(100)]
            for who, pipe in zip(everybody, holder.open(*everybody), strict=True):
                console.announce(who, pipe.read)
                pipe.feed(lines(0, 3))
            settle(console.process)
            grown_bytes = resident_bytes(console.process.pid) - base_bytes
            assert grown_bytes < len(everybody) * 10_000
            holder.end()
            console.end()
            assert len(drain(out).splitlines()) == 100 + 300
            assert finish(console.process).code == 0


def test_it_imports_what_is_pinned(tmp_path: Path) -> None:
    """Start-up time is a feature: whoever adds a module here should know it."""
    python = ("sh", "-c", 'exec "$@" 3</dev/null', "sh", *PYTHON, "-X", "importtime")
    stage = Stage(tmp_path)
    bare = run(Program("", python), ["-c", "pass"], b"", stage).err
    words = [str(LAUNCHER), NAME, "tag"]
    more = imported(run(Program("", python), words, b"", stage).err) - imported(bare)
    pinned = PINNED.read_text().splitlines()
    names = {name for name in pinned if name[:1] != "#"}
    assert more - names == set()
    # Without a compiler there is no kernel.
    missing = {name for name in names - more if name.startswith("s6log")}
    assert missing <= {"s6log.stream._objects"}


def imported(report: bytes) -> set[str]:
    """Read the names of modules from what -X importtime reports."""
    lines = [each for each in report.decode().splitlines() if "|" in each]
    return {each.rpartition("|")[2].strip() for each in lines}


@pytest.mark.parametrize("words", [[], ["yaml"], ["tag", "json"], ["-h"]])
def test_usage(tmp_path: Path, words: list[str]) -> None:
    """One word, of three."""
    ended = run(ours(NAME), words, b"", Stage(tmp_path))
    assert ended.err == b"s6-init-console: usage: s6-init-console raw|tag|json\n"
    assert ended.code == 100


def test_without_a_socket(tmp_path: Path) -> None:
    """It cannot start."""
    argv = ("sh", "-c", 'exec "$@" 3</dev/null', "sh", *ours(NAME).argv)
    ended = run(Program("", argv), ["tag"], b"", Stage(tmp_path))
    text = b"fatal: unable to start: Socket operation on non-socket\n"
    assert ended.err == b"s6-init-console: " + text
    assert ended.code == 111
