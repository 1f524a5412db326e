"""Shows many services: as a table, once or again and again, as JSON, as fields."""

import os
import time

from s6log.unix.fds import STDOUT
from s6log.unix.messages import DONE, MISTAKE, Fatal, Messages
from supervisor.clients import survey
from supervisor.clients.fields import field
from supervisor.clients.reports import printable
from supervisor.clients.table import Style, summary, table
from supervisor.clients.viewing import NOT_SUPERVISED
from supervisor.manual import show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from supervisor.clients.reports import Report
    from supervisor.clients.svstat import Options


def show_all(directories: "Sequence[bytes]", options: "Options") -> int:
    """Show the services of scan directories, and single ones; give the exit code."""
    if options.seconds:
        return _show_again_and_again(directories, options)
    services = survey.look(directories, time.time_ns())
    messages = Messages(b"s6-svstat")
    for directory in survey.abandoned(directories):
        messages.warn(b"s6-svscan not running on " + directory)
    if options.fields:
        return _show_fields(services, options.fields, messages)
    if options.json:
        from supervisor.clients.as_json import many

        show(many(services).encode())
    else:
        style = _style(options.numbers)
        show("".join(line + "\n" for line in table(services, style)).encode())
    return DONE


def _show_fields(
    services: "Sequence[Report]", names: "Sequence[bytes]", messages: Messages
) -> int:
    """Print a line for each service, as grep does for each file."""
    code = DONE
    for service in services:
        if service.view is None:
            text = b"unable to read status for " + service.name
            messages.warn(text + b": " + service.problem.encode())
            code = NOT_SUPERVISED
        else:
            values = [field(service.view, name) for name in names]
            line = b" ".join((printable(service.name).encode() + b":", *values))
            show(line + b"\n")
    return code


def _show_again_and_again(directories: "Sequence[bytes]", options: "Options") -> int:
    # Not at the top: a table that is shown once needs no signals.
    from supervisor.clients.refresh import refresh

    if not os.isatty(STDOUT):
        raise Fatal(MISTAKE, b"unable to refresh: stdout is not a terminal")

    def lines() -> list[str]:
        services = survey.look(directories, time.time_ns())
        style = _style(options.numbers)
        style.height = max(0, _terminal_size()[1] - 1)  # the first line is the title's
        gone = map(printable, survey.abandoned(directories))
        notes = [f"s6-svscan not running on {directory}" for directory in gone]
        title = [time.strftime("%Y-%m-%d %H:%M:%S"), summary(services), *notes]
        return [", ".join(title)[: style.width or None], *table(services, style)]

    return refresh(lines, options.seconds)


def _style(numbers: bool) -> Style:
    """Fit a table to the terminal; what is no terminal gets plain text."""
    if not os.isatty(STDOUT):
        return Style(numbers=numbers)
    coloured = not os.environ.get("NO_COLOR")  # as no-color.org defines it
    return Style(_terminal_size()[0], coloured=coloured, numbers=numbers)


def _terminal_size() -> tuple[int, int]:
    """Give columns and lines, 0 for what the terminal does not know."""
    try:
        return os.get_terminal_size(STDOUT)
    except OSError:
        return 0, 0  # it has gone away, and writing to it will tell
