"""What `--help` prints, made from the tables of options and directives. Pure."""

from s6log.script.directives import ACTION, PATH, SELECTION
from s6log.script.extensions import EVERY
from s6log.script.layout import hang, row
from s6log.script.options import OPTIONS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from s6log.script.words import Directive, Role

COLUMN = 14

LONG_OPTIONS = (
    ("--help", "print this text"),
    ("--version", "print what this is, and what it is compatible with"),
    ("--explain", "say in plain words what the rest of the command line means"),
)

ABOUT = """
Reads lines from standard input and does with each what the script says. The
script is a list of directives, one word each. They are taken from left to
right, for every line anew."""

SELECTIONS = "which lines the next actions are for; at first, every line"
SETTINGS = "how the actions after them work, until set anew"
ACTIONS = "what is done with the lines that are selected"

EXAMPLE = """
Example: everything but debug messages goes to a directory, at most 20 archives
of 1 MB, each line with a stamp; errors are shown on standard error as well.

  s6-log -- n20 s1000000 -DEBUG t ./log - +ERROR 2

RE is a POSIX extended regular expression. Exit codes: 0 at the end of the
input, 100 for a mistake in the command line, 111 when the system refuses."""


def options_help() -> list[str]:
    """List the options of s6-log, one a paragraph."""
    lines = []
    for option in OPTIONS.values():
        left = f"  -{option.letter.decode()} {option.shape}"
        lines += row(left, option.meaning, COLUMN)
    return lines


def directives_help() -> list[str]:
    """List the directives by their roles, one a paragraph."""
    return [
        *_section("Selection directives", SELECTIONS, lambda role: role is SELECTION),
        *_section("Control directives", SETTINGS, _is_setting),
        *_section("Action directives", ACTIONS, lambda role: role is ACTION),
    ]


FILE_ABOUT = """
Becomes the logger that FILE describes. Made to be an interpreter: a service's
log/run can be an executable file like this one.

  #!/usr/bin/env s6-logscript
  options -b              # of s6-log, listed below
  n20 s1000000            # one or more directives a line
  '-GET /healthz '        # quoted as in a shell, but nothing is expanded
  t ./log

$, `, ~, *, |, ; and > have no meaning. A backslash at the end of a line joins
it to the next. ARGS are options, which win over those of FILE, and behind a --
directives, which come after those of FILE. Any other word is passed over: s6
gives the service's name to every run script."""


def file_help() -> str:
    """Give the help of s6-logscript."""
    lines = [
        "usage: s6-logscript [--explain] FILE [ARGS]",
        *FILE_ABOUT.splitlines(),
        *_reference(),
    ]
    return "\n".join(lines) + "\n"


def help_text() -> str:
    """Give the help of s6-log."""
    lines = [
        "usage: s6-log [options] [--] directive...",
        *ABOUT.splitlines(),
        *_reference(),
        *EXAMPLE.splitlines(),
    ]
    return "\n".join(lines) + "\n"


def _reference() -> "Iterator[str]":
    yield ""
    yield "Options"
    yield from options_help()
    yield ""
    yield "As the first word only"
    for name, meaning in LONG_OPTIONS:
        yield from row(f"  {name}", meaning, COLUMN)
    yield from directives_help()


def _section(
    title: str, about: str, belongs: "Callable[[Role], bool]"
) -> "Iterator[str]":
    yield ""
    yield from hang("", f"{title}: {about}")
    for directive in EVERY.values():
        if belongs(directive.role):
            yield from row(f"  {_synopsis(directive)}", _purpose(directive), COLUMN)


def _is_setting(role: "Role") -> bool:
    return role not in (SELECTION, ACTION)


def _synopsis(directive: "Directive") -> str:
    slash = "/" if directive.argument is PATH and directive.letter == b"." else ""
    return f"{directive.letter.decode()}{slash}{directive.argument.shape}"


def _purpose(directive: "Directive") -> str:
    """Say what a directive is for, with its default and its special value."""
    argument = directive.argument
    text = directive.meaning
    if argument.default:
        text += f" (default {argument.default})"
    if argument.none:
        zero = "0" if argument.limit else f"{directive.letter.decode()} alone"
        text += f"; {zero}: {argument.none}"
    return text
