"""The record in supervise/status, as s6 2.7 to 2.12 and 2.14 on have it. Pure.

35 bytes, big-endian: stamp (TAI64N, 12 bytes), readystamp (12), pid (8), wait
status of the last death of run (2), flags (1). s6 2.13 wrote 43 bytes, with the
pgid between pid and wait status: read, never written.
"""

from s6log.unix import tai64n

RECORD_BYTES = 35
LONG_RECORD_BYTES = 43  # s6 2.13.0.0 to 2.13.2.0
PAUSED, FINISHING, WANT_UP, READY = 1, 2, 4, 8


class Status:
    """What a supervisor says of its service.

    Stamps are nanoseconds since the epoch; `pid` is that of run, of finish while
    `finishing`, else 0; `wait_status` is as wait(2) gives it. `paused` with pid 0
    means: not started yet (since s6 2.14).
    """

    __slots__ = (
        "finishing",
        "paused",
        "pid",
        "ready",
        "ready_ns",
        "stamp_ns",
        "wait_status",
        "want_up",
    )

    def __init__(
        self, pid: int, stamp_ns: int, ready_ns: int, wait_status: int, flags: int
    ) -> None:
        self.pid = pid
        self.stamp_ns = stamp_ns
        self.ready_ns = ready_ns
        self.wait_status = wait_status
        self.paused = bool(flags & PAUSED)
        self.finishing = bool(flags & FINISHING)
        self.want_up = bool(flags & WANT_UP)
        self.ready = bool(flags & READY)

    @property
    def up(self) -> bool:
        """Whether run lives: finish does not count."""
        return self.pid != 0 and not self.finishing

    @property
    def started(self) -> bool:
        """Whether run was ever started by this supervisor."""
        return self.pid != 0 or not self.paused

    @property
    def flags(self) -> int:
        """The last byte of the record."""
        return (
            PAUSED * self.paused
            | FINISHING * self.finishing
            | WANT_UP * self.want_up
            | READY * self.ready
        )


def encode(status: Status) -> bytes:
    """Give the record of 35 bytes."""
    return b"".join(
        (
            stamp(status.stamp_ns),
            stamp(status.ready_ns),
            status.pid.to_bytes(8, "big"),
            status.wait_status.to_bytes(2, "big"),
            bytes((status.flags,)),
        )
    )


def decode(record: bytes) -> Status | None:
    """Read a record of 35 bytes, or of 43 and more as s6 2.13 wrote it.

    None when it is shorter.
    """
    if len(record) < RECORD_BYTES:
        return None
    rest = 40 if len(record) >= LONG_RECORD_BYTES else 32
    return Status(
        pid=int.from_bytes(record[24:32], "big"),
        stamp_ns=instant(record[:12]),
        ready_ns=instant(record[12:24]),
        wait_status=int.from_bytes(record[rest : rest + 2], "big"),
        flags=record[rest + 2],
    )


def stamp(unix_ns: int) -> bytes:
    """Give an instant as 12 bytes of TAI64N, not as text."""
    second, nanoseconds = divmod(unix_ns, tai64n.NANOSECONDS)
    label = tai64n.LABEL_EPOCH + tai64n.tai_second(second)
    return label.to_bytes(8, "big") + nanoseconds.to_bytes(4, "big")


def instant(stamp: bytes) -> int:
    """Give the nanoseconds since the epoch of 12 bytes of TAI64N."""
    tai = int.from_bytes(stamp[:8], "big") - tai64n.LABEL_EPOCH
    second, _leap = tai64n.unix_second(tai)
    return second * tai64n.NANOSECONDS + int.from_bytes(stamp[8:12], "big")
