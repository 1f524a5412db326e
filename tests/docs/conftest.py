"""What pages about containers are tried with."""

from collections.abc import Iterator

import pytest

from engines import Unusable
from pagedocker import Docker
from workshop import opened


@pytest.fixture(scope="session")
def docker() -> Iterator[Docker | str]:
    """Give what runs the containers of pages, or say why there is nothing."""
    try:
        with opened() as workshop:
            yield Docker(workshop)
    except Unusable as reason:
        yield str(reason)
