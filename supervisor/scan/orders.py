"""What the letters in .s6-svscan/control and the signals ask for. Pure."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

REAP = "reap"
STOP_ALL = "stop all"  # loggers are told too
STOP = "stop"  # loggers end by themselves, when nobody writes to them
ABORT = "abort"  # leave at once, and leave everything as it is
SCAN = "scan"
PRUNE_ALL = "prune all"
PRUNE = "prune"  # end what is not in the scan directory any more
SEQUENCE = (REAP, STOP_ALL, STOP, ABORT, SCAN, PRUNE_ALL, PRUNE)
"""In which orders that came together are carried out: a stop waits for nothing."""

LETTERS: "Mapping[int, tuple[str, ...]]" = {
    ord("z"): (REAP,),
    ord("a"): (SCAN,),
    ord("b"): (ABORT,),
    ord("h"): (SCAN, PRUNE),
    ord("i"): (STOP,),
    ord("t"): (STOP,),
    ord("q"): (STOP_ALL,),
    ord("n"): (PRUNE,),
    ord("N"): (PRUNE_ALL,),
}

SIGNALS: "Mapping[str, tuple[str, ...]]" = {
    "SIGCHLD": (REAP,),
    "SIGALRM": (SCAN,),
    "SIGABRT": (ABORT,),
    "SIGHUP": (SCAN, PRUNE),
    "SIGTERM": (STOP,),
    "SIGINT": (STOP,),
    "SIGQUIT": (STOP_ALL,),
    "SIGUSR1": (),
    "SIGUSR2": (),
    "SIGPWR": (),
    "SIGWINCH": (),
}

SCRIPTED = frozenset(SIGNALS) - {"SIGCHLD", "SIGALRM", "SIGABRT"}
"""Signals that an executable in .s6-svscan answers instead, if it is there."""


def merge(letters: bytes) -> tuple[list[str], bytes]:
    """Give the orders that a write asks for, each once, and the unknown letters."""
    orders: set[str] = set()
    for letter in letters:
        orders.update(LETTERS.get(letter, ()))
    unknown = bytes(sorted(set(letters) - set(LETTERS)))
    return in_sequence(orders), unknown


def in_sequence(orders: "Iterable[str]") -> list[str]:
    """Put orders into the order in which they are carried out.

    What an order of the same kind covers is left out.
    """
    wanted = set(orders)
    if STOP_ALL in wanted:
        wanted.discard(STOP)
    if PRUNE_ALL in wanted:
        wanted.discard(PRUNE)
    return [order for order in SEQUENCE if order in wanted]
