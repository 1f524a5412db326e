"""What is taken for a plain command is one to the shells and to execlineb, too."""

import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from runfiles import Stand
from supervisor.warm.words import Doubt, execline_words, sh_words

EXECLINEB = shutil.which("execlineb")
SHELLS = [
    ["/bin/sh", "./run"],
    *([["bash", "--posix", "./run"]] if shutil.which("bash") else []),
]
"""Ways to run a script as sh does: the system's sh, and bash where it is another."""

# Short texts of which many are commands, and many only nearly so.
PIECE = st.sampled_from(
    [
        *("a", "s6", "./x", "+^a.b", "=", "!x", "-", "^", "%", ":", ",", "@", "]"),
        *(" ", " ", "  ", "\t", "\n", " \\\n", "\\\n", "\\", "'", "'", '"', '"'),
        *("\\ ", "\\'", '\\"', "\\\\", "\\$", "\\`", "\\n", "\\d", "\\*", "\\\t"),
        *(' "${a}"', '"$"', '"`', " ~", " ~/x", "x=~"),
        *("#", " #", "\n#", "' '", '"a b"', "'a\"b'", '"a\'b"', "''", '""'),
        *("$", "${a}", "`", "*", "?", "[", "~", "{", "}", "{a,b}", "(", ")", "&", "|"),
        *(";", "<", ">", "!", "\x01", "\x7f", "\xe4", "\r", "exec", "x=y", "0", "08"),
    ]
)
REST = st.lists(PIECE, max_size=8).map(lambda pieces: "".join(pieces).encode("latin-1"))

several = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.filter_too_much,
        HealthCheck.too_slow,
    ],
)


@pytest.fixture
def stand(tmp_path: Path) -> Stand:
    """Make a service directory and its stand-ins."""
    return Stand(tmp_path)


@pytest.mark.parametrize("start", SHELLS, ids=lambda words: words[0])
@several
@given(rest=REST)
@example(rest=b" 'a b'\"c\\d\\$\" x\\ y \\\n z #c\\\n#\n")
def test_a_command_is_one_to_the_shell(
    start: list[str], rest: bytes, stand: Stand
) -> None:
    """It starts one program with just these words, and says nothing."""
    text = b"s6-log" + rest
    try:
        words = sh_words(text)
    except Doubt:
        assume(False)
    assume(words[0] == b"s6-log")
    assert stand.told(b"#!/bin/sh\n" + text, start) == words


@pytest.mark.skipif(EXECLINEB is None, reason="execlineb is not installed (execline)")
@pytest.mark.parametrize("option", ["-P", "-S0"])
@several
@given(rest=REST)
@example(rest=b' "a {b" x"y"z ""\n #c\n d\n')
def test_a_command_is_one_to_execlineb(option: str, rest: bytes, stand: Stand) -> None:
    """Of the substitutions that -S0 makes none is needed."""
    assert EXECLINEB is not None
    text = b"s6-log" + rest
    try:
        words = execline_words(text, option == "-S0")
    except Doubt:
        assume(False)
    assume(words[0] == b"s6-log")
    assert stand.told(text, [EXECLINEB, option, "./run"]) == words


@given(st.binary())
def test_no_text_is_too_strange(text: bytes) -> None:
    """It is a list of words or a doubt."""
    for read in (
        sh_words,
        lambda given: execline_words(given, substituted=True),
        lambda given: execline_words(given, substituted=False),
    ):
        try:
            words = read(text)
        except Doubt:
            continue
        assert all(b"\0" not in word for word in words)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\n",
        b"# a\n",
        b"a\nb",
        b"a \\\nb\nc",
        b"a #\\\nb",
        b"a\\",
        b"\\\na",
        b"\0",
    ],
)
def test_what_is_not_one_command_of_sh(text: bytes) -> None:
    """Nothing at all, or more than one line's worth."""
    with pytest.raises(Doubt):
        sh_words(text)
