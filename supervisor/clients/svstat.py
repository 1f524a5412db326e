"""s6-svstat: say how a service is, or show a table of many.

One service directory gets the line or the fields that s6 prints. The table is not
in s6, and what it needs is only loaded for it.
"""

import os
import time

from s6log.unix.getopt import decimal, scan
from s6log.unix.messages import DONE, MISTAKE, Fatal
from supervisor.clients import fields
from supervisor.clients.viewing import NOT_SUPERVISED, view
from supervisor.manual import Manual, Misuse, show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

SCAN_DIRECTORY = b"/run/service"  # where container images have it
MOST_FIELDS = 16
MOST_SECONDS = 86400
LONG = b"-"  # for getopt, `--watch` is the option `-` with the value `watch`

MANUAL = Manual(
    "s6-svstat",
    "[ -uwNrpgest | -o fields ] [ -n ] [ -j ] [ --watch[=sec] ] [ directory... ]",
    (
        ("-o fields", "print fields, with commas between them, of:"),
        ("", "up wantedup normallyup ready paused pid pgid exitcode signal"),
        ("", "signum updownsince readysince updownfor readyfor"),
        *(
            (f"-{letter.decode()}", f"short for -o {name.decode()}")
            for letter, name in fields.LETTERS.items()
        ),
        ("-n", "print signals as numbers"),
        ("-j", "print JSON"),
        ("--watch[=sec]", "show the table anew each second, or so many seconds"),
    ),
    """
Prints how the service of a service directory is. For a scan directory, or several
directories, it prints a table of services; without a directory, of those in
$S6_SCANDIR or else in /run/service.""",
)


class Options:
    """What the options ask for; `seconds` is 0 for showing things once."""

    __slots__ = ("fields", "json", "numbers", "seconds")

    def __init__(self) -> None:
        self.fields: list[bytes] = []
        self.json = False
        self.numbers = False
        self.seconds = 0


def main(arguments: list[bytes]) -> int:
    """Show one service, or many."""
    if MANUAL.answered(arguments):
        return DONE
    try:
        options, directories = parse(arguments)
    except Misuse:
        return MANUAL.usage()
    if len(directories) == 1 and not options.seconds:
        try:
            return show_one(directories[0], options)
        except Fatal as failure:
            if not _means_many(directories[0], failure):
                raise
    from supervisor.clients.listing import show_all

    return show_all(directories, options)


def parse(arguments: "Sequence[bytes]") -> tuple[Options, list[bytes]]:
    """Read the command line; raises Misuse, or Fatal for a field that is none."""
    options = Options()
    flags = b"nj" + b"".join(fields.LETTERS)
    pairs, directories = scan(arguments, flags, b"o" + LONG)
    for letter, value in pairs:
        if letter in fields.LETTERS:
            options.fields.append(fields.LETTERS[letter])
        elif letter == b"o":
            options.fields += parse_fields(value)
        elif letter == b"n":
            options.numbers = True
        elif letter == b"j":
            options.json = True
        elif letter == LONG:
            options.seconds = parse_watch(value)
        else:
            raise Misuse
        if len(options.fields) > MOST_FIELDS:
            raise Fatal(MISTAKE, b"too many option fields")
    if options.seconds and (options.fields or options.json):
        raise Misuse
    return options, directories or [default_directory()]


def parse_fields(text: bytes) -> list[bytes]:
    """Read the names of fields, with a comma after each but perhaps the last."""
    names = []
    for word in text.removesuffix(b",").split(b",") if text else ():
        name = fields.find(word)
        if name is None:
            raise Fatal(MISTAKE, b"invalid option field: " + word)
        names.append(name)
    return names


def parse_watch(option: bytes) -> int:
    """Read `watch` or `watch=SECONDS`."""
    name, given, value = option.partition(b"=")
    seconds = decimal(value, MOST_SECONDS) if given else 1
    if name != b"watch" or not seconds:
        raise Misuse
    return seconds


def default_directory() -> bytes:
    """Give the scan directory of this machine; raises Misuse when there is none."""
    directory = os.environb.get(b"S6_SCANDIR") or SCAN_DIRECTORY
    if directory == SCAN_DIRECTORY and not os.path.isdir(directory):
        raise Misuse
    return directory


def show_one(directory: bytes, options: Options) -> int:
    """Show one service as s6 does; raises Fatal in its words."""
    now_ns = time.time_ns()
    seen = view(directory, now_ns)
    if options.json:
        from supervisor.clients import as_json, survey

        show(as_json.one(survey.report(directory, directory, now_ns)).encode())
    elif options.fields:
        values = [fields.field(seen, name) for name in options.fields]
        show(b" ".join(values) + b"\n")
    else:
        show(fields.text(seen, options.numbers) + b"\n")
    return DONE


def _means_many(directory: bytes, failure: Fatal) -> bool:
    """Tell whether what is no supervised service is a scan directory."""
    if failure.code != NOT_SUPERVISED:
        return False
    from supervisor.clients.survey import is_scan_directory

    return is_scan_directory(directory)
