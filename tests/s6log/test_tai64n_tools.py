"""s6-tai64n and s6-tai64nlocal, side by side with the real ones where installed."""

import os
import random
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import harness
from harness import Outcome, Stage
from s6log.filters.localtime import translate, translate_each
from s6log.filters.stamp import stamp
from s6log.stream.stamps import Iso, tai64n
from s6log.unix.tai64n import LABEL_BYTES, NANOSECONDS, unix_ns

TOOLS = ["s6-tai64n", "s6-tai64nlocal"]
HUGE = b"x" * (3 << 20)

# Each label is followed by something; expectations were recorded with the real
# s6-tai64nlocal 2.11 and TZ=UTC.
TRANSLATED = [
    (b"@400000000000000900000001 x\n", b"@400000000000000900000001 x\n"),
    (b"@400000000000000a00000001 x\n", b"1970-01-01 00:00:00.000000001 x\n"),
    (b"@4000000004b2580a00000001\n", b"1972-06-30 23:59:60.000000001\n"),
    (b"@40000000586846a400000001x\n", b"2016-12-31 23:59:60.000000001x\n"),
    (b"@40000000586846A5aBcDeF01\0\n", b"2017-01-01 00:00:00.288240000\0\n"),
    (b"@40000000586846a53b9ac9ff x\n", b"2017-01-01 00:00:00.999999999 x\n"),
    (b"@40000000586846a53b9aca00 x\n", b"2017-01-01 00:00:00.100000000 x\n"),
    (b"@40000000586846a5ffffffff x\n", b"2017-01-01 00:00:00.429496729 x\n"),
    (b"@4000003afff441a500000001 x\n", b"10000-01-01 00:00:00.000000001 x\n"),
    (b"@40f000000000000000000001 x\n", b"2140702833-12-19 09:03:23.000000001 x\n"),
    (b"@7fffffffffffffff00000001 x\n", b"@7fffffffffffffff00000001 x\n"),
    (b"@ffffffffffffffff00000001 x\n", b"@ffffffffffffffff00000001 x\n"),
    (b"@00000000586846a500000001 x\n", b"@00000000586846a500000001 x\n"),
    (b"@40000000586846a50000001g x\n", b"@40000000586846a50000001g x\n"),
    (b" @40000000586846a500000001\n", b" @40000000586846a500000001\n"),
    (b"@@40000000586846a500000001\n", b"@@40000000586846a500000001\n"),
    (b"@40000000586846a50000\n", b"@40000000586846a50000\n"),
    (b"\n\n", b"\n\n"),
]
ENDINGS = [
    (b"@40000000586846a500000001", b"@40000000586846a500000001"),
    (b"@40000000586846a500000001x", b"2017-01-01 00:00:00.000000001x"),
    (b"a\n@40000000586846a500000001", b"a\n@40000000586846a500000001"),
    (b"", b""),
]
SECONDS_DIGITS = [b"40000000586846a4", b"40000000586846A5", b"40000000596a48a5"]
ODD_DIGITS = [b"4000000000000009", b"7fffffffffffffff", b"0000000000000000"]
LINES = st.lists(
    st.one_of(
        st.builds(
            b"@%b%08x%b\n".__mod__,
            st.tuples(
                st.sampled_from(SECONDS_DIGITS * 3 + ODD_DIGITS),
                st.one_of(st.integers(0, NANOSECONDS - 1), st.integers(0, 0xFFFFFFFF)),
                st.sampled_from([b"", b" x", b"@", b"\0", b" @40000000596a48a5"]),
            ),
        ),
        st.binary(max_size=40).map(lambda text: text.replace(b"\n", b"@") + b"\n"),
    ),
    max_size=12,
)


def both(tool: str, arguments: list[str], data: bytes, stage: Stage) -> list[Outcome]:
    """Run our tool and the real one on the same input."""
    programs = (harness.ours(tool), harness.oracle(tool))
    return [harness.run(program, arguments, data, stage) for program in programs]


