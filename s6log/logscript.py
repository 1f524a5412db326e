"""`s6-logscript FILE [ARGS]`: becomes the logger that a file describes.

Made to be the interpreter of an executable file: `#!/usr/bin/env s6-logscript`.
ARGS may begin with options of s6-log, which win over those of the file. A word
that is none, such as the service's name that s6-supervise gives to every `run`,
is passed over; directives, to go behind those of the file, come after a `--`.
"""

from s6log.script.directives import ScriptError
from s6log.script.options import OptionError, Options, parse_options
from s6log.script.scriptfile import ScriptFile, ScriptFileError, parse_file
from s6log.start import accept, answer, check_open, mistake, show, start, valid, version
from s6log.unix.getopt import scan
from s6log.unix.messages import MISTAKE, REFUSED, Fatal, Messages

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

USAGE = b"s6-logscript [ --explain ] file [ options ] [ name ] [ -- directives ]"
AFTER_FILE = b"after the file: "  # where a directive is that no file holds


class Reading:
    """What a file and the arguments after it say together.

    `places[p]` says where the directive at position p was written; 0 is the
    script as a whole.
    """

    __slots__ = ("options", "places", "words")

    def __init__(
        self, options: Options, words: list[bytes], places: list[bytes]
    ) -> None:
        self.options = options
        self.words = words
        self.places = places

    def mistake(self, error: ScriptError) -> Fatal:
        """Make of an error in the script what the program ends with."""
        return mistake(error, self.places[error.position])


def main(arguments: list[bytes]) -> int:
    """Do what the command line says; `arguments` are without the program's name."""
    return answer(Messages(b"s6-logscript"), USAGE, arguments, WAYS, _log)


def read(arguments: list[bytes], check_fd: "Callable[[int], None]") -> Reading:
    """Read the file that the first argument names, and the arguments after it.

    Raises Fatal for what is wrong with the file, OptionError for the arguments.
    """
    pairs, rest = scan(arguments, b"", b"")
    if pairs or not rest:
        raise OptionError(b"no file")
    path, *more = rest
    file = _parse(path)
    options = Options()
    for line, words in file.options:
        options = _read_options(place(path, line), words, check_fd, options)
    more, directives = _split(more)
    options, _names = parse_options(more, check_fd, options)
    places = [path + b": ", *(place(path, line) for line in file.lines)]
    places += [AFTER_FILE] * len(directives)
    return Reading(options, file.words + directives, places)


def _split(arguments: list[bytes]) -> tuple[list[bytes], list[bytes]]:
    """Split at the first `--`: options and names, then directives."""
    if b"--" not in arguments:
        return arguments, []
    middle = arguments.index(b"--")
    return arguments[:middle], arguments[middle + 1 :]


def place(path: bytes, line: int) -> bytes:
    """Say where something is, in the form that goes before a message."""
    return path + b": line %d: " % line


def _parse(path: bytes) -> ScriptFile:
    try:
        with open(path, "rb") as file:
            text = file.read()
    except OSError as error:
        raise Fatal(REFUSED, b"unable to read " + path, error) from error
    try:
        return parse_file(text)
    except ScriptFileError as error:
        where = place(path, error.line)
        raise Fatal(MISTAKE, where + error.reason.encode()) from error


def _read_options(
    where: bytes,
    words: list[bytes],
    check_fd: "Callable[[int], None]",
    base: Options,
) -> Options:
    """Read one line of options, on top of those before it."""
    try:
        options, rest = parse_options(words, check_fd, base)
    except OptionError as error:
        raise Fatal(MISTAKE, where + error.reason) from error
    except Fatal as failure:
        text = where + failure.text
        raise Fatal(failure.code, text, failure.error) from failure
    if rest:
        raise Fatal(MISTAKE, where + b"this is no option: " + rest[0])
    return options


def _log(arguments: list[bytes]) -> int:
    reading = read(arguments, check_open)
    try:
        return start(reading.options, reading.words)
    except ScriptError as error:
        raise reading.mistake(error) from error


def _explain(arguments: list[bytes]) -> int:
    from s6log.script.explain import explain

    reading = read(arguments, accept)
    try:
        script = valid(reading.words)
    except ScriptError as error:
        raise reading.mistake(error) from error
    return show(explain(script, reading.options, reading.words))


def _help(_: list[bytes]) -> int:
    from s6log.script.manual import file_help

    return show(file_help())


def _version(_: list[bytes]) -> int:
    return show(version("s6-logscript"))


WAYS = {b"--help": _help, b"--version": _version, b"--explain": _explain}
"""What there is besides logging, by the first word."""
