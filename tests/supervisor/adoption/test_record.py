"""The record by which a service is adopted, against its description."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.adoption.record import (
    FINISH,
    NO_INODE,
    RECORD_BYTES,
    RUN,
    Record,
    decode,
    encode,
)

PLACE = "0556bad1-7129-4b50-8d45-efa558d337dd/4026531836"
TEXT = f"""\
s6log process 1
state run
pid 1234
start 8391234
place {PLACE}
stdin 0:0
stdout 14:88123
notification 14:88124
wait 256
"""

numbers = st.integers(0, 2**63 - 1)
ints = st.integers(0, 2**31 - 1)
inodes = st.tuples(numbers, numbers)


@st.composite
def records(draw: st.DrawFn) -> Record:
    """Make any record that can be written."""
    record = Record(PLACE, draw(st.sampled_from([RUN, FINISH])))
    record.pid = draw(ints)
    record.start_ticks = draw(numbers)
    record.stdin = draw(inodes)
    record.stdout = draw(inodes)
    record.notification = draw(inodes)
    record.wait_status = draw(st.integers(0, 0xFFFF))
    return record


def fields(record: Record | None) -> dict[str, object]:
    """Give all that is in a record, by name."""
    return {name: getattr(record, name) for name in Record.__slots__}


def test_the_record_is_text_as_described() -> None:
    """A word and its value on each line, in this order."""
    record = Record(PLACE)
    record.pid = 1234
    record.start_ticks = 8391234
    record.stdout = (14, 88123)
    record.notification = (14, 88124)
    record.wait_status = 256
    assert encode(record).decode() == TEXT


def test_a_fresh_record_has_no_process_yet() -> None:
    """That is what is written before something is started."""
    record = Record(PLACE, FINISH)
    assert (record.state, record.pid, record.stdin) == ("finish", 0, NO_INODE)


@given(records())
def test_what_is_written_is_read_again(record: Record) -> None:
    """Each field comes back as it was."""
    assert fields(decode(encode(record))) == fields(record)


@given(records())
def test_any_record_fits_what_is_read_at_once(record: Record) -> None:
    """Whatever the numbers are."""
    assert len(encode(record)) <= RECORD_BYTES


@pytest.mark.parametrize("end", range(len(TEXT)))
def test_a_record_that_was_cut_is_none(end: int) -> None:
    """Also when the cut goes through the last number and leaves another."""
    assert decode(TEXT[:end].encode()) is None


@given(st.binary())
def test_garbage_is_no_record(content: bytes) -> None:
    """Nor is garbage behind the right first line."""
    assert decode(content) is None
    assert decode(b"s6log process 1\n" + content) is None


@given(st.binary(), st.integers(0, len(TEXT)), st.integers(0, 20))
def test_a_damaged_record_is_read_or_refused(
    piece: bytes, start: int, length: int
) -> None:
    """Nothing in it makes the reader fail, and what it accepts can be written."""
    content = TEXT.encode()
    record = decode(content[:start] + piece + content[start + length :])
    if record is not None:
        assert fields(decode(encode(record))) == fields(record)


def test_later_words_are_passed_over() -> None:
    """A supervisor that has been downgraded still adopts."""
    later = TEXT + "color green\nempty\n"
    assert fields(decode(later.encode())) == fields(decode(TEXT.encode()))


@pytest.mark.parametrize("line", TEXT.splitlines())
def test_each_line_is_needed(line: str) -> None:
    """A record without one of them is none."""
    assert decode(TEXT.replace(line + "\n", "").encode()) is None


@pytest.mark.parametrize(
    ("line", "instead"),
    [
        ("s6log process 1", "s6log process 2"),
        ("state run", "state down"),
        ("pid 1234", "pid -1"),
        ("pid 1234", "pid 2147483648"),
        ("pid 1234", "pid 1_234"),
        ("pid 1234", "pid  1234"),
        ("start 8391234", "start"),
        ("start 8391234", "start 9223372036854775808"),
        ("stdout 14:88123", "stdout 14"),
        ("stdout 14:88123", "stdout 14:"),
        ("wait 256", "wait x"),
    ],
)
def test_a_line_that_makes_no_sense_is_refused(line: str, instead: str) -> None:
    """Better no adoption than that of a wrong process."""
    assert decode(TEXT.replace(line, instead).encode()) is None
