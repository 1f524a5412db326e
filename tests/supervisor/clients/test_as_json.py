"""Reports as JSON: the same facts as the fields, in JSON's own kinds."""

import json
import os

from hypothesis import given
from hypothesis import strategies as st

from standins import NOW_NS, down, statuses, up
from supervisor.clients.as_json import many, one
from supervisor.clients.fields import FIELDS, View, field
from supervisor.clients.reports import Report
from supervisor.service.status import READY, WANT_UP, Status

NAMES = st.binary(min_size=1, max_size=20)


def make(name: bytes, status: Status | None, normally_up: bool) -> Report:
    """Report on a service, with nobody to supervise it when there is no status."""
    if status is None:
        return Report(name, None, "not supervised")
    return Report(name, View(status, normally_up, NOW_NS))


REPORTS = st.builds(make, NAMES, st.none() | statuses(NOW_NS), st.booleans())


def test_an_object_in_full() -> None:
    """Every key there is, for a service with a logger."""
    service = make(b"web", down(9, WANT_UP | READY, 15), True)
    service.deaths, service.most = 7, 100
    service.logger = make(b"web/log", None, False)
    facts = json.loads(one(service))
    log = facts.pop("logger")
    assert facts == {
        "name": "web",
        "state": "down, want up",
        "supervised": True,
        "up": False,
        "wantedup": True,
        "normallyup": True,
        "ready": False,
        "paused": False,
        "pid": None,
        "pgid": None,
        "exitcode": None,
        "signal": "SIGTERM",
        "signum": 15,
        "updownsince": "@400000006b49d21c00000000",
        "readysince": "@400000006b49d21c00000000",
        "updownfor": 9,
        "readyfor": 9,
        "lastexit": "signal SIGTERM",
        "deaths": 7,
        "maxdeathtally": 100,
    }
    known = ("name", "state", "supervised", "deaths", "maxdeathtally")
    assert {key: log[key] for key in log if key not in known} == dict.fromkeys(
        (*(name.decode() for name in FIELDS), "lastexit", "logger")
    )
    assert (log["name"], log["state"]) == ("web/log", "not supervised")
    assert log["supervised"] is False


@given(REPORTS)
def test_values_are_those_of_the_fields(service: Report) -> None:
    """Null stands for -1 and NA; the name comes back as the bytes it was."""
    facts = json.loads(one(service))
    assert os.fsencode(facts["name"]) == service.name
    for name in FIELDS:
        value = facts[name.decode()]
        if service.view is None:
            assert value is None
        elif value is None:
            assert field(service.view, name) in (b"-1", b"NA")
        else:
            text = value if isinstance(value, str) else json.dumps(value)
            assert text.encode() == field(service.view, name)


@given(st.lists(REPORTS, max_size=6))
def test_many_are_an_array_of_lines(services: list[Report]) -> None:
    """Each of which can be found with grep, and is what the one would be."""
    text = many(services)
    assert json.loads(text) == [json.loads(one(service)) for service in services]
    assert len(text.splitlines()) == (len(services) + 2 if services else 1)


def test_the_last_exit_stays_when_the_service_is_up_again() -> None:
    """Unlike exitcode and signal, which are of a service that is down."""
    facts = json.loads(one(make(b"web", up(9, WANT_UP, 42, 9), True)))
    assert (facts["lastexit"], facts["signal"]) == ("signal SIGKILL", None)
    assert facts["pid"] == facts["pgid"] == 42
