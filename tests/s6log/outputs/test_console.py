"""Lines on stdout and alerts on stderr: the right ones, in the right form."""

import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inside import Desk, looping, script_of, stream_of
from s6log.outputs.shared import Shared
from s6log.script import model
from s6log.stream.batch import Batch
from s6log.stream.format import Prefixes
from s6log.stream.selection import Selection
from s6log.unix.loop import Loop

NOW_NS = 1_700_000_000_123_456_789
STAMP = b"@400000006553f125075bcf09"


def unexpected(error: OSError) -> None:
    """Fail: a file cannot be lost."""
    raise AssertionError(error)


@pytest.fixture
def desk(loop: Loop, tmp_path: Path) -> Iterator[Desk]:
    """Give what outputs share."""
    with Desk(loop, tmp_path) as made:
        yield made


def batch_for(script: model.Script, lines: Sequence[bytes]) -> Batch:
    """Classify lines as the script does."""
    selection = None
    if any(element.selectors for element in script.elements):
        selection = Selection([element.selectors for element in script.elements])
    batch = Batch(selection, Prefixes(time.gmtime))
    block = b"".join(line + b"\n" for line in lines)
    batch.begin(block, len(block), NOW_NS)
    return batch


def delivered(desk: Desk, words: str, *lines: bytes) -> bytes:
    """Give what the `1` or the `2` actions of a script write."""
    script = script_of(*words.split(" "))
    path = desk.folder / "stream"
    with path.open("wb") as file:
        shared = Shared(desk.context, file.fileno(), unexpected)
        output = stream_of(shared, script)
        output.deliver(batch_for(script, lines))
        assert (output.busy, output.outbox.size) == (False, 0)
    return path.read_bytes()


# ---- stdout


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("1", b"alpha\nbeta\n"),
        ("pweb 1", b"web alpha\nweb beta\n"),
        ("t 1", STAMP + b" alpha\n" + STAMP + b" beta\n"),
        ("1 1", b"alpha\nalpha\nbeta\nbeta\n"),
        ("p1 1 p2 1", b"1 alpha\n2 alpha\n1 beta\n2 beta\n"),
        ("-e p1 1 f p2 1", b"1 alpha\n2 beta\n"),
        ("- +e p1 1 - +a p2 1", b"2 alpha\n1 beta\n2 beta\n"),
        ("- 1", b""),
    ],
)
def test_lines_for_stdout(desk: Desk, words: str, expected: bytes) -> None:
    """Line by line, through all actions in turn."""
    assert delivered(desk, words, b"alpha", b"beta") == expected


# ---- stderr

ALERT = b"s6-log: alert: "


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("2", [b"alpha", b"beta"]),
        ("pweb 2", [b"web alpha", b"web beta"]),
        ("t 2", [STAMP + b" alpha", STAMP + b" beta"]),
        ("t pweb 2", [STAMP + b" web alpha", STAMP + b" web beta"]),
        ("E1 2", [b"a...", b"beta"]),
        ("E1 pweb 2", [b"web a...", b"web beta"]),
        ("E1 2 E0 2", [b"a...", b"alpha", b"beta", b"beta"]),
        ("-e E1 p1 2 f E0 p2 2", [b"1 a...", b"2 beta"]),
        ("- +e 2", [b"beta"]),
        ("- 2", []),
    ],
)
def test_alerts(desk: Desk, words: str, expected: list[bytes]) -> None:
    """After `alert: ` stamp and prefix, which do not count for the cut."""
    made = b"".join(ALERT + text + b"\n" for text in expected)
    assert delivered(desk, words, b"alpha", b"beta") == made


TEXTS = st.lists(
    st.binary(max_size=12).map(lambda text: text.translate(None, b"\n\0")),
    min_size=1,
    max_size=6,
)


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(st.integers(0, 8), st.sampled_from("ab:")), min_size=1, max_size=3
    ),
    TEXTS,
)
def test_any_alerts(actions: list[tuple[int, str]], lines: list[bytes]) -> None:
    """Several actions have their own size and prefix, whatever the lines hold."""
    words = " ".join(f"E{limit} p{prefix} 2" for limit, prefix in actions)
    expected = b""
    for line in lines:
        for limit, prefix in actions:
            cut = line
            if limit and len(line) > limit + 3:
                cut = line[:limit] + b"..."
            expected += ALERT + prefix.encode() + b" " + cut + b"\n"
    with (
        tempfile.TemporaryDirectory() as folder,
        looping() as loop,
        Desk(loop, Path(folder)) as desk,
    ):
        assert delivered(desk, words, *lines) == expected
