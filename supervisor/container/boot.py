"""The stages of a boot, in order: from the image's files to services that are up.

Each stage says what it does in the lines of s6-overlay 1 and 2, and gives an exit
code; what a failure means is said by S6_BEHAVIOUR_IF_STAGE2_FAILS.
"""

import os
import time

from s6log.unix.fds import NANOSECONDS_PER_MS
from supervisor.container import scripts
from supervisor.container.children import fork
from supervisor.container.files import CONT_INIT, FIX_ATTRS, SERVICES
from supervisor.container.places import ETC
from supervisor.container.sequence import Until, left_ms
from supervisor.container.settings import (
    BEHAVIOUR,
    CMD_WAIT,
    CMD_WAIT_MAXTIME,
    FIX_ATTRS_HIDDEN,
    HOOK,
)
from supervisor.scan import orders
from supervisor.scan.entries import RUNNING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from supervisor.container.context import Context
    from supervisor.container.sequence import Steps
    from supervisor.scan.entries import Entry

WARN, STOP = 1, 2
"""Of S6_BEHAVIOUR_IF_STAGE2_FAILS; 0 is to go on."""

FAILED = b"\n!!!!!\n init-stage2 failed.\n!!!!!\n"
TIMED_OUT = 1  # as the exit code of a stage
FORK_FAILED = 1
PATIENCE_MS = 10_000  # then it is said for whom a boot waits
NO_LIMIT = 0  # scripts take the time they need: half a migration is worse than none
RC_DEFINITIONS = b"/s6-overlay/s6-rc.d"


