"""s6-svlink: put a service under a running s6-svscan, and wait until it is there.

Two steps, as in s6: checks that speak for themselves, then the linking, whose
failures are told in one way and leave nothing behind.
"""

import errno
import os
import stat

from s6log.unix.getopt import scan
from s6log.unix.messages import DONE, MISTAKE, REFUSED, Fatal
from supervisor.clients import asking, controlling
from supervisor.clients.linking import LOGGER, Linking, Request, os_error
from supervisor.clients.listening import Listening, TimedOut
from supervisor.clients.waiting import TIMED_OUT, read_timeout
from supervisor.manual import Manual, Misuse

NOT_RUNNING = 1
LEAST_WORDS = 2

MANUAL = Manual(
    "s6-svlink",
    "[ -d | -D ] [ -f ] [ -P ] [ -t timeout ] scandir servicedir [ name ]",
    (
        ("-d", "do not start it; files `down` are there only meanwhile"),
        ("-D", "do not start it; files `down` stay"),
        ("-f", "set the permissions of event/ even if it exists"),
        ("-P", "let everybody listen to its events, not just the group"),
        ("-t ms", "give up after that time, undo it and exit 99; 0: never"),
    ),
    "Link a service directory into a scan directory, under its own name or\n"
    "another, and wait until it and its logger are supervised.",
)


def main(arguments: list[bytes]) -> int:
    """Run s6-svlink; return its exit code."""
    if MANUAL.answered(arguments):
        return DONE
    try:
        request = read(arguments)
    except Misuse:
        return MANUAL.usage()
    check_scandir(request.scandir)
    check_service(request.service)
    check_logger(request.service + LOGGER)
    try:
        with Listening(request.timeout_ms) as listening:
            Linking(request, listening).link()
    except TimedOut as late:
        raise failure(TIMED_OUT, request, os_error(errno.ETIMEDOUT)) from late
    except OSError as error:
        raise failure(REFUSED, request, error) from error
    return DONE


def failure(code: int, request: Request, error: OSError) -> Fatal:
    """Say that the linking failed."""
    names = request.service, request.scandir, request.name
    text = b"unable to link servicedir %b into scandir %b with name %b" % names
    return Fatal(code, text, error)


def read(arguments: list[bytes]) -> Request:
    """Read the command line. Raises Misuse, Fatal."""
    request = Request()
    options, rest = scan(arguments, b"dDfP", b"t")
    for option, value in options:
        if option in b"dD":
            request.down = option
        elif option == b"f":
            request.force = True
        elif option == b"P":
            request.group = None
        elif option == b"t":
            request.timeout_ms = read_timeout(value)
        else:
            raise Misuse
    if len(rest) < LEAST_WORDS:
        raise Misuse
    request.scandir, request.service = rest[:LEAST_WORDS]
    own_name = os.path.basename(request.service.rstrip(b"/"))
    request.name = rest[LEAST_WORDS] if len(rest) > LEAST_WORDS else own_name
    check_names(request)
    return request


def check_names(request: Request) -> None:
    """Raise the Fatal of a name that can be none."""
    if not request.scandir:
        raise Fatal(MISTAKE, b"invalid scandir")
    if not request.service:
        raise Fatal(MISTAKE, b"invalid servicedir")
    if not request.name or request.name[:1] in b"./":
        raise Fatal(MISTAKE, b"invalid name")


def check_scandir(scandir: bytes) -> None:
    """Raise a Fatal where no s6-svscan runs."""
    path = scandir + b"/" + controlling.SVSCAN + b"/lock"
    try:
        os.stat(path)  # locked() would say of a missing file that it is not
        running = asking.locked(path)
    except OSError as error:
        raise Fatal(REFUSED, b"unable to open " + path, error) from error
    if not running:
        raise Fatal(NOT_RUNNING, b"s6-svscan not running on " + scandir)


def check_logger(directory: bytes) -> None:
    """Raise a Fatal for a logger's directory that is none, but may be missing."""
    try:
        found = os.stat(directory)
    except FileNotFoundError:
        return
    except OSError as error:
        raise Fatal(REFUSED, b"unable to stat " + directory, error) from error
    if not stat.S_ISDIR(found.st_mode):
        raise Fatal(MISTAKE, directory + b" is not a directory")
    check_service(directory)


def check_service(directory: bytes) -> None:
    """Raise a Fatal for a service directory without an executable run."""
    run = directory + b"/run"
    try:
        mode = os.stat(run).st_mode
    except OSError as error:
        raise Fatal(REFUSED, b"unable to stat " + run, error) from error
    if not mode & stat.S_IXUSR:
        raise Fatal(MISTAKE, run + b" is not executable")
    try:
        supervised = asking.supervised(directory)
    except OSError as error:
        text = b"unable to check supervision status of " + directory
        raise Fatal(REFUSED, text, error) from error
    if supervised:
        MANUAL.messages.warn(b"supervisor already running on " + directory)
