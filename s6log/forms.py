"""What formed records need from outside: the service's name, zones, the kernel.

Loaded only for a script with directives that do more to lines than s6-log does.
"""

import time

from s6log import kernels
from s6log.identity import colours, identify
from s6log.outputs.lane import Lane
from s6log.stream.events import joiner
from s6log.stream.format import Prefixes
from s6log.stream.forming import Alarm, Json, Tagged, Text
from s6log.stream.objects import Renderer
from s6log.stream.stamps import Iso
from s6log.stream.times import Times
from s6log.zones import localtime_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from s6log.outputs.account import Account
    from s6log.script.model import Action, Format, Join, Script
    from s6log.stream.batch import Selecting
    from s6log.stream.events import Joiner
    from s6log.stream.format import Clock
    from s6log.stream.forming import Former
    from s6log.unix.loop import Loop

STDOUT_STREAM = b"stdout"


def clocks(script: "Script") -> "dict[tuple[bytes, bytes], Clock]":
    """Make what writes the dates of a script. Raises LookupError for no such zone."""
    return {
        action.format.date: clock(*action.format.date) for _, action in script.actions
    }


def clock(form: bytes, zone: bytes) -> "Clock":
    """Make what writes dates in a form and a zone. Raises LookupError."""
    localtime = localtime_of(zone)
    return Times(form, localtime, time.strftime) if form else Iso(localtime)


class Forms:
    """Makes the formers and lanes of one logger."""

    def __init__(
        self, loop: "Loop", script: "Script", stream: bytes = STDOUT_STREAM
    ) -> None:
        self._loop = loop
        self._clocks = clocks(script)
        self._identity = identify(wide=any(shows_tag(a) for _, a in script.actions))
        self._renderer: Renderer | None = None
        self._utc = clock(b"rfc3339us", b"UTC")
        self._stream = stream

    def tag(self, format_: "Format", fd: int) -> None:
        """Settle what the tag of an action looks like on an output."""
        if format_.tag is not None and not format_.json:
            coloured = fd >= 0 and colours(fd)
            format_.tagged = self._identity.tag(format_.tag, coloured)

    def former(self, format_: "Format") -> "Former":
        """Make what forms records for an action."""
        service = format_.tag or self._identity.service
        if not format_.formed:
            return Text(format_, self.prefixes())
        if self._renderer is None:
            self._renderer = Renderer(kernels.objects())
        if format_.json:
            return Json(self._utc, self._renderer, service, self._stream)
        return Tagged(format_, self.prefixes(), self._renderer, service)

    def alarm(self, format_: "Format", mark: bytes, most: int) -> Alarm:
        """Make what forms alerts."""
        return Alarm(format_, self.prefixes(), mark, most)

    def lane(self, action: "Action", former: "Former", account: "Account") -> Lane:
        """Make an action's lane."""
        joins = None if action.join is None else joiner_of(action.join)
        return Lane(self._loop, former, joins, action.rate, account)

    def prefixes(self) -> Prefixes:
        """Make what writes prefixes at any moment."""
        return Prefixes(time.localtime, self._clocks)


def shows_tag(action: "Action") -> bool:
    """Tell whether a name stands before the lines of an action."""
    return action.format.tag is not None and not action.format.json


def joiner_of(join: "Join") -> "Joiner":
    """Make what joins lines. Raises PatternTooLarge, a ValueError."""
    if join.tree is None:
        return joiner(join.kind, kernel=kernels.lines())
    return joiner(join.kind, starts_of(join))


def starts_of(join: "Join") -> "Selecting":
    """Make what finds the lines that begin an event."""
    from s6log.script.model import Selector
    from s6log.stream.selection import Selection

    selectors = [Selector(b"-"), Selector(b"+", join.pattern, join.tree)]
    return Selection([selectors], kernels.scan())
