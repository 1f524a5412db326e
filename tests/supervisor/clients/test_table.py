"""The table as text: what it looks like, and that it always fits."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standins import NOW_NS, down, statuses, up
from supervisor.clients.fields import View
from supervisor.clients.reports import Report
from supervisor.clients.table import CUT, HEADINGS, Style, fit, row, summary, table
from supervisor.service.status import FINISHING, PAUSED, READY, WANT_UP, Status

COLOUR = re.compile("\033\\[[0-9;]*m")
NARROWEST = 18
"""Two columns of 8 characters and the gap between them."""


def report(name: str, status: Status | None, *, normally_up: bool = True) -> Report:
    """Report on a service; without a status nobody supervises it."""
    if status is None:
        return Report(name.encode(), None, "not supervised")
    made = Report(name.encode(), View(status, normally_up, NOW_NS))
    made.most = 100
    return made


def tree() -> list[Report]:
    """Make a scan directory's worth of services, one of each kind."""
    cron = report("cron", up(9000, WANT_UP, 17))
    database = report("database", down(7, WANT_UP, 1 << 8))
    database.deaths = 100
    database.logger = report("database/log", up(300_000, WANT_UP | READY, 18))
    getty = report("getty", down(86400, READY, 15), normally_up=False)
    getty.deaths = 1
    mail = report("mail", up(33, WANT_UP, 123456, 9))
    mail.deaths = 2
    mail.notifies = True
    mail.logger = report("mail/log", down(0, WANT_UP, 3 << 8))
    mail.logger.deaths = 7
    paused = report("paused", up(100, WANT_UP | PAUSED))
    web = report("web", up(3 * 86400 + 14400, WANT_UP | READY, 1234))
    web.logger = report("web/log", up(3 * 86400 + 14400, WANT_UP, 1233))
    closing = report("closing", up(2, FINISHING, 77, 15), normally_up=False)
    return [closing, cron, database, getty, mail, report("new", None), paused, web]


WIDE = """\
NAME      STATE           SINCE   PID     READY  RESTARTS  LAST EXIT       LOGGER
closing   finishing       2s      -       -      0         signal SIGTERM  -
cron      up              2h 30m  17      -      0         -               -
database  down, want up   7s      -       -      100+      exitcode 1      up
getty     down            1d 0h   -       -      1         signal SIGTERM  -
mail      up              33s     123456  no     2         signal SIGKILL  \
down, want up, 7 restarts
new       not supervised  -       -       -      -         -               -
paused    paused          1m 40s  4242    -      0         -               -
web       up              3d 4h   1234    yes    0         -               up
"""

NARROW = """\
NAME      STATE           SINCE
closing   finishing       2s
cron      up              2h 30m
database  down, want up   7s
getty     down            1d 0h
mail      up              33s
new       not supervised  -
paused    paused          1m 40s
web       up              3d 4h
"""

COLOURED = """\
<1>NAME      STATE<>
<33>closing<>   <33>finishing<>
cron      up
<1;31>database<>  <1;31>down, wan…<>
getty     down
<1;31>mail<>      up
<1;31>new<>       <1;31>not super…<>
<33>paused<>    <33>paused<>
web       up
"""

LOW = """\
NAME      STATE           SINCE  PID     READY  RESTARTS  LAST EXIT       LOGGER
database  down, want up   7s     -       -      100+      exitcode 1      up
mail      up              33s    123456  no     2         signal SIGKILL  \
down, want up, 7 restarts
new       not supervised  -      -       -      -         -               -
… and 5 more
"""

CASES = (
    (Style(), WIDE),
    (Style(36), NARROW),
    (Style(20, coloured=True), COLOURED),
    (Style(0, 5), LOW),
)


@pytest.mark.parametrize(("style", "expected"), CASES)
def test_a_table_as_it_is_printed(style: Style, expected: str) -> None:
    """Wide, in a narrow terminal, in colour, and where there are few lines."""
    shown = "\n".join(table(tree(), style)) + "\n"
    shown = re.sub("\033\\[([0-9;]*)m", r"<\1>", shown)
    assert shown == expected


def test_signals_are_numbers_where_that_is_asked_for() -> None:
    """In the last exit, their only place."""
    shown = "\n".join(table(tree(), Style(numbers=True)))
    assert "signal 15" in shown
    assert "SIG" not in shown


def test_a_table_of_nothing_has_its_headings() -> None:
    """Also where it could be narrow."""
    assert table([], Style()) == ["  ".join(HEADINGS)]
    assert table([], Style(30, 10)) == ["NAME  STATE  SINCE  LOGGER"]
    assert summary([]) == "0 services, 0 up, 0 to look at"


def test_the_summary_counts_what_is_not_calm() -> None:
    """A service whose logger is not well is counted too."""
    assert summary(tree()) == "8 services, 4 up, 5 to look at"


NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=30)
REPORTS = st.lists(
    st.builds(
        report,
        NAMES,
        st.none() | statuses(NOW_NS),
    ),
    max_size=12,
)


@given(REPORTS, st.integers(NARROWEST, 200), st.integers(2, 20))
def test_it_fits_the_terminal(services: list[Report], width: int, height: int) -> None:
    """No line is too long, and there are not too many of them."""
    lines = table(services, Style(width, height, coloured=True))
    assert len(lines) <= height
    assert all(len(COLOUR.sub("", line)) <= width for line in lines)


@given(REPORTS, st.integers(0, 200))
def test_colours_change_nothing_else(services: list[Report], width: int) -> None:
    """Without them it is the same text."""
    coloured = table(services, Style(width, coloured=True))
    assert [COLOUR.sub("", line) for line in coloured] == table(services, Style(width))


@given(REPORTS)
def test_without_limits_nothing_is_left_out(services: list[Report]) -> None:
    """Each cell is on its service's line, in full, and in the order given."""
    lines = table(services, Style())[1:]
    assert len(lines) == len(services)
    for line, service in zip(lines, services, strict=True):
        cells = row(service, False).values()
        assert CUT not in line or CUT in service.name.decode()
        assert all(text in line for text, _ in cells)


@given(REPORTS, st.integers(0, 200))
def test_name_and_state_are_always_shown(services: list[Report], limit: int) -> None:
    """And of the other columns as many as there is room for."""
    rows = [row(service, False) for service in services]
    widths = fit(rows, limit)
    assert list(widths)[:2] == ["NAME", "STATE"]
    assert [heading for heading in HEADINGS if heading in widths] == list(widths)
    if limit == 0:
        assert len(widths) == len(HEADINGS)


def test_those_to_look_at_are_seen_first() -> None:
    """When not all can be shown, the others go first; names keep their order."""
    services = [report(f"s{number:03}", up(90, WANT_UP)) for number in range(1000)]
    services[500] = report("s500", down(90, WANT_UP))
    services[700] = report("s700", up(90, WANT_UP | PAUSED))
    services[900] = report("s900", down(90, WANT_UP))
    lines = table(services, Style(80, 6))
    names = [line.split()[0] for line in lines[1:-1]]
    assert names == ["s500", "s900", "s700", "s000"]
    assert lines[-1] == "… and 996 more"
