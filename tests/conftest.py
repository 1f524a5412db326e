"""Fixtures that every folder of tests shares."""

import pytest

import harness


@pytest.fixture(scope="session")
def ours() -> harness.Program:
    """Our s6-log."""
    return harness.ours()


@pytest.fixture(scope="session")
def real() -> harness.Program:
    """Debian's s6-log 2.11; tests that need it are skipped where it is missing."""
    return harness.oracle()
