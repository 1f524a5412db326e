"""s6-svdt-clear: make a supervisor forget how its service died."""

from s6log.unix.messages import DONE, REFUSED, Fatal
from supervisor.clients import tallies
from supervisor.manual import Manual

MANUAL = Manual(
    "s6-svdt-clear",
    "servicedir",
    (),
    "Empty the death tally of a service, which s6-svdt and s6-permafailon read.",
)


def main(arguments: list[bytes]) -> int:
    """Run s6-svdt-clear; return its exit code."""
    if MANUAL.answered(arguments):
        return DONE
    if not arguments:
        return MANUAL.usage()
    directory = arguments[0]
    try:
        tallies.clear(directory)
    except OSError as error:
        text = b"unable to clear death tally for service " + directory
        raise Fatal(REFUSED, text, error) from error
    return DONE
