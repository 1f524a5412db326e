"""s6-svwait: wait until services are up, down or restarted."""

from s6log.unix.messages import DONE
from supervisor.clients import waiting
from supervisor.manual import Manual, Misuse

MANUAL = Manual(
    "s6-svwait",
    "[ -U | -u | -d | -D | -r | -R ] [ -a | -o ] [ -t timeout ] servicedir...",
    (*waiting.OPTIONS, *waiting.CHOICE, *waiting.PATIENCE),
    "Wait until services have reached a state. Exit 0, or the number of services\n"
    "that failed for good or whose supervisor ended while they were waited for.",
)


def main(arguments: list[bytes]) -> int:
    """Run s6-svwait; return its exit code."""
    if MANUAL.answered(arguments):
        return DONE
    try:
        wish, directories = waiting.read_options(arguments)
    except Misuse:
        return MANUAL.usage()
    if directories:
        waiting.check(waiting.wait(directories, wish))
    return DONE
