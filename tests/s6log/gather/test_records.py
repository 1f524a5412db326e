"""Lines as they are, behind names, or as objects: the bytes that loggers write."""

import os
import re
from pathlib import Path

import pytest

from consoles import STREAMS, Holder, shown
from harness import Pipe, Program, Stage, run
from loggers import reference
from terminals import Terminal
from watching import settle

MIXED = (
    b'plain "text"\n{"level":"info"}\n {"service":"me"} \n{}\n{bad}\n\0'
    b"caf\xe9\n\n\x1b[31mred\nwith\0NUL\n" + 30000 * b"long " + b"\nand no end"
)
STAMP = re.compile(rb'"ts":"[^"]*Z"')


@pytest.mark.parametrize("kernel", ["yes", "no"])
def test_tags_are_those_of_a_logger(ours: Program, tmp_path: Path, kernel: str) -> None:
    """The very bytes that @tag=NAME gives."""
    stage = Stage(tmp_path, env={"S6LOG_KERNEL": kernel})
    alone = run(ours, ["-l0", "@tag=web", "1"], MIXED, stage)
    assert shown(tmp_path, "tag", {("web", 2): MIXED}, S6LOG_KERNEL=kernel) == alone.out


@pytest.mark.parametrize("number", STREAMS)
def test_objects_are_those_of_a_logger(
    ours: Program, tmp_path: Path, number: int
) -> None:
    """The very bytes that @json gives, but for the stream."""
    stage = Stage(tmp_path, env={"S6_SERVICE": "web"})
    alone = run(ours, ["-l0", "@json", "1"], MIXED, stage)
    wanted = alone.out.replace(b'"stream":"stdout"', b'"stream":"%b"' % STREAMS[number])
    out = shown(tmp_path, "json", {("web", number): MIXED})
    assert STAMP.sub(b"", out) == STAMP.sub(b"", wanted)
    assert len(STAMP.findall(out)) == len(out.splitlines())


def test_raw_lines_are_left_alone(tmp_path: Path) -> None:
    """Nothing is added but a missing end."""
    assert shown(tmp_path, "raw", {("web", 1): MIXED}) == reference(MIXED, 0)


def test_names_stand_in_a_column(tmp_path: Path) -> None:
    """As wide as the widest that was announced so far; none is made narrower again."""
    with Holder(tmp_path) as holder, Pipe() as out:
        (web,) = holder.open(("web", 1))
        with holder.showing("tag", out.write) as console:
            web.feed(b"one\n")
            assert os.read(out.read, 100) == b"web | one\n"
            (wide,) = holder.open(("d\u00e4tabase", 1))
            console.announce(("d\u00e4tabase", 1), wide.read)
            wide.feed(b"two\n")
            assert os.read(out.read, 100) == "d\u00e4tabase | two\n".encode()
            web.feed(b"three\n")
            assert os.read(out.read, 100) == b"web      | three\n"
            wide.end()
            settle(console.process)
            web.feed(b"four\n")
            assert os.read(out.read, 100) == b"web      | four\n"


def test_a_terminal_gets_colours(tmp_path: Path) -> None:
    """As with @tag; and names that would draw something do not."""
    with Holder(tmp_path) as holder, Terminal() as terminal:
        (pipe,) = holder.open(("w\x1beb", 1))
        with holder.showing("tag", terminal.fd, env={"TERM": "xterm"}):
            pipe.feed(b"a\n")
            terminal.wait_for("w?eb |\x1b[0m a\n")
            assert re.fullmatch(r"\x1b\[0;\d\dmw\?eb \|\x1b\[0m a\n", terminal.seen)
