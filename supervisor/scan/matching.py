"""What a scan changes: new entries, those found again, those that are gone. Pure.

Identity is that of the directory, not its name: renaming a directory, or linking
to it from elsewhere, restarts nothing.
"""

from supervisor.scan import effects
from supervisor.scan.entries import DUE, OVER, Entry, Side

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from supervisor.scan.entries import Found, Identity
    from supervisor.scan.roster import Roster


def match(
    roster: "Roster",
    found: "Iterable[Found]",
    unclear: "Collection[bytes]",
    now_ns: int,
) -> None:
    """Compare what a scan found with what there is.

    `unclear` are names that could not be looked at: those stay as they are.
    """
    roster.refused = False
    seen = set()
    for item in found:
        entry = roster.entries.get(item.identity)
        if entry is None:
            _admit(roster, item, now_ns)
        else:
            _meet(roster, entry, item, now_ns)
        seen.add(item.identity)
    for entry in list(roster.entries.values()):
        if entry.identity not in seen and entry.name not in unclear:
            _lose(roster, entry)


def _admit(roster: "Roster", item: "Found", now_ns: int) -> None:
    entry = Entry(item.name, item.identity, now_ns)
    if not roster.room_for(pairs=1, sides=1 if item.log is None else 2):
        roster.refuse(entry.service)
        return
    roster.add(entry, now_ns)
    if item.log is not None:
        roster.add_logger(entry, item.log, now_ns)


def _meet(roster: "Roster", entry: Entry, item: "Found", now_ns: int) -> None:
    """Find an entry again, perhaps under another name."""
    if not entry.active:
        if any(side.state == OVER for side in entry.sides):
            # The other half still uses a pipe that is closed here: once it has
            # ended too, it all begins anew.
            entry.returned = True
            return
        entry.active = True
        entry.killed = False
    entry.name = item.name
    _match_logger(roster, entry, item.log, now_ns)
    for side in entry.sides:
        if side.state == DUE and side.failures:
            side.due_ns = now_ns


def _match_logger(
    roster: "Roster", entry: Entry, log: "Identity | None", now_ns: int
) -> None:
    logger = entry.logger
    if logger is None:
        entry.successor = None
        if log is not None:
            _try_logger(roster, entry, log, now_ns)
    elif entry.writing and _can_be(logger, log):
        entry.successor = None
        logger.identity = log or logger.identity
        _keep(roster, logger, True)
    else:
        entry.successor = log
        if logger.kept:
            roster.do(effects.LOG_MOVED, logger)
        _keep(roster, logger, False)


def _can_be(logger: Side, log: "Identity | None") -> bool:
    """Tell whether a logger is the one found, or can still become it."""
    return log == logger.identity or (log is not None and logger.state == DUE)


def _keep(roster: "Roster", logger: Side, kept: bool) -> None:
    if logger.kept != kept:
        logger.kept = kept
        roster.do(effects.REPLUG, logger.entry.service)


def _try_logger(roster: "Roster", entry: Entry, log: "Identity", now_ns: int) -> None:
    if roster.room_for(pairs=0, sides=1):
        roster.add_logger(entry, log, now_ns)
    else:
        roster.refuse(Side(entry, log, True, now_ns))


def _lose(roster: "Roster", entry: Entry) -> None:
    """Let an entry run on until it ends by itself, or is pruned."""
    entry.active = entry.returned = False
    if entry.service.state == DUE:
        roster.rest(entry.service)
    roster.settle(entry)
