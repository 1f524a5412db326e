"""s6-svscanctl: commands to the supervisor of a scan directory."""

from s6log.unix.getopt import scan
from s6log.unix.messages import DONE, MISTAKE, REFUSED, Fatal
from supervisor.clients import controlling
from supervisor.manual import Manual, Misuse

MOST_COMMANDS = 64

COMMANDS = (
    ("-z", "reap zombies"),
    ("-a", "scan now"),
    ("-b", "stop at once, leave everything running"),
    ("-h", "scan now, then as -n"),
    ("-i", "as -t"),
    ("-t", "stop: services first, then loggers end by themselves"),
    ("-q", "stop: services and loggers alike"),
    ("-n", "stop the supervision of services that are no longer listed"),
    ("-N", "likewise, and end their loggers too"),
)
LETTERS = b"".join(option[1:].encode() for option, _ in COMMANDS)

MANUAL = Manual(
    "s6-svscanctl",
    "[ -zabhitqnN ] svscandir",
    COMMANDS,
    "Send commands to s6-svscan, in the order given. Without any: only find out\n"
    "whether it listens.",
)


def main(arguments: list[bytes]) -> int:
    """Run s6-svscanctl; return its exit code."""
    if MANUAL.answered(arguments):
        return DONE
    try:
        letters, directory = read(arguments)
    except Misuse:
        return MANUAL.usage()
    try:
        controlling.command(directory, controlling.SVSCAN, letters)
    except controlling.NotControlled as failure:
        refused = failure.kind is controlling.REFUSED
        broken = failure.kind is controlling.BROKEN
        text = failure.text + (b". errno reported" if broken else b"")
        code = REFUSED if refused else MISTAKE
        raise Fatal(code, text, failure.error) from failure
    return DONE


def read(arguments: list[bytes]) -> tuple[bytes, bytes]:
    """Read the command line: letters, and a scan directory. Raises Misuse, Fatal."""
    letters = b""
    options, rest = scan(arguments, LETTERS, b"")
    for letter, _ in options:
        if letter not in LETTERS:
            raise Misuse
        letters += letter
    if len(letters) > MOST_COMMANDS:
        raise Fatal(MISTAKE, b"too many commands")
    if not rest:
        raise Misuse
    return letters, rest[0]
