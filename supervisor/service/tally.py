"""The records in supervise/death_tally: one of 14 bytes for each death. Pure.

12 bytes of TAI64N, the exit code (128 + signal for a signal), the signal or 0;
oldest first. s6 takes a file of another size for empty.
"""

from supervisor.service.status import instant, stamp

RECORD_BYTES = 14
MOST = 4096  # records, whatever max-death-tally says
DEFAULT_MOST = 100


class Death:
    """When run died (nanoseconds since the epoch), its exit code, its signal or 0."""

    __slots__ = ("code", "signal", "when_ns")

    def __init__(self, when_ns: int, code: int, signal: int) -> None:
        self.when_ns = when_ns
        self.code = code
        self.signal = signal


def encode(death: Death) -> bytes:
    """Give the record of one death."""
    return stamp(death.when_ns) + bytes((death.code, death.signal))


def decode(tally: bytes) -> list[Death]:
    """Read all records, oldest first; none when the size is not a multiple of 14."""
    if len(tally) % RECORD_BYTES:
        return []
    return [
        Death(instant(tally[at : at + 12]), tally[at + 12], tally[at + 13])
        for at in range(0, len(tally), RECORD_BYTES)
    ]


def of_status(when_ns: int, wait_status: int) -> Death:
    """Give the death that a wait status tells of."""
    signal = wait_status & 0x7F
    return Death(when_ns, 128 + signal if signal else wait_status >> 8 & 0xFF, signal)


def add(tally: bytes, death: Death, most: int) -> bytes:
    """Append a death and keep the newest `most`; 0 leaves the tally as it is."""
    if most == 0:
        return tally
    kept = tally if len(tally) % RECORD_BYTES == 0 else b""
    return (kept + encode(death))[-RECORD_BYTES * min(most, MOST) :]
