"""Whole lines from stdin, bytes to stdout: what the filters have in common."""

import os

from s6log import __version__
from s6log.unix.messages import REFUSED, Fatal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

STDIN = 0
STDOUT = 1
READ_BYTES = 128 * 1024


def read_lines() -> "Iterator[bytes]":
    """Yield what arrives as blocks of whole lines; the last may lack its LF.

    A block is never empty. A line may be of any length. Raises Fatal.
    """
    parts: list[bytes] = []  # of a line that is not finished
    while chunk := _read():
        end = chunk.rfind(b"\n") + 1
        if end == 0:
            parts.append(chunk)
            continue
        yield b"".join([*parts, chunk[:end]])
        parts = [chunk[end:]] if end < len(chunk) else []
    if parts:
        yield b"".join(parts)


def write(data: bytes, start: int = 0) -> None:
    """Write data[start:] to stdout, all of it. Raises Fatal."""
    view = memoryview(data)[start:]
    try:
        while view:
            view = view[os.write(STDOUT, view) :]
    except OSError as error:
        raise Fatal(REFUSED, b"unable to write to stdout", error) from error


def answered(arguments: list[bytes], synopsis: bytes) -> bool:
    """Answer a lone `--help` or `--version`; False when that is not the question."""
    if arguments == [b"--help"]:
        write(b"usage: " + synopsis + b"\n")
    elif arguments == [b"--version"]:
        write(synopsis.split()[0] + b" (s6log) " + __version__.encode() + b"\n")
    else:
        return False
    return True


def _read() -> bytes:
    try:
        return os.read(STDIN, READ_BYTES)
    except OSError as error:
        raise Fatal(REFUSED, b"unable to read from stdin", error) from error
