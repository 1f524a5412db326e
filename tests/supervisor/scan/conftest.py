"""A loop for tests that drive parts of a program by hand."""

from collections.abc import Iterator

import pytest

from inside import looping
from s6log.unix.loop import Loop


@pytest.fixture
def loop() -> Iterator[Loop]:
    """Give a loop whose signals are taken back afterwards."""
    with looping() as made:
        yield made
