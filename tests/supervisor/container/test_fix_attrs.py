"""The lines of fix-attrs.d: what they mean, and why some mean nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.container.fix_attrs import (
    Accounts,
    Rule,
    Unfit,
    is_wild,
    mode,
    parse,
    resolve,
    split_pattern,
)

USERS = {b"daemon": (2, 2), b"app": (33, 44), b"77": (1, 1)}
GROUPS = {b"daemon": 2, b"web": 55}
KNOWN = Accounts(
    lambda name: USERS[name][0] if name in USERS else None,
    lambda name: USERS[name][1] if name in USERS else None,
    GROUPS.get,
)

ACCOUNTS = [
    (b"daemon", (2, 2)),
    (b"daemon,3:4", (2, 2)),
    (b"2:2,3:4", (2, 2)),
    (b"daemon:11111,3:4", (2, 11111)),
    (b"11111:daemon,3:4", (11111, 2)),
    (b"daemon:nosuch,3:4", (2, 4)),
    (b"nosuch:daemon,3:4", (3, 2)),
    (b"nosuch,3:4", (3, 4)),
    (b"nosuch:nosuch,3:4", (3, 4)),
    (b"app", (33, 44)),
    (b"app:web", (33, 55)),
    (b"77", (1, 1)),
    (b"77:77", (1, 77)),
    (b"1000,3:4", (1000, 4)),
    (b"1000:1000", (1000, 1000)),
    (b":daemon,3:4", (3, 2)),
    (b"0:0", (0, 0)),
]
NO_ACCOUNTS = [
    (b"nosuch", b"unknown user: nosuch"),
    (b"daemon:nosuch", b"unknown group: daemon:nosuch"),
    (b"nosuch:daemon", b"unknown user: nosuch:daemon"),
    (b"1000", b"unknown group: 1000"),
    (b"", b"unknown user: "),
    (b"daemon:", b"unknown group: daemon:"),
    (b"4294967295:0", b"unknown user: 4294967295:0"),
    (b"-1:0", b"unknown user: -1:0"),
    (b"daemon,", b"not uid:gid in numbers: "),
    (b"daemon,3", b"not uid:gid in numbers: 3"),
    (b"daemon,app:web", b"not uid:gid in numbers: app:web"),
    (b"daemon,3:4:5", b"not uid:gid in numbers: 3:4:5"),
]


@pytest.mark.parametrize(("text", "ids"), ACCOUNTS)
def test_an_account_is_a_user_and_a_group(text: bytes, ids: tuple[int, int]) -> None:
    """Names first, then numbers, then what is behind the comma."""
    assert resolve(text, KNOWN) == ids


@pytest.mark.parametrize(("text", "reason"), NO_ACCOUNTS)
def test_an_account_may_be_unknown(text: bytes, reason: bytes) -> None:
    """It is said which half."""
    with pytest.raises(Unfit) as raised:
        resolve(text, KNOWN)
    assert raised.value.reason == reason


@pytest.mark.parametrize(
    ("text", "value"),
    [(b"0644", 0o644), (b"755", 0o755), (b"-", None), (b"02755", 0o2755), (b"0", 0)],
)
def test_a_mode_is_octal(text: bytes, value: int | None) -> None:
    """Or a dash: leave it alone."""
    assert mode(text) == value


@pytest.mark.parametrize("text", [b"", b"8", b"u+x", b"-1", b"17777", b"000644", b"--"])
def test_a_mode_may_be_none(text: bytes) -> None:
    """Then the line is a mistake."""
    with pytest.raises(Unfit, match="not an octal mode"):
        mode(text)


def only(line: bytes) -> Rule | tuple[int, bytes]:
    """Parse a line."""
    (found,) = parse(line, KNOWN)
    return found


def test_a_line_is_a_rule() -> None:
    """Five words, with blanks of any kind between them."""
    rule = only(b" \t/var/lib/x  true\tapp,1:2 0600 -  \r\n")
    assert isinstance(rule, Rule)
    assert (rule.path, rule.recurse, rule.number) == (b"/var/lib/x", True, 1)
    assert (rule.uid, rule.gid, rule.fmode, rule.dmode) == (33, 44, 0o600, None)


@pytest.mark.parametrize(
    ("path", "is_pattern"),
    [
        (b"/a", False),
        (b"/a*", True),
        (b"/?/b", True),
        (b"/[ab]", True),
        (b"/{a}", False),
    ],
)
def test_a_path_may_be_a_pattern(path: bytes, is_pattern: bool) -> None:
    """With the wildcards of a shell."""
    rule = only(path + b" false daemon - -")
    assert isinstance(rule, Rule)
    assert rule.is_pattern is is_pattern


@pytest.mark.parametrize("line", [b"", b" \t", b"# x", b"#", b"\t# a b c d", b"#/a"])
def test_some_lines_mean_nothing(line: bytes) -> None:
    """Empty ones and comments."""
    assert list(parse(line + b"\n" + line, KNOWN)) == []


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"/a", b"5 words are wanted, not 1"),
        (b"/a true daemon 0644", b"5 words are wanted, not 4"),
        (b"/a true daemon 0644 0755 x", b"5 words are wanted, not 6"),
        (b"/a yes daemon 0644 0755", b"neither true nor false: yes"),
        (b"/a true nosuch 0644 0755", b"unknown user: nosuch"),
        (b"/a true daemon rw 0755", b"not an octal mode: rw"),
        (b"/a true daemon 0644 rwx", b"not an octal mode: rwx"),
        (b"/\0 true daemon 0644 0755", b"there is a NUL in it"),
    ],
)
def test_a_mistake_is_told_with_its_line(line: bytes, reason: bytes) -> None:
    """And the lines around it are rules all the same."""
    good = b"/b false daemon - -"
    first, bad, last = parse(b"\n".join((good, line, good)), KNOWN)
    assert bad == (2, reason)
    assert isinstance(first, Rule)
    assert isinstance(last, Rule)
    assert (first.number, last.number) == (1, 3)


@given(st.binary(max_size=60))
def test_any_text_is_read(text: bytes) -> None:
    """Each line that has words gives one thing."""
    found = list(parse(text, KNOWN))
    lines = [line.split() for line in text.split(b"\n")]
    assert len(found) == len([w for w in lines if w and not w[0].startswith(b"#")])


@pytest.mark.parametrize(
    ("path", "fixed", "names"),
    [
        (b"/home/*/conf/x", b"/home/", [b"*", b"conf", b"x"]),
        (b"/*", b"/", [b"*"]),
        (b"/a//b//[x]//c", b"/a//b//", [b"[x]", b"c"]),
        (b"*/", b"./", [b"*", b"."]),
        (b"../a?", b"../", [b"a?"]),
    ],
)
def test_a_pattern_begins_at_its_first_wildcard(
    path: bytes, fixed: bytes, names: list[bytes]
) -> None:
    """What comes before that is a path like others."""
    assert split_pattern(path) == (fixed, names)


@given(st.lists(st.sampled_from([b"", b".", b"a", b"*", b"b?"]), min_size=1))
def test_no_wildcard_is_in_what_is_fixed(words: list[bytes]) -> None:
    """And nothing gets lost."""
    path = b"/".join([*words, b"[x]"])
    fixed, names = split_pattern(path)
    assert not is_wild(fixed)
    assert is_wild(names[0])
    whole = [word for word in path.split(b"/") if word]
    assert [word for word in fixed.split(b"/") if word][-len(whole) :] + names in (
        whole,
        [b".", *whole],
    )
