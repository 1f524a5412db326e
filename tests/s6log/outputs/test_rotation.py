"""The tables of a rotation have an answer to everything, and come to an end."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s6log.outputs.rotation import (
    PLAIN,
    PROCESSED,
    RESULTS,
    STEPS,
    TABLES,
    Result,
    Step,
)

each_kind = pytest.mark.parametrize(
    "processor", [False, True], ids=["plain", "processor"]
)


@each_kind
def test_every_step_and_result_has_an_answer(processor: bool) -> None:
    """Even those that do not happen; nothing falls through."""
    table = TABLES[processor]
    assert set(table) == set(itertools.product(STEPS, RESULTS))
    assert set(table.values()) <= set(STEPS)


def test_steps_are_told_apart() -> None:
    """By what they say."""
    names = [value for name, value in vars(Step).items() if name.isupper()]
    assert sorted(names) == sorted(STEPS)
    assert len(set(STEPS)) == len(STEPS)
    assert len(set(RESULTS)) == len(RESULTS)


@each_kind
def test_steps_that_succeed_follow_each_other(processor: bool) -> None:
    """To the end, each one once."""
    step: str = Step.SYNC
    way = []
    while step != Step.SETTLED:
        way.append(step)
        step = TABLES[processor][step, Result.DONE]
    assert tuple(way) == (PROCESSED if processor else PLAIN)


@each_kind
@pytest.mark.parametrize("step", [step for step in STEPS if step != Step.WAIT])
def test_a_step_that_failed_is_done_again(processor: bool, step: str) -> None:
    """It is where it was."""
    assert TABLES[processor][step, Result.FAILED] == step


def test_a_processor_that_failed_runs_again() -> None:
    """From the beginning of what it has to read."""
    assert TABLES[True][Step.WAIT, Result.FAILED] == Step.RUN


@each_kind
def test_the_end_is_the_end(processor: bool) -> None:
    """Nothing follows."""
    for result in RESULTS:
        assert TABLES[processor][Step.SETTLED, result] == Step.SETTLED


@given(st.booleans(), st.lists(st.sampled_from(RESULTS), max_size=40))
def test_whatever_fails_a_rotation_settles(processor: bool, results: list[str]) -> None:
    """Once things succeed again; and it never skips a step."""
    order = PROCESSED if processor else PLAIN
    step: str = Step.SYNC
    done = []
    for result in [*results, *[Result.DONE] * len(order)]:
        if result == Result.DONE and step != Step.SETTLED:
            done.append(step)
        step = TABLES[processor][step, result]
    assert step == Step.SETTLED
    assert tuple(dict.fromkeys(done)) == order


def test_previous_outlives_the_processor() -> None:
    """It is dropped only when what was made of it is durable."""
    order = PROCESSED.index
    assert order(Step.WAIT) < order(Step.SEAL) < order(Step.DROP)
    assert order(Step.DROP) < order(Step.ARCHIVE_PROCESSED)
