"""s6-svlisten1: listen to one service, start a command, wait for its effect."""

from s6log.unix.messages import DONE, Fatal
from supervisor.clients import waiting
from supervisor.clients.svlisten import spawn
from supervisor.manual import Manual, Misuse

LEAST_WORDS = 2  # a directory and a command
FAILED = 1

MANUAL = Manual(
    "s6-svlisten1",
    "[ -U | -u | -d | -D | -r | -R ] [ -t timeout ] servicedir prog...",
    (*waiting.OPTIONS, *waiting.PATIENCE),
    "Listen to a service, start prog, and wait until the service has reached a\n"
    "state. The end of prog is not waited for.",
)


def main(arguments: list[bytes]) -> int:
    """Run s6-svlisten1; return its exit code."""
    if MANUAL.answered(arguments):
        return DONE
    try:
        wish, words = waiting.read_options(arguments, choice=b"")
        if len(words) < LEAST_WORDS:
            raise Misuse
    except Misuse:
        return MANUAL.usage()
    directory, *command = words
    if waiting.wait([directory], wish, lambda: spawn(command), finished=True):
        raise Fatal(FAILED, directory + b" failed permanently or its supervisor died")
    return DONE
