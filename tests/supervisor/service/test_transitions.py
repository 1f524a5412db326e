"""The table of a service is total, and is the one that was written from s6's manual.

fixtures/service-machine.txt is that one; nothing in it was made from the code.
"""

import itertools
import signal
from collections.abc import Iterator

import pytest

from pages import CHECKOUT
from supervisor.service import events, transitions
from supervisor.service.machine import CHANGES
from supervisor.service.transitions import TABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.service.transitions import Action, Actions

FIXTURE = CHECKOUT / "fixtures" / "service-machine.txt"
WORDS = {*events.EFFECTS, *CHANGES, transitions.START_IF_WANTED}


def rows() -> Iterator[tuple[str, str, str, "Actions"]]:
    """Read the fixture: state, event, next state, actions."""
    state = ""
    for line in FIXTURE.read_text().splitlines():
        if line.startswith("["):
            state = line.strip("[]")
        elif line.startswith("ignored: "):
            for event in line.removeprefix("ignored: ").split(", "):
                yield state, event, state, ()
        elif line and not line.startswith("#"):
            happening, _, rest = line.partition(" -> ")
            following, _, done = rest.partition(":")
            texts = [text.strip() for text in done.split(";") if text]
            yield state, happening, following, tuple(map(action, texts))


def action(text: str) -> "Action":
    """Read an action: a word, or a word with a signal or quoted bytes."""
    if text in WORDS:
        return text
    word, _, argument = text.rpartition(" ")
    assert word in WORDS, text
    if argument.startswith('"'):
        return word, argument.strip('"').encode()
    return word, signal.Signals["SIG" + argument].value


ROWS = list(rows())


@pytest.mark.parametrize(
    ("state", "event", "following", "actions"),
    ROWS,
    ids=[f"{state}-{event}" for state, event, _, _ in ROWS],
)
def test_the_table_does_what_the_manual_says(
    state: str, event: str, following: str, actions: "Actions"
) -> None:
    """In each state, each event leads to that state and has those effects."""
    assert TABLE[state, event] == (following, actions)


def test_the_fixture_says_something_about_everything_once() -> None:
    """About every state and every event, and about nothing else."""
    pairs = [(state, event) for state, event, _, _ in ROWS]
    assert sorted(pairs) == sorted(itertools.product(events.STATES, events.EVENTS))


def test_the_table_is_total() -> None:
    """There is an answer to everything, in words that the machine knows."""
    assert set(TABLE) == set(itertools.product(events.STATES, events.EVENTS))
    for following, actions in TABLE.values():
        assert following in events.STATES
        assert {a if isinstance(a, str) else a[0] for a in actions} <= WORDS


def test_words_are_told_apart() -> None:
    """No two states, events, effects or changes have the same name."""
    for words in (events.STATES, events.EVENTS, events.EFFECTS):
        assert len(set(words)) == len(words)
    assert not set(events.EFFECTS) & set(CHANGES)


def test_every_effect_and_change_is_used() -> None:
    """Nothing in the vocabulary is there for nothing."""
    used = {
        action if isinstance(action, str) else action[0]
        for _, actions in TABLE.values()
        for action in actions
    }
    assert used == WORDS


def test_everything_can_be_reached_and_can_end() -> None:
    """From the first state each other one, and from each of them the last."""
    following = {
        state: {TABLE[state, event][0] for event in events.EVENTS}
        for state in events.STATES
    }
    reached = {events.DOWN}
    for _ in events.STATES:
        reached.update(*(following[state] for state in reached))
    assert reached == set(events.STATES)
    ending = {events.ENDED}
    for _ in events.STATES:
        ending.update(state for state in events.STATES if following[state] & ending)
    assert ending == set(events.STATES)


@pytest.mark.parametrize("answered", [events.START_RUN, events.START_FINISH])
def test_what_is_answered_at_once_comes_last(answered: str) -> None:
    """Only letting go of stdin and stdout may follow, in the answer's own actions."""
    for _, actions in TABLE.values():
        assert answered not in actions[:-1]


def test_listeners_are_told_only_after_the_status_is_written() -> None:
    """In the same breath; only the last word needs no new record."""
    for _, actions in TABLE.values():
        for place, action in enumerate(actions):
            if action != (events.NOTIFY, b"x") and action[0] == events.NOTIFY:
                assert actions[place - 1] == events.WRITE_STATUS
