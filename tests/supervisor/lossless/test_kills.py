"""Whatever is killed, however often: every line that a pipe has taken is in its log.

Services write at full speed; they, their loggers, the supervisor and its helpers are
killed at random. Excluded is that supervisor, keeper and one side die together: the
last who has a pipe takes what is in it along.
"""

import os
import random
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

import harness
from chatty import Account, chatty
from harness import DEADLINE_S, wait_until
from outliving import Tree, alive, kill, kill_in, outliving
from scanning import all_up, order
from watching import children, facts

SEED = os.environ.get("S6_LOG_SEED", "")
"""Another one gives other moments."""

NURSERY = "s6-log-nursery"
PAIRS = 10
MOST_PAUSE_S = 0.15

pytestmark = pytest.mark.slow


class Hunt:
    """Kills in a tree, and counts what."""

    def __init__(self, tree: Tree, services: list[Path], seed: str) -> None:
        self.killed: Counter[str] = Counter()
        self._tree = tree
        self._services = services
        self._rng = random.Random(repr((SEED, seed)))

    def go(self, weights: dict[str, int], kills: int) -> None:
        """Kill so often, chosen by weight; in the end all is up again."""
        self.all_whole()
        kinds = self._rng.choices(list(weights), list(weights.values()), k=kills)
        for kind in kinds:
            # The load goes on meanwhile: this only chooses the moment.
            time.sleep(self._rng.random() * MOST_PAUSE_S)
            KINDS[kind](self)
        self.all_whole()

    def all_whole(self) -> None:
        """Wait until everybody lives, and the keeper has every pipe."""
        all_up(*self._services)
        sides = [service / of for service in self._services for of in ("", "log")]
        wait_until(lambda: all(map(alive, sides)), "all to live")
        wait_until(lambda: self._tree.kept() == 2 * PAIRS, "all pipes to be kept")

    def _kill_side(self, of: str) -> bool:
        """Kill one of those that live; tell whether there was one."""
        places = [service / of for service in self._services]
        self._rng.shuffle(places)
        if not any(map(kill_in, places)):
            return False
        self.killed[of or "run"] += 1
        return True

    def service(self) -> None:
        """Kill a service, or its finish."""
        wait_until(lambda: self._kill_side(""), "a service to kill")

    def logger(self) -> None:
        """Kill a logger."""
        wait_until(lambda: self._kill_side("log"), "a logger to kill")

    def supervisor(self) -> None:
        """Kill the supervisor, and perhaps others before the next one comes."""
        self._tree.kill()
        self.killed["supervisor"] += 1
        for _ in range(self._rng.randrange(3)):
            self._kill_side(self._rng.choice(("", "log")))
        self._tree.start()

    def keeper(self) -> None:
        """Kill the keeper, and somebody who is not alone with a pipe."""
        self.all_whole()
        self._tree.kill_keeper()
        self.killed["keeper"] += 1
        self._rng.choice((self.service, self.logger))()
        wait_until(lambda: self._tree.kept() == 2 * PAIRS, "another keeper")

    def nursery(self) -> None:
        """Kill what loggers are copies of, where there is such a thing."""
        for pid in children(self._tree.process.pid):
            if facts(pid).get("Name") == NURSERY:
                kill(pid)
                self.killed["nursery"] += 1
        self._kill_side("log")

    def both(self) -> None:
        """Kill the supervisor and its keeper while all services live."""
        self.all_whole()
        self._tree.kill()
        self._tree.kill_keeper()
        self.killed["supervisor"] += 1
        self.killed["keeper"] += 1
        self._tree.start()
        self.all_whole()


KINDS: dict[str, Callable[[Hunt], None]] = {
    "service": Hunt.service,
    "logger": Hunt.logger,
    "supervisor": Hunt.supervisor,
    "keeper": Hunt.keeper,
    "nursery": Hunt.nursery,
    "both": Hunt.both,
}
SIDES = {"service": 1, "logger": 1}
CASES = {
    "services and loggers": (SIDES, 110),
    "supervisor": ({"supervisor": 1}, 38),
    "keeper": ({"keeper": 1}, 8),
    "everything": (
        {**SIDES, "supervisor": 1, "keeper": 1, "nursery": 1, "both": 1},
        46,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_no_line_is_missing(case: str, tmp_path: Path) -> None:
    """With our logger and -b; a kill of it doubles at most what fits in a pipe."""
    logger = harness.ours("s6-log")
    scandir = tmp_path / "scan"
    services = [chatty(scandir, f"s{n}", logger, "-b") for n in range(PAIRS)]
    with outliving(harness.ours("s6-svscan"), scandir) as tree:
        hunt = Hunt(tree, services, case)
        hunt.go(*CASES[case])
        order(scandir, b"t")
        assert tree.process.wait(DEADLINE_S) == 0
        assert not tree.keepers()
        said = tree.lines()
    accounts = [Account(service) for service in services]
    run = f"seed {SEED!r}, {dict(hunt.killed)}"
    assert [account.missing for account in accounts] == [[]] * PAIRS, run
    assert [account.strange for account in accounts] == [[]] * PAIRS, run
    assert [account.torn for account in accounts] == [[]] * PAIRS, run
    assert sum(account.doubled for account in accounts) <= hunt.killed["log"], run
    assert not [line for line in said if "BrokenPipe" in line]


def test_the_real_logger_gets_what_it_has_not_read(tmp_path: Path) -> None:
    """In order; what it had read when it was killed is lost, as with s6."""
    logger = harness.oracle("s6-log")
    scandir = tmp_path / "scan"
    services = [chatty(scandir, f"s{n}", logger, "-b") for n in range(PAIRS)]
    with outliving(harness.ours("s6-svscan"), scandir) as tree:
        Hunt(tree, services, "real").go({**SIDES, "supervisor": 1}, 15)
        order(scandir, b"t")
        assert tree.process.wait(DEADLINE_S) == 0
        said = tree.lines()
    accounts = [Account(service, gaps=True) for service in services]
    assert [account.strange for account in accounts] == [[]] * PAIRS
    assert [account.doubled for account in accounts] == [0] * PAIRS
    assert not [line for line in said if "BrokenPipe" in line]
