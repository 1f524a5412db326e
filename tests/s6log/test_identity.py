"""Who a logger logs for: the name before lines, its width, its colour."""

import os
import pty
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s6log.identity import COLOURS, Identity, colours, identify, printable


def service(scandir: Path, name: str, *, runs: bool = True) -> Path:
    """Make a service directory with a logger; give the logger's directory."""
    log = scandir / name / "log"
    log.mkdir(parents=True)
    if runs:
        (scandir / name / "run").write_text("#!/bin/sh\n")
    return log


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make three services, and what looks like some; nobody says who we are."""
    monkeypatch.delenv("S6_SERVICE", raising=False)
    for name in ("web", "worker-a", "q"):
        service(tmp_path, name)
    service(tmp_path, "just-a-folder", runs=False)
    service(tmp_path, ".s6-svscan-and-the-like")
    return tmp_path


def test_the_directory_tells_the_name(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That of the service above `log`, and the widest beside it; no other folders."""
    monkeypatch.chdir(tree / "web" / "log")
    assert vars_of(identify()) == (b"web", len("worker-a"))


def test_a_service_may_log_for_itself(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then it works in its own directory."""
    monkeypatch.chdir(tree / "q")
    assert vars_of(identify()) == (b"q", len("worker-a"))


def test_the_environment_comes_first(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With S6_SERVICE, as our supervisor sets it, also when it is the widest."""
    monkeypatch.chdir(tree / "web" / "log")
    monkeypatch.setenv("S6_SERVICE", "an-instance-of-web")
    assert vars_of(identify()) == (b"an-instance-of-web", len("an-instance-of-web"))


def test_outside_of_a_tree_nothing_is_padded(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder without a `run` is no service."""
    monkeypatch.chdir(tree / "just-a-folder")
    assert vars_of(identify()) == (b"just-a-folder", 0)


def test_a_directory_that_is_gone_is_none(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name is then that of the environment, or none."""
    gone = tree / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert vars_of(identify()) == (b"-", 0)
    monkeypatch.setenv("S6_SERVICE", "web")
    assert vars_of(identify()) == (b"web", 0)


def test_the_root_is_no_service(monkeypatch: pytest.MonkeyPatch) -> None:
    """Though there is a `/run`; and it has no name."""
    monkeypatch.delenv("S6_SERVICE", raising=False)
    monkeypatch.chdir("/")
    assert vars_of(identify()) == (b"-", 0)


def vars_of(identity: Identity) -> tuple[bytes, int]:
    """Give what an identity says."""
    return identity.service, identity.width


@given(st.binary())
def test_any_name_can_stand_before_lines(name: bytes) -> None:
    """Without control characters, and valid."""
    assert printable(name).decode().isprintable()


@pytest.mark.parametrize(
    ("name", "width", "tag"),
    [
        (b"web", 8, b"web      | "),
        (b"web", 0, b"web | "),
        (b"much-longer", 8, b"much-longer | "),
        ("é".encode(), 3, "é   | ".encode()),
        (b"", 8, b"own      | "),
    ],
)
def test_a_tag_is_padded(name: bytes, width: int, tag: bytes) -> None:
    """In characters; without a name it has the service's own."""
    assert Identity(b"own", width).tag(name, coloured=False) == tag


def test_a_colour_belongs_to_a_name() -> None:
    """It is always the same, and set back on both sides."""
    tag = Identity(b"web", 5).tag(b"", coloured=True)
    assert tag == Identity(b"x", 5).tag(b"web", coloured=True)
    begin, _, rest = tag.partition(b"m")
    assert begin.startswith(b"\x1b[0;")
    assert int(begin.removeprefix(b"\x1b[0;")) in COLOURS
    assert rest == b"web   |\x1b[0m "


def test_colours_are_for_terminals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not for pipes; and not where they are not wanted, or not understood."""
    main, terminal = pty.openpty()
    read, write = os.pipe()
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    try:
        assert colours(terminal)
        assert not colours(write)
        monkeypatch.setenv("NO_COLOR", "1")
        assert not colours(terminal)
        monkeypatch.delenv("NO_COLOR")
        monkeypatch.setenv("TERM", "dumb")
        assert not colours(terminal)
    finally:
        for fd in (main, terminal, read, write):
            os.close(fd)
