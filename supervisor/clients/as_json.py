"""Reports as JSON. Pure.

The keys are the names of s6-svstat's fields, with values of JSON's own kinds: true
and false, numbers, and null for what s6-svstat prints as -1 or NA.
"""

from supervisor.clients.fields import FIELDS
from supervisor.clients.reports import NOTHING, last, state

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from supervisor.clients.reports import Report


def one(service: "Report") -> str:
    """Give an object on a line."""
    import json

    return json.dumps(facts(service)) + "\n"


def many(services: "Sequence[Report]") -> str:
    """Give an array, with each service on a line of its own."""
    lines = ",\n".join(one(service).rstrip("\n") for service in services)
    return f"[\n{lines}\n]\n" if lines else "[]\n"


def facts(service: "Report") -> dict[str, object]:
    """Give what is known of a service, and of its logger as `logger`.

    The name keeps bytes that are no UTF-8 as lone surrogates (os.fsdecode).
    """
    last_exit = last(service, False)
    return {
        "name": service.name.decode(errors="surrogateescape"),
        "state": state(service)[0],
        "supervised": service.view is not None,
        **{name.decode(): _value(service, name) for name in FIELDS},
        "lastexit": None if last_exit == NOTHING else last_exit,
        "deaths": service.deaths,
        "maxdeathtally": service.most,
        "logger": None if service.logger is None else facts(service.logger),
    }


def _value(service: "Report", name: bytes) -> object:
    value = None if service.view is None else FIELDS[name](service.view)
    return value.decode() if isinstance(value, bytes) else value
