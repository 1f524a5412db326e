"""Trees with both kinds of logger, and loggers that change in between."""

from pathlib import Path

import pytest

import harness
from chatty import Account, chatty, noted
from harness import Program, wait_until
from scanning import all_up, end, scanned
from supervising import status, tell, wait_up

LOGGERS = ("ours", "real")
CHANGES = 3


@pytest.fixture(params=["ours", "real"])
def svscan(request: pytest.FixtureRequest) -> Program:
    """Give each of the two programs."""
    return tool(request.param, "s6-svscan")


def tool(maker: str, name: str) -> Program:
    """Give a program of one of the two makers."""
    return harness.ours(name) if maker == "ours" else harness.oracle(name)


def test_a_tree_with_both_loggers(svscan: Program, tmp_path: Path) -> None:
    """Each gets all that its service says, to the last line."""
    scandir = tmp_path / "scan"
    services = [
        chatty(scandir, maker, tool(maker, "s6-log"), "-b") for maker in LOGGERS
    ]
    with scanned(svscan, scandir) as process:
        all_up(*services)
        wait_until(lambda: all(map(talkative, services)), "some lines")
        assert end(process) == 0
    for service in services:
        account = Account(service)
        assert account.lines == sum(noted(service))
        assert (account.missing, account.strange, account.torn) == ([], [], [])
        assert account.doubled == 0


def test_a_logger_is_replaced_by_the_other_one(svscan: Program, tmp_path: Path) -> None:
    """Back and forth, on the same log directory, while the service goes on."""
    scandir = tmp_path / "scan"
    service = chatty(scandir, "foo", tool("real", "s6-log"), "-b")
    log = service / "log"
    texts = {}
    for maker in LOGGERS:
        other = chatty(scandir / ".runs", maker, tool(maker, "s6-log"), "-b")
        texts[maker] = (other / "log" / "run").read_text()
    with scanned(svscan, scandir) as process:
        all_up(service)
        pid = status(service).pid
        for turn in range(CHANGES):
            seen = sum(noted(service))
            wait_until(lambda: sum(noted(service)) > seen + 500, "more lines")  # noqa: B023
            (log / "run").write_text(texts[LOGGERS[turn % 2]])
            logger = status(log).pid
            tell(log, b"r")
            wait_up(log, other_than=logger)
        assert status(service).pid == pid
        assert end(process) == 0
    account = Account(service)
    assert account.lines == sum(noted(service))
    assert (account.missing, account.strange, account.torn) == ([], [], [])
    assert account.doubled == 0


def talkative(service: Path) -> bool:
    """Tell whether a service has said a few thousand lines."""
    return sum(noted(service)) > 3000
