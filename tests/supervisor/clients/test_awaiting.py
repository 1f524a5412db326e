"""When waiting for services is over: the table, and a model for any story."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from supervisor.clients.awaiting import (
    DOWN,
    FINISHED,
    GOALS,
    READY,
    UP,
    Awaiting,
)

State = tuple[bool, bool]
LETTERS = sorted(GOALS)
AFTER = {"d": DOWN, "D": FINISHED, "u": UP, "U": READY}

ONE_SERVICE = [
    # goal, state at first, events, done, failures
    (b"u", DOWN, b"", False, 0),
    (b"u", UP, b"", True, 0),
    (b"u", READY, b"", True, 0),
    (b"u", FINISHED, b"s", False, 0),
    (b"u", FINISHED, b"su", True, 0),
    (b"U", UP, b"", False, 0),
    (b"U", FINISHED, b"u", False, 0),
    (b"U", FINISHED, b"uU", True, 0),
    (b"U", READY, b"", True, 0),
    (b"d", READY, b"", False, 0),
    (b"d", DOWN, b"", True, 0),
    (b"d", READY, b"d", True, 0),
    (b"D", READY, b"d", False, 0),
    (b"D", DOWN, b"", False, 0),
    (b"D", DOWN, b"D", True, 0),
    (b"D", READY, b"dD", True, 0),
    # exit 125 of finish: a failure for who waits for up, and nothing else
    (b"u", DOWN, b"O", True, 1),
    (b"U", UP, b"dOD", True, 1),
    (b"D", UP, b"dO", False, 0),
    (b"D", UP, b"dOD", True, 0),
    # the end of the supervisor: of a service in the very state that is wanted, none
    (b"u", DOWN, b"x", True, 1),
    (b"U", UP, b"x", True, 1),
    (b"d", READY, b"x", True, 1),
    (b"D", DOWN, b"x", True, 1),
    (b"D", READY, b"dDx", True, 0),
    # what is not known is not there
    (b"u", DOWN, b"s?\0\xff", False, 0),
    # restarts
    (b"r", UP, b"", False, 0),
    (b"r", UP, b"u", False, 0),
    (b"r", UP, b"d", False, 0),
    (b"r", UP, b"dDu", True, 0),
    (b"r", DOWN, b"", False, 0),
    (b"r", DOWN, b"u", True, 0),
    (b"R", READY, b"dDu", False, 0),
    (b"R", READY, b"dDuU", True, 0),
    (b"r", UP, b"x", True, 1),
    (b"r", UP, b"O", False, 0),
    (b"r", UP, b"dO", True, 1),
]


@pytest.mark.parametrize(("goal", "state", "events", "done", "failures"), ONE_SERVICE)
def test_one_service(
    goal: bytes, state: State, events: bytes, done: bool, failures: int
) -> None:
    """Each event means what it means to s6-svwait."""
    services = Awaiting(GOALS[goal], [state], either=False)
    services.hear(0, events)
    assert (services.done, services.failures) == (done, failures)


def test_all_have_to_be_there_at_the_same_time() -> None:
    """One that was up is waited for again when it goes down meanwhile."""
    services = Awaiting(GOALS[b"u"], [UP, DOWN], either=False)
    services.hear(0, b"d")
    services.hear(1, b"u")
    assert not services.done
    services.hear(0, b"u")
    assert services.done


def test_one_of_them_will_do() -> None:
    """With either, the first one ends the wait."""
    services = Awaiting(GOALS[b"u"], [DOWN] * 10, either=True)
    services.hear(7, b"s")
    assert not services.done
    services.hear(7, b"u")
    assert services.done


def test_services_restart_each_in_its_own_time() -> None:
    """One that is up again before the other goes down has been down all the same."""
    services = Awaiting(GOALS[b"r"], [UP, UP], either=False)
    services.hear(0, b"dDu")
    services.hear(1, b"dD")
    assert not services.done
    services.hear(1, b"u")
    assert services.done


def test_either_does_not_hold_for_the_way_down() -> None:
    """As in s6-svwait -r -o: all have to go down, then one has to come up."""
    services = Awaiting(GOALS[b"r"], [UP, UP], either=True)
    services.hear(0, b"dDu")
    assert not services.done
    services.hear(1, b"d")
    assert services.done


def test_the_end_of_a_ready_service_counts_when_only_up_is_wanted() -> None:
    """The comparison is with what was asked for, ready or not: s6 has it so."""
    services = Awaiting(GOALS[b"u"], [DOWN, READY], either=False)
    services.hear(1, b"x")
    services.hear(0, b"u")
    assert (services.done, services.failures) == (True, 1)


def test_the_end_of_a_service_that_is_as_wanted_is_no_failure() -> None:
    """Its state can change no more, so it counts as reached from then on."""
    services = Awaiting(GOALS[b"U"], [DOWN, READY], either=False)
    services.hear(1, b"x")
    services.hear(0, b"U")
    assert (services.done, services.failures) == (True, 0)


def test_failures_on_the_way_down_end_a_restart() -> None:
    """There is no use in waiting for the way up."""
    services = Awaiting(GOALS[b"r"], [UP, UP], either=False)
    services.hear(0, b"x")
    services.hear(1, b"d")
    assert (services.done, services.failures) == (True, 1)


def test_what_comes_after_the_end_is_ignored() -> None:
    """Not even failures are counted any more."""
    services = Awaiting(GOALS[b"u"], [DOWN], either=False)
    services.hear(0, b"u" + b"x" * 5)
    services.hear(0, b"O")
    assert (services.done, services.failures) == (True, 0)


Story = list[tuple[int, str]]


def fits(state: State, goal: State) -> bool:
    """Tell whether a state is what is wanted."""
    return state[0] is goal[0] and (state[1] or not goal[1])


def model(
    goals: list[State], states: list[State], either: bool, story: Story
) -> tuple[bool, int]:
    """Tell the same in the plainest way: look at everything after each event."""
    now, failures = list(states), 0
    for number, goal in enumerate(goals):
        last = number == len(goals) - 1
        ever = [fits(state, goal) for state in now]
        while True:
            fit = [fits(state, goal) for state in now] if last else ever
            if any(fit) if either and last else all(fit):
                break
            if not story:
                return False, failures
            service, event = story.pop(0)
            if event in AFTER:
                now[service] = AFTER[event]
            elif event == "x" or (event == "O" and goal[0]):
                failures += event == "O" or now[service] != goal
                now[service] = goal
            ever = [e or fits(state, goal) for e, state in zip(ever, now, strict=True)]
        if failures:
            break
    return True, failures


states = st.sampled_from([DOWN, FINISHED, UP, READY])


@given(
    st.sampled_from(LETTERS),
    st.lists(states, min_size=1, max_size=4),
    st.booleans(),
    st.lists(st.tuples(st.integers(0, 3), st.text("dDuUOxs", max_size=6)), max_size=20),
    st.lists(st.integers(1, 3)),
)
@example(b"r", [UP, UP], False, [(0, "dDu"), (1, "dDu")], [1])
def test_any_story_in_any_pieces_ends_as_the_model_says(
    letter: bytes,
    states: list[State],
    either: bool,
    told: list[tuple[int, str]],
    cuts: list[int],
) -> None:
    """How events are split into reads makes no difference."""
    told = [(number % len(states), events) for number, events in told]
    services = Awaiting(GOALS[letter], states, either)
    for number, events in told:
        rest = events.encode()
        for size in cuts:
            services.hear(number, rest[:size])
            rest = rest[size:]
        services.hear(number, rest)
    story = [(number, event) for number, events in told for event in events]
    expected = model(list(GOALS[letter]), states, either, story)
    assert (services.done, services.failures) == expected
