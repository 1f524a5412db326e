"""What a scan directory holds, and which orders a change of it takes."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervising import make_service
from supervisor.scan.changes import Seen, letters, look

NAMES = st.sampled_from([b"a", b"b", b"c", b"d"])
IDENTITIES = st.tuples(st.just(1), st.integers(1, 3))


def seen(found: dict[bytes, tuple[int, int]], *unfinished: bytes) -> Seen:
    """Make what a look could have seen."""
    result = Seen()
    result.found.update(found)
    result.unfinished.update(unfinished)
    return result


@st.composite
def sights(draw: st.DrawFn) -> Seen:
    """Draw anything that a look could see."""
    found = draw(st.dictionaries(NAMES, IDENTITIES))
    return seen(found, *(name for name in found if draw(st.booleans())))


def test_a_look_finds_what_a_scan_would_find(tmp_path: Path) -> None:
    """Directories, also behind links, but not those that begin with a dot."""
    scandir = tmp_path / "scan"
    foo = make_service(scandir / "foo")
    bar = make_service(tmp_path / "bar")
    make_service(scandir / ".hidden")
    (scandir / "bar").symlink_to(bar)
    (scandir / "lost").symlink_to("nowhere")
    (scandir / "file").touch()
    found = look(bytes(scandir))
    assert found.found == {
        b"foo": (foo.stat().st_dev, foo.stat().st_ino),
        b"bar": (bar.stat().st_dev, bar.stat().st_ino),
    }
    assert found.unfinished == set()


def test_a_directory_is_finished_when_run_can_be_executed(tmp_path: Path) -> None:
    """By whomever; what is no file cannot be."""
    for name, mode in (("plain", 0o644), ("owner", 0o700), ("other", 0o601)):
        (make_service(tmp_path / name) / "run").chmod(mode)
    (tmp_path / "empty").mkdir()
    (tmp_path / "folder" / "run").mkdir(parents=True)
    (tmp_path / "lost").mkdir()
    (tmp_path / "lost" / "run").symlink_to("nowhere")
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / "run").symlink_to("../owner/run")
    found = look(bytes(tmp_path))
    assert set(found.found) == set(map(os.fsencode, os.listdir(tmp_path)))
    assert found.unfinished == {b"plain", b"empty", b"folder", b"lost"}


def test_a_directory_that_is_gone_cannot_be_looked_at(tmp_path: Path) -> None:
    """The caller hears of it."""
    with pytest.raises(FileNotFoundError):
        look(bytes(tmp_path / "nowhere"))


A, B = (1, 1), (1, 2)


@pytest.mark.parametrize(
    ("before", "now", "orders"),
    [
        (None, seen({}), b"an"),
        (None, seen({b"a": A}), b"an"),
        (seen({}), seen({}), b""),
        (seen({}), seen({b"a": A}), b"a"),
        (seen({}), seen({b"a": A}, b"a"), b""),
        (seen({b"a": A}, b"a"), seen({b"a": A}), b"a"),
        (seen({b"a": A}), seen({b"a": A}, b"a"), b""),
        (seen({b"a": A}), seen({}), b"an"),
        (seen({b"a": A}, b"a"), seen({}), b"an"),
        (seen({b"a": A}), seen({b"a": B}), b"an"),
        (seen({b"a": A}), seen({b"b": A}), b"an"),
        (seen({b"a": A}), seen({b"a": A, b"b": B}), b"a"),
        (seen({b"a": A}), seen({b"a": A, b"b": B}, b"a", b"b"), b""),
    ],
)
def test_what_is_new_is_scanned_and_what_is_gone_is_pruned(
    before: Seen | None, now: Seen, orders: bytes
) -> None:
    """Another directory under an old name is both."""
    assert letters(before, now) == orders


@given(sights(), sights())
def test_orders_are_given_for_a_reason(before: Seen, now: Seen) -> None:
    """Once: what was seen is not told again."""
    kept = before.found.items() <= now.found.items()
    finished = (now.found.keys() - now.unfinished) - (
        before.found.keys() - before.unfinished
    )
    assert letters(before, now) == (
        b"" if kept and not finished else b"an" if not kept else b"a"
    )
    assert letters(now, now) == b""
