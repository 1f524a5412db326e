"""The options of s6-log, and in which order mistakes in them are met."""

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import Program
from s6log.script.directives import ScriptError, parse
from s6log.script.options import OPTIONS, USAGE, OptionError, Options, parse_options


class Closed(Exception):
    """Stands for what a check of a descriptor may raise."""


def accept(_: int) -> None:
    """Take any descriptor."""


def refuse(_: int) -> None:
    """Take no descriptor."""
    raise Closed


def read(line: str) -> tuple[Options, list[bytes]]:
    """Parse a command line of words without blanks."""
    return parse_options(line.encode().split(), accept)


def test_defaults() -> None:
    """Without options: warnings, no blocking, 8192 bytes a line, two seconds."""
    options, rest = read("1")
    assert rest == [b"1"]
    assert {name: getattr(options, name) for name in Options.__slots__} == {
        "verbosity": 1,
        "blocking": False,
        "protect": False,
        "line_limit": 8192,
        "notify_fd": None,
        "last_line_timeout_ms": 2000,
    }


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        ("-q", "verbosity", 0),
        ("-q -q -v", "verbosity", 1),
        ("-vv", "verbosity", 3),
        ("-qbp", "blocking", True),
        ("-qbp", "protect", True),
        ("-l100", "line_limit", 100),
        ("-l 0", "line_limit", 0),
        ("-l 1", "line_limit", 48),
        ("-l 47", "line_limit", 48),
        ("-l 49", "line_limit", 49),
        ("-l 5 -l 100", "line_limit", 100),
        ("-l 0005000", "line_limit", 5000),
        ("-d 3", "notify_fd", 3),
        ("-t 5", "last_line_timeout_ms", 5),
        ("-t 0", "last_line_timeout_ms", None),
        ("-t 2147483647", "last_line_timeout_ms", 2147483647),
        ("-t 2147483648", "last_line_timeout_ms", None),
    ],
)
def test_values(line: str, name: str, value: object) -> None:
    """Each option sets its value; the last of several wins."""
    assert getattr(read(line)[0], name) == value


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("-x 1", "unknown option -x"),
        ("--foo 1", "unknown option --"),
        ("-a 1", "unknown option -a"),
        ("-l", "-l lacks its number"),
        ("-l 5x 1", "-l takes a number from 0 to 4294967295, not 5x"),
        ("-l -5 1", "-l takes a number from 0 to 4294967295, not -5"),
        ("-t 4294967296", "-t takes a number from 0 to 4294967295, not 4294967296"),
        ("-d x 1", "-d takes a number from 0 to 4294967295, not x"),
    ],
)
def test_mistakes_are_usage_errors(line: str, reason: str) -> None:
    """s6-log answers with its usage; the reason is there for who wants it."""
    with pytest.raises(OptionError) as caught:
        read(line)
    assert caught.value.reason == reason.encode()
    assert not caught.value.explained


def test_a_low_notification_descriptor_is_explained() -> None:
    """For this mistake s6-log has a message of its own."""
    with pytest.raises(OptionError) as caught:
        read("-d 2 -x")
    assert caught.value.explained
    assert caught.value.reason == b"notification fd must be 3 or more"


def test_a_descriptor_is_checked_when_it_is_met() -> None:
    """Before a mistake to its right, after one to its left."""
    with pytest.raises(Closed):
        parse_options([b"-d", b"5", b"-x"], refuse)
    with pytest.raises(OptionError):
        parse_options([b"-x", b"-d", b"5"], refuse)


def test_options_go_on_top_of_others() -> None:
    """A second command line changes what it names and leaves the first as it was."""
    base, _ = read("-b -l 100 -q")
    options, rest = parse_options([b"-l", b"200", b"-q", b"1"], accept, base)
    assert (options.blocking, options.line_limit, options.verbosity) == (True, 200, 0)
    assert base.line_limit == 100
    assert rest == [b"1"]


def test_the_table_has_the_letters_of_the_usage_line() -> None:
    """Each option in the usage line has a row, and the other way round."""
    named = {word[1:] for word in USAGE.split() if word[:1] == b"-" and word != b"--"}
    assert named == set(OPTIONS)


PIECES = (
    "-q -v -b -p -qb -l -l5 -l0 -l5x -l4294967295 -l4294967296 -d -d2 -dx -d77 77 "
    "2 0 5 x -x -qx - -- --foo"
)
ARGUMENTS = st.lists(st.sampled_from(PIECES.split()), max_size=5)


@settings(max_examples=200, deadline=None)
@given(arguments=ARGUMENTS)
def test_agrees_with_s6_log(arguments: list[str], real: Program) -> None:
    """Any command line is taken or refused as s6-log does, in the same words."""
    words = [word.encode() for word in arguments] + [b"1"]
    ended = subprocess.run(
        [*real.argv, *words],
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
    )
    first = ended.stderr.partition(b"\n")[0]
    assert said(words) == first.replace(b"s6-log: ", b"", 1)


def said(words: list[bytes]) -> bytes:
    """Give what s6-log 2.11 says of a command line, as we see it."""
    usage = b"usage: " + USAGE.replace(b"[ -t lastlinetimeout ] ", b"")
    try:
        _, script = parse_options(words, refuse)
        if not script:
            return usage
        warned = parse(script).extraneous
    except OptionError as error:
        return b"fatal: " + error.reason if error.explained else usage
    except Closed:
        return b"fatal: invalid notification fd: Bad file descriptor"
    except ScriptError as error:
        return b"fatal: " + error.text
    return b"warning: ignoring extraneous non-action directives" if warned else b""