def random_lines(seed: int) -> bytes:
    """Make lines of any bytes, labels that are nearly right, and right ones."""
    dice = random.Random(seed)
    lines = []
    for _ in range(400):
        label = bytearray(tai64n(dice.randrange(-(1 << 58), 1 << 62)))
        for _ in range(dice.choice([0, 0, 0, 1, 2])):
            label[dice.randrange(LABEL_BYTES)] = dice.randrange(256)
        cut = dice.choice([LABEL_BYTES, LABEL_BYTES, dice.randrange(LABEL_BYTES)])
        lines.append(bytes(label[:cut]) + dice.randbytes(dice.randrange(4)))
    return b"\n".join(lines)


@pytest.mark.parametrize(("line", "expected"), TRANSLATED)
def test_a_line_is_translated_as_recorded(
    line: bytes, expected: bytes, tmp_path: Path
) -> None:
    """A stamp becomes a date only at the start of a line, and when it has one."""
    outcome = harness.run(harness.ours("s6-tai64nlocal"), [], line, Stage(cwd=tmp_path))
    assert outcome == Outcome(0, expected, b"")


@pytest.mark.parametrize(("data", "expected"), ENDINGS)
def test_a_last_line_without_line_end_stays_so(
    data: bytes, expected: bytes, tmp_path: Path
) -> None:
    """It is translated when there is anything behind its stamp."""
    outcome = harness.run(harness.ours("s6-tai64nlocal"), [], data, Stage(cwd=tmp_path))
    assert outcome == Outcome(0, expected, b"")


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "right/UTC", "X-01:02:03"])
@pytest.mark.parametrize("arguments", [[], ["-g"], ["-gg", "x"], ["--", "-x"], ["-"]])
def test_dates_are_those_of_the_real_program(
    zone: str, arguments: list[str], tmp_path: Path
) -> None:
    """Random labels, right and damaged, in several zones, with every option."""
    data = b"".join(line for line, _ in TRANSLATED) + random_lines(len(zone))
    stage = Stage(cwd=tmp_path, env={"TZ": zone})
    ours, real = both("s6-tai64nlocal", arguments, data, stage)
    assert ours == real


@given(LINES)
def test_the_quick_way_does_what_the_plain_one_does(lines: list[bytes]) -> None:
    """A whole block gives the same as each of its stamps handled alone."""
    block = b"\n" + b"".join(lines)
    iso = Iso(time.gmtime)
    assert translate(block, iso) == translate_each(block, Iso(time.gmtime))


@given(LINES, st.integers(0, 12))
def test_blocks_may_be_cut_at_any_line(lines: list[bytes], cut: int) -> None:
    """The same lines in two blocks give the same bytes as in one."""
    iso = Iso(time.gmtime)
    pieces = [b"".join(lines[:cut]), b"".join(lines[cut:])]
    whole = translate(b"\n" + b"".join(pieces), iso)
    assert (
        b"\n" + b"".join(translate(b"\n" + part, iso)[1:] for part in pieces) == whole
    )


@given(st.binary(min_size=1), st.integers(0, 1 << 62))
def test_every_line_gets_the_stamp_of_its_block(block: bytes, now_ns: int) -> None:
    """Stamp, space, the line unchanged; a missing last line end is added."""
    before = tai64n(now_ns) + b" "
    lines = block.removesuffix(b"\n").split(b"\n")
    assert stamp(block, now_ns) == b"".join(before + line + b"\n" for line in lines)


@pytest.mark.parametrize(
    "data",
    [b"", b"\n", b"a\0b\n\r\n\xff\nend", random_lines(1), HUGE + b"\nx\n" + HUGE],
)
def test_stamped_lines_are_those_of_the_real_program(
    data: bytes, tmp_path: Path
) -> None:
    """Any bytes and any length; only the digits of the stamps differ."""
    outcomes = both("s6-tai64n", ["-x", "ignored"], data, Stage(cwd=tmp_path))
    bare = []
    for outcome in outcomes:
        assert (outcome.code, outcome.err) == (0, b"")
        lines = outcome.out.split(b"\n")
        assert lines.pop() == b""
        assert all(unix_ns(line[:LABEL_BYTES]) is not None for line in lines)
        bare.append([line[LABEL_BYTES:] for line in lines])
    assert bare[0] == bare[1]


