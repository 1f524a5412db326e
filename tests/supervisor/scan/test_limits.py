"""How many descriptors a supervisor takes for itself."""

import os
import resource

import pytest

from inside import other_process
from supervisor.scan import limits
from watching import facts

CAP_SYS_RESOURCE = 24  # linux/capability.h
KIND = resource.RLIMIT_NOFILE
SHOW = """
import os, resource
from supervisor.scan import limits
kind = resource.RLIMIT_NOFILE
resource.setrlimit(kind, ({soft}, {hard}))
{before}
given = limits.raise_limit()
raised = resource.getrlimit(kind)
limits.restore_limit(given)
print(given, raised, resource.getrlimit(kind), limits.current_limit())
"""
LIKE_ANYBODY = "os.setresuid(65534, 65534, 65534)"  # without CAP_SYS_RESOURCE


def shown(soft: int, hard: int, before: str) -> str:
    """Raise a limit in another process; give what it was, became and was again."""
    with other_process(SHOW.format(soft=soft, hard=hard, before=before)) as process:
        out, _ = process.communicate()
    return out.decode().strip()


@pytest.mark.parametrize(("soft", "hard"), [(64, 128), (128, 128)])
def test_the_limit_is_raised_and_given_back(soft: int, hard: int) -> None:
    """To the hard one, for those who may do no more."""
    given, raised = (soft, hard), (hard, hard)
    assert shown(soft, hard, LIKE_ANYBODY) == f"{given} {raised} {given} {soft}"


def test_a_low_hard_limit_is_raised_too() -> None:
    """Where one may; and given back as well."""
    if not int(facts(os.getpid())["CapEff"], 16) >> CAP_SYS_RESOURCE & 1:
        pytest.skip("this needs CAP_SYS_RESOURCE")
    raised = (limits.ENOUGH, limits.ENOUGH)
    assert shown(64, 128, "") == f"{(64, 128)} {raised} {(64, 128)} 64"
