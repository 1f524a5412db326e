"""A command that is fed: how it is started, and what it gets."""

import json
import os
import signal
from pathlib import Path

import pytest

from commands import GATE, WAIT, feeding, numbers, size_bytes, wait_for_content
from harness import Program, wait_until
from numbered import Reading, lines
from watching import children, descriptors, facts

DATA = lines(0, 200, 93)


@pytest.mark.parametrize("options", [[], ["-b"]], ids=["", "-b"])
def test_command_gets_every_line(
    ours: Program, options: list[str], tmp_path: Path
) -> None:
    """In order, the last one too, which has no newline; and then its end."""
    with feeding(ours, tmp_path, *options, "@pipe=cat > got; echo end >&2") as fed:
        fed.feed(DATA + b"last")
        assert fed.end() == 0
        assert fed.said() == ["end"]
    assert (tmp_path / "got").read_bytes() == DATA + b"last\n"


def test_line_is_there_before_the_next_one_comes(ours: Program, tmp_path: Path) -> None:
    """Nothing waits for more."""
    with feeding(ours, tmp_path, "@pipe=exec cat > got") as fed:
        for count in range(1, 20):
            fed.feed(lines(count - 1, count))
            wait_for_content(tmp_path / "got", lines(0, count))
        assert fed.end() == 0


def test_logger_ends_after_its_command(ours: Program, tmp_path: Path) -> None:
    """What a command does at the end of its input is done when s6-log has exited."""
    late = "cat > got; seq 300000 | md5sum > sum; echo done >> sum"
    with feeding(ours, tmp_path, "-t0", f"@pipe={late}") as fed:
        fed.feed(DATA)
        assert fed.end() == 0
        assert (tmp_path / "sum").read_text().endswith("done\n")
    assert (tmp_path / "got").read_bytes() == DATA


def test_command_starts_with_the_logger(ours: Program, tmp_path: Path) -> None:
    """Before the first line, in the logger's directory; and ends with no line."""
    with feeding(ours, tmp_path, "@pipe=pwd -P > where; exec cat > got") as fed:
        where = os.path.realpath(tmp_path).encode() + b"\n"
        wait_for_content(tmp_path / "where", where)
        assert fed.end() == 0
        assert fed.said() == []
    assert (tmp_path / "got").read_bytes() == b""


def test_command_has_three_descriptors(ours: Program, tmp_path: Path) -> None:
    """The pipe, and the logger's own stdout and stderr; no signal is blocked.

    Nor has the command of another pipe, or a processor.
    """
    script = ["@metrics=figures", "@pipe=exec cat", "?read -r _ < ../gate; cat"]
    both = ["./d", "@pipe=exec head -c 9999", "1", "=status"]
    with feeding(ours, tmp_path, *script, *both) as fed:
        fed.feed(b"line\n")
        fed.settle()
        os.kill(fed.process.pid, signal.SIGALRM)
        names = {facts(pid)["Name"]: pid for pid in fed.commands(3)}
        for pid in names.values():
            assert int(facts(pid)["SigBlk"], 16) == 0
            assert not int(facts(pid)["SigIgn"], 16) & 1 << (signal.SIGPIPE - 1)
        opened = {name: descriptors(pid) for name, pid in names.items()}
        for name in ("cat", "head"):
            assert sorted(opened[name]) == [0, 1, 2]
            assert opened[name][0].startswith("pipe:")
            assert opened[name][1] == str(tmp_path / "out")
            assert opened[name][2] == str(tmp_path / "said")
        assert opened["cat"][0] != opened["head"][0]
        assert not set(opened["sh"].values()) & {opened["cat"][0], opened["head"][0]}
        fed.open_gate()
        assert fed.end() == 0


PORTIONS = {
    "head": "head -c 1000 >> got",
    "dd": "dd bs=1 count=333 status=none >> got",
}


@pytest.mark.parametrize("portion", PORTIONS.values(), ids=PORTIONS.keys())
@pytest.mark.parametrize("options", [[], ["-b"]], ids=["", "-b"])
def test_next_command_goes_on_where_the_one_before_ended(
    ours: Program, portion: str, options: list[str], tmp_path: Path
) -> None:
    """Within a line as well: nothing is lost, doubled or torn."""
    data = lines(0, 40, 93)
    with feeding(ours, tmp_path, *options, "r20", f"@pipe={portion}") as fed:
        fed.feed(data[:2000])
        fed.feed(data[2000:])
        # A command that has not got its portion yet writes nothing.
        whole = len(data) // 1000 * 1000 if "head" in portion else len(data)
        wait_until(lambda: size_bytes(tmp_path / "got") >= whole, "all to arrive")
        assert fed.end() == 0
        assert (tmp_path / "got").read_bytes() == data
        pipe = f"warning: @pipe={portion}: "
        assert set(fed.said()) == {pipe + "it exited 0; it will be started again"}


@pytest.mark.parametrize("portion", PORTIONS.values(), ids=PORTIONS.keys())
def test_rest_of_the_pipe_is_read_in_portions_at_the_end(
    ours: Program, portion: str, tmp_path: Path
) -> None:
    """Commands are started for as long as they take something."""
    with feeding(ours, tmp_path, "-t0", f"@pipe={portion}") as fed:
        fed.feed(DATA)
        assert fed.end() == 0
        assert not [line for line in fed.said() if "lost" in line]
    assert (tmp_path / "got").read_bytes() == DATA


