"""Makes the outputs that a script names, each with its feed and its account."""

import time

from s6log.outputs.account import Account, count_lines
from s6log.outputs.console import ALERT, Alarms, Console
from s6log.outputs.feed import Feed
from s6log.outputs.logdir import Logdir
from s6log.outputs.shared import Shared
from s6log.outputs.status import Status
from s6log.script import model
from s6log.stream.format import USUAL, Prefixes
from s6log.unix.fds import STDERR, STDOUT, same_stream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from s6log.forms import Forms
    from s6log.outputs.account import Count
    from s6log.outputs.context import Context
    from s6log.outputs.lane import Lane
    from s6log.outputs.outbox import Outbox
    from s6log.outputs.pipe import Pipe
    from s6log.stream.forming import Former

    Numbered = Sequence[tuple[int, model.Action]]

NO_TERMINAL = -1


class Maker:
    """Makes outputs. Raises Fatal for a log directory, else OSError as it comes.

    What only few scripts need is loaded when one does.
    """

    def __init__(self, context: "Context", script: model.Script) -> None:
        self._context = context
        self.count: Count | None = counter() if script.metrics else None
        self._forms: Forms | None = None
        self.shared: dict[int, Shared] = {}
        if any(is_special(action) for _, action in script.actions):
            from s6log import forms

            self._forms = forms.Forms(context.loop, script)

    def prefixes(self) -> Prefixes:
        """Make what writes the prefixes of plain records."""
        if self._forms is None:
            return Prefixes(time.localtime)
        return self._forms.prefixes()

    def console(self, actions: "Numbered") -> Console:
        """Make standard output, for all `1`."""
        feed, account = self._feed(actions, STDOUT)
        first = actions[0][1]
        port = self._share(STDOUT).port(first.limit, account)
        self._mark(port.outbox, first)
        return Console(feed, port, b"stdout")

    def alerts(self, actions: "Numbered") -> Console:
        """Make standard error, for all `2`."""
        feed, account = self._feed(actions, STDERR)
        first = actions[0][1]
        port = self._share(STDERR).port(first.limit, account, careful=True)
        self._mark(port.outbox, first)
        return Console(feed, port, b"stderr")

    def logdir(self, number: int, action: model.Logdir) -> Logdir:
        """Make a log directory."""
        logdir = Logdir(action, self._context, *self._feed([(number, action)]))
        self._mark(logdir.outbox, action)
        return logdir

    def status(self, number: int, action: model.Status) -> Status:
        """Make a status file."""
        return Status(action, self._context, *self._feed([(number, action)]))

    def pipe(self, number: int, action: model.Pipe) -> "Pipe":
        """Make a pipe to a command, which is not started yet."""
        from s6log.outputs.pipe import Pipe

        pipe = Pipe(action, self._context, *self._feed([(number, action)]))
        self._mark(pipe.stream.outbox, action)
        return pipe

    # ---- the parts

    def _feed(self, actions: "Numbered", fd: int = NO_TERMINAL) -> tuple[Feed, Account]:
        """Make the feed of an output, with a lane for each action if one needs it."""
        account = Account(self.count is not None, self.count)
        alerts = [action for _, action in actions if isinstance(action, model.Alert)]
        alarms = Alarms(alerts) if alerts else None
        lanes: list[Lane] = []
        forms = self._forms
        if forms is not None:
            for _, action in actions:
                forms.tag(action.format, fd)
            if any(needs_lane(action) for _, action in actions):
                lanes = [
                    forms.lane(action, former_of(forms, action), account)
                    for _, action in actions
                ]
        return Feed(actions, account, lanes, only_tags(actions), alarms), account

    def _mark(self, outbox: "Outbox", action: model.Action) -> None:
        """Let an outbox tell of dropped lines in the form of the others."""
        if self._forms is not None and not outbox.patient:
            outbox.mark = marker(former_of(self._forms, action, whole=True))

    def _share(self, fd: int) -> Shared:
        """Give the one owner of what `fd` writes to.

        With `2>&1` both numbers are one pipe: two owners would tear each
        other's lines, as the locks that keep loggers apart are per process.
        """
        if fd == STDOUT and STDERR in self.shared and same_stream(STDOUT, STDERR):
            return self.shared[STDERR]

        def lost(error: OSError) -> None:
            if fd == STDOUT:
                what = b"unable to write to stdout, closing the stream - error was"
                self._context.messages.insist(what, error)

        shared = Shared(self._context, fd, lost)
        shared.changed = self._on_change
        self.shared[fd] = shared
        return shared

    def _on_change(self) -> None:
        # Looked up each time: the logger puts its own there later.
        self._context.changed()


def counter() -> "Count":
    """Give what counts lines fastest here."""
    from s6log import kernels

    kernel = kernels.lines()
    return count_lines if kernel is None else kernel.count


def former_of(forms: "Forms", action: model.Action, whole: bool = False) -> "Former":
    """Give what forms the records of an action; `whole` alerts are not cut."""
    if isinstance(action, model.Alert):
        return forms.alarm(action.format, ALERT, 0 if whole else action.most)
    return forms.former(action.format)


def marker(former: "Former") -> "Callable[[bytes], bytes]":
    """Give what makes a record of something that the logger itself has to say."""
    from s6log.stream.forming import line_of

    return lambda text: line_of(former, text, time.time_ns())


def is_special(action: model.Action) -> bool:
    """Tell whether an action needs what s6-log does not have."""
    drops = action.limit.full != model.BLOCK
    forms = action.format.formed or action.format.date != USUAL
    return needs_lane(action) or drops or forms


def needs_lane(action: model.Action) -> bool:
    """Tell whether more is done to an action's lines than to put a prefix before.

    The tag of an alert is no more than that: alerts are text.
    """
    formed = action.format.formed and not isinstance(action, model.Alert)
    return formed or bool(action.join or action.rate)


def only_tags(actions: "Numbered") -> bool:
    """Tell whether tags are all that is done to the lines of these actions."""
    return not any(a.format.json or a.join or a.rate for _, a in actions)
