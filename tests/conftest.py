"""Fixtures that every folder of tests shares."""

import os

import pytest

import harness

SPARE_WORKERS = 1


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:  # noqa: ARG001
    """Give the workers of `-n auto`: tests wait for processes most of the time.

    With one worker a processor, three quarters of the time of both were idle; with
    two of them, what is to happen soon may take too long for a test.
    """
    return SPARE_WORKERS + len(os.sched_getaffinity(0))


@pytest.fixture(scope="session")
def ours() -> harness.Program:
    """Our s6-log."""
    return harness.ours()


@pytest.fixture(scope="session")
def real() -> harness.Program:
    """Debian's s6-log 2.11; tests that need it are skipped where it is missing."""
    return harness.oracle()
