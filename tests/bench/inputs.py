"""Seeded input for the benchmark: the same bytes for the same kind and size.

Each kind is an endless iterator of batches, a batch being whole records. The
fields of a batch are drawn column by column: one call a field and line would
take longer than the programs under test.
"""

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path

SEED = 20250101
BATCH = 10_000

LEVELS = {"INFO ": 84, "DEBUG": 10, "WARN ": 4, "ERROR": 2}
METHODS = {"GET": 90, "POST": 8, "PUT": 1, "DELETE": 1}
STATUSES = {"200": 85, "304": 6, "404": 7, "500": 1, "503": 1}
WORDS = ("accepted", "backend", "cache", "entry", "flushed", "in", "journal", "the")


def draw(rng: random.Random, weights: dict[str, int]) -> list[str]:
    """Draw a batch of values by weight."""
    return rng.choices(list(weights), list(weights.values()), k=BATCH)


def numbers(rng: random.Random, below: int) -> list[int]:
    """Draw a batch of integers."""
    return rng.choices(range(below), k=BATCH)


def access(rng: random.Random) -> Iterator[bytes]:
    """Access-log lines of 92 bytes on average: 2 % ERROR, 2 % status 5xx."""
    while True:
        columns = zip(
            draw(rng, LEVELS),
            numbers(rng, 1 << 24),
            draw(rng, METHODS),
            numbers(rng, 100_000),
            draw(rng, STATUSES),
            numbers(rng, 60_000),
            strict=True,
        )
        yield "".join(
            f"{level} 10.{host >> 16}.{host >> 8 & 255}.{host & 255}"
            f" [21/Nov/2025:20:42:{host % 60:02d} +0000]"
            f' "{method} /docs/item/{item} HTTP/1.1" {status} {size}\n'
            for level, host, method, item, status, size in columns
        ).encode()


def json_lines(rng: random.Random) -> Iterator[bytes]:
    """One JSON object a line, about 180 bytes, as structured loggers write."""
    while True:
        columns = zip(
            draw(rng, LEVELS), numbers(rng, 10**9), draw(rng, STATUSES), strict=True
        )
        yield b"".join(
            json.dumps(
                {
                    "ts": f"2025-11-21T20:42:{number % 60:02d}.{number:09d}Z",
                    "level": level.strip().lower(),
                    "service": "checkout",
                    "trace": f"{number:032x}",
                    "status": int(status),
                    "msg": f"order {number} handled",
                }
            ).encode()
            + b"\n"
            for level, number, status in columns
        )


def short(rng: random.Random) -> Iterator[bytes]:
    """Lines of 20 bytes, the newline counted."""
    while True:
        lines = map(b"tick %09d done".__mod__, numbers(rng, 10**9))
        yield b"\n".join(lines) + b"\n"


def wide(rng: random.Random) -> Iterator[bytes]:
    """Lines of 1000 bytes, the newline counted."""
    yield from cuts_of_prose(rng, lambda: 999)


def huge(rng: random.Random) -> Iterator[bytes]:
    """Lines of 10 to 60 kB, which s6-log splits at 8192 bytes."""
    yield from cuts_of_prose(rng, lambda: rng.randrange(10_000, 60_000))


def cuts_of_prose(rng: random.Random, length: Callable[[], int]) -> Iterator[bytes]:
    """Give lines of the wanted lengths, cut from random places of a long text."""
    prose = " ".join(rng.choices(WORDS, k=100_000)).encode()
    while True:
        size = length()
        start = rng.randrange(len(prose) - size)
        yield prose[start : start + size] + b"\n"


def nul_separated(rng: random.Random) -> Iterator[bytes]:
    """Access-log lines that end in NUL instead of a newline."""
    return (batch.replace(b"\n", b"\0") for batch in access(rng))


KINDS: dict[str, Callable[[random.Random], Iterator[bytes]]] = {
    "access": access,
    "json": json_lines,
    "short": short,
    "wide": wide,
    "huge": huge,
    "nul": nul_separated,
}


def write_input(kind: str, size_bytes: int, path: Path) -> None:
    """Write whole records of this kind until there are `size_bytes` or more."""
    # The seed is used as text: hash() of a str differs from run to run.
    rng = random.Random(f"{SEED} {kind}")
    separator = b"\0" if kind == "nul" else b"\n"
    missing = size_bytes
    with path.open("wb") as file:
        for batch in KINDS[kind](rng):
            if len(batch) >= missing:
                file.write(batch[: batch.index(separator, missing - 1) + 1])
                return
            missing -= file.write(batch)
