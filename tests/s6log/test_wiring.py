"""All outputs of one logger: opened, asked together, closed in order."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from inside import Desk, batch_of, files_up_to, script_of, settle
from s6log.script.model import BUFFER_BYTES
from s6log.unix.loop import Loop
from s6log.unix.messages import MISTAKE, REFUSED, Fatal, to_stderr
from s6log.wiring import Outputs
from trees import archives, logged

MOST = 1 << 20


@pytest.fixture
def desk(loop: Loop, tmp_path: Path) -> Iterator[Desk]:
    """Prepare a folder for outputs."""
    with Desk(loop, tmp_path) as made:
        yield made


def outputs_of(desk: Desk, script: str) -> Outputs:
    """Open the outputs of a script, split at blanks."""
    outputs = Outputs(desk.context, script_of(*script.split(" ")))
    desk.hear()
    return outputs


def test_every_output_gets_its_lines(
    desk: Desk, capfd: pytest.CaptureFixture[str]
) -> None:
    """Whatever kind it is."""
    outputs = outputs_of(desk, "p1 1 p2 2 ^0 p3 =status p4 ./d")
    outputs.deliver(batch_of(b"a\nb\n"))
    outputs.finish(None)
    outputs.close()
    assert capfd.readouterr() == (
        "1 a\n1 b\n",
        "s6-log: alert: 2 a\ns6-log: alert: 2 b\n",
    )
    assert (desk.folder / "status").read_bytes() == b"3 b\n"
    assert logged(desk.folder / "d") == b"4 a\n4 b\n"


def test_all_directories_are_rotated_and_ended(desk: Desk) -> None:
    """Each in order."""
    outputs = outputs_of(desk, "./d ./e")
    outputs.deliver(batch_of(b"a\n"))
    outputs.rotate()
    assert not outputs.closed
    outputs.finish(None)
    assert outputs.closed
    outputs.rotate()
    for name in ("d", "e"):
        assert len(archives(desk.folder / name)) == 1
        assert (desk.folder / name / "current").stat().st_mode & 0o100


def test_one_output_that_waits_makes_all_busy(desk: Desk) -> None:
    """And is found by what waits for it."""
    outputs = outputs_of(desk, "r1 ./d ./e")
    assert not outputs.busy
    with files_up_to(3):
        outputs.deliver(batch_of(b"abc\n"))
        assert outputs.busy
        (desk.folder / "e" / "current").unlink()
    assert outputs.fullest().outbox.size == 1
    while outputs.busy:
        desk.loop.turn()
    assert logged(desk.folder / "d") == b"abc\n"


@pytest.mark.parametrize(
    ("script", "growth"),
    [
        ("./d", 1),
        ("pabc ./d", 5),
        ("t ./d", 27),
        ("t T p12345678 ./d", 1 + 26 + 31 + 9),
        ("1 pab 1", 1 + 4),
        ("2", 1 + len("s6-log: alert: ")),
        ("pa 2 2", 2 * (1 + 2 + len("s6-log: alert: "))),
        ("./d pabcd ./e", 6),
    ],
)
def test_there_is_room_for_the_smallest_lines(
    desk: Desk, script: str, growth: int
) -> None:
    """Each byte of input may become a record of an empty line."""
    outputs = outputs_of(desk, script)
    assert outputs.room(1 << 30) == BUFFER_BYTES // growth
    outputs.finish(None)
    outputs.close()


def test_room_shrinks_with_what_waits(desk: Desk) -> None:
    """The limit is one of all that is kept."""
    outputs = outputs_of(desk, "r2147483647 ./d")
    block = b"x" * (1 << 20) + b"\n"
    with files_up_to(0):
        outputs.deliver(batch_of(block))
        settle(desk.loop)
    assert outputs.room(1 << 30) == BUFFER_BYTES - len(block)


def test_a_status_file_holds_nothing_up(desk: Desk) -> None:
    """It has no part in the limit."""
    outputs = outputs_of(desk, "=status")
    assert outputs.room(MOST) == MOST
    assert not outputs.busy
    assert outputs.closed


def test_messages_go_where_alerts_go(
    desk: Desk, capfd: pytest.CaptureFixture[str]
) -> None:
    """Between whole lines; after the end, straight to stderr again."""
    outputs = Outputs(desk.context, script_of("2", "./d"))
    outputs.deliver(batch_of(b"a\n"))
    desk.context.messages.warn(b"what")
    outputs.finish(None)
    outputs.close()
    assert desk.context.messages.write is to_stderr
    assert capfd.readouterr().err == "s6-log: alert: a\ns6-log: warning: what\n"


@pytest.mark.parametrize(
    ("script", "code"), [("./d ./e ./d", MISTAKE), ("./d ./no/such", REFUSED)]
)
def test_a_directory_that_cannot_be_used_ends_it(
    desk: Desk, script: str, code: int
) -> None:
    """The ones before it have been opened (s6-log)."""
    with pytest.raises(Fatal) as caught:
        outputs_of(desk, script)
    assert caught.value.code == code
    assert (desk.folder / "d" / "current").exists()
