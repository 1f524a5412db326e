"""Who a logger logs for, as it is shown to people: the service's name."""

import os

SERVICE_VARIABLE = b"S6_SERVICE"
LOG = b"log"  # the directory of a service's logger
NAMELESS = b"-"  # in the root directory, and where nobody can tell
RUN = b"run"  # what makes a directory a service
NO_COLOUR, TERM, DUMB = b"NO_COLOR", b"TERM", b"dumb"
# Those that can be read on light and on dark ground.
COLOURS = (31, 32, 33, 34, 35, 36, 91, 92, 94, 95, 96)


class Identity:
    """Who a logger logs for: the service, and how wide names are in its tree.

    `width` is 0 outside of a tree.
    """

    __slots__ = ("service", "width")

    def __init__(self, service: bytes, width: int) -> None:
        self.service = service
        self.width = width

    def tag(self, name: bytes, coloured: bool) -> bytes:
        """Write what goes before a line: `web      | `.

        A colour is set back before it, too: the line before may have left its own.
        """
        shown = (name or self.service).decode()
        text = f"{shown.ljust(self.width)} |"
        if coloured:
            colour = COLOURS[sum(shown.encode()) % len(COLOURS)]
            text = f"\x1b[0;{colour}m{text}\x1b[0m"
        return text.encode() + b" "


def identify(wide: bool = True) -> Identity:
    """Find out from the environment and the working directory.

    A logger works in SERVICE/log, or in SERVICE itself. The tree is where SERVICE
    is, with the other services; it is looked at only if `wide` asks for the width.
    """
    given = os.environb.get(SERVICE_VARIABLE, b"")
    try:
        here = os.getcwdb()
    except OSError:
        return Identity(printable(given or NAMELESS), 0)
    if os.path.basename(here) == LOG:
        here = os.path.dirname(here)
    service = printable(given or os.path.basename(here) or NAMELESS)
    if not wide or not is_service(here):
        return Identity(service, 0)
    names = [service, *map(printable, services(os.path.dirname(here)))]
    return Identity(service, max(len(name.decode()) for name in names))


def is_service(directory: bytes) -> bool:
    """Tell whether a directory is that of a service; `/run` makes none of `/`."""
    return os.path.isfile(os.path.join(directory, RUN))


def services(tree: bytes) -> "list[bytes]":
    """Give the names of the services in a directory; none if it cannot be read."""
    try:
        names = os.listdir(tree)
    except OSError:
        return []
    return [
        name
        for name in names
        if name[:1] != b"." and is_service(os.path.join(tree, name))
    ]


def printable(name: bytes) -> bytes:
    """Make a name fit to stand before lines: UTF-8 without control characters."""
    text = name.decode(errors="replace")
    return "".join(char if char.isprintable() else "?" for char in text).encode()


def colours(fd: int) -> bool:
    """Tell whether a descriptor is a terminal that shows colours."""
    wanted = not os.environb.get(NO_COLOUR) and os.environb.get(TERM) != DUMB
    return wanted and os.isatty(fd)
