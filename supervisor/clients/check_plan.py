"""What s6-notifyoncheck is asked to do: its options, with the defaults of s6."""

from s6log.unix.getopt import UINT32_MAX, decimal
from s6log.unix.messages import MISTAKE, Fatal
from supervisor.chain.long_options import scan_long
from supervisor.manual import Misuse

TWICE, FD, CHECK = b"doublefork", b"notification-fd", b"check-program"
INITIAL, WAITING, TRIES = b"initial-sleep", b"waiting-time", b"tries"
GLOBAL, LOCAL = b"global-timeout", b"local-timeout"

FLAGS = {b"d": TWICE}
NUMBERS = {
    b"3": FD,
    b"s": INITIAL,
    b"T": GLOBAL,
    b"t": LOCAL,
    b"w": WAITING,
    b"n": TRIES,
}
DEFAULTS = {INITIAL: 10, GLOBAL: 0, LOCAL: 0, WAITING: 1000, TRIES: 7}
DEFAULT_CHECK = (b"./data/check",)


class Plan:
    """The program to become, and how to check it.

    `numbers` is by the long names of the options, times in milliseconds; 0 is no
    limit for GLOBAL, LOCAL and TRIES. FD is missing when it is not given.
    """

    __slots__ = ("check", "numbers", "program", "twice")

    def __init__(self, arguments: list[bytes]) -> None:
        """Read the command line. Raises Misuse, Fatal."""
        pairs, self.program = scan_long(arguments, FLAGS, {**NUMBERS, b"c": CHECK})
        if not self.program:
            raise Misuse
        self.twice = False
        self.check: tuple[bytes, ...] = DEFAULT_CHECK
        self.numbers = dict(DEFAULTS)
        for name, value in pairs:
            if name == TWICE:
                self.twice = True
            elif name == CHECK:
                self.check = (b"execlineb", b"-Pc", value)
            else:
                self.numbers[name] = read_number(name, value)


def read_number(name: bytes, text: bytes) -> int:
    """Read the number that an option takes. Raises Fatal."""
    number = decimal(text, UINT32_MAX)
    if number is None:
        raise Fatal(MISTAKE, name + b" must be an unsigned integer")
    return number
