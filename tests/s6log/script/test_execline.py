"""Splitting a command as execlineb does, checked against execlineb itself."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from s6log.script.execline import ExeclineError, tokenize

EXECLINEB = Path("/usr/lib/execline/bin/execlineb")
# An absolute path first, so that execlineb looks nothing up; then each word
# that it was given, ended by a NUL.
PRINTER = """#!/bin/sh
for word; do printf '%s\\000' "$word"; done
"""

needs_execlineb = pytest.mark.skipif(
    not EXECLINEB.exists(), reason="execlineb is not installed (Debian: execline)"
)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (b"gzip -9", (b"gzip", b"-9")),
        (b"  a\tb\nc\x01d ", (b"a", b"b", b"c", b"d")),
        (b"", ()),
        (b" # nothing but a comment", ()),
        (b"a#b #c\nd", (b"a#b", b"d")),
        (rb"a\ b \#c \\ \"", (b"a b", b"#c", b"\\", b'"')),
        (b"a \\\n b", (b"a", b"b")),
        (b"a\\\nb", (b"a\nb",)),
        (b'"a\\\nb"', (b"ab",)),
        (b'"" x"y z"w', (b"", b"xy zw")),
        (rb'"\a\b\t\n\v\f\r\q"', (b"\a\b\t\n\v\f\rq",)),
        (rb'"\0x41\0x4z\65\0101\067"', (b"A\x04zAA7",)),
        (rb'"\2550"', (b"\xff0",)),
        (b"a { b { c d } e } f", (b"a", b" b", b"  c", b"  d", b" ", b" e", b"", b"f")),
        (b"a { }", (b"a", b"")),
        (b"a {} }b {c", (b"a", b"{}", b"}b", b"{c")),
    ],
)
def test_words(command: bytes, words: tuple[bytes, ...]) -> None:
    """Blanks separate; quotes, escapes, comments and blocks work as documented."""
    assert tokenize(command) == words


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (b'a "b', 'unmatched "'),
        (b'a "b\\', 'unmatched "'),
        (b"a { b", "unmatched {"),
        (b"a {", "unmatched {"),
        (b"a }", "unmatched }"),
        (b"a\\", "nothing follows the last \\"),
        (rb'"\0"', "no number follows \\0"),
        (rb'"\0x"', "no number follows \\0"),
        (rb'"\256"', "no byte from 1 to 255 is number 256"),
        (rb'"\0000"', "no byte from 1 to 255 is number 0"),
    ],
)
def test_errors_say_what_is_wrong(command: bytes, reason: str) -> None:
    """A command that execlineb would refuse is refused with a reason."""
    with pytest.raises(ExeclineError) as caught:
        tokenize(command)
    assert caught.value.reason == reason


@pytest.fixture(scope="session")
def printer(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Make a program that prints its arguments, each ended by a NUL."""
    path = tmp_path_factory.mktemp("printer") / "print"
    path.write_text(PRINTER)
    path.chmod(0o755)
    return bytes(path)


def execlineb(printer: bytes, command: bytes) -> tuple[bytes, ...] | None:
    """Ask execlineb for the words; None for a syntax error."""
    argv = [bytes(EXECLINEB), b"-Pc", printer + b" " + command]
    ended = subprocess.run(argv, check=False, capture_output=True)
    if ended.returncode:
        return None
    assert ended.stdout.endswith(b"\0") or not ended.stdout
    return tuple(ended.stdout.split(b"\0")[:-1])


def ours(command: bytes) -> tuple[bytes, ...] | None:
    """Give our own words, or None for an error."""
    try:
        return tokenize(b"print " + command)[1:]
    except ExeclineError:
        return None


PIECES = [
    *(b"{", b"}", b" { ", b" } ", b"\\", b'"', b"#", b" ", b"\n", b"\t", b"a", b"fx"),
    *(b"0", b"1", b"27", b"x", b"\\0", b"\\0x", b"\\1", b'"\\', b'" "', b"\x01"),
    *(b"\xe9", b"$1", b"'"),
]


@needs_execlineb
@settings(max_examples=400, deadline=None)
@given(pieces=st.lists(st.sampled_from(PIECES), max_size=14))
def test_agrees_with_execlineb(printer: bytes, pieces: list[bytes]) -> None:
    """Any command gives the words, or the refusal, that execlineb gives."""
    command = b"".join(pieces)
    assert ours(command) == execlineb(printer, command)


@given(command=st.binary(max_size=60))
def test_any_bytes_are_split_or_refused(command: bytes) -> None:
    """No command makes the reader fail in another way than ExeclineError."""
    words = ours(command.replace(b"\0", b""))
    assert words is None or all(isinstance(word, bytes) for word in words)