def test_stamps_are_of_now(tmp_path: Path) -> None:
    """The stamp lies between the start of the program and its end."""
    before_ns = time.time_ns()
    outcome = harness.run(harness.ours("s6-tai64n"), [], b"a\n", Stage(cwd=tmp_path))
    stamped_ns = unix_ns(outcome.out[:LABEL_BYTES])
    assert stamped_ns is not None
    assert before_ns <= stamped_ns <= time.time_ns() + NANOSECONDS


@pytest.mark.parametrize("tool", TOOLS)
def test_what_came_is_out_before_more_is_waited_for(tool: str, tmp_path: Path) -> None:
    """A finished line leaves at once; an unfinished one when it is finished."""
    with (
        harness.Pipe() as source,
        harness.Pipe() as sink,
        harness.running(
            harness.ours(tool),
            [],
            Stage(cwd=tmp_path, stdin=source.read, stdout=sink.write),
        ) as process,
    ):
        source.feed(b"one\ntw")
        assert read_line(sink.read).endswith(b"one\n")
        source.feed(b"o\n")
        assert read_line(sink.read).endswith(b"two\n")
        source.end()
        assert process.wait(harness.DEADLINE_S) == 0


def read_line(fd: int) -> bytes:
    """Read up to and including the next LF."""
    line = b""
    while not line.endswith(b"\n"):
        piece = os.read(fd, 1)
        assert piece, "the program ended early"
        line += piece
    return line


@pytest.mark.parametrize("tool", TOOLS)
def test_closed_stdin_is_said_as_the_real_program_does(
    tool: str, tmp_path: Path
) -> None:
    """Exit 111 and the system's reason."""
    ours = sh(harness.ours(tool), "<&-", tmp_path)
    assert ours == sh(harness.oracle(tool), "<&-", tmp_path)
    assert ours.code == 111


def sh(program: harness.Program, redirection: str, cwd: Path) -> Outcome:
    """Run a program with a redirection that only a shell can make."""
    command = ["sh", "-c", f'exec "$@" {redirection}', "sh", *program.argv]
    ended = subprocess.run(command, cwd=cwd, capture_output=True, check=False)
    return Outcome(ended.returncode, ended.stdout, ended.stderr)


@pytest.mark.parametrize("tool", TOOLS)
def test_a_full_disk_is_said(tool: str, tmp_path: Path) -> None:
    """Exit 111; the real program blames stdin, as its last write is in a read."""
    with Path("/dev/full").open("wb") as full:
        stage = Stage(cwd=tmp_path, stdout=full.fileno())
        outcome = harness.run(harness.ours(tool), [], b"a\n", stage)
    reason = b"unable to write to stdout: No space left on device\n"
    assert outcome.code == 111
    assert outcome.err == tool.encode() + b": fatal: " + reason


@pytest.mark.parametrize("arguments", [["-x"], ["-gx"], ["-g", "-h"], ["--help", "x"]])
def test_a_bad_option_is_answered_with_the_usage(
    arguments: list[str], tmp_path: Path
) -> None:
    """The line and the exit code of the real s6-tai64nlocal."""
    ours, real = both("s6-tai64nlocal", arguments, b"", Stage(cwd=tmp_path))
    assert ours == real
    assert ours.code == 100


@pytest.mark.parametrize("tool", TOOLS)
def test_help_and_version_are_answered(tool: str, tmp_path: Path) -> None:
    """On top of what the originals take, and only when they are all there is."""
    stage = Stage(cwd=tmp_path)
    shown = harness.run(harness.ours(tool), ["--help"], b"", stage)
    assert (shown.code, shown.err) == (0, b"")
    assert shown.out.startswith(b"usage: " + tool.encode())
    version = harness.run(harness.ours(tool), ["--version"], b"", stage)
    assert version.out.startswith(tool.encode() + b" (s6log) ")
