"""s6-tai64n: put a TAI64N stamp and a space before each line."""

import time

from s6log.filters.lines import answered, read_lines, write
from s6log.stream.stamps import tai64n
from s6log.unix.messages import DONE

SYNOPSIS = b"s6-tai64n"


def main(arguments: list[bytes]) -> int:
    """Run until stdin ends. Arguments are ignored, as the original does."""
    if not answered(arguments, SYNOPSIS):
        for block in read_lines():
            write(stamp(block, time.time_ns()))
    return DONE


def stamp(block: bytes, now_ns: int) -> bytes:
    """Stamp each line of a block that is not empty; the result ends in LF.

    `now_ns` is in nanoseconds since the epoch. A last line without LF gets one.
    """
    before = tai64n(now_ns) + b" "
    lines = block.removesuffix(b"\n")
    return before + lines.replace(b"\n", b"\n" + before) + b"\n"
