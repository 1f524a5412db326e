"""Scripts that are valid, and what is said of those that are not."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import Program
from s6log.script.directives import DIRECTIVES, ScriptError, classify, parse
from s6log.script.model import Script

LETTERS = (
    "selections begin with + - f, "
    "settings begin with n s S l r R E ^ p ! ? t T, "
    "actions begin with 1 2 = . /"
)
NO_PLACE = (
    "nothing says where lines go: add 1 (standard output), 2 (alert), =FILE, "
    "./DIR, /DIR or @pipe=COMMAND"
)
NAMES = "@tag @json @time @tz @join @rate @buffer @full @pipe @metrics"


def fail(words: list[bytes]) -> ScriptError:
    """Parse a script that is not valid; give the error."""
    with pytest.raises(ScriptError) as caught:
        parse(words)
    return caught.value


@pytest.mark.parametrize(
    ("script", "text", "hint"),
    [
        # From the recorded cases script-*, each with our hint.
        ("+x", "no action directive specified", NO_PLACE),
        ("n5", "no action directive specified", NO_PLACE),
        (
            "zz",
            "unrecognized directive: zz",
            f'directive 1, "zz": no directive begins with "z"; {LETTERS}',
        ),
        (
            "12",
            "syntax error at directive: 12",
            'directive 1, "12": 1 takes nothing after it: forward to standard output',
        ),
        (
            "1 =",
            "syntax error at directive: =",
            'directive 2, "=": = takes the name of a file: keep the last line in a '
            "file",
        ),
        (
            "t n4294967296 1",
            "unrecognized directive: n4294967296",
            'directive 2, "n4294967296": n takes a number from 0 to 4294967295: how '
            "many archives to keep",
        ),
        (
            "s10 l2049 1",
            "directive l2049 conflicts with previous s directive",
            'directive 2, "l2049": l takes at most 2048 here: half of s, which is 4096',
        ),
        (
            "1 +ab[",
            "unrecognized directive: +ab[",
            'directive 2, "+ab[": bad pattern at byte 3: unmatched [',
        ),
        (
            "@zstd 1",
            "unrecognized directive: @zstd",
            f'directive 1, "@zstd": no directive has this name; there are {NAMES}',
        ),
    ],
)
def test_errors_name_the_directive_and_what_is_valid(
    script: str, text: str, hint: str
) -> None:
    """The first line is that of s6-log; the hint says where, what and what instead."""
    error = fail(script.encode().split())
    assert (error.text, error.hints) == (text.encode(), (hint.encode(),))


def test_an_empty_word_is_no_directive() -> None:
    """The hint for an empty word says that it is empty."""
    error = fail([b"1", b""])
    assert error.text == b"unrecognized directive: "
    assert error.hints[0].startswith(b'directive 2, "": it is empty; ')


def test_hints_stay_on_one_line() -> None:
    """Bytes that no terminal should get are shown as escapes in a hint."""
    error = fail([b"\n\xff\x1b[1m", b"1"])
    assert error.text == b"unrecognized directive: \n\xff\x1b[1m"
    assert error.hints[0].startswith(rb'directive 1, "\n\xff\x1b[1m": ')


@pytest.mark.parametrize("command", [b"a {", b'"', b"}", b" ", b"# comment"])
def test_a_command_that_could_only_fail_is_refused(command: bytes) -> None:
    """s6-log finds out at the first rotation; here it is a mistake in the script."""
    error = fail([b"!" + command, b"./d"])
    assert error.text == b"unrecognized directive: !" + command
    assert error.position == 1


def test_values_are_looked_at_after_all_forms() -> None:
    """A form that does not exist is found before a wrong value to its left."""
    assert fail([b"./d", b"nfoo", b"zz"]).text == b"unrecognized directive: zz"
    assert fail([b"nfoo"]).text == b"no action directive specified"


def test_logdirs_met_before_the_error_come_with_it() -> None:
    """Those of the second pass, since s6-log has opened them; none of the first."""
    error = fail([b"./a", b"n5", b"/b", b"nfoo", b"./c"])
    assert [(d.path, d.rules.keep) for d in error.logdirs] == [(b"./a", 10), (b"/b", 5)]
    assert fail([b"./a", b"zz"]).logdirs == ()


def test_selections_after_the_last_action_are_extraneous() -> None:
    """They are dropped but must be valid; settings there do not count."""
    assert parse([b"1", b"+x"]).extraneous
    assert len(parse([b"1", b"+x", b"n5"]).elements) == 1
    assert not parse([b"1", b"n5"]).extraneous
    assert fail([b"1", b"+["]).extraneous
    assert not fail([b"1", b"nx"]).extraneous


def test_every_letter_of_s6_log_has_a_row() -> None:
    """The table holds the directives of 2.15.1.0 and nothing else."""
    assert b"".join(DIRECTIVES) == b"+-fnsSlrRE^p!?tT12=./"


def test_positions_count_from_one() -> None:
    """Each word of a script knows its row and its place."""
    words = classify([b"t", b"./d"])
    assert [(w.position, w.row.letter) for w in words] == [(1, b"t"), (2, b".")]


def harmless(word: bytes) -> bool:
    """Leave out what makes files, what 2.11 lacks, and what is ours alone."""
    made = (b".", b"/", b"=", b"R", b"!", b"@")
    return b"\0" not in word and not word.startswith(made)


NUMBERS = ["", "0", "5", "007", "2048", "49999", "50000", "4294967295", "4294967296"]
WORDS = [
    *(f"{letter}{number}" for letter in "nsSlrE^" for number in NUMBERS),
    *("+", "-", "f", "+a", "-b", "+[", "-*", "+a{", "f1", "t", "T", "tt", "T1"),
    *("1", "1", "1", "2", "12", "p", "p x", "!", "!cat", "?", "?cat", "zz", "=", "n+5"),
    *("r2147483647", "r2147483648", "S18446744073709551615", "S18446744073709551616"),
]
SCRIPTS = st.lists(
    st.one_of(
        st.sampled_from(WORDS).map(str.encode),
        st.binary(max_size=3).filter(harmless),
    ),
    min_size=1,
    max_size=8,
)


def said(words: list[bytes]) -> tuple[int, bytes]:
    """Give the exit code and the messages of s6-log for a script, as we see it."""
    lines = []
    script: Script | ScriptError
    try:
        script = parse(words)
    except ScriptError as error:
        script = error
    if script.extraneous:
        lines.append(b"warning: ignoring extraneous non-action directives")
    if isinstance(script, ScriptError):
        lines.append(b"fatal: " + script.text)
    messages = b"".join(b"s6-log: " + line + b"\n" for line in lines)
    return (100 if isinstance(script, ScriptError) else 0), messages


@settings(max_examples=300, deadline=None)
@given(words=SCRIPTS)
def test_agrees_with_s6_log(
    words: list[bytes], real: Program, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Any list of words is taken or refused as s6-log does, in the same words."""
    ended = subprocess.run(
        [*real.argv, "--", *words],
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        cwd=empty_folder(tmp_path_factory),
    )
    assert said(words) == (ended.returncode, ended.stderr)


def empty_folder(factory: pytest.TempPathFactory) -> Path:
    """Give a folder in which nothing can be harmed."""
    folder = factory.getbasetemp() / "empty"
    folder.mkdir(exist_ok=True)
    return folder
