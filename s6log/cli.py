"""`s6-log`: reads its command line and becomes the logger that it asks for."""

from s6log.script.directives import ScriptError
from s6log.script.options import USAGE, OptionError, parse_options
from s6log.start import accept, answer, check_open, mistake, show, start, valid, version
from s6log.unix.messages import Messages


def main(arguments: list[bytes]) -> int:
    """Do what the command line says; `arguments` are without the program's name.

    Returns the exit code, after the message that goes with it.
    """
    messages = Messages(b"s6-log")
    try:
        return answer(messages, USAGE, arguments, WAYS, _log)
    except ScriptError as error:
        return messages.fatal(mistake(error))


def _log(arguments: list[bytes]) -> int:
    options, words = parse_options(arguments, check_open)
    if not words:
        raise OptionError(b"no script")
    return start(options, words)


def _help(_: list[bytes]) -> int:
    from s6log.script.manual import help_text

    return show(help_text())


def _version(_: list[bytes]) -> int:
    return show(version("s6-log"))


def _explain(arguments: list[bytes]) -> int:
    from s6log.script.explain import explain

    options, words = parse_options(arguments, accept)
    if not words:
        raise OptionError(b"no script")
    return show(explain(valid(words), options, words))


WAYS = {b"--help": _help, b"--version": _version, b"--explain": _explain}
"""What there is besides logging, by the first word."""
