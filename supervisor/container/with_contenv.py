"""with-contenv: become a program with the environment of the container."""

import os

from s6log.unix.messages import DONE, REFUSED, Fatal
from supervisor.chain.execute import execute
from supervisor.container.environment import CONTAINER_ENVIRONMENT, contained, keeps
from supervisor.manual import Manual

MANUAL = Manual(
    "with-contenv",
    "prog...",
    (("prog...", "what to become"),),
    """
Become prog... with the variables that the container was started with, and those
that its scripts have added. Of others only PATH and S6_SERVICE stay.""",
)
HINT = b"s6-init makes it when it starts a container"


def main(arguments: list[bytes]) -> int:
    """Run the program; the exit code if it does not become another."""
    if MANUAL.answered(arguments):
        return DONE
    if not arguments:
        return MANUAL.usage()
    if keeps(os.environb):
        return execute(arguments)
    try:
        environment = contained(os.environb)
    except OSError as error:
        path = error.filename or CONTAINER_ENVIRONMENT
        hints = (HINT,) if path == CONTAINER_ENVIRONMENT else ()
        raise Fatal(REFUSED, b"unable to read " + path, error, hints) from error
    return execute(arguments, environment)
