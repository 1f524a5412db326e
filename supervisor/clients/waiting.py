"""Waiting for services: what s6-svwait, s6-svlisten, s6-svlisten1 and s6-svc share."""

import os

from s6log.unix.getopt import UINT32_MAX, decimal, scan
from s6log.unix.messages import REFUSED, Fatal
from supervisor.clients import asking, awaiting
from supervisor.clients.listening import Listening, TimedOut, make_fifodir
from supervisor.manual import Misuse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

TIMED_OUT = 99
MOST_FAILURES = 255  # an exit code is one byte
GOALS = b"UudDrR"

OPTIONS = (
    ("-u", "until it is up: the default"),
    ("-U", "until it is up and ready"),
    ("-d", "until it is down"),
    ("-D", "until it is down and its finish script is over"),
    ("-r", "until it has been down and is up again"),
    ("-R", "until it has been down and is up and ready again"),
)
CHOICE = (
    ("-a", "wait for all services: the default"),
    ("-o", "wait for one of them"),
)
PATIENCE = (("-t ms", "give up after that time and exit 99; 0, the default: never"),)


class Wish:
    """What to wait for, and how long."""

    __slots__ = ("either", "goal", "timeout_ms")

    def __init__(self, goal: bytes = b"u", timeout_ms: int = 0) -> None:
        self.goal = goal
        self.timeout_ms = timeout_ms
        self.either = False

    @property
    def restart(self) -> bool:
        """Whether services have to be down first."""
        return self.goal in b"rR"


def read_options(
    arguments: "Sequence[bytes]", choice: bytes = b"ao"
) -> tuple[Wish, list[bytes]]:
    """Read the options; give the wish and the words that follow. Raises Misuse.

    `choice` is b"" for a program that waits for one service only.
    """
    wish = Wish()
    options, rest = scan(arguments, GOALS + choice, b"t")
    for letter, value in options:
        if letter in GOALS:
            wish.goal = letter
        elif letter == b"t":
            wish.timeout_ms = read_timeout(value)
        elif letter in choice:
            wish.either = letter == b"o"
        else:
            raise Misuse
    return wish, rest


def read_timeout(value: bytes) -> int:
    """Read a time in milliseconds. Raises Misuse."""
    number = decimal(value, UINT32_MAX)
    if number is None:
        raise Misuse
    return number


def nothing() -> None:
    """Do nothing before the wait."""


def wait(
    directories: "Sequence[bytes]",
    wish: Wish,
    act: "Callable[[], None]" = nothing,
    finished: bool = False,
) -> int:
    """Wait for services as wished; return how many failed for good.

    `act` is called when no event can be missed any more. `finished`: before a
    restart finish has to be over too. Raises Fatal.
    """
    goals = awaiting.GOALS[wish.goal]
    if finished and wish.restart:
        goals = (awaiting.FINISHED, *goals[1:])
    with Listening(wish.timeout_ms) as listening:
        states = [subscribe(listening, directory) for directory in directories]
        services = awaiting.Awaiting(goals, states, wish.either)
        act()
        try:
            while not services.done:
                services.hear(*listening.hear())
        except TimedOut:
            raise Fatal(TIMED_OUT, b"timed out") from None
    return services.failures


def subscribe(listening: Listening, directory: bytes) -> "awaiting.State":
    """Listen to a service, and only then look what its state is. Raises Fatal."""
    event = directory + b"/event"
    try:
        make_fifodir(event, os.getegid())
    except OSError:
        pass  # it may be another user's, or its directory read-only
    try:
        listening.subscribe(event)
    except OSError as error:
        text = b"unable to subscribe to events for " + directory
        raise Fatal(REFUSED, text, error) from error
    try:
        status = asking.read_status(directory)
    except OSError as error:
        raise Fatal(REFUSED, b"unable to s6_svstatus_read", error) from error
    return status.up, status.ready


def check(failures: int) -> None:
    """Raise the Fatal that tells how many services failed, if any did."""
    if failures:
        text = b"some services reported permanent failure or their supervisor died"
        raise Fatal(min(failures, MOST_FAILURES), text)
