"""Who is supervised, who is to be begun, and which pipe ends are held. Pure.

What `machine` and `matching` both work on: entries, and the effects that follow
from what they decide.
"""

from supervisor.scan import effects
from supervisor.scan.entries import DUE, OVER, Entry, Side

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.scan.entries import Identity
    from supervisor.scan.options import Limits

    Effects = list[tuple[str, Side | None]]

NANOSECONDS_PER_SECOND = 1_000_000_000
MOST_RETRY_SECONDS = 30


class Roster:
    """All entries, by identity; `due` are the sides to be begun, in that order.

    `stopping`: the whole tree ends. `refused`: the last scan found more than there
    may be.
    """

    __slots__ = (
        "_effects",
        "_limits",
        "_sides",
        "due",
        "entries",
        "refused",
        "stopping",
    )

    def __init__(self, limits: "Limits") -> None:
        self.entries: dict[Identity, Entry] = {}
        self.due: dict[Side, None] = {}
        self.stopping = False
        self.refused = False
        self._limits = limits
        self._sides = 0
        self._effects: Effects = []

    # ---- effects

    def do(self, effect: str, side: Side | None = None) -> None:
        """Ask the shell for something."""
        self._effects.append((effect, side))

    def taken(self) -> "Effects":
        """Give what has been asked for since the last time, in order."""
        asked, self._effects = self._effects, []
        return asked

    # ---- who there is

    def add(self, entry: Entry, now_ns: int) -> None:
        """Let a new entry's service be begun."""
        self.entries[entry.identity] = entry
        self._sides += 1
        self.begin_at(entry.service, now_ns)

    def add_logger(self, entry: Entry, log: "Identity", now_ns: int) -> None:
        """Let a logger be begun for an entry that has none, with a pipe to it."""
        self._sides += 1
        entry.writing = entry.reading = True
        self.do(effects.MAKE_PIPE, entry.service)
        self.set_logger(entry, log, now_ns)

    def set_logger(self, entry: Entry, log: "Identity", now_ns: int) -> None:
        """Let a logger be begun on the pipe that is there."""
        entry.logger = Side(entry, log, True, now_ns)
        self.begin_at(entry.logger, now_ns)

    def room_for(self, pairs: int, sides: int) -> bool:
        """Tell whether so many more would keep to the limits."""
        limits = self._limits
        if limits.pairs is not None and len(self.entries) + pairs > limits.pairs:
            return False
        return limits.services is None or self._sides + sides <= limits.services

    def refuse(self, side: Side) -> None:
        """Say that there is no room; there may be when something ends."""
        self.refused = True
        self.do(effects.TOO_MANY, side)

    # ---- when they begin

    def begin_at(self, side: Side, due_ns: int) -> None:
        """Let a side be begun at that time."""
        side.state = DUE
        side.due_ns = due_ns
        self.due[side] = None

    def delay(self, side: Side, now_ns: int) -> None:
        """Let a side that cannot be begun wait: 1, 2, 4 ... 30 seconds."""
        seconds = min(1 << side.failures, MOST_RETRY_SECONDS)
        side.failures = min(side.failures + 1, MOST_RETRY_SECONDS)
        self.begin_at(side, now_ns + seconds * NANOSECONDS_PER_SECOND)

    # ---- how they end

    def ending(self, side: Side) -> bool:
        """Tell whether a side's end is for good."""
        return self.stopping or not side.active

    def rest(self, side: Side) -> None:
        """Begin a side no more."""
        side.state = OVER
        self.due.pop(side, None)

    def settle(self, entry: Entry) -> None:
        """Close the ends of a pipe that are of no use any more; forget what is over.

        The writing end outlives the service, finish included, so that the logger
        reads all of it and then the end; the reading end outlives the logger.
        """
        logger = entry.logger
        if entry.active and not self.stopping:
            if logger is not None and logger.state == OVER:
                self._lose_logger(entry)
            return
        if entry.service.state == OVER:
            self.close_writing(entry)
        if logger is not None and logger.state == OVER:
            self._close_reading(entry)
        if all(side.state == OVER for side in entry.sides):
            del self.entries[entry.identity]
            self._forget(entry)
            self._sides -= len(entry.sides)
            self._make_use_of_room(entry.returned)

    def _forget(self, entry: Entry) -> None:
        """Have what belongs to a name given back; at the very end nobody needs it."""
        entries = self.entries.values()
        if not (self.stopping or any(other.name == entry.name for other in entries)):
            self.do(effects.FORGET, entry.service)

    def close_writing(self, entry: Entry) -> None:
        """Let the logger see the end of its input, once the service is gone too."""
        if entry.writing:
            entry.writing = False
            self.do(effects.CLOSE_WRITING, entry.service)

    def _close_reading(self, entry: Entry) -> None:
        if entry.reading:
            entry.reading = False
            self.do(effects.CLOSE_READING, entry.service)

    def _lose_logger(self, entry: Entry) -> None:
        """Let a service go on without the logger that has ended."""
        self.close_writing(entry)
        self._close_reading(entry)
        entry.logger = None
        self._sides -= 1
        self._make_use_of_room(entry.successor is not None)

    def _make_use_of_room(self, wanted: bool) -> None:
        if (wanted or self.refused) and not self.stopping:
            self.do(effects.SCAN_SOON)
