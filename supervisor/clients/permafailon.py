"""s6-permafailon: fail for good when a service has died too often, else go on."""

import os
import time

from s6log.unix.getopt import UINT32_MAX, decimal
from s6log.unix.messages import DONE, MISTAKE, Fatal
from s6log.unix.tai64n import NANOSECONDS
from supervisor.chain.execute import execute
from supervisor.clients import causes, tallies
from supervisor.manual import Manual, Misuse
from supervisor.service.tally import MOST, RECORD_BYTES, Death, decode

PERMANENT_FAILURE = 125  # what a finish script exits with to tell s6-supervise
HERE = b"."
LEAST_WORDS = 3  # the program may be missing

MANUAL = Manual(
    "s6-permafailon",
    "seconds deathcount statuslist prog...",
    (),
    """
For finish scripts: exits 125, which means permanent failure, when the service has
died at least deathcount times in the last so many seconds with an exit code or of a
signal in statuslist, such as 1,101-103,SIGSEGV. Else becomes prog...""",
)


class Limit:
    """How often in which time the service may die of what, before it is too often."""

    __slots__ = ("causes", "count", "program", "seconds")

    def __init__(self, arguments: list[bytes]) -> None:
        """Read the command line. Raises Misuse, Fatal."""
        if len(arguments) < LEAST_WORDS:
            raise Misuse
        seconds, count = (decimal(word, UINT32_MAX) for word in arguments[:2])
        if seconds is None or not count:
            raise Misuse
        self.seconds = seconds
        self.count = min(count, MOST)
        try:
            self.causes = causes.read(arguments[2])
        except causes.Invalid as error:
            raise Fatal(MISTAKE, str(error).encode()) from error
        self.program = arguments[3:]


def main(arguments: list[bytes]) -> int:
    """Run s6-permafailon; return its exit code, if it has not become the program."""
    if MANUAL.answered(arguments):
        return DONE
    try:
        limit = Limit(arguments)
    except Misuse:
        return MANUAL.usage()
    since_ns = time.time_ns() - limit.seconds * NANOSECONDS
    death = causes.fatal_death(read_deaths(), limit.causes, since_ns, limit.count)
    if death is not None:
        tell(limit, death)
        return PERMANENT_FAILURE
    return execute(limit.program) if limit.program else DONE


def read_deaths() -> list[Death]:
    """Read the tally of the service whose directory this is; warn if that fails."""
    warn = MANUAL.messages.warn
    try:
        os.stat(tallies.NAME)
    except OSError as error:
        warn(b"unable to stat " + tallies.NAME, error)
        return []
    try:
        tally = tallies.read(HERE)
    except OSError as error:
        warn(b"unable to read " + tallies.NAME, error)
        return []
    if len(tally) % RECORD_BYTES or len(tally) > MOST * RECORD_BYTES:
        warn(b"invalid " + tallies.NAME)
        return []
    return decode(tally)


def tell(limit: Limit, death: Death) -> None:
    """Say why the service fails for good, in the words of s6."""
    if death.signal:
        cause = b"signal %d" % death.signal
    else:
        cause = b"exit code %d" % death.code
    text = b"PERMANENT FAILURE triggered after %d events involving %b in the last %d"
    values = limit.count, cause, limit.seconds
    messages = MANUAL.messages
    messages.write(messages.program + b": info: " + text % values + b" seconds\n")
