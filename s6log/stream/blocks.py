"""From chunks as they are read to blocks of whole lines. Pure.

A line ends at LF or NUL (skarnet.org's s6-log, both versions), and at the line
limit where one more byte follows. A block is whole lines, each ended by LF.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    Data = bytes | bytearray

UNLIMITED = 0


def translate_nuls(buffer: bytearray, start: int, end: int) -> None:
    """Turn the NULs among buffer[start:end] into LFs, in place."""
    buffer[start:end] = buffer[start:end].replace(b"\0", b"\n")


def has_longer(data: "Data", end: int, limit: int) -> bool:
    """Tell whether a line in data[:end] has more than `limit` bytes before its LF.

    Hops from LF to LF, each as far as the limit allows: the number of steps
    depends on the limit, not on the number of lines. What follows the last LF
    counts as a line too.
    """
    start = 0
    while end - start > limit:
        last = data.rfind(b"\n", start, start + limit + 1)
        if last < 0:
            return True
        start = last + 1
    return False


def cut(
    buffer: bytearray, scanned: int, filled: int, limit: int
) -> tuple["Data", int, int]:
    """Cut the whole lines out of buffer[:filled].

    `scanned` bytes at its start are known to hold no separator. Returns
    (data, end, used): data[:end] is the block, which may be empty, and `used`
    is how many bytes of the buffer went into it; the rest is an unfinished line
    of at most `limit` bytes. `data` is the buffer itself unless a line had to be
    split, so the block is valid until the buffer is filled again.
    """
    if buffer.find(0, scanned, filled) >= 0:
        translate_nuls(buffer, scanned, filled)
    end = buffer.rfind(b"\n", scanned, filled) + 1
    if limit and filled > limit and has_longer(buffer, filled, limit):
        return _split(buffer, end, filled, limit)
    return buffer, end, end


def _split(
    buffer: bytearray, whole: int, filled: int, limit: int
) -> tuple["Data", int, int]:
    """Cut with an LF after each `limit` bytes of a longer line.

    `limit` bytes followed by a separator are one line; the piece is given out
    only when one byte more has been seen, however the input arrived.
    """
    view = memoryview(buffer)
    pieces: list[bytes | memoryview] = []
    start = 0  # of what no piece covers yet
    line = 0  # of the line looked at
    while filled - line > limit:
        last = buffer.rfind(b"\n", line, line + limit + 1)
        if last >= 0:
            line = last + 1
            continue
        line += limit
        pieces += (view[start:line], b"\n")
        start = line
    used = max(line, whole)
    pieces.append(view[start:used])
    data = b"".join(pieces)
    return data, len(data), used
