"""Programs that wait for services, told stories by a test instead of a supervisor.

Services are called 0, 1, 2 …; what they are at first is a letter, that of the event
which made them so.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import harness
from harness import Outcome, Program, Stage, wait_until
from supervising import notify, record, subscribers
from supervisor.service.status import READY, Status

PIDS = {"d": 0, "D": 0, "u": 1, "U": 1}
FLAGS = {"d": 0, "D": READY, "u": 0, "U": READY}
FAILED = "some services reported permanent failure or their supervisor died"
TIMED_OUT = "timed out"
TIMED_OUT_CODE = 99


@dataclass(frozen=True)
class Case:
    """States at first, what happens then, and how the waiting program ends.

    `story` is a sequence of "NUMBER EVENTS", each told in one write.
    """

    options: str
    states: str
    story: tuple[str, ...] = ()
    code: int = 0
    error: str = ""

    def __str__(self) -> str:
        return " ".join((self.options, self.states, *self.story)).replace(" ", "_")


CASES = (
    # the state at first will do: every option, every state
    *(Case(f"-{letter}", letter) for letter in "uUdD"),
    Case("-u", "U"),
    Case("-d", "D"),
    # events that bring it about; others mean nothing
    Case("-u", "D", ("0 s", "0 u")),
    Case("-U", "D", ("0 u", "0 U")),
    Case("-U", "D", ("0 suU",)),
    Case("-d", "U", ("0 d",)),
    Case("-D", "U", ("0 d", "0 D")),
    Case("-D", "U", ("0 dD",)),
    Case("-D", "U", ("0 d", "0 OD")),
    # the last of several options counts
    Case("-d -u", "u"),
    Case("-t 1 -t 0 -u", "D", ("0 u",)),
    # several services
    Case("-u", "DD", ("0 u", "1 u")),
    Case("-u", "DU", ("0 u",)),
    Case("-u", "UD", ("0 d", "1 u", "0 u")),
    # failures
    Case("-u", "D", ("0 O",), 1, FAILED),
    Case("-u", "D", ("0 x",), 1, FAILED),
    Case("-d", "U", ("0 x",), 1, FAILED),
    Case("-D", "d", ("0 x",), 1, FAILED),
    Case("-u", "DDD", ("0 O", "1 x", "2 OD"), 3, FAILED),
    Case("-u", "UD", ("0 x", "1 u"), 1, FAILED),
    Case("-u", "uD", ("0 x", "1 u")),
    Case("-D", "dd", ("0 D", "0 x", "1 D")),
    # time
    Case("-t 200 -u", "D", (), TIMED_OUT_CODE, TIMED_OUT),
    Case("-t200 -d", "U", (), TIMED_OUT_CODE, TIMED_OUT),
    Case("-t 200 -D", "d", (), TIMED_OUT_CODE, TIMED_OUT),
    Case("-t 200 -U", "u", (), TIMED_OUT_CODE, TIMED_OUT),
    Case("-t 200 -r", "u", (), TIMED_OUT_CODE, TIMED_OUT),
    Case("-t 200 -R", "d", (), TIMED_OUT_CODE, TIMED_OUT),
    Case("-t 200 -u", "uD", (), TIMED_OUT_CODE, TIMED_OUT),
    # on the way to a restart
    Case("-r", "D", ("0 u",)),
    Case("-R", "D", ("0 u", "0 U")),
    Case("-r", "u", ("0 x",), 1, FAILED),
)
"""What s6-svwait does, and s6-svlisten likewise."""

CHOICES = (
    Case("-o -u", "DDD", ("1 u",)),
    Case("-o -u", "DUD"),
    Case("-o -a -u", "DDD", ("1 u", "0 u", "2 u")),
    Case("-o -u", "DDD", ("0 O",), 1, FAILED),
    Case("-a -u", "D" * 10, tuple(f"{number} u" for number in range(10))),
    Case("-o -u", "D" * 10, ("7 s", "7 u")),
    Case("-t 200 -a -u", "DU", (), TIMED_OUT_CODE, TIMED_OUT),
    Case("-t 200 -o -a -u", "DU", (), TIMED_OUT_CODE, TIMED_OUT),
    Case("-t 200 -o -u", "DDD", (), TIMED_OUT_CODE, TIMED_OUT),
)
"""The same with several services of which one will do, or not."""

RESTARTS = (
    Case("-r", "u", ("0 dDu",)),
    Case("-R", "U", ("0 d", "0 Du", "0 U")),
    Case("-r", "uu", ("0 dDu", "1 dDu")),
    Case("-r", "u", ("0 dDO",), 1, FAILED),
)
"""The real programs lose what comes in one piece with the way down (s6 2.15 too)."""


def attend(program: Program, words: Sequence[str], folder: Path, case: Case) -> Outcome:
    """Run a program and tell it the story of a case once it listens."""
    services = [folder / str(number) for number in range(len(case.states))]
    for service, state in zip(services, case.states, strict=True):
        record(service, Status(PIDS[state], 0, 0, 0, FLAGS[state]))
    with harness.running(program, words, Stage(folder)) as process:
        if case.story:
            wait_until(lambda: all(map(subscribers, services)), "all to be listened to")
        for line in case.story:
            number, events = line.split()
            notify(services[int(number)], events.encode())
        outcome = harness.finish(process)
    # In the original another process removes them, and may end later.
    wait_until(lambda: not any(map(subscribers, services)), "no FIFO to be left")
    return outcome


def expected(tool: str, case: Case) -> Outcome:
    """Give how a tool ends that is told a case."""
    text = f"{tool}: fatal: {case.error}\n" if case.error else ""
    return Outcome(case.code, b"", text.encode())