def test_command_is_started_again_after_the_retry_time(
    ours: Program, tmp_path: Path
) -> None:
    """Not before; but at once when the input ends, for all that waits."""
    data = lines(0, 5000, 93)  # more than a pipe holds
    script = ["r600000", "@pipe=echo x >> starts; mkdir first || exec cat > got"]
    with feeding(ours, tmp_path, *script) as fed:
        fed.wait_for("it exited 0; it will be started again")
        fed.feed(data)
        fed.settle()
        assert not children(fed.process.pid)
        assert (tmp_path / "starts").read_text() == "x\n"
        assert fed.end() == 0
    assert (tmp_path / "starts").read_text() == "x\nx\n"
    assert (tmp_path / "got").read_bytes() == data


FATES = {
    "no-such-program": "exited 127",
    "kill -9 $$": "was killed by signal 9",
    "kill $$": "was killed by signal 15",
    "exit 0": "exited 0",
    "exit 3": "exited 3",
}


@pytest.mark.parametrize("command", FATES)
def test_command_that_ends_at_once(ours: Program, command: str, tmp_path: Path) -> None:
    """It is started again and again; what it did not read is counted in the end."""
    script = ["r10", f"@pipe={command}", "n9999", "./d"]
    with feeding(ours, tmp_path, *script) as fed:
        again = f"warning: @pipe={command}: it {FATES[command]}; it will be started"
        fed.feed(DATA)
        fed.wait_for(again, times=4)
        assert fed.end() == 0
        lost = f"warning: @pipe={command}: {len(DATA)} bytes are lost that it did not"
        assert [line for line in fed.said() if "lost" in line] == [lost + " read"]
    assert Reading(tmp_path / "d").numbers == list(range(200))


def test_only_the_first_line_of_a_command_is_shown(
    ours: Program, tmp_path: Path
) -> None:
    """Messages are of one line, however long the command is."""
    command = "\nexit 3 # first\nand more\n"
    with feeding(ours, tmp_path, "r10", f"@pipe={command}") as fed:
        again = "warning: @pipe=exit 3 # first...: it exited 3; it will be started"
        fed.wait_for(again)
        assert fed.end() == 0
        assert all(line.startswith("warning: @pipe=exit 3") for line in fed.said())


def test_two_commands(ours: Program, tmp_path: Path) -> None:
    """Each has its own pipe, and its own lines."""
    script = ["-", "+1:", "@pipe=exec cat > odd", "+2:", "@pipe=exec cat > more"]
    with feeding(ours, tmp_path, "--", *script) as fed:
        fed.feed(b"".join(b"%d:%d\n" % (n % 3, n) for n in range(300)))
        assert fed.end() == 0
    both = [(tmp_path / name).read_text().split() for name in ("odd", "more")]
    assert both[0] == [f"1:{n}" for n in range(1, 300, 3)]
    assert both[1] == [f"{n % 3}:{n}" for n in range(300) if n % 3]


def test_dead_command_harms_no_other(ours: Program, tmp_path: Path) -> None:
    """One that is dead and whose lines are dropped holds up nobody."""
    stuck = ["-t50", "@full=drop-newest", "@buffer=4k", "r600000", "@pipe=exit 1"]
    with feeding(ours, tmp_path, *stuck, "@full=block", "@pipe=exec cat > got") as fed:
        fed.wait_for("it exited 1")
        data = lines(0, 20_000)
        fed.feed(data)
        wait_for_content(tmp_path / "got", data)
        assert fed.end() == 0
    assert numbers((tmp_path / "got").read_bytes()) == list(range(20_000))


# ---- what lines look like

TRACE = b"""before
Traceback (most recent call last):
  File "x.py", line 1, in <module>
ValueError: no
after
"""


def test_tagged_lines(ours: Program, tmp_path: Path) -> None:
    """`@tag` puts the name before lines, and into objects."""
    with feeding(ours, tmp_path, "@tag=web", "@pipe=cat > got", "./d") as fed:
        fed.feed(b'text\n{"a": 1}\n')
        assert fed.end() == 0
    got = (tmp_path / "got").read_bytes()
    assert got == b'web | text\n{"service":"web","a": 1}\n'
    assert (tmp_path / "d/current").read_bytes() == b'text\n{"a": 1}\n'


def test_lines_as_objects(ours: Program, tmp_path: Path) -> None:
    """`@json` and `@join` for a command, the plain lines for a directory."""
    script = ["@json", "@join=python", "@pipe=cat > got", "./d"]
    with feeding(ours, tmp_path, *script) as fed:
        fed.feed(TRACE)
        assert fed.end() == 0
    texts = (tmp_path / "got").read_text().splitlines()
    before, *trace, after = TRACE.decode().splitlines()
    messages = [json.loads(text)["msg"] for text in texts]
    assert messages == [before, "\n".join(trace), after]
    assert (tmp_path / "d/current").read_bytes() == TRACE


def test_rate(ours: Program, tmp_path: Path) -> None:
    """`@rate` drops lines for the command, and says so at the end at the latest."""
    with feeding(ours, tmp_path, "@rate=10/h", "@pipe=cat > got", "./d") as fed:
        fed.feed(lines(0, 100))
        assert fed.end() == 0
    *kept, mark = (tmp_path / "got").read_bytes().splitlines(keepends=True)
    assert b"".join(kept) == lines(0, 10)
    assert mark == b"s6-log: 90 lines dropped (more than 10 in 3600 s)\n"
    assert Reading(tmp_path / "d").numbers == list(range(100))


def test_gate_is_what_the_tests_say(ours: Program, tmp_path: Path) -> None:
    """A command at the gate has read nothing: tests of stuck ones rest on it."""
    with feeding(ours, tmp_path, f"@pipe={WAIT}; exec cat > got") as fed:
        fed.feed(DATA)
        fed.settle()
        assert (tmp_path / GATE).is_fifo()
        assert not (tmp_path / "got").exists()
        fed.open_gate()
        wait_for_content(tmp_path / "got", DATA)
        assert fed.end() == 0
