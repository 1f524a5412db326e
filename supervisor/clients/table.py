"""The table of services: reports in, lines out. Pure.

Plain text that can be searched and cut; colours and a limit to the width are for
terminals.
"""

from supervisor.clients import reports
from supervisor.clients.reports import BAD, CALM, ODD

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from supervisor.clients.reports import Report, Said

    Row = dict[str, Said]  # by heading: a text and its tone

HEADINGS = (
    "NAME",
    "STATE",
    "SINCE",
    "PID",
    "READY",
    "RESTARTS",
    "LAST EXIT",
    "LOGGER",
)
ELASTIC = ("STATE", "NAME")
"""Always shown, cut where a terminal is very narrow."""

OPTIONAL = ("SINCE", "LOGGER", "RESTARTS", "LAST EXIT", "PID", "READY")
"""Shown as far as there is room, the first first."""

GAP = "  "
LEAST = 8  # what an elastic column keeps
CUT = "…"
PLAIN = "{}"
HEADING = "\033[1m{}\033[m"
PAINT = {CALM: PLAIN, ODD: "\033[33m{}\033[m", BAD: "\033[1;31m{}\033[m"}


class Style:
    """How a table is to look: `width` and `height` 0 are without limit.

    `numbers` asks for the numbers of signals instead of their names.
    """

    __slots__ = ("coloured", "height", "numbers", "width")

    def __init__(
        self,
        width: int = 0,
        height: int = 0,
        coloured: bool = False,
        numbers: bool = False,
    ) -> None:
        self.width = width
        self.height = height
        self.coloured = coloured
        self.numbers = numbers


def table(services: "Sequence[Report]", style: Style) -> list[str]:
    """Give the headings and a line for each service, without newlines.

    Where not all fit into the height, those to look at come first, and the last
    line says how many are missing.
    """
    rows = [row(service, style.numbers) for service in services]
    more = []
    if style.height and len(rows) + 1 > style.height:
        rows.sort(key=lambda row: row["NAME"][1], reverse=True)
        room = max(0, style.height - 2)
        more = [f"{CUT} and {len(rows) - room} more"]
        rows = rows[:room]
    widths = fit(rows, style.width)
    headings = line({heading: (heading, CALM) for heading in HEADINGS}, widths, False)
    bold = HEADING if style.coloured else PLAIN
    lines = [line(row, widths, style.coloured) for row in rows]
    return [bold.format(headings), *lines, *more]


def summary(services: "Sequence[Report]") -> str:
    """Count all, those that are up, and those to look at."""
    up = sum(service.up for service in services)
    wrong = sum(row(service, False)["NAME"][1] != CALM for service in services)
    plural = "" if len(services) == 1 else "s"
    return f"{len(services)} service{plural}, {up} up, {wrong} to look at"


def row(service: "Report", numbers: bool) -> "Row":
    """Give the cells of a service; the name has the worst of the others' tones."""
    others = (
        reports.state(service),
        (reports.since(service), CALM),
        (reports.pid(service), CALM),
        reports.ready(service),
        reports.restarts(service),
        (reports.last(service, numbers), CALM),
        reports.logger(service),
    )
    name = reports.printable(service.name), max(tone for _, tone in others)
    return dict(zip(HEADINGS, (name, *others), strict=True))


def fit(rows: "Sequence[Row]", limit: int) -> dict[str, int]:
    """Choose the columns and their widths: as wide as what is in them, if possible."""
    widths = {
        heading: max(len(heading), *(len(row[heading][0]) for row in rows), 0)
        for heading in HEADINGS
    }
    if limit == 0:
        return widths
    shown = {heading: widths[heading] for heading in ELASTIC}
    for heading in ELASTIC:
        too_much = max(0, taken(shown) - limit)
        shown[heading] = max(min(shown[heading], LEAST), shown[heading] - too_much)
    for heading in OPTIONAL:
        wider = {**shown, heading: widths[heading]}
        if taken(wider) <= limit:
            shown = wider
    return {heading: shown[heading] for heading in HEADINGS if heading in shown}


def taken(widths: dict[str, int]) -> int:
    """Add up the widths of the columns and the gaps between them."""
    return sum(widths.values()) + len(GAP) * (len(widths) - 1)


def line(row: "Row", widths: dict[str, int], coloured: bool) -> str:
    """Lay one row out; blanks at its end are left away."""
    cells = []
    for heading, width in widths.items():
        text, tone = row[heading]
        if len(text) > width:
            text = text[: width - len(CUT)] + CUT
        paint = PAINT[tone] if coloured else PLAIN
        cells.append(paint.format(text) + " " * (width - len(text)))
    return GAP.join(cells).rstrip()
