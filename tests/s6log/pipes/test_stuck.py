"""Commands that read slowly, late or never; and how long the end takes then."""

import os
import time
from pathlib import Path

import pytest

from commands import (
    WAIT,
    Feeding,
    feeding,
    numbers,
    size_bytes,
    wait_for_content,
    with_marks,
)
from harness import Pipe, Program, wait_until
from numbered import Reading, Source, lines
from watching import children, facts, resident_bytes

LIMIT_BYTES = 64 << 10
PIPE_BYTES = 256 << 10
"""As large as we make a pipe that is often full."""

HELD = ["n9999", "s16777215", "@buffer=64k"]

STUCK = {
    "never reads": "exec sleep 1000",
    "closes stdin": "exec 0<&-; exec sleep 1000",
    "ignores TERM": "trap '' TERM; while :; do sleep 1000; done",
}

each_stuck = pytest.mark.parametrize("command", STUCK.values(), ids=STUCK.keys())
each_policy = pytest.mark.parametrize("policy", ["drop-oldest", "drop-newest"])


@each_stuck
def test_reading_stops_when_a_command_takes_nothing(
    ours: Program, command: str, tmp_path: Path
) -> None:
    """At the limit, with one warning; the end waits for `-t`, and says what is lost."""
    script = ["-t100", *HELD, f"@pipe={command}", "./d"]
    with feeding(ours, tmp_path, *script) as fed:
        fed.command("sleep" if command.startswith("exec") else "sh")
        before = resident_bytes(fed.process.pid)
        source = Source(fed.pipe)
        source.pour_until_stuck(fed.process)
        # The logger's pipe, its buffer, and the input's pipe.
        assert source.given <= PIPE_BYTES + LIMIT_BYTES + PIPE_BYTES
        assert resident_bytes(fed.process.pid) - before <= 4 << 20
        (warning,) = fed.said()
        assert warning.startswith("warning: reading stopped: ")
        shown = command[:60] + ("..." if len(command) > 60 else "")
        assert warning.endswith(f" bytes wait for @pipe={shown}, it does not read")
        fed.process.terminate()
        assert fed.end() == 0
        _, lost, goes_on = fed.said()
        name = f"warning: @pipe={shown}: "
        assert lost.startswith(name)
        assert lost.endswith(" lines are given up: it took nothing for 100 ms")
        pid = int(goes_on.removeprefix(f"{name}it goes on, as pid ").split(":")[0])
        assert goes_on.endswith(": not waited for any longer")
        assert pid in children(1) or facts(pid)["PPid"] != str(fed.process.pid)
    in_pipe = Reading(tmp_path / "d").numbers
    assert in_pipe == list(range(len(in_pipe)))
    assert 0 < int(lost.removeprefix(name).split(" ")[0]) <= LIMIT_BYTES // 64 + 1


def test_reading_goes_on_when_a_command_does(ours: Program, tmp_path: Path) -> None:
    """One warning for each way, and nothing is lost."""
    script = ["-t0", *HELD, f"@pipe={WAIT}; exec cat > got", "./d"]
    with feeding(ours, tmp_path, *script) as fed:
        source = Source(fed.pipe)
        source.pour_until_stuck(fed.process)
        fed.open_gate()
        fed.wait_for("reading goes on: @pipe=")
        count = source.stop()
        assert fed.end() == 0
        stopped, goes_on, *more = fed.said()
        assert "reading stopped: " in stopped
        assert goes_on.endswith(" has caught up")
        assert len(more) % 2 == 0
    assert numbers((tmp_path / "got").read_bytes()) == list(range(count))
    assert Reading(tmp_path / "d").numbers == list(range(count))


def test_b_stops_reading_at_once(ours: Program, tmp_path: Path) -> None:
    """With -b, nothing but the pipe is filled in advance of the command."""
    script = ["-b", "-t0", f"@pipe={WAIT}; exec cat > got", *HELD, "./d"]
    with feeding(ours, tmp_path, *script) as fed:
        source = Source(fed.pipe)
        source.pour_until_stuck(fed.process)
        # Of what is in flight a part is in the pipe; all is still in the input.
        assert source.given - fed.pipe.waiting() <= PIPE_BYTES
        fed.open_gate()
        count = source.stop()
        assert fed.end() == 0
        assert fed.said() == []
    assert numbers((tmp_path / "got").read_bytes()) == list(range(count))
    assert Reading(tmp_path / "d").numbers == list(range(count))


