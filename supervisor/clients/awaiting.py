"""What is known of services that somebody waits for, and when it is enough. Pure.

The rules are those of s6-svwait and s6-svlisten (s6 2.15), event for event, with
one difference: for a restart each service has to be down at some moment, not all
at the same one, which services that restart at once never are.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    State = tuple[bool, bool]

# States are (up, ready); a service that is down is ready when finish is over.
DOWN, FINISHED, UP, READY = (False, False), (False, True), (True, False), (True, True)

STATES = {b"d"[0]: DOWN, b"D"[0]: FINISHED, b"u"[0]: UP, b"U"[0]: READY}
GAVE_UP = b"O"[0]  # finish exited 125
SUPERVISOR_ENDED = b"x"[0]

GOALS = {
    b"u": (UP,),
    b"U": (READY,),
    b"d": (DOWN,),
    b"D": (FINISHED,),
    b"r": (DOWN, UP),
    b"R": (DOWN, READY),
}
"""By the option letter: what has to be reached, one after the other."""


class Awaiting:
    """The services waited for, by their index, and what they have yet to reach.

    `failures` counts those that gave up or whose supervisor ended too early.
    """

    __slots__ = ("_either", "_goals", "_reached", "_states", "failures")

    def __init__(
        self, goals: "Sequence[State]", states: "Sequence[State]", either: bool
    ) -> None:
        """Take what is wanted and what is so now; `either`: one service will do."""
        self._goals = list(goals)
        self._states = list(states)
        self._either = either
        self._reached: set[int] = set()
        self.failures = 0
        self._look_at_all()

    @property
    def done(self) -> bool:
        """Whether there is nothing left to wait for."""
        return not self._goals

    def hear(self, service: int, events: bytes) -> None:
        """Take events of one service, in any pieces; what is not known is ignored."""
        for event in events:
            if not self._goals:
                return
            self._take(service, event)
            self._look_at(service)
            self._go_on()

    def _take(self, service: int, event: int) -> None:
        wanted = self._goals[0]
        if event in STATES:
            self._states[service] = STATES[event]
        elif event == SUPERVISOR_ENDED:
            self.failures += self._states[service] != wanted
            self._states[service] = wanted  # no use in waiting for it any longer
        elif event == GAVE_UP and wanted[0]:
            self.failures += 1
            self._states[service] = wanted

    def _look_at(self, service: int) -> None:
        (up, ready), (want_up, want_ready) = self._states[service], self._goals[0]
        if up == want_up and (ready or not want_ready):
            self._reached.add(service)
        elif len(self._goals) == 1:
            self._reached.discard(service)  # what is passed through stays reached

    def _go_on(self) -> None:
        """Take the next goal as soon as this one is reached."""
        one_will_do = self._either and len(self._goals) == 1
        if not self._reached or not (one_will_do or self._all_reached()):
            return
        if self.failures:
            self._goals.clear()
        else:
            del self._goals[0]
        if self._goals:
            self._look_at_all()

    def _all_reached(self) -> bool:
        return len(self._reached) == len(self._states)

    def _look_at_all(self) -> None:
        for service in range(len(self._states)):
            self._look_at(service)
        self._go_on()
