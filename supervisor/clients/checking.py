"""Runs a check again and again until it succeeds, or there is no more use in it.

That is so when the service dies, whose directory this is: a subscription to its
events tells, so that the service needs to keep nothing open for it.
"""

import os
import select

from s6log.unix.loop import Loop
from s6log.unix.messages import REFUSED, Fatal, Messages
from s6log.unix.signals import signal
from supervisor.clients.check_plan import GLOBAL, INITIAL, LOCAL, TRIES, WAITING
from supervisor.clients.listening import Subscription

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from s6log.unix.loop import Timer
    from supervisor.clients.check_plan import Plan

EVENTS = b"event"
DIED = b"d"
READY, NOT_READY, DEAD, LATE = range(4)
"""Exit codes, as in s6; nobody looks at them."""


def check(plan: "Plan", messages: Messages, listening: "Callable[[], None]") -> int:
    """Check until the service is ready or dead, or the plan has it; give the code.

    `listening` is called when nothing that happens can be missed. Raises Fatal.
    """
    loop = Loop()
    try:
        subscription = Subscription(EVENTS)
    except OSError as error:
        text = b"unable to subscribe to event fifodir"
        raise Fatal(REFUSED, text, error) from error
    try:
        checks = Checks(plan, messages, loop)
        loop.on_signal(signal.SIGCHLD, loop.reap_children)
        loop.watch(
            subscription.fd,
            select.POLLIN,
            lambda _events: checks.hear(subscription.read()),
        )
        listening()
        while checks.code is None:
            loop.turn()
    finally:
        subscription.close()
    return checks.code


class Checks:
    """One check after another; `code` is None until it is over."""

    __slots__ = ("_limit", "_loop", "_messages", "_pid", "_plan", "_tries", "code")

    def __init__(self, plan: "Plan", messages: Messages, loop: Loop) -> None:
        self.code: int | None = None
        self._plan = plan
        self._messages = messages
        self._loop = loop
        self._tries = 0
        self._pid = 0  # of the check that runs
        self._limit: Timer | None = None  # of that check
        if plan.numbers[GLOBAL]:
            loop.after(plan.numbers[GLOBAL], lambda: self._stop(LATE))
        loop.after(plan.numbers[INITIAL], self._start)

    def hear(self, events: bytes) -> None:
        """Take notice of what happened to the service."""
        if DIED in events:
            self._stop(DEAD)

    def _start(self) -> None:
        self._tries += 1
        try:
            pid = os.posix_spawnp(self._plan.check[0], self._plan.check, os.environb)
        except OSError as error:
            self._messages.warn(b"unable to spawn " + self._plan.check[0], error)
            self._wait()
            return
        self._pid = pid
        self._loop.on_exit(pid, self._judge)
        if self._plan.numbers[LOCAL]:
            self._limit = self._loop.after(self._plan.numbers[LOCAL], self._abandon)

    def _judge(self, wait_status: int) -> None:
        self._pid = 0
        if self._limit:
            self._limit.cancel()
        if wait_status == 0:
            self.code = READY
        else:
            self._wait()

    def _abandon(self) -> None:
        """Expect nothing more of a check; like s6, let it run on."""
        self._loop.on_exit(self._pid, _ignore)
        self._pid = 0
        self._wait()

    def _wait(self) -> None:
        """Check again after a while, unless it has been tried often enough."""
        if self._tries == self._plan.numbers[TRIES]:
            self.code = NOT_READY
        else:
            self._loop.after(self._plan.numbers[WAITING], self._start)

    def _stop(self, code: int) -> None:
        if self._pid:
            os.kill(self._pid, signal.SIGTERM)
        self.code = code


def _ignore(_wait_status: int) -> None:
    """Let a child go that is of no interest any more."""
