"""s6-svunlink: take a service away from s6-svscan, and wait until it is gone."""

import os

from s6log.unix.getopt import scan
from s6log.unix.messages import DONE, MISTAKE, REFUSED, Fatal
from supervisor.clients import asking, controlling
from supervisor.clients.linking import pair_of
from supervisor.clients.listening import Listening, TimedOut
from supervisor.clients.waiting import read_timeout
from supervisor.manual import Manual, Misuse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

LEAST_WORDS = 2
ENDED = b"x"  # the last event of every supervisor

MANUAL = Manual(
    "s6-svunlink",
    "[ -X ] [ -t timeout ] scandir servicename",
    (
        ("-X", "do not wait"),
        ("-t ms", "wait no longer than that; 0, the default: without limit"),
    ),
    "Remove the link to a service from a scan directory, and wait until its\n"
    "supervisor and that of its logger have ended.",
)


class Request:
    """What the command line asks for."""

    __slots__ = ("name", "scandir", "timeout_ms", "waits")

    def __init__(self) -> None:
        self.waits = True
        self.timeout_ms = 0
        self.scandir = b""
        self.name = b""


def main(arguments: list[bytes]) -> int:
    """Run s6-svunlink; return its exit code."""
    if MANUAL.answered(arguments):
        return DONE
    try:
        request = read(arguments)
    except Misuse:
        return MANUAL.usage()
    with Listening(request.timeout_ms) as listening:
        unlink(request, listening)
    return DONE


def read(arguments: list[bytes]) -> Request:
    """Read the command line. Raises Misuse, Fatal."""
    request = Request()
    options, rest = scan(arguments, b"X", b"t")
    for option, value in options:
        if option == b"X":
            request.waits = False
        elif option == b"t":
            request.timeout_ms = read_timeout(value)
        else:
            raise Misuse
    if len(rest) < LEAST_WORDS:
        raise Misuse
    request.scandir, request.name = rest[:LEAST_WORDS]
    if not request.name or request.name[:1] in b"./":
        raise Fatal(MISTAKE, b"invalid service name")
    return request


def unlink(request: Request, listening: Listening) -> None:
    """Remove the link; s6-svscan then ends what is no longer listed.

    As in s6, what is not there to be removed or does not end in time is no error.
    """
    link = request.scandir + b"/" + request.name
    running = subscribe(request, link, listening) if request.waits else set()
    try:
        os.unlink(link)
    except FileNotFoundError:
        pass
    except OSError as error:
        MANUAL.messages.warn(b"unable to unlink " + link, error)
    try:
        asking.send(request.scandir + b"/" + controlling.SVSCAN + b"/control", b"an")
    except OSError:
        pass  # no s6-svscan
    try:
        while running:
            number, events = listening.hear()
            if ENDED in events:
                running.discard(number)
    except TimedOut:
        pass


def subscribe(request: Request, link: bytes, listening: Listening) -> set[int]:
    """Listen to the service and its logger, as far as they are supervised."""
    try:
        directories, supervised = pair_of(link)
    except OSError as error:
        names = request.name, request.scandir
        text = b"unable to prepare unlinking of service %b in scandir %b" % names
        raise Fatal(REFUSED, text, error) from error
    return listen(directories, listening) if supervised else set()


def listen(directories: "Sequence[bytes]", listening: Listening) -> set[int]:
    """Subscribe to each; one that nobody may listen to is not waited for."""
    running = set()
    for directory in directories:
        # The link is about to go: subscribe where it leads to.
        fifodir = os.path.realpath(directory + b"/event")
        try:
            running.add(listening.subscribe(fifodir))
        except OSError:
            pass
    return running
