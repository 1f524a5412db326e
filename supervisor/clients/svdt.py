"""s6-svdt: print when and how a service died."""

from s6log.unix import tai64n
from s6log.unix.getopt import UINT32_MAX, decimal, scan
from s6log.unix.messages import DONE, REFUSED, Fatal
from supervisor.clients import tallies
from supervisor.manual import Manual, Misuse, show
from supervisor.service import signal_names
from supervisor.service.tally import MOST, Death, decode

MANUAL = Manual(
    "s6-svdt",
    "[ -S | -s ] [ -n maxentries ] servicedir",
    (
        ("-S", "print signals by name (the default)"),
        ("-s", "print signals by number"),
        ("-n maxentries", "print the last so many deaths"),
    ),
    "Print the deaths of a service that its supervisor remembers, oldest first.",
)


def main(arguments: list[bytes]) -> int:
    """Run s6-svdt; return its exit code."""
    if MANUAL.answered(arguments):
        return DONE
    options, words = scan(arguments, b"Ss", b"n")
    numbers, most = False, MOST
    try:
        for option, value in options:
            if option == b"n":
                most = min(read_number(value), MOST)
            elif option in (b"S", b"s"):
                numbers = option == b"s"
            else:
                raise Misuse
        if not words:
            raise Misuse
    except Misuse:
        return MANUAL.usage()
    # Of no entries the original does not even look for the file.
    deaths = read(words[0])[-most:] if most else []
    show(b"".join(line(death, numbers) for death in deaths))
    return DONE


def read_number(text: bytes) -> int:
    """Read how many deaths to print. Raises Misuse."""
    number = decimal(text, UINT32_MAX)
    if number is None:
        raise Misuse
    return number


def read(directory: bytes) -> list[Death]:
    """Read a service's deaths, oldest first. Raises Fatal."""
    try:
        return decode(tallies.read(directory))
    except OSError as error:
        text = b"unable to read death tally for service " + directory
        raise Fatal(REFUSED, text, error) from error


def line(death: Death, numbers: bool) -> bytes:
    """Give the line of one death."""
    if not death.signal:
        how = b"exitcode %d" % death.code
    elif numbers:
        how = b"signal %d" % death.signal
    else:
        how = b"signal " + signal_names.name(death.signal)
    return tai64n.label(death.when_ns) + b" " + how + b"\n"
