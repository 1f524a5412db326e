"""What the tests of the clients share."""

from collections.abc import Callable

import pytest

import harness
from harness import Program

Find = Callable[[str], Program]


@pytest.fixture(params=[harness.ours, harness.oracle], ids=["client", "real client"])
def find(request: pytest.FixtureRequest) -> Find:
    """Find our programs, and then Debian's: a test runs with both."""
    found: Find = request.param
    return found


@pytest.fixture(
    params=[harness.ours, harness.oracle], ids=["supervisor", "real supervisor"]
)
def find_supervisor(request: pytest.FixtureRequest) -> Find:
    """Find our supervisors, and then Debian's: with `find`, all four ways to mix."""
    found: Find = request.param
    return found
