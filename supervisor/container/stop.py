"""The stages of a stop, in order: from the word to the exit code.

All of it is a phase of the process that supervises: services, their finish scripts
and the pipes to their loggers stay in one hand to the end. Nothing waits longer
than there is something to wait for.
"""

import os
import time

from s6log.unix.fds import NANOSECONDS_PER_MS
from supervisor.container import last_words, places, processes, scripts
from supervisor.container.files import CONT_FINISH
from supervisor.container.reading import start_of
from supervisor.container.sequence import Until, left_ms
from supervisor.container.settings import (
    FINISH_MAXTIME,
    LEAST_DRAIN_MS,
    SERVICES_GRACETIME,
    SYNC_DISKS,
)
from supervisor.scan import orders
from supervisor.scan.entries import OVER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from supervisor.container.context import Context
    from supervisor.container.sequence import Steps
    from supervisor.scan.entries import Side
    from supervisor.service.service import Service

CODE_BYTES, DIGITS = 64, 3
EXIT_CODES = (
    (places.STAGE3, places.STAGE2_EXITED),
    (places.RESULTS, places.EXIT_CODE.rpartition(b"/")[2]),
)
"""Where an exit code may be, by folder and name: the first one counts."""


class Stop:
    """Takes a container down.

    `essential` is the service whose end is the reason, or none. `code` is that of
    the CMD, of a stage or of that service; 0 when the stop was ordered.
    """

    __slots__ = ("_code", "_context", "_drained_ns", "_essential")

    def __init__(self, context: "Context", code: int, essential: bytes) -> None:
        self._context = context
        self._code = code
        self._essential = essential
        self._drained_ns = 0  # when loggers must have come to the end

    def steps(self) -> "Steps":
        """Go through all stages; give the exit code of the container."""
        context = self._context
        context.tree.order((orders.STOP,))
        yield from self._await_services()
        yield from self._finish()
        say = context.progress.say
        say(b"[s6-finish] waiting for services.\n")
        if context.settings.on(SYNC_DISKS):
            say(b"[s6-finish] syncing disks.\n")
            os.sync()
        say(b"[s6-finish] sending all processes the TERM signal.\n")
        yield from self._end_others()
        yield from self._drain()
        if self._essential:
            last_words.tell(context, self._essential, self._code)
        yield from self._end_console()
        processes.kill(())
        return self.exit_code()

    # ---- services and scripts

    def _await_services(self) -> "Steps":
        """Let services end, and their finish scripts; not longer than allowed."""
        context = self._context
        limit_ms = context.settings.numbers[SERVICES_GRACETIME]
        over = self._services_over
        if not (yield Until(context.loop, context.bell, over, limit_ms)):
            names = b", ".join(sorted(self._lingering()))
            text = b"services are not down after %d ms: %s"
            context.messages.warn(text % (limit_ms, names))
        return 0

    def _services_over(self) -> bool:
        return not self._lingering()

    def _lingering(self) -> list[bytes]:
        entries = self._context.tree.entries
        return [
            entry.name
            for entry in entries
            if not entry.is_catch_all and entry.service.state != OVER
        ]

    def _finish(self) -> "Steps":
        """Run the scripts of cont-finish.d, each within its time."""
        context, code = self._context, self._code
        limit_ms = context.settings.numbers[FINISH_MAXTIME]

        def take(name: bytes) -> "Steps":
            return scripts.run_script(context, CONT_FINISH, name, limit_ms, code)

        opening = b"executing container finish scripts..."
        return (yield from scripts.take_all(context, CONT_FINISH, opening, take))

    # ---- everybody else

    def _end_others(self) -> "Steps":
        """Tell all processes to end but loggers; after a while, end them."""
        context = self._context
        grace_ms = context.settings.kill_grace_ms
        farewell = processes.Farewell()

        def alone() -> bool:
            return farewell.tell(self._spared())

        if not alone() and grace_ms:
            yield Until(context.loop, context.bell, alone, grace_ms, watched=True)
        context.progress.say(
            b"[s6-finish] sending all processes the KILL signal and exiting.\n"
        )
        processes.kill(self._spared())
        return 0

    def _spared(self) -> set[int]:
        """Give the sessions of loggers, and of who makes and who reads for them."""
        context = self._context
        pids = {context.outlets.console_pid}
        pids |= {service.pid for _, service in self._loggers()}
        if context.host.warm is not None:
            pids.add(context.host.warm.pid)
        return pids - {0}

    def _loggers(self) -> "Iterable[tuple[Side, Service]]":
        tree = self._context.tree
        for entry in tree.entries:
            for side in entry.sides:
                service = tree.service(side)
                if service is not None and (side.is_log or entry.is_catch_all):
                    yield side, service

    # ---- loggers

    def _left_ms(self) -> int:
        """Give what there is left of the time that all who log have together.

        Those who come last have some, whoever has used it up.
        """
        return max(left_ms(self._drained_ns, time.monotonic_ns()), LEAST_DRAIN_MS)

    def _drain(self) -> "Steps":
        """Let loggers read to the end: nobody writes to them any more.

        A service that had to be killed may run its finish script now.
        """
        context = self._context
        limit_ms = max(context.settings.kill_grace_ms, LEAST_DRAIN_MS)
        self._drained_ns = time.monotonic_ns() + limit_ms * NANOSECONDS_PER_MS
        loop, bell = context.loop, context.bell
        yield Until(loop, bell, self._services_over, limit_ms)
        # Also whom a finish script has left behind: it has the pipe of its logger.
        processes.kill(self._spared())
        if not (yield Until(loop, bell, self._all_over, self._left_ms())):
            names = b", ".join(sorted(self._left()))
            text = b"not at their end after %d ms: %s"
            context.messages.warn(text % (limit_ms, names))
        return 0

    def _all_over(self) -> bool:
        return not self._left()

    def _left(self) -> list[bytes]:
        """Name the services and loggers that have not come to their end."""
        return [
            side.name
            for entry in self._context.tree.entries
            for side in entry.sides
            if not entry.is_catch_all and side.state != OVER
        ]

    def _end_console(self) -> "Steps":
        """Let those read to the end that log what everybody has said.

        The nursery has our standard error; so it ends before.
        """
        context = self._context
        if context.host.warm is not None:
            context.host.warm.end()
        loop, bell = context.loop, context.bell
        context.progress.finish(self._left_ms())
        context.outlets.end_console()
        context.move_voices()
        heard = yield Until(loop, bell, self._console_over, self._left_ms())
        context.outlets.end()
        context.move_voices()
        logged = yield Until(loop, bell, self._nobody, self._left_ms())
        if not (heard and logged):
            context.messages.warn(b"not all that was said has come out in time")
        return 0

    def _console_over(self) -> bool:
        return self._context.outlets.console_over

    def _nobody(self) -> bool:
        return not self._context.tree.entries

    # ---- the code

    def exit_code(self) -> int:
        """Give the code that is on file: ours, or what a script has put there."""
        for folder, name in EXIT_CODES:
            try:
                text = start_of(folder, name, CODE_BYTES).strip()
            except OSError:
                continue
            if text.isdigit() and len(text) <= DIGITS:
                return int(text) & 0xFF
            self._context.messages.warn(b"no exit code in " + folder + b"/" + name)
        return self._code
