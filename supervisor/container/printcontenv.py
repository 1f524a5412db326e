"""printcontenv: print one variable of the container's environment."""

import os

from s6log.unix.messages import DONE, REFUSED, Fatal
from supervisor.container.environment import variable
from supervisor.manual import Manual, show

ABSENT = 1

MANUAL = Manual(
    "printcontenv",
    "variable",
    (("variable", "its name"),),
    "Print a variable of the container; exit 1 if there is none of that name.",
)


def main(arguments: list[bytes]) -> int:
    """Print the variable; give the exit code."""
    if MANUAL.answered(arguments):
        return DONE
    if not arguments:
        return MANUAL.usage()
    name = arguments[0]
    try:
        value = variable(os.environb, name)
    except OSError as error:
        raise Fatal(REFUSED, b"unable to read variable " + name, error) from error
    if value is None:
        return ABSENT
    show(value + b"\n")
    return DONE
