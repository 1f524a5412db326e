"""Receivers, as real as they come."""

from collections.abc import Iterator

import pytest

from receivers import Receiver, making_nginx, making_rsyslog


@pytest.fixture
def rsyslog() -> Iterator[Receiver]:
    """Give an rsyslog that runs."""
    with making_rsyslog() as made:
        made.start()
        yield made


@pytest.fixture
def nginx() -> Iterator[Receiver]:
    """Give an nginx that does not run yet."""
    with making_nginx() as made:
        yield made
