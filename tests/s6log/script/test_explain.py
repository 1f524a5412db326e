"""Scripts in plain English."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s6log.script.directives import parse
from s6log.script.explain import explain
from s6log.script.options import Options, parse_options

EXAMPLE = r"""The script, directive by directive
----------------------------------

  1. n20            how many archives to keep: 20
  2. s10            bytes at which a log is rotated, from 4096 to 268435455:
                    4,096
  3. !gzip -9       command that rewrites each archive: gzip -9
  4. -GET /healthz  deselect the lines that match: GET /healthz
  5. -DEBUG         deselect the lines that match: DEBUG
  6. +ERROR         also select the lines that match: ERROR
  7. t              put a TAI64N stamp before the lines of the next action
  8. ./main         append to a log directory: ./main
  9. -              deselect every line
 10. +ERROR         also select the lines that match: ERROR
 11. 2              show as an alert on standard error
 12. f              select just the lines that no action has had yet
 13. pweb:          text to put before lines, with a space after it: web:
 14. =last          keep the last line in a file: last
 15. f              select just the lines that no action has had yet
 16. 1              forward to standard output
                    (no effect: no line can get here)
 17. n5             how many archives to keep: 5
                    (no effect: no log directory follows)

What happens to a line
----------------------

A line ends with a newline or a NUL byte; one of more than 8,192 bytes is
split. Patterns see it without what is put before it. It goes through these
elements in this order:

1.  Every line, except those that match one of
        GET /healthz
        DEBUG
    and again those that match
        ERROR
    -> the log directory ./main
       as          @40000000663c0aad1dcd6500 LINE
       rotated     after the line that brings it to 2,096 bytes
       kept        the 20 newest archives: with current, about 86,016 bytes at
                   most
       retries     2 s after something failed
       archives    rewritten by gzip -9 (run without a shell)

2.  Lines that match
        ERROR
    -> an alert on standard error
       as          s6-log: alert: LINE
       cut         lines of more than 203 bytes: after 200 bytes

3.  Lines that no action has had yet
    -> the file last, which holds the last line only
       as          web: LINE
       size        1,001 bytes: cut, or filled up with newlines

4.  Lines that no action has had yet
    -> standard output
       as          web: LINE
    No line can get here.

Every line goes somewhere: none is dropped.

The logger itself
-----------------

