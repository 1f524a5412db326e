"""Any script with extensions: no other action costs a directory a byte."""

import random
from pathlib import Path

import pytest

from harness import Program, Stage, run
from trees import logged

SETTINGS = (
    *("@tag", "@tag=n", "@json", "@time=rfc3339", "@time=unix", "@tz=UTC", "t", "T"),
    *("@join=python", "@join=java", "@join=go", "@join=indent", "@join=start:^t"),
    *("@rate=1/s", "@rate=50/h", "@buffer=1", "@buffer=100", "@buffer=4k", "pX", "p"),
    *("@full=block", "@full=drop-oldest", "@full=drop-newest", "E5", "^100", "s4096"),
    *("+t", "-t", "+", "-", "f", "r10"),
)
ACTIONS = (
    *("1", "2", "=status", "@pipe=cat >/dev/null", "@pipe=head -c 100 >/dev/null"),
    "@pipe=exit 1",
)
LINES = (
    *(b'{"a":1}', b'{"service":"x"}', b"{", b"", b"text", b"caf\xe9", b"\x1b[31mred"),
    *(b"Traceback (most recent call last):", b'  File "x", line 1', b"ValueError: x"),
    *(b"\tat com.x.Y(Y.java:1)", b"panic: x", b"goroutine 1 [running]:", b"x" * 900),
)
RAW = ("+", "n9999", "@buffer=16M", "@full=block", "./raw")
"""What comes first, and must get everything."""


def script_of(rng: random.Random) -> list[str]:
    """Make a script; all its `1` and `2` have one limit each, and no alert is JSON."""
    words: list[str] = []
    for number in range(rng.randrange(1, 5)):
        settings = rng.choices(SETTINGS, k=rng.randrange(5))
        action = rng.choice((*ACTIONS, f"./d{number}"))
        if action == "2":
            settings = [word for word in settings if word != "@json"]
        limits = [word for word in settings if word[:5] in {"@buff", "@full"}]
        if action in {"1", "2"} and (action in words or limits):
            action = f"./e{number}"
        words += (*settings, action)
        if action in {"1", "2"}:
            words += ("@buffer=16M", "@full=block")
    return words


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(40))
def test_a_directory_gets_everything(ours: Program, tmp_path: Path, seed: int) -> None:
    """Whatever else is done with its lines; and the logger ends in order."""
    rng = random.Random(seed)
    options = [*rng.choice([[], ["-b"]]), "-t", "300", "-l0"]
    words = [*RAW, *script_of(rng), *rng.choice([[], ["@metrics=m"]])]
    data = b"".join(
        line + b"\n" for line in rng.choices(LINES, k=rng.randrange(1, 300))
    )
    stage = Stage(tmp_path, env={"S6LOG_KERNEL": rng.choice(["yes", "no"])})
    ended = run(ours, [*options, "--", *words], data, stage)
    assert b"internal error" not in ended.err, (words, ended.err)
    assert ended.code == 0, (words, ended.err)
    assert logged(tmp_path / "raw") == data
