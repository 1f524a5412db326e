"""What the command line of s6-svscan says. Pure.

Short options as in both s6 2.11 and 2.15, long ones as in 2.15 (`--name=value`),
and two of our own, which take no value.
"""

from s6log.unix.getopt import UINT32_MAX, decimal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SERVICES, PAIRS, NAME_MAX = b"services_max", b"maxservices", b"name_max"
TIMEOUT, NOTIFY, CONSOLE = b"timeout", b"notif", b"consoleholder"
WATCH, NO_WARM = b"watch", b"no-warm"

VALUED: "Mapping[bytes, bytes]" = {
    b"-C": SERVICES,
    b"--services-max": SERVICES,
    b"-c": PAIRS,
    b"-L": NAME_MAX,
    b"--name-max": NAME_MAX,
    b"-t": TIMEOUT,
    b"--timeout": TIMEOUT,
    b"-d": NOTIFY,
    b"--notification-fd": NOTIFY,
    b"-X": CONSOLE,
    b"--console-holder": CONSOLE,
}
PLAIN = (b"--watch", b"--no-warm")

CLAMPS: "Mapping[bytes, tuple[int, int]]" = {
    SERVICES: (4, 160_000),
    PAIRS: (2, 90_000),
    NAME_MAX: (11, 1019),
}
DESCRIPTORS = (NOTIFY, CONSOLE)
FIRST_FREE = 3
DEFAULT_SERVICES = 1000
DEFAULT_NAME_MAX = 251


class Misused(Exception):
    """An option lacks its value: print the usage line."""


class BadOption(Exception):
    """An option is unknown, or its value cannot be; `text` says why."""

    def __init__(self, text: bytes) -> None:
        super().__init__(text)
        self.text = text


class Limits:
    """How many supervisions there may be, and how long a name.

    `services` counts a service and its logger as two, `pairs` as one (-c of s6
    2.11); None: no limit of that kind.
    """

    __slots__ = ("name", "pairs", "services")

    def __init__(
        self,
        services: int | None = DEFAULT_SERVICES,
        pairs: int | None = None,
        name: int = DEFAULT_NAME_MAX,
    ) -> None:
        self.services = services
        self.pairs = pairs
        self.name = name


class Options:
    """What s6-svscan is to do; descriptors are None where none was named."""

    __slots__ = (
        "console_fd",
        "directory",
        "limits",
        "notification_fd",
        "timeout_ms",
        "warm",
        "watch",
    )

    def __init__(
        self, numbers: "Mapping[bytes, int]", plain: "Sequence[bytes]", directory: bytes
    ) -> None:
        pairs = numbers.get(PAIRS)
        self.limits = Limits(
            numbers.get(SERVICES, DEFAULT_SERVICES if pairs is None else None),
            pairs,
            numbers.get(NAME_MAX, DEFAULT_NAME_MAX),
        )
        self.timeout_ms = numbers.get(TIMEOUT, 0)  # 0: no periodic rescans
        self.notification_fd = numbers.get(NOTIFY)
        self.console_fd = numbers.get(CONSOLE)
        self.watch = b"--" + WATCH in plain
        self.warm = b"--" + NO_WARM not in plain
        self.directory = directory


def parse(arguments: "Sequence[bytes]") -> Options:
    """Read a command line without the program's name; the last value wins.

    Raises Misused or BadOption.
    """
    numbers: dict[bytes, int] = {}
    plain: list[bytes] = []
    rest = list(arguments)
    while rest and rest[0].startswith(b"-") and rest[0] != b"-":
        word = rest.pop(0)
        if word == b"--":
            break
        if word in PLAIN:
            plain.append(word)
            continue
        name, value = _long(word) if word.startswith(b"--") else _short(word, rest)
        numbers[name] = _number(name, value)
    # s6 2.11 takes the current directory where none is named; neither version
    # minds further words.
    return Options(numbers, plain, rest[0] if rest else b".")


def _long(word: bytes) -> tuple[bytes, bytes]:
    option, equals, value = word.partition(b"=")
    if not equals:
        raise BadOption(b"unrecognized boolean option: " + word)
    if option not in VALUED:
        raise BadOption(b"unrecognized option with argument: " + word)
    return VALUED[option], value


def _short(word: bytes, rest: list[bytes]) -> tuple[bytes, bytes]:
    """Read `-t5` or `-t 5`; there is no letter without a value."""
    option, value = word[:2], word[2:]
    if option not in VALUED:
        raise BadOption(b"unrecognized short option: " + option[1:])
    if not value and not rest:
        raise Misused
    return VALUED[option], value or rest.pop(0)


def _number(name: bytes, text: bytes) -> int:
    value = decimal(text, UINT32_MAX)
    if value is None:
        raise BadOption(name + b" must be an unsigned integer")
    if name in DESCRIPTORS and value < FIRST_FREE:
        raise BadOption(name + b" must be 3 or more")
    least, most = CLAMPS.get(name, (0, UINT32_MAX))
    return min(max(value, least), most)