class Boot:
    """Takes a container through its stages; `waits`: the CMD is to find services up."""

    __slots__ = ("_context", "_deadline_ns", "_waits")

    def __init__(self, context: "Context", has_command: bool) -> None:
        self._context = context
        settings = context.settings
        self._waits = has_command and settings.on(CMD_WAIT)
        limit_ms = settings.numbers[CMD_WAIT_MAXTIME]
        limit_ns = limit_ms * NANOSECONDS_PER_MS
        self._deadline_ns = time.monotonic_ns() + limit_ns if limit_ms else None

    def steps(self) -> "Steps":
        """Go through all stages; give a code other than 0 to end the container."""
        behaviour = self._context.settings.numbers[BEHAVIOUR]
        failed = 0
        for stage in STAGES:
            outcome = stage(self)
            code = outcome if isinstance(outcome, int) else (yield from outcome)
            failed = failed or code
            if failed and behaviour >= STOP:
                break
        if failed and behaviour >= WARN:
            self._context.progress.insist(FAILED)
        return failed if behaviour >= STOP else 0

    # ---- the stages

    def _hook(self) -> "Steps":
        """Run $S6_STAGE2_HOOK, before anything else is looked at."""
        words = self._context.settings.texts[HOOK]
        if not words:
            return 0
        variables = self._context.full_environment()
        argv = (b"/bin/sh", b"-c", words)
        code = yield from scripts.run(self._context, argv, variables, 0)
        if code:
            self._context.messages.warn(b"S6_STAGE2_HOOK exited %d" % code)
        return code

    def _provide_files(self) -> int:
        text = b"making user provided files available at /var/run/s6/etc"
        return self._one_line(text, self._context.files.provide)

    def _set_modes(self) -> int:
        text = b"ensuring user provided files have correct perms"
        return self._one_line(text, self._context.files.set_modes)

    def _one_line(self, text: bytes, work: "Callable[[], int]") -> int:
        """Say when work begins and when it ends."""
        progress = self._context.progress
        progress.say(b"[s6-init] " + text + b"...")
        code = work()
        progress.say(b"exited %d.\n" % code)
        return code

    def _fix_attributes(self) -> "Steps":
        """Apply the files of fix-attrs.d, in a child each: they may take long."""
        opening = b"applying ownership & permissions fixes..."
        context = self._context
        return (yield from scripts.take_all(context, FIX_ATTRS, opening, self._apply))

    def _apply(self, name: bytes) -> "Steps":
        from supervisor.container.attributes import apply_file

        context = self._context
        path = b"/".join((ETC, FIX_ATTRS, name))
        hidden = context.settings.on(FIX_ATTRS_HIDDEN)

        def work() -> int:
            return apply_file(path, hidden, context.messages.warn)

        context.progress.say(b"[fix-attrs.d] %s: applying... \n" % name)
        code = yield from self._in_child(work)
        context.progress.say(b"[fix-attrs.d] %s: exited %d.\n" % (name, code))
        return code

    def _in_child(self, work: "Callable[[], int]") -> "Steps":
        """Have a child do what may take long, and give the code that it ends with."""

        def apart() -> int:
            os.setsid()
            return work()

        try:
            pid = fork(apart)
        except OSError as error:
            self._context.messages.warn(b"unable to fork", error)
            return FORK_FAILED
        return (yield from scripts.await_end(self._context, pid, NO_LIMIT))

    def _run_scripts(self) -> "Steps":
        """Run the scripts of cont-init.d: all of them, or up to the first failure."""
        context = self._context

        def take(name: bytes) -> "Steps":
            return scripts.run_script(context, CONT_INIT, name, NO_LIMIT)

        opening = b"executing container initialization scripts..."
        goes_on = context.settings.numbers[BEHAVIOUR] < STOP
        return (yield from scripts.take_all(context, CONT_INIT, opening, take, goes_on))

    def _start_definitions(self) -> int:
        """Leave the place for s6-rc: oneshots and longruns with dependencies."""
        context = self._context
        try:
            known = os.listdir(context.settings.etc + RC_DEFINITIONS)
        except OSError:
            return 0
        own = [name for name in known if not name.startswith((b".", b"user"))]
        if own:
            text = b"s6-rc is not supported: services in %s are not started: %s"
            where = context.settings.etc + RC_DEFINITIONS
            context.messages.warn(text % (where, b", ".join(sorted(own))))
        return 0

    def _start_services(self) -> "Steps":
        """Put services.d into the scan directory, and wait until all have begun."""
        context = self._context
        if not context.files.has(SERVICES):
            return 0
        say = context.progress.say
        say(b"[services.d] starting services\n")
        code = yield from self._in_child(context.files.install_services)
        context.tree.order((orders.SCAN,))
        if self._waits:
            code = (yield from self._await_services()) or code
        # They begin in the next turn: what they say comes after it.
        say(b"[services.d] done.\n")
        # No bell rings when the attempt to supervise one fails.
        yield Until(context.loop, context.bell, self._all_begun, watched=True)
        return code

    def _await_services(self) -> "Steps":
        """Wait for all services: ready where they tell, else up."""
        context = self._context
        first_ms = min(self._left_ms() or PATIENCE_MS, PATIENCE_MS)
        settled = self._all_settled
        if not (yield Until(context.loop, context.bell, settled, first_ms)):
            if not self._is_late():
                context.messages.warn(b"waiting for services: " + self._missing())
            yield Until(context.loop, context.bell, settled, self._left_ms())
        missing = self._missing()
        if missing and self._is_late():
            self._tell_late(b"services.d: not there: " + missing)
        elif missing:
            context.messages.warn(b"services.d: failed for good: " + missing)
        return TIMED_OUT if missing else 0

    # ---- services

    def _entries(self) -> "Sequence[Entry]":
        return [e for e in self._context.tree.entries if not e.is_catch_all]

    def _all_begun(self) -> bool:
        """Tell whether the first start of each service has been tried."""
        return all(self._begun(entry) for entry in self._entries())

    def _begun(self, entry: "Entry") -> bool:
        side = entry.service
        service = self._context.tree.service(side)
        if service is None:
            return side.failures > 0
        return side.state == RUNNING and not service.untried

    def _all_settled(self) -> bool:
        """Tell whether nothing is left to wait for."""
        return all(self._there(e) or self._failed(e) for e in self._entries())

    def _missing(self) -> bytes:
        """Name the services that are not there, in one line."""
        missing = [e.name for e in self._entries() if not self._there(e)]
        return b", ".join(sorted(missing))

    def _failed(self, entry: "Entry") -> bool:
        """Tell whether a service has failed for good, so that it will not be there."""
        service = self._context.tree.service(entry.service)
        return service is not None and service.gave_up

    def _there(self, entry: "Entry") -> bool:
        """Tell whether a service is what a CMD waits for; those with `down` are."""
        service = self._context.tree.service(entry.service)
        if service is None:
            return False
        if not service.want_up:
            return not service.gave_up
        return service.ready if service.notifies else service.up

    # ---- time

    def _left_ms(self) -> int:
        """Give what is left for the whole boot; 0: there is no limit."""
        return left_ms(self._deadline_ns, time.monotonic_ns())

    def _is_late(self) -> bool:
        due_ns = self._deadline_ns
        return due_ns is not None and time.monotonic_ns() >= due_ns

    def _tell_late(self, what: bytes) -> None:
        limit_ms = self._context.settings.numbers[CMD_WAIT_MAXTIME]
        text = b"%s (after %d ms, S6_CMD_WAIT_FOR_SERVICES_MAXTIME)"
        self._context.messages.warn(text % (what, limit_ms))


STAGES: "Sequence[Callable[[Boot], Steps | int]]" = (
    Boot._hook,
    Boot._provide_files,
    Boot._set_modes,
    Boot._fix_attributes,
    Boot._run_scripts,
    Boot._start_definitions,
    Boot._start_services,
)
"""In which order a container boots."""
