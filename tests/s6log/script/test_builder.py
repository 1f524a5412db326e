"""What a valid script means: elements, and settings as each action got them."""

import pytest

from s6log.script.directives import defaults, parse
from s6log.script.model import Action, Alert, Logdir, Rules, Status, Stdout


def actions(script: str) -> list[Action]:
    """Give all actions of a script in their order."""
    parsed = parse(script.encode().split())
    return [action for element in parsed.elements for action in element.actions]


def logdirs(script: str) -> list[Logdir]:
    """Give all log directories of a script in their order."""
    return [action for action in actions(script) if isinstance(action, Logdir)]


def kinds(script: str) -> list[tuple[str, int]]:
    """Give the selectors and the number of actions of each element."""
    return [
        (
            " ".join((s.kind + s.pattern).decode() for s in element.selectors),
            len(element.actions),
        )
        for element in parse(script.encode().split()).elements
    ]


def test_elements_begin_at_the_first_selection_after_an_action() -> None:
    """Settings neither open nor close an element; the last one needs an action."""
    assert kinds("1 t ./d - +a n5 2 f 1 +x") == [("", 2), ("- +a", 1), ("f", 1)]


def test_empty_patterns_have_no_tree() -> None:
    """An empty pattern matches every line, without anything to match with."""
    (element,) = parse([b"-", b"+a", b"1"]).elements
    assert [selector.tree is None for selector in element.selectors] == [True, False]


@pytest.mark.parametrize(
    ("setting", "name", "value"),
    [
        ("n0", "keep", 0),
        ("n007", "keep", 7),
        ("s10", "size_bytes", 4096),
        ("s4000000000", "size_bytes", 268435455),
        ("s5000", "size_bytes", 5000),
        ("S18446744073709551615", "total_bytes", 2**64 - 1),
        ("l49999", "tolerance_bytes", 49999),
        ("r0", "retry_ms", 0),
        ("R3600", "period_s", 3600),
    ],
)
def test_numbers_reach_the_rules(setting: str, name: str, value: int) -> None:
    """Each number goes to its rule; `s` is brought within its bounds."""
    (logdir,) = logdirs(f"{setting} ./d")
    assert getattr(logdir.rules, name) == value


def test_defaults_are_those_of_the_rules() -> None:
    """The table and the model agree on what holds when nothing is said."""
    (logdir,) = logdirs("./d")
    plain = Rules()
    for name in Rules.__slots__:
        assert getattr(logdir.rules, name) == getattr(plain, name)
    assert defaults()[b"E"] == 200
    assert defaults()[b"^"] == 1001


def test_an_action_has_the_settings_before_it() -> None:
    """Settings stay in force until they are set anew."""
    first, second, third = logdirs("n1 ./a 1 ./b n3 s5000 ./c n4")
    assert [d.rules.keep for d in (first, second, third)] == [1, 1, 3]
    assert [d.rules.size_bytes for d in (first, third)] == [99999, 5000]


def test_tolerance_is_compared_with_the_size_so_far() -> None:
    """A later `s` is not looked at, as in s6-log."""
    (logdir,) = logdirs("l49999 s4096 ./d")
    assert logdir.rules.tolerance_bytes > logdir.rules.size_bytes


def test_stamps_are_for_the_next_action_whatever_it_is() -> None:
    """`t` and `T` are used up by one action; the prefix stays."""
    found = [
        (a.format.stamp, a.format.iso, a.format.prefix)
        for a in actions("t T pfoo 2 1 t t ./d p 1")
    ]
    assert found == [
        (True, True, b"foo"),
        (False, False, b"foo"),
        (True, False, b"foo"),
        (False, False, b""),
    ]


def test_actions_take_their_own_settings() -> None:
    """`E` is for alerts, `^` for status files."""
    alert, status, stdout = actions("E5 ^7 2 =st 1")
    assert isinstance(alert, Alert)
    assert isinstance(status, Status)
    assert isinstance(stdout, Stdout)
    assert (alert.most, status.path, status.size) == (5, b"st", 7)


def test_paths_are_whole_words() -> None:
    """The first byte of a log directory's directive is part of its path."""
    assert [d.path for d in logdirs(". .hidden ./d / /var/log")] == [
        *(b".", b".hidden", b"./d", b"/", b"/var/log")
    ]


def test_a_processor_stays_with_its_shell() -> None:
    """Difference 8: `?` is not turned into `!` by the action after it."""
    script = [b"?gzip -9 | cat", b"./a", b"1", b"./b", b'!gzip "-9"', b"./c", b"!"]
    (element,) = parse([*script, b"./d"]).elements
    found = [a.processor for a in element.actions if isinstance(a, Logdir)]
    shell = (b"/bin/sh", b"-c", b"gzip -9 | cat")
    assert [p and (p.shell, p.argv) for p in found] == [
        *((True, shell), (True, shell), (False, (b"gzip", b"-9")), None)
    ]
