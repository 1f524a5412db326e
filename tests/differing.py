"""Where our s6-supervise shows something else than s6 2.11.3.2, and why.

Ours behaves as 2.15.1.0 does. A test that compares the two programs takes what is
known to differ from here; it fails when anything else differs, and when this does
not differ any more.
"""

from dataclasses import dataclass

NOT_STARTED = "since 2.14 the first record says that nothing was started yet"
LETTERS = "2.11 does not know the letters l, P, C and K"
SPAWNED = "2.11 forks, and the child says what is wrong; and 10 seconds became 60"
FINISH = "2.11 takes a finish that cannot be executed for one that exits 127"
ONE_RECORD = "without finish, 2.11 has a record for finishing all the same"
TALLY = "decided: a tally that is not there is empty, which is found out in writing"
NO_EAR = "decided: only FIFOs are listeners"
LINK = "ours names the link, the real one what it leads to"
SIGNALFD = "the real one never gets a signal that was ignored: signalfd(2)"

WARNING = "s6-supervise service: warning: "
FATAL = "s6-supervise service: fatal: "
CHILD = "s6-supervise service (child): fatal: "
NO_FILE = "No such file or directory"
NO_STATUS = f"{WARNING}unable to write status file: {NO_FILE}"


@dataclass(frozen=True)
class Difference:
    """What the oracle shows, what ours shows in its place, and why that is so."""

    theirs: object
    ours: object
    why: str


def not_started(shown: str) -> Difference:
    """Give the difference of a record that was written before the first start."""
    return Difference(shown, "paused " + shown, NOT_STARTED)


def run_not_executed(reason: str, hint: str) -> dict[str, Difference]:
    """Give the differences where run cannot be executed; ours has a hint."""
    theirs = [
        f"{CHILD}unable to exec run: {reason}",
        f"{WARNING}unable to spawn ./run - waiting 10 seconds",
    ]
    ours = [f"{WARNING}unable to spawn ./run (waiting 60 seconds): {reason}{hint}"]
    return {
        "not started": not_started("wanted ready; 0x0000; pid is not there"),
        "stderr": Difference(theirs, ours, SPAWNED),
    }


NO_DIRECTORY = Difference(
    [f"{WARNING}unable to read supervise/death_tally: {NO_FILE}", *[NO_STATUS] * 3],
    [*[NO_STATUS] * 2, f"{WARNING}unable to write supervise/death_tally: {NO_FILE}"],
    f"{ONE_RECORD}; {TALLY}",
)
"""On stderr, where supervise/ is gone and there is no finish."""

UP = "wanted ready; 0x0000; up"
NEW_LETTERS = {
    "P": Difference(UP, "paused " + UP, LETTERS),
    "C": Difference(UP, UP + ", got CONT", LETTERS),
    "l": Difference(UP, UP + ", got HUP", LETTERS),
}
"""By letter, while run lives."""
