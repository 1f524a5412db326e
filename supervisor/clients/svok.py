"""s6-svok: tell whether there is a supervisor on a service directory."""

from s6log.unix.messages import DONE, REFUSED, Fatal
from supervisor.clients.asking import supervised
from supervisor.manual import Manual

NOT_SUPERVISED = 1

MANUAL = Manual(
    "s6-svok",
    "servicedir",
    (),
    "Exit 0 if a supervisor runs on the service directory, 1 if none does.",
)


def main(arguments: list[bytes]) -> int:
    """Run s6-svok; return its exit code."""
    if MANUAL.answered(arguments):
        return DONE
    if not arguments:
        return MANUAL.usage()
    directory = arguments[0]
    try:
        return DONE if supervised(directory) else NOT_SUPERVISED
    except OSError as error:
        raise Fatal(REFUSED, b"unable to check " + directory, error) from error
