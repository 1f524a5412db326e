"""TAI64N labels, as s6 writes them. Pure: no imports, no clock.

A label is `@`, 16 hex digits of seconds (2^62 plus TAI seconds) and 8 of
nanoseconds, lower case: 25 bytes. TAI seconds here count from 1970-01-01
00:00:00 TAI, so that Unix time 0 is TAI second 10, and leap seconds count too.
Format: https://cr.yp.to/libtai/tai64.html; table and rounding: skalibs. DJB's own
tools ignore leap seconds: a label of multilog is 27 seconds behind ours.
"""

LABEL_BYTES = 25
NANOSECONDS = 1_000_000_000
ROUNDING_NS = 500
"""What s6 adds to each clock reading before it makes a stamp of it."""

LABEL_EPOCH = 1 << 62
EPOCH_OFFSET = 10  # TAI - UTC when Unix time began, by convention

# Unix seconds from which one more leap second counts (IERS Bulletin C). Compiled
# in, as in skalibs: labels of one machine must not change with its tzdata.
LEAP_SECONDS = (
    78796800,
    94694400,
    126230400,
    157766400,
    189302400,
    220924800,
    252460800,
    283996800,
    315532800,
    362793600,
    394329600,
    425865600,
    489024000,
    567993600,
    631152000,
    662688000,
    709948800,
    741484800,
    773020800,
    820454400,
    867715200,
    915148800,
    1136073600,
    1230768000,
    1341100800,
    1435708800,
    1483228800,
)
# (Unix second, TAI - UTC from then on), latest first: most stamps are of today.
_LEAPS = tuple(
    (leap, EPOCH_OFFSET + count) for count, leap in enumerate(LEAP_SECONDS, start=1)
)[::-1]


def tai_second(unix_second: int) -> int:
    """Give the TAI second of a Unix second (which never is a leap second)."""
    for leap, offset in _LEAPS:
        if unix_second >= leap:
            return unix_second + offset
    return unix_second + EPOCH_OFFSET


def unix_second(tai_second: int) -> tuple[int, bool]:
    """Give the Unix second of a TAI second, and whether it is a leap second.

    Unix time has no number for a leap second: (the second before, True).
    """
    for leap, offset in _LEAPS:
        if tai_second >= leap + offset:
            return tai_second - offset, False
        if tai_second == leap + offset - 1:
            return leap - 1, True
    return tai_second - EPOCH_OFFSET, False


def label(unix_ns: int) -> bytes:
    """Give the label of an instant in nanoseconds since the epoch, not rounded."""
    second, nanoseconds = divmod(unix_ns, NANOSECONDS)
    return b"@%016x%08x" % (LABEL_EPOCH + tai_second(second), nanoseconds)


def unix_ns(label: bytes) -> int | None:
    """Give the nanoseconds since the epoch of a label; None when it is not one.

    Digits may be of either case. A leap second counts as the second before it.
    """
    parts = parse(label)
    if parts is None or parts[1] >= NANOSECONDS:
        return None
    second, _leap = unix_second(parts[0])
    return second * NANOSECONDS + parts[1]


def parse(label: bytes) -> tuple[int, int] | None:
    """Split a label into TAI second (negative before 1970) and nanoseconds.

    None when it is not `@` and 24 hex digits. Nanoseconds may be out of range.
    """
    digits = label[1:]
    if len(label) != LABEL_BYTES or label[:1] != b"@" or not _are_hex(digits):
        return None
    return int(digits[:16], 16) - LABEL_EPOCH, int(digits[16:], 16)


def _are_hex(digits: bytes) -> bool:
    # int(x, 16) alone would take signs, blanks and underscores too.
    return not digits.translate(None, b"0123456789abcdefABCDEF")
