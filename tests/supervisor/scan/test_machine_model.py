"""A scan directory with anything happening to it, in any order.

What must never happen is asserted by the shell on paper, at each step.
"""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from paperscan import Paper
from supervisor.scan import orders
from supervisor.scan.entries import DUE, RUNNING
from supervisor.scan.options import Limits

NAMES = st.sampled_from([b"a", b"b", b"c", b"s6-svscan-log"])
MOST = 5


class AnyScanDirectory(RuleBasedStateMachine):
    """Directories come, go and change; supervisions begin, fail and end."""

    def __init__(self) -> None:
        super().__init__()
        self.paper = Paper(Limits(services=MOST))
        self.inodes = iter(range(1, 1_000_000))

    def fresh(self) -> tuple[int, int]:
        """Give an identity that no directory had before."""
        return 1, next(self.inodes)

    @rule(name=NAMES, logged=st.booleans())
    def add(self, name: bytes, logged: bool) -> None:
        """Make a service directory, or replace one."""
        log = self.fresh() if logged else None
        self.paper.directory[name] = (self.fresh(), log)

    @rule(name=NAMES, logged=st.booleans())
    def change_log(self, name: bytes, logged: bool) -> None:
        """Add, replace or remove a logger."""
        if name in self.paper.directory:
            service, _log = self.paper.directory[name]
            self.paper.directory[name] = service, self.fresh() if logged else None

    @rule(old=NAMES, new=NAMES)
    def rename(self, old: bytes, new: bytes) -> None:
        """Rename a service directory, over another one perhaps."""
        if old in self.paper.directory:
            self.paper.directory[new] = self.paper.directory.pop(old)

    @rule(name=NAMES)
    def remove(self, name: bytes) -> None:
        """Remove a service directory for some time, or for ever."""
        self.paper.directory.pop(name, None)

    @rule(data=st.data())
    def bring_back(self, data: st.DataObject) -> None:
        """Let a directory that is supervised be there again, logger or not."""
        entries = sorted(self.paper.machine.entries, key=lambda one: one.identity)
        if entries:
            entry = data.draw(st.sampled_from(entries))
            log = None if entry.logger is None else entry.logger.identity
            self.paper.directory = {
                name: ids
                for name, ids in self.paper.directory.items()
                if ids[0] != entry.identity
            }
            self.paper.directory[entry.name] = (entry.identity, log)

    @rule(name=NAMES)
    def hide(self, name: bytes) -> None:
        """Let stat fail, or work again."""
        self.paper.unclear ^= {name}

    @rule(name=NAMES)
    def break_or_mend(self, name: bytes) -> None:
        """Let a directory be one that cannot be supervised, or can be."""
        if name in self.paper.directory:
            self.paper.broken ^= {ids for ids in self.paper.directory[name] if ids}

    @rule()
    def scan(self) -> None:
        """Scan."""
        self.paper.scan()

    @rule(ms=st.sampled_from([0, 0, 10, 1000, 40_000]))
    def wait(self, ms: int) -> None:
        """Let time pass."""
        if not self.paper.left:
            self.paper.wait(ms)

    @precondition(lambda self: self.paper.running)
    @rule(data=st.data())
    def end(self, data: st.DataObject) -> None:
        """Let some supervision end."""
        sides = sorted(self.paper.running, key=lambda side: side.identity)
        side = data.draw(st.sampled_from(sides))
        self.paper.end_side(side, side.is_log and data.draw(st.booleans()))

    @rule(order=st.sampled_from([orders.SCAN, orders.PRUNE, orders.PRUNE_ALL]))
    def order(self, order: str) -> None:
        """Give an order."""
        self.paper.order(order)

    @invariant()
    def limits_hold(self) -> None:
        """There are never more than there may be."""
        entries = self.paper.machine.entries
        assert sum(len(entry.sides) for entry in entries) <= MOST

    @invariant()
    def all_are_known(self) -> None:
        """See that the machine knows what runs, and which pipes are held."""
        sides = [side for entry in self.paper.machine.entries for side in entry.sides]
        running = {side for side in sides if side.state == RUNNING}
        assert running == set(self.paper.running)
        due = {side for side in sides if side.state == DUE}
        assert due == set(self.paper.machine.due(2**63))
        entries = self.paper.machine.entries
        assert {entry for entry in entries if entry.writing} == self.paper.writing
        assert {entry for entry in entries if entry.reading} == self.paper.reading

    @invariant()
    def a_wanted_service_runs_or_waits(self) -> None:
        """Nothing that the last scan found is forgotten."""
        for entry in self.paper.machine.entries:
            if entry.active and not self.paper.machine.stopping:
                assert entry.service.state in (DUE, RUNNING)
                assert entry.logger is None or entry.logger.state in (DUE, RUNNING)

    @rule(data=st.data(), first=st.sampled_from([orders.STOP, orders.STOP_ALL]))
    def stop(self, data: st.DataObject, first: str) -> None:
        """End it all: in whatever order they end, nobody is waited for in vain."""
        paper = self.paper
        before = set(paper.running)
        paper.told.clear()
        paper.order(first)
        assert before == set(paper.told)
        while not paper.left:
            paper.wait()
            if data.draw(st.integers(0, 9)) == 0:
                paper.order(orders.STOP_ALL)
            if paper.running:
                self.end(data)
        assert not paper.machine.entries
        self.paper = Paper(Limits(services=MOST))


TestAnyScanDirectory = AnyScanDirectory.TestCase
TestAnyScanDirectory.settings = settings(max_examples=150, stateful_step_count=40)
