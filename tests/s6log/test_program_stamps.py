"""Times: before lines and in the names of archives."""

import re
import time
from pathlib import Path

import pytest

import harness
from harness import Pipe, Program, Stage, finish, run, running
from numbered import lines
from trees import archives
from watching import settle

LABEL_OF_1970 = (1 << 62) + 37
"""The TAI64 label of the Unix epoch's second, with all leap seconds to this day."""

HALF_MICROSECOND_NS = 500
STAMPED = re.compile(rb"@([0-9a-f]{16})([0-9a-f]{8}) (.*)")
ZONES = ["UTC", "Asia/Kathmandu", "America/St_Johns", "<+0330>-3:30", "EST5EDT", ""]


def nanoseconds(stamp: bytes) -> int:
    """Decode a TAI64N stamp of these days to nanoseconds since the epoch."""
    match = STAMPED.match(stamp + b" ")
    assert match is not None
    seconds = int(match[1], 16) - LABEL_OF_1970
    return seconds * 1_000_000_000 + int(match[2], 16)


def test_stamps_tell_when_lines_were_read(ours: Program, tmp_path: Path) -> None:
    """A stamp lies between the writing of its line and its coming out, in order."""
    with Pipe() as pipe:
        stage = Stage(tmp_path, stdin=pipe.read)
        moments = []
        with running(ours, ["t", "./d"], stage) as process:
            for number in range(20):
                begin = time.time_ns()
                pipe.feed(lines(number, number + 1))
                settle(process)
                moments.append((begin, time.time_ns() + HALF_MICROSECOND_NS))
            pipe.end()
            finish(process)
    stamped = (tmp_path / "d" / "current").read_bytes().splitlines()
    stamps = [nanoseconds(line[:25]) for line in stamped]
    assert stamps == sorted(stamps)
    for stamp, (begin, end) in zip(stamps, moments, strict=True):
        assert begin <= stamp <= end


@pytest.mark.parametrize("zone", ZONES)
def test_both_forms_tell_the_same_time(
    ours: Program, zone: str, tmp_path: Path
) -> None:
    """What `T` writes is what s6-tai64nlocal makes of what `t` writes."""
    translator = harness.oracle("s6-tai64nlocal")
    stage = Stage(tmp_path, env={"TZ": zone} if zone else {})
    both = run(ours, ["t", "T", "1"], b"line\n", stage).out
    stamp, written = both[:25], both[26:-1]
    translated = run(translator, [], stamp + b"  line\n", stage).out
    assert written + b"\n" == translated


def test_all_outputs_share_the_stamp(ours: Program, tmp_path: Path) -> None:
    """One line has one time, wherever it goes."""
    script = ["t", "1", "t", "2", "t", "./d", "t", "^0", "=status"]
    ending = run(ours, script, b"line\n", Stage(tmp_path))
    assert STAMPED.match(ending.out)
    assert ending.err == b"s6-log: alert: " + ending.out
    assert (tmp_path / "d" / "current").read_bytes() == ending.out
    assert (tmp_path / "status").read_bytes() == ending.out


def test_archive_names_are_not_before_their_lines(
    ours: Program, tmp_path: Path
) -> None:
    """An archive is named after its last line was stamped, each later than the last."""
    script = ["t", "n999", "s4096", "l2048", "./d"]
    data = lines(0, 3000)
    assert run(ours, script, data, Stage(tmp_path)).code == 0
    found = archives(tmp_path / "d")
    assert len(found) > 50
    for path in found:
        last = path.read_bytes().splitlines()[-1]
        assert path.name[:25].encode() >= last[:25]


def test_archives_from_the_future_do_not_displace_new_ones(
    ours: Program, tmp_path: Path
) -> None:
    """After the clock was set back, new archives are still the newest ones."""
    logdir = tmp_path / "d"
    logdir.mkdir()
    for number in range(3):
        (logdir / f"@4fffffff00000000{number:08x}.s").write_bytes(b"future\n")
    script = ["n3", "l49152", "s4096", "./d"]
    ending = run(ours, script, b"", Stage(tmp_path))
    assert ending.code == 0
    with Pipe() as pipe:
        stage = Stage(tmp_path, stdin=pipe.read)
        with running(ours, script, stage) as process:
            for number in range(3):
                pipe.feed(lines(number, number + 1))
                settle(process)
                newest = archives(logdir)[-1]
                assert newest.read_bytes() == lines(number, number + 1)
            pipe.end()
            assert finish(process).code == 0
    assert len(archives(logdir)) == 3
    assert b"".join(path.read_bytes() for path in archives(logdir)) == lines(0, 3)
