"""The record in supervise/status, against bytes that the real programs wrote."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s6log.unix.tai64n import LEAP_SECONDS, NANOSECONDS
from supervisor.service.status import (
    FINISHING,
    LONG_RECORD_BYTES,
    PAUSED,
    READY,
    RECORD_BYTES,
    WANT_UP,
    Status,
    decode,
    encode,
    instant,
    stamp,
)

INSTANTS_NS = st.integers(-(1 << 60), 1 << 66)
STATUSES = st.builds(
    Status,
    pid=st.integers(0, (1 << 64) - 1),
    stamp_ns=INSTANTS_NS,
    ready_ns=INSTANTS_NS,
    wait_status=st.integers(0, 0xFFFF),
    flags=st.integers(0, 15),
)


@dataclass(frozen=True)
class Recorded:
    """A record that s6-supervise wrote, and what its service was doing then."""

    record: str
    pid: int
    wait_status: int
    flags: int
    up: bool
    started: bool = True


# By s6-supervise 2.11.3.2 and 2.15.1.0: stamp, readystamp, pid, wait status, flags.
START = "400000006b022eb02534cba5"
WRITTEN = {
    "2.11, not started": Recorded(
        START + START + "0000000000000000000008", 0, 0, READY, up=False
    ),
    "2.15, not started": Recorded(
        "400000006b022eb231dd2941" * 2 + "0000000000000000000009",
        0,
        0,
        PAUSED | READY,
        up=False,
        started=False,
    ),
    "finishing after exit 3": Recorded(
        "400000006b022eb037860e92" + START + "0000000000007a62030002",
        31330,
        3 << 8,
        FINISHING,
        up=False,
    ),
    "down after exit 3": Recorded(
        "400000006b022eb037860e92400000006b022eb119f8633d0000000000000000030008",
        0,
        3 << 8,
        READY,
        up=False,
    ),
    "up and ready": Recorded(
        "400000006b022eb12b63ff90400000006b022eb12b8e5ea40000000000007a6303000c",
        31331,
        3 << 8,
        WANT_UP | READY,
        up=True,
    ),
    "up and paused": Recorded(
        "400000006b022eb12b63ff90400000006b022eb12b8e5ea40000000000007a6303000d",
        31331,
        3 << 8,
        PAUSED | WANT_UP | READY,
        up=True,
    ),
    "down after SIGTERM": Recorded(
        "400000006b022eb201cc7cbd400000006b022eb21ff1128c0000000000000000000f08",
        0,
        15,
        READY,
        up=False,
    ),
}


@pytest.mark.parametrize("written", WRITTEN.values(), ids=WRITTEN.keys())
def test_what_s6_wrote_is_read_as_it_meant_it(written: Recorded) -> None:
    """And written again, it is the same 35 bytes."""
    status = decode(bytes.fromhex(written.record))
    assert status is not None
    assert (status.pid, status.wait_status) == (written.pid, written.wait_status)
    assert status.flags == written.flags
    assert (status.up, status.started) == (written.up, written.started)
    assert encode(status).hex() == written.record


def test_a_stamp_is_the_wall_clock() -> None:
    """The first record above was written when the clock showed this."""
    status = decode(bytes.fromhex(WRITTEN["2.11, not started"].record))
    assert status is not None
    assert status.stamp_ns == status.ready_ns == 1795305099_624_216_997


@given(STATUSES)
def test_a_record_can_be_read_back(status: Status) -> None:
    """All fields come back, and the record is 35 bytes long."""
    record = encode(status)
    assert len(record) == RECORD_BYTES == 35
    again = decode(record)
    assert again is not None
    assert fields(again) == fields(status)


@given(STATUSES, st.binary(max_size=7))
def test_bytes_after_a_record_do_not_matter(status: Status, more: bytes) -> None:
    """As long as there are too few of them for the record of s6 2.13."""
    again = decode(encode(status) + more)
    assert again is not None
    assert fields(again) == fields(status)


@given(STATUSES, st.binary(min_size=8, max_size=8), st.binary(max_size=9))
def test_the_longer_record_of_s6_2_13_is_read_too(
    status: Status, pgid: bytes, more: bytes
) -> None:
    """It has the pgid, which nobody needs, after the pid."""
    record = encode(status)
    longer = record[:32] + pgid + record[32:]
    assert len(longer) == LONG_RECORD_BYTES == 43
    again = decode(longer + more)
    assert again is not None
    assert fields(again) == fields(status)


@given(st.binary(max_size=RECORD_BYTES - 1))
def test_a_short_record_is_none(record: bytes) -> None:
    """Also an empty one."""
    assert decode(record) is None


@given(st.binary(min_size=RECORD_BYTES, max_size=64))
def test_any_bytes_can_be_read(record: bytes) -> None:
    """Whoever wrote them, and unused flags are as if they were not there."""
    status = decode(record)
    assert status is not None
    assert status.flags <= PAUSED | FINISHING | WANT_UP | READY


@given(INSTANTS_NS)
def test_a_stamp_can_be_read_back(instant_ns: int) -> None:
    """It has 12 bytes, and to the nanosecond the same instant."""
    assert len(stamp(instant_ns)) == 12
    assert instant(stamp(instant_ns)) == instant_ns


@pytest.mark.parametrize("leap", LEAP_SECONDS)
def test_a_stamp_in_a_leap_second_is_the_second_before_it(leap: int) -> None:
    """Unix time has no number of its own for it."""
    before = stamp((leap - 1) * NANOSECONDS)
    within = (int.from_bytes(before, "big") + (1 << 32)).to_bytes(12, "big")
    assert instant(within) == instant(before)


def fields(status: Status) -> list[object]:
    """List what a status consists of."""
    return [getattr(status, name) for name in Status.__slots__]
