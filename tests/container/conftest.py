"""Containers for each test, on whatever engine this machine has."""

from collections.abc import Iterator

import pytest

from boxes import Boxes
from engines import Unusable
from workshop import Workshop, opened


@pytest.fixture(scope="session")
def workshop() -> Iterator[Workshop]:
    """Give the engine and its images; without one, tests are skipped."""
    try:
        with opened() as made:
            yield made
    except Unusable as reason:
        pytest.skip(f"no containers here: {reason}")


@pytest.fixture
def boxes(workshop: Workshop) -> Iterator[Boxes]:
    """Give what runs containers, all of which are removed in the end."""
    made = Boxes(workshop)
    try:
        yield made
    finally:
        made.remove()
