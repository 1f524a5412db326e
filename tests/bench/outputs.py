"""Whether two programs wrote the same, whatever their clocks and file sizes.

An output tree is what one run left in its directory: log directories, files.
Each becomes a stream: a log directory's archives in name order, then current.
Stamps have a fixed width, so two equal streams have them at the same offsets.
"""

import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

PIECE = 1 << 20
TAIL = 0.8  # the part two trimmed directories have in common, at least

# Both begin with a newline, not with `^`: a literal is searched for at the
# speed of memory, an assertion is tried at every byte.
TAI64N = re.compile(rb"\n@[0-9a-f]{24} ")
ISO = re.compile(rb"\n(@ )?\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{9}  ")


class Stream:
    """The files that hold one output, oldest first."""

    def __init__(self, files: list[Path]) -> None:
        self.files = files
        self.size_bytes = sum(file.stat().st_size for file in files)

    def pieces(self, skip: int) -> Iterator[bytes]:
        """Give the bytes from `skip` on in pieces of exactly PIECE, bar the last."""
        piece = bytearray()
        for file in self.files:
            size = file.stat().st_size
            with file.open("rb") as source:
                source.seek(min(skip, size))
                skip = max(0, skip - size)
                while got := source.read(PIECE - len(piece)):
                    piece += got
                    if len(piece) == PIECE:
                        yield bytes(piece)
                        piece.clear()
        yield bytes(piece)


def streams(tree: Path) -> dict[str, Stream]:
    """Find the outputs below a run's directory, by name."""
    found = {}
    for entry in tree.iterdir():
        if entry.is_dir():
            files = [*sorted(entry.glob("@*")), entry / "current"]
        else:
            files = [entry]
        found[entry.name] = Stream(files)
    return found


def difference(theirs: Path, ours: Path, trimmed: bool) -> str:
    """Say what differs between two output trees; nothing if nothing does."""
    if found := size_difference(theirs, ours, trimmed):
        return found
    left, right = streams(theirs), streams(ours)
    for name, stream in left.items():
        if not same_tail(stream, right[name]):
            return f"{name}: other bytes"
    return ""


def size_difference(theirs: Path, ours: Path, trimmed: bool) -> str:
    """Say which sizes differ: a look that costs nothing, after every run."""
    left, right = streams(theirs), streams(ours)
    if left.keys() != right.keys():
        return f"outputs {sorted(left)} and {sorted(right)}"
    for name, stream in left.items():
        sizes = sorted((stream.size_bytes, right[name].size_bytes))
        if sizes[0] < sizes[1] * (TAIL if trimmed else 1):
            return f"{name}: {stream.size_bytes} and {right[name].size_bytes} bytes"
    return ""


def same_tail(left: Stream, right: Stream) -> bool:
    """Compare as many last bytes as both have, stamps apart."""
    common = min(left.size_bytes, right.size_bytes)
    remainder_left = remainder_right = b""
    for piece_left, piece_right in zip(
        chain(left.pieces(left.size_bytes - common), [b"\n"]),
        chain(right.pieces(right.size_bytes - common), [b"\n"]),
        strict=True,
    ):
        block_left = remainder_left + piece_left
        block_right = remainder_right + piece_right
        end = block_left.rfind(b"\n") + 1
        if not same_block(block_left[:end], block_right[:end]):
            return False
        remainder_left, remainder_right = block_left[end:], block_right[end:]
    return True


def same_block(left: bytes, right: bytes) -> bool:
    """Compare whole lines; only where they differ can stamps be the reason."""
    return left == right or without_stamps(left) == without_stamps(right)


def without_stamps(block: bytes) -> bytes:
    """Replace each stamp at the start of a line by a mark of its kind."""
    return ISO.sub(rb"\n\1T ", TAI64N.sub(rb"\n@ ", b"\n" + block))