@each_policy
@pytest.mark.parametrize("options", [[], ["-b"]], ids=["", "-b"])
def test_dropping_holds_up_nobody(
    ours: Program, policy: str, options: list[str], tmp_path: Path
) -> None:
    """Others get all; the command gets the rest, and where lines are missing a mark."""
    command = f"@pipe={WAIT}; exec cat > got"
    script = [*options, "-t0", "@buffer=64k", f"@full={policy}", command]
    data = lines(0, 40_000)
    with feeding(ours, tmp_path, *script, "@full=block", *HELD, "./d") as fed:
        fed.feed(data)
        wait_until(
            lambda: size_bytes(tmp_path / "d/current") == len(data), "all in the log"
        )
        assert fed.said() == []
        fed.open_gate()
        assert fed.end() == 0
        assert fed.said() == []
    assert Reading(tmp_path / "d").numbers == list(range(40_000))
    kept, missing = with_marks((tmp_path / "got").read_bytes())
    assert kept == sorted(set(kept))
    assert len(kept) + missing == 40_000
    assert len(kept) * 64 <= PIPE_BYTES + LIMIT_BYTES
    assert missing > 0
    if policy == "drop-oldest":
        # What filled the pipe, then a buffer full of what is newest.
        gap = next(place for place, number in enumerate(kept) if place != number)
        assert kept[gap:] == list(range(kept[gap], 40_000))
        assert (40_000 - kept[gap]) * 64 > LIMIT_BYTES - 200
    else:
        assert kept == list(range(len(kept)))
        assert len(kept) * 64 > LIMIT_BYTES


@each_policy
def test_end_of_a_command_that_drops(
    ours: Program, policy: str, tmp_path: Path
) -> None:
    """What waits for a stuck command is given up after `-t`, whatever the policy."""
    script = ["-t50", f"@full={policy}", "@buffer=4k", "@pipe=exec sleep 1000"]
    with feeding(ours, tmp_path, *script) as fed:
        fed.feed(lines(0, 10_000))
        assert fed.end() == 0
        lost, goes_on = fed.said()
        assert lost.endswith("lines are given up: it took nothing for 50 ms")
        assert "it goes on, as pid " in goes_on


SLOW = "while dd bs=512 count=1 status=none | grep . >> got; do :; done"


@pytest.mark.parametrize("options", [["-t0"], ["-bt0"]], ids=["", "-b"])
def test_slow_command_gets_everything(
    ours: Program, options: list[str], tmp_path: Path
) -> None:
    """It delays the end and loses nothing."""
    data = lines(0, 1600)
    with feeding(ours, tmp_path, *options, f"@pipe={SLOW}") as fed:
        fed.feed(data)
        assert fed.end() == 0
        assert fed.said() == []
    assert (tmp_path / "got").read_bytes() == data


def test_slow_command_is_waited_for_while_it_takes_something(
    ours: Program, tmp_path: Path
) -> None:
    """`-t` is for commands that take nothing: what waits leaves, however long it takes.

    Only the pipe is behind the end of the input, and has its own time.
    """
    data = lines(0, 8000)
    with feeding(ours, tmp_path, "-t2000", f"@pipe={SLOW}") as fed:
        fed.feed(data)
        began = time.monotonic()
        assert fed.end() == 0
        assert time.monotonic() - began > 0.3
        said = fed.said()
        assert not [line for line in said if "lost" in line]
        wait_for_content(tmp_path / "got", data)


