"""s6-tai64nlocal: turn the TAI64N stamp at the start of a line into a date.

The work is one split and one join per block, with the distinct seconds in between.
That takes 1.5 times the CPU time of the C program where many lines share a second
(a call per line: 2 times), and 5 times where every line has a second of its own.
"""

import re
import struct
import time

from s6log.filters.lines import answered, read_lines, write
from s6log.stream.stamps import Iso
from s6log.unix.messages import DONE, Messages
from s6log.unix.tai64n import EPOCH_OFFSET, LABEL_BYTES, LABEL_EPOCH, NANOSECONDS

SYNOPSIS = b"s6-tai64nlocal [ -g ]"
NANO_DIGITS = 9

# The line end before it is a part, because a search for a fixed string is quick
# and one for `^` is not. So a block gets one more LF in front.
STAMP = re.compile(rb"\n@([0-9a-fA-F]{16})([0-9a-fA-F]{8})")


def main(arguments: list[bytes]) -> int:
    """Run until stdin ends."""
    if answered(arguments, SYNOPSIS):
        return DONE
    gmt = wants_gmt(arguments)
    if gmt is None:
        return Messages(b"s6-tai64nlocal").usage(SYNOPSIS)
    iso = Iso(time.gmtime if gmt else time.localtime)
    for block in read_lines():
        # A stamp alone, without even a line end, is not taken for one.
        if len(block) > LABEL_BYTES:
            write(translate(b"\n" + block, iso), 1)
        else:
            write(block)
    return DONE


def wants_gmt(arguments: list[bytes]) -> bool | None:
    """Tell whether `-g` is given; None when there is an unknown option."""
    gmt = False
    for word in arguments:
        if word in (b"-", b"--") or not word.startswith(b"-"):
            break
        if word.rstrip(b"g") != b"-":
            return None
        gmt = True
    return gmt


def translate(block: bytes, iso: Iso) -> bytes:
    """Translate the stamps behind the line ends of `block`, which begins with LF."""
    parts = STAMP.split(block)
    # parts: text, then for each stamp its seconds, its nanoseconds, more text.
    seconds = parts[1::3]
    dates = {digits: date_of(digits, iso) for digits in set(seconds)}
    nanoseconds = struct.unpack(
        f">{len(seconds)}I", bytes.fromhex(b"".join(parts[2::3]).decode())
    )
    if None in dates.values() or max(nanoseconds, default=0) >= NANOSECONDS:
        return translate_each(block, iso)
    parts[1::3] = map(dates.get, seconds)
    parts[2::3] = (b"%09d " * len(nanoseconds) % nanoseconds).split()
    return b"".join(parts)


def translate_each(block: bytes, iso: Iso) -> bytes:
    """Do what `translate` does, stamp by stamp, also where some are odd.

    Seconds that have no date stay as they are; of nanoseconds beyond a second
    the first nine digits are written.
    """

    def text(stamp: re.Match[bytes]) -> bytes:
        date = date_of(stamp[1], iso)
        if date is None:
            return stamp[0]
        return date + (b"%09d" % int(stamp[2], 16))[:NANO_DIGITS]

    return STAMP.sub(text, block)


def date_of(digits: bytes, iso: Iso) -> bytes | None:
    """Give LF, date, time and point for the seconds of a label; None if there is none.

    There is none before 1970, nor where the C library cannot represent the year.
    """
    tai_second = int(digits, 16) - LABEL_EPOCH
    if tai_second < EPOCH_OFFSET:
        return None
    try:
        return b"\n" + iso.second(tai_second) + b"."
    except (OverflowError, OSError):
        return None
