"""The processor of a logdir: a command between previous and processed."""

import os

from s6log.unix.spawn import keep_high, spawn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from s6log.script.model import Processor
    from s6log.unix.durable import Place

STDIN, STDOUT, STATE, NEWSTATE = 0, 1, 4, 5
FIRST_FREE = 6

CREATE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC

FILES = (
    (STDIN, b"previous", os.O_RDONLY),
    (STDOUT, b"processed", CREATE),
    # Created when missing: it may have been removed by hand, and without it the
    # processor could never run.
    (STATE, b"state", os.O_RDONLY | os.O_CREAT),
    (NEWSTATE, b"newstate", CREATE),
)
"""(descriptor in the processor, file in the logdir, how it is opened)."""


def start(processor: "Processor", place: "Place") -> int:
    """Start a logdir's processor in that directory; return its pid.

    Output of an attempt before is thrown away. OSError when a file cannot be
    opened or the command cannot be executed.
    """
    opened: dict[int, int] = {}
    try:
        for number, name, flags in FILES:
            opened[number] = keep_high(place.open(name, flags), FIRST_FREE)
        directory = place.base_fd, place.path
        return spawn(processor.argv, directory, opened, os.environb)
    finally:
        for fd in opened.values():
            os.close(fd)