@pytest.mark.parametrize("ending", ["input", "TERM"])
def test_end_is_waited_for_no_longer_than_allowed(
    ours: Program, ending: str, tmp_path: Path
) -> None:
    """A command that goes on after the end of its input is left alone after `-t`."""
    script = ["-t50", "@pipe=trap '' TERM; cat > got; echo $$ > pid; exec sleep 1000"]
    with feeding(ours, tmp_path, *script) as fed:
        fed.feed(lines(0, 100))
        fed.settle()
        if ending == "TERM":
            fed.process.terminate()
        assert fed.end() == 0
        wait_until(lambda: size_bytes(tmp_path / "pid") > 0, "the pid")
        pid = int((tmp_path / "pid").read_text())
        assert fed.said() == [
            "warning: @pipe=trap '' TERM; cat > got; echo $$ > pid; exec sleep 1000: "
            f"it goes on, as pid {pid}: not waited for any longer"
        ]
        assert facts(pid)["Name"] == "sleep"
    assert (tmp_path / "got").read_bytes() == lines(0, 100)


def test_term_is_for_the_logger_only(ours: Program, tmp_path: Path) -> None:
    """The command reads to the end of its input, in its own time."""
    with feeding(ours, tmp_path, "-t0", f"@pipe={WAIT}; exec cat > got") as fed:
        fed.feed(lines(0, 100))
        fed.settle()
        fed.process.terminate()
        fed.open_gate()
        assert fed.end() == 0
        assert fed.said() == []
    assert (tmp_path / "got").read_bytes() == lines(0, 100)


# ---- commands that die when everything ends

ONCE = f"echo x >> starts; mkdir first 2> /dev/null && {WAIT}; exec cat > got"
TWICE = f"echo x >> starts; {WAIT}; exec cat > got"


def wait_for_close(fed: Feeding) -> None:
    """Wait until the logger has closed its pipe, and waits for the command."""
    fed.pipe.end()
    fed.settle()


def test_command_that_dies_at_the_end_is_started_once_more(
    ours: Program, tmp_path: Path
) -> None:
    """What it left in the pipe is read by the next one."""
    with feeding(ours, tmp_path, "-t0", "r600000", f"@pipe={ONCE}") as fed:
        fed.feed(lines(0, 500))
        fed.settle()
        wait_for_close(fed)
        wait_until((tmp_path / "first").exists, "the first command")
        fed.kill("sh")
        assert fed.end() == 0
        name = f"warning: @pipe={ONCE[:60]}...: "
        assert fed.said() == [name + "it was killed by signal 9"]
    assert (tmp_path / "starts").read_text() == "x\n" * 2
    assert (tmp_path / "got").read_bytes() == lines(0, 500)


def test_command_that_dies_again_at_the_end_is_given_up(
    ours: Program, tmp_path: Path
) -> None:
    """If it has taken nothing; what is lost is told, even under -q."""
    with feeding(ours, tmp_path, "-qt0", "r600000", f"@pipe={TWICE}") as fed:
        fed.feed(lines(0, 500))
        fed.settle()
        wait_for_close(fed)
        for count in (1, 2):
            wait_for_content(tmp_path / "starts", b"x\n" * count)
            fed.kill("sh")
        assert fed.end() == 0
        name = f"warning: @pipe={TWICE}: "
        assert fed.said() == [name + f"{500 * 64} bytes are lost that it did not read"]
    assert (tmp_path / "starts").read_text() == "x\n" * 2


def test_there_is_one_command_at_a_time(ours: Program, tmp_path: Path) -> None:
    """Also when the end comes between the death of one and the start of the next.

    stdout is stuck, so that the end takes its time while commands come and go.
    """
    # Longer than it takes between two starts at the end: in that time nothing
    # must happen.
    command = "test -e stay || exit 1; echo x >> starts; sleep 0.3; exec cat > got"
    script = ["-t0", "r600000", f"@pipe={command}", "1"]
    with Pipe(4096) as out:
        with feeding(ours, tmp_path, *script, stdout=out.write) as fed:
            out.end()
            fed.feed(lines(0, 200))
            fed.pipe.end()
            fed.wait_for("it exited 1; it will be started again", times=3)
            (tmp_path / "stay").touch()
            received = b"".join(iter(lambda: os.read(out.read, 65536), b""))
            assert fed.end() == 0
        assert received == lines(0, 200)
    assert (tmp_path / "got").read_bytes() == lines(0, 200)
    assert (tmp_path / "starts").read_text() == "x\n"
