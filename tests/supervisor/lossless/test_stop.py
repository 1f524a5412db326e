"""A tree ends: every line that a service has written reaches its logger first.

Its last words and those of its finish too, whatever has become of the logger, and
whether this supervisor has started them or an earlier one.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

import harness
from chatty import FINISH, LOGDIR, Account, chatty, noted
from harness import DEADLINE_S, wait_until
from outliving import Tree, kill_in, outliving
from scanning import all_up, order
from supervising import Ear

WAIT = "while ! test -e {0}; do sleep 0.01; done"
GO = "go"


def logger_lives(service: Path, tree: Tree) -> None:
    """Stop when nothing is wrong."""
    order(tree.scandir, b"t")
    (service / GO).touch()


def logger_waits_for_its_second(service: Path, tree: Tree) -> None:
    """Stop when it has died, and is not due yet."""
    with Ear(service / "log") as ear:
        assert kill_in(service / "log")
        ear.wait_for(b"D")
        order(tree.scandir, b"t")
    (service / GO).touch()


def logger_finishes(service: Path, tree: Tree) -> None:
    """Stop when it has died, and its finish takes its time."""
    finish = service / "log" / "finish"
    finish.write_text(f"#!/bin/sh\n{WAIT.format('../' + GO)}\n")
    finish.chmod(0o755)
    with Ear(service / "log") as ear:
        assert kill_in(service / "log")
        ear.wait_for(b"d")
        order(tree.scandir, b"t")
        (service / GO).touch()


def logger_dies_in_the_end(service: Path, tree: Tree) -> None:
    """Kill it in between its service and what the finish of that has to say."""
    with Ear(service) as ear, Ear(service / "log") as log_ear:
        order(tree.scandir, b"t")
        ear.wait_for(b"d")
        assert kill_in(service / "log")
        log_ear.wait_for(b"u")
        (service / GO).touch()


def service_waits_for_its_second(service: Path, tree: Tree) -> None:
    """Stop when it has died, and said everything."""
    (service / GO).touch()
    with Ear(service) as ear:
        assert kill_in(service)
        ear.wait_for(b"D")
        order(tree.scandir, b"t")


def service_finishes(service: Path, tree: Tree) -> None:
    """Stop when its finish has not said anything yet."""
    with Ear(service) as ear:
        assert kill_in(service)
        ear.wait_for(b"d")
        order(tree.scandir, b"t")
        (service / GO).touch()


MOMENTS: list[Callable[[Path, Tree], None]] = [
    logger_lives,
    logger_waits_for_its_second,
    logger_finishes,
    logger_dies_in_the_end,
    service_waits_for_its_second,
    service_finishes,
]


@pytest.mark.parametrize("adopted", [False, True], ids=["own", "adopted"])
@pytest.mark.parametrize("moment", MOMENTS, ids=lambda moment: moment.__name__)
def test_every_line_reaches_its_logger(
    moment: Callable[[Path, Tree], None], adopted: bool, tmp_path: Path
) -> None:
    """A page is written after the order to end, and more by finish."""
    logger = harness.ours("s6-log")
    finish = f"{WAIT.format(GO)}; {FINISH}"
    service = chatty(tmp_path / "scan", "foo", logger, "-b", finish=finish)
    (service / "timeout-finish").write_text("0")
    with outliving(harness.ours("s6-svscan"), tmp_path / "scan") as tree:
        all_up(service)
        wait_until((service / LOGDIR / "current").exists, "the logger")
        if adopted:
            tree.again(service, service / "log")
        wait_until(lambda: sum(noted(service)) > 1000, "some lines")
        moment(service, tree)
        assert tree.process.wait(DEADLINE_S) == 0
        said = tree.lines()
    account = Account(service)
    assert (account.missing, account.strange, account.torn) == ([], [], [])
    assert account.doubled <= 1
    assert len(noted(service)) == 2, "finish has said nothing"
    assert said == []