- It writes a newline to descriptor 3 once it is ready.
- It reads on only when all it has read is written (-b).
- SIGALRM rotates all log directories at once.
- It ends when its input ends, or on SIGHUP or SIGTERM.
- After a signal it waits up to 2 s for the rest of a line that has begun.
"""


def explained(script: list[str], options: str = "") -> str:
    """Explain a script under some options."""
    words = [word.encode() for word in script]
    read, _ = parse_options(options.encode().split(), lambda _: None)
    return explain(parse(words), read, words)


def flat(text: str) -> str:
    """Undo the setting: one blank between words."""
    return " ".join(text.split())


def test_a_whole_explanation() -> None:
    """Directives one by one, then the way of a line, then the logger."""
    script = "n20|s10|!gzip -9|-GET /healthz|-DEBUG|+ERROR|t|./main|-|+ERROR|2|f"
    rest = "pweb:|=last|f|1|n5"
    assert explained(f"{script}|{rest}".split("|"), "-b -d3") == EXAMPLE


@pytest.mark.parametrize(
    ("script", "note"),
    [
        ("n5 n6 ./d", "n5 how many archives to keep: 5 (no effect: directive 2"),
        ("!a ?b ./d", "(no effect: directive 2 replaces it first)"),
        ("n5 1", "(no effect: no log directory follows)"),
        ("E5 1", "(no effect: no alert follows)"),
        ("^5 1", "(no effect: no status file follows)"),
        ("1 t", "(no effect: no action follows)"),
        ("t t 1", "(no effect: directive 2 replaces it first)"),
        ("1 +x", "(no effect: no action follows)"),
        ("+x 1", "(no effect: it changes nothing about which lines are selected)"),
        ("f 1", "(no effect: it changes nothing about which lines are selected)"),
        ("-a - +b 1", "(no effect: directive 2 selects afresh)"),
        ("- 1", "(no effect: no line can get here)"),
    ],
)
def test_what_has_no_effect_is_said(script: str, note: str) -> None:
    """Settings nobody heeds and selections that change nothing are pointed out."""
    assert note in flat(explained(script.split()))


@pytest.mark.parametrize(
    "script", ["t 2 1", "n5 1 ./d", "- +a 1", "-a 1 f -b 2", "s9 ./d"]
)
def test_nothing_else_is_called_idle(script: str) -> None:
    """Directives that matter carry no such note."""
    assert "no effect" not in explained(script.split())


@pytest.mark.parametrize(
    ("script", "lines"),
    [
        ("1", "1. Every line ->"),
        ("-a 1", "1. Every line, except those that match a ->"),
        ("-a -b 1", "1. Every line, except those that match one of a b ->"),
        ("- +a 1", "1. Lines that match a ->"),
        ("- +a -b +c 1", "1. Lines that match a but not those that match b and again"),
        ("+ 1", "1. Every line ->"),
        ("- 1", "1. No line ->"),
        ("1 f -a 2", "2. Lines that no action has had yet, except those that match a"),
        ("-a 1 -b 2", "2. Lines that element 1 left selected (this carries over), exc"),
        ("-a 1 +b 2", "left selected (this carries over), and also those that match b"),
    ],
)
def test_selection_in_words(script: str, lines: str) -> None:
    """Each element says which lines it is for, carry-over included."""
    assert lines in flat(explained(script.split()))


@pytest.mark.parametrize(
    ("script", "ending"),
    [
        ("1", "Every line goes somewhere: none is dropped."),
        ("-a 1 f 2", "Every line goes somewhere: none is dropped."),
        ("-a 1", "A line that no element selects goes nowhere: it is dropped."),
        ("- 1", "Every line is dropped: no action ever gets one."),
        ("1 1", "A line can go to standard output more than once: directives 1 and 2."),
        (
            "- +a 1 +b 1",
            "A line can go to standard output more than once: directives 3 and 5.",
        ),
    ],
)
def test_where_lines_end(script: str, ending: str) -> None:
    """Lines that end nowhere, and lines that are written twice, are pointed out."""
    assert ending in flat(explained(script.split()))


def test_separate_elements_do_not_double() -> None:
    """One output in two elements that no line passes both of is no surprise."""
    assert "more than once" not in explained(["-", "+a", "1", "f", "1"])


@pytest.mark.parametrize(
    ("script", "detail"),
    [
        (["t", "T", "pa  b", "1"], "1dcd6500 2024-05-08 23:28:08.500000000  a  b LINE"),
        (["n0", "./d"], "kept        no archive: what is rotated away is deleted"),
        (["n1", "./d"], "kept        the newest archive: with current, about 199,998"),
        (["S5000", "./d"], "10 newest archives, of 5,000 bytes together at most"),
        (["R3600", "./d"], "brings it to 97,999 bytes, and every 1 h"),
        (["l5000", "s4096", "./d"], "after every line, because l is not less than s"),
        (["r100", "./d"], "retries     100 ms after something failed"),
        (["?a | b", "./d"], "archives    rewritten by a | b (run by /bin/sh)"),
        (["E0", "2"], "as          s6-log: alert: LINE\n\n"),
        (["^0", "=st"], "as          LINE\n\n"),
    ],
)
def test_details_of_actions(script: list[str], detail: str) -> None:
    """Settings are shown as they are in force, in words."""
    assert detail in explained(script)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ("-q", "It shows no warnings, but for the loss of standard output (-q)."),
        ("-p", "or on SIGHUP (SIGTERM is ignored: -p)."),
        ("-t 0", "it waits as long as it takes for the rest of a line"),
        ("-t 300000", "it waits up to 5 min for the rest of a line"),
        ("-l 0", "A line ends with a newline or a NUL byte, however long."),
        ("-l 100", "one of more than 100 bytes is split"),
    ],
)
def test_options_in_words(options: str, text: str) -> None:
    """What the options change is said."""
    assert text in flat(explained(["1"], options))


PIECES = "+ - f +a -b n0 s5 S9 l0 R5 E0 ^0 p !x ? t T 1 2 =s ./d /e"
WORDS = st.one_of(
    st.sampled_from(PIECES.split()),
    st.text("ab* ", max_size=30).map(lambda text: "p" + text),
)


@given(st.lists(WORDS, max_size=20))
def test_any_valid_script_is_explained(script: list[str]) -> None:
    """Each directive is in the list and each element numbered; 79 columns do."""
    words = [*(word.encode() for word in script), b"1"]
    parsed = parse(words)
    text = explain(parsed, Options(), words)
    assert max(len(line) for line in text.splitlines()) <= 79
    assert f"\n{len(words):3}. 1 " in text
    assert text.count("\n    -> ") == sum(len(e.actions) for e in parsed.elements)
