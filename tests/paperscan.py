"""A shell on paper for the machine of a scan directory: it obeys, and checks.

Its pipes and processes are figures; what must never happen is asserted at the
moment when the machine would let it happen.
"""

from typing import TYPE_CHECKING

from supervisor.scan import effects
from supervisor.scan.entries import Entry, Found, Side
from supervisor.scan.machine import RESTART_NS, Machine
from supervisor.scan.options import Limits

if TYPE_CHECKING:
    from supervisor.scan.roster import Effects

MS = 1_000_000
Identity = tuple[int, int]


class Paper:
    """Carries out effects; `log` keeps them as words."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.machine = Machine(limits or Limits())
        self.now_ns = 0
        self.directory: dict[bytes, tuple[Identity, Identity | None]] = {}
        self.unclear: set[bytes] = set()
        self.broken: set[Identity] = set()  # cannot be supervised
        self.running: dict[Side, int] = {}  # and when they were begun
        self.told: dict[Side, str] = {}
        self.writing: set[Entry] = set()
        self.reading: set[Entry] = set()
        self.log: list[str] = []
        self.left = False

    # ---- what happens

    def scan(self) -> list[str]:
        """Look at the directory; give what that led to."""
        found = [Found(name, *ids) for name, ids in sorted(self.directory.items())]
        found = [item for item in found if item.name not in self.unclear]
        return self.carry_out(self.machine.scanned(found, self.unclear, self.now_ns))

    def order(self, order: str) -> list[str]:
        """Give an order; give what that led to."""
        return self.carry_out(self.machine.order(order, self.now_ns))

    def wait(self, ms: int = 0) -> list[str]:
        """Let time pass and begin what is due then; give what that led to."""
        self.now_ns += ms * MS
        before = len(self.log)
        for side in self.machine.due(self.now_ns):
            assert not self.left
            if side.identity in self.broken:
                self.carry_out(self.machine.failed(side, b"broken", self.now_ns))
            else:
                self._begin(side)
        return self.log[before:]

    def _begin(self, side: Side) -> None:
        assert side not in self.running, "supervised twice"
        same = [one for one in self.running if one.identity == side.identity]
        assert not same, "one directory supervised twice"
        if side.is_log:
            assert side.entry in self.reading, "a logger needs its pipe"
        self.running[side] = self.now_ns
        self.log.append(f"begin {side.name.decode()}")
        self.carry_out(self.machine.begun(side, self.now_ns))

    def end(self, name: str, lines_left: bool = False) -> list[str]:
        """Let the supervision of that name end."""
        return self.end_side(self.side(name), lines_left)

    def end_side(self, side: Side, lines_left: bool = False) -> list[str]:
        """Let one supervision end."""
        del self.running[side]
        self.told.pop(side, None)
        return self.carry_out(self.machine.ended(side, lines_left, self.now_ns))

    # ---- what can be seen

    def side(self, name: str) -> Side:
        """Find a running side."""
        (side,) = [one for one in self.running if one.name.decode() == name]
        return side

    def names(self) -> list[str]:
        """Name what runs."""
        return sorted(side.name.decode() for side in self.running)

    def carry_out(self, asked: "Effects") -> list[str]:
        """Do what is asked for; give it as words."""
        before = len(self.log)
        for effect, side in asked:
            name = "" if side is None else " " + side.name.decode()
            self.log.append(effect + name)
            if side is not None:
                self._do(effect, side)
            elif effect in (effects.SCAN, effects.SCAN_SOON):
                self.scan()
            elif effect == effects.LEAVE:
                assert not self.running, "left before all had ended"
                assert not self.writing | self.reading, "left with pipes"
                self.left = True
        return self.log[before:]

    def _do(self, effect: str, side: Side) -> None:
        entry = side.entry
        ending = self.machine.stopping or not entry.active
        logger = entry.logger
        if effect == effects.MAKE_PIPE:
            assert entry not in self.writing | self.reading
            self.writing.add(entry)
            self.reading.add(entry)
        elif effect == effects.CLOSE_WRITING:
            retired = logger is not None and not logger.kept
            assert retired or (ending and entry.service not in self.running)
            self.writing.remove(entry)
        elif effect == effects.CLOSE_READING:
            assert logger not in self.running
            self.reading.remove(entry)
        elif effect in (effects.TERMINATE, effects.DRAIN):
            assert side in self.running, "told, but not running"
            self.told[side] = effect


SECOND_MS = RESTART_NS // MS
