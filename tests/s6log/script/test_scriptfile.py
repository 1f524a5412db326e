"""Logging scripts in files: words, quotes, comments, options, line numbers."""

import shlex

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from s6log.script.scriptfile import ScriptFileError, parse_file


def words(text: str) -> list[str]:
    """Give the directives of a file."""
    return [word.decode() for word in parse_file(text.encode()).words]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("\n \t\n# only a comment\n", []),
        ("n20 s1000000\n\tt ./log\n", ["n20", "s1000000", "t", "./log"]),
        ("#!/usr/bin/env s6-logscript\n1", ["1"]),
        ("1 # the end\n2", ["1", "2"]),
        ("+a#b '#c' \\#d", ["+a#b", "#c", "#d"]),
        ("'+a b' \"+c d\" +e\\ f", ["+a b", "+c d", "+e f"]),
        ("+a'b c'\"d e\"f", ["+ab cd ef"]),
        ("'' \"\"", ["", ""]),
        (r"'a\b' ", ["a\\b"]),
        (r'"a\b\\c\"d\$e\`f"', ['a\\b\\c"d$e`f']),
        (r"+\.\[ '+\.\['", ["+.[", "+\\.\\["]),
        ("+a\\\nb \\\n c", ["+ab", "c"]),
        ('"a\\\nb"', ["ab"]),
        ("'a\\\nb'", ["a\\\nb"]),
        ("'a\nb'", ["a\nb"]),
        (
            "+^(a|b)$ ~ * $HOME `x` a;b >c &",
            [*["+^(a|b)$", "~", "*", "$HOME", "`x`", "a;b", ">c", "&"]],
        ),
        ("1 options", ["1", "options"]),
        ("# comments \\\n1", ["1"]),
        ("\u00e9", ["\u00e9"]),
    ],
)
def test_words(text: str, expected: list[str]) -> None:
    """Words are split and quoted as in a shell, and nothing is expanded."""
    assert words(text) == expected


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0\r"))))
def test_quoted_by_a_shell_quoter(given_words: list[str]) -> None:
    """What a shell's quoting protects comes out as it was."""
    text = "".join(f"1 {shlex.quote(word)}\n" for word in given_words)
    assert words(text) == [part for word in given_words for part in ("1", word)]


@given(
    st.lists(
        st.sampled_from(["a", "'", '"', "\\", " ", "\n", "x y", "\t", "1"]), max_size=12
    )
)
def test_agrees_with_posix_shell_rules(pieces: list[str]) -> None:
    """Where shlex finds words without joined lines, so do we: the same ones."""
    text = "".join(pieces)
    assume("\\\n" not in text)  # shlex joins no lines
    lexer = shlex.shlex(text, posix=True)
    lexer.whitespace = " \t\n"
    lexer.whitespace_split = True
    lexer.commenters = ""
    try:
        expected = list(lexer)
    except ValueError:
        with pytest.raises(ScriptFileError):
            parse_file(text.encode())
    else:
        assert words(text) == expected


def test_lines_are_remembered() -> None:
    """Each directive knows the line on which it begins."""
    text = b"#!x\n\nn5 't\n' \\\n s1 1\n2\n"
    found = parse_file(text)
    assert list(zip(found.words, found.lines, strict=True)) == [
        *((b"n5", 3), (b"t\n", 3), (b"s1", 5), (b"1", 5), (b"2", 6))
    ]


def test_options_lines() -> None:
    """A line whose first word is `options` holds options, wherever it stands."""
    found = parse_file(b"options -b -l 100\n1\n 'options' \\\n -q # quiet\n")
    assert found.options == [(1, [b"-b", b"-l", b"100"]), (3, [b"-q"])]
    assert found.words == [b"1"]


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        (b"1\n'abc\n\n", 2, "unmatched quote"),
        (b'1\n\n"abc', 3, "unmatched quote"),
        (b'1\n"abc\\', 2, "nothing follows the \\"),
        (b"1\n+a\\", 2, "nothing follows the \\"),
        (b"1\n+a\0b", 2, "a NUL byte: this is no script"),
        (
            b"1\nn5\r\n",
            2,
            "a carriage return at the end: write lines that end in a newline only",
        ),
    ],
)
def test_errors_name_the_line(text: bytes, line: int, reason: str) -> None:
    """What is no script is refused with the line where the fault begins."""
    with pytest.raises(ScriptFileError) as caught:
        parse_file(text)
    assert (caught.value.line, caught.value.reason) == (line, reason)


@given(st.binary(max_size=80))
def test_any_bytes_are_read_or_refused(text: bytes) -> None:
    """No file makes the reader fail in another way than ScriptFileError."""
    line, count = 1, 0
    try:
        found = parse_file(text)
    except ScriptFileError as error:
        line = error.line
    else:
        count = len(found.words) - len(found.lines)
    assert count == 0
    assert 1 <= line <= text.count(b"\n") + 1
