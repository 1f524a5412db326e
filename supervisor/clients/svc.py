"""s6-svc: commands to the supervisors of services, and waiting for their effect."""

import os

from s6log.unix.getopt import scan
from s6log.unix.messages import DONE, MISTAKE, REFUSED, Fatal, Messages
from supervisor.clients import controlling
from supervisor.manual import Manual, Misuse
from supervisor.service.commands import COMMANDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_COMMANDS = 62
SIGSTOP, SIGCONT = 19, 18  # commands of their own; every other has its number
LETTERS = b"".join(COMMANDS)
VALUED = b"swT"
GOALS = b"uUdDrR"
WITHOUT_READINESS = {b"U": b"u", b"R": b"r"}

CODES = {
    controlling.DEAF: 102,
    controlling.BROKEN: 1,
    controlling.REFUSED: REFUSED,
}

MANUAL = Manual(
    "s6-svc",
    "[ -wu | -wU | -wd | -wD | -wr | -wR ] [ -T timeout ]"
    " [ -s signal | -abqhkti12pcyrlPCK ] [ -oduDUxOQ ] servicedirs...",
    (
        ("-wX", "wait as s6-svwait -X does, or s6-svlisten -X with commands"),
        ("-T ms", "with -w: give up after that time and exit 99; 0: never"),
        ("-s signal", "send a signal, by name or number: as its letter does"),
        *((f"-{c.letter.decode()}", c.meaning) for c in COMMANDS.values()),
    ),
    "Send commands to the supervisors of services, in the order given. Without\n"
    "any: only find out whether they listen.",
)


class Request:
    """What the command line asks for."""

    __slots__ = ("directories", "goal", "letters", "timeout_ms")

    def __init__(self) -> None:
        self.directories: list[bytes] = []
        self.letters = b""
        self.goal = b""
        self.timeout_ms = 0


def main(arguments: list[bytes]) -> int:
    """Run s6-svc; return its exit code."""
    if MANUAL.answered(arguments):
        return DONE
    try:
        request = read(arguments)
    except Misuse:
        return MANUAL.usage()
    if request.goal:
        return wait(request)
    return send(request.directories, request.letters)


def read(arguments: list[bytes]) -> Request:
    """Read the command line. Raises Misuse, Fatal."""
    request = Request()
    options, request.directories = scan(arguments, LETTERS, VALUED)
    for option, value in options:
        take(request, option, value)
    if not request.directories:
        raise Misuse
    if b"" in request.directories:
        raise Fatal(MISTAKE, b"invalid service path")
    if request.goal in WITHOUT_READINESS:
        check_readiness(request)
    return request


def take(request: Request, option: bytes, value: bytes) -> None:
    """Note one option. Raises Misuse, Fatal."""
    if option == b"T":
        # Not at the top: it comes with all that waiting takes.
        from supervisor.clients.waiting import read_timeout

        request.timeout_ms = read_timeout(value)
    elif option == b"w":
        request.goal = value[:1]
        if not value or request.goal not in GOALS:
            raise Misuse
    elif option in LETTERS:
        add(request, option)
    elif option == b"s":
        add(request, letter_of(value))
    else:
        raise Misuse


def add(request: Request, letter: bytes) -> None:
    """Note one command. Raises Fatal."""
    if len(request.letters) == MOST_COMMANDS:
        raise Fatal(MISTAKE, b"too many commands")
    request.letters += letter


def letter_of(signal: bytes) -> bytes:
    """Give the command that sends a signal. Raises Fatal."""
    from supervisor.service.signal_names import number

    wanted = number(signal)
    if wanted is None:
        raise Fatal(MISTAKE, b"invalid signal: " + signal)
    letters = {c.signal: c.letter for c in COMMANDS.values() if c.signal}
    letters |= {SIGSTOP: b"p", SIGCONT: b"c"}
    if wanted not in letters:
        text = b" is not in the list of user-available signals"
        raise Fatal(MISTAKE, signal + text)
    return letters[wanted]


def check_readiness(request: Request) -> None:
    """Do not wait for the readiness of a service that cannot tell of it."""
    path = request.directories[0] + b"/notification-fd"
    try:
        os.stat(path)
    except FileNotFoundError:
        text = b" not present - ignoring request for readiness notification"
        MANUAL.messages.warn(path + text)
        request.goal = WITHOUT_READINESS[request.goal]
    except OSError as error:
        raise Fatal(REFUSED, b"unable to access " + path, error) from error


def send(directories: "Sequence[bytes]", letters: bytes) -> int:
    """Send commands to each service; return the exit code of the last that failed."""
    code = DONE
    for directory in directories:
        try:
            controlling.command(directory, controlling.SUPERVISE, letters)
        except controlling.NotControlled as failure:
            MANUAL.messages.warn(failure.text, failure.error)
            code = CODES[failure.kind]
    return code


def wait(request: Request) -> int:
    """Send the commands and wait; return the exit code.

    The original becomes s6-svwait, or s6-svlisten with an s6-svc of its own: what
    there is to say is said in their names. As there, commands that do not arrive
    do not end the wait.
    """
    from supervisor.clients import waiting

    def act() -> None:
        if request.letters:
            send(request.directories, request.letters)

    listens = bool(request.letters)
    wish = waiting.Wish(request.goal, request.timeout_ms)
    try:
        waiting.check(waiting.wait(request.directories, wish, act, finished=listens))
    except Fatal as failure:
        program = b"s6-svlisten" if listens else b"s6-svwait"
        return Messages(program).fatal(failure)
    return DONE
