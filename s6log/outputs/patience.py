"""How long an output is waited for at the end, when it takes nothing."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from s6log.outputs.context import Context
    from s6log.outputs.outbox import Outbox

    class Slow(Protocol):
        """An output that may be given up."""

        @property
        def name(self) -> bytes:
            """What messages call it."""

        @property
        def outbox(self) -> Outbox:
            """What it has accepted and not written yet."""

        @property
        def unread(self) -> int:
            """Bytes that were written and that nobody has read."""

        def give_up(self) -> int | None:
            """Drop that; how many lines nobody will hear of. None: not now."""


LOOKS = 10


class Patience:
    """Gives up what an output has pending, once it took nothing for `timeout_ms`.

    For as long as it takes something, or its reader does, it is waited for, but not
    more than ten times as long. (A pipe takes no byte before a page of it is free.)
    `gave_up` is called before the others go on.
    """

    def __init__(
        self,
        context: "Context",
        output: "Slow",
        timeout_ms: int,
        gave_up: "Callable[[], None]",
    ) -> None:
        self._context = context
        self._gave_up = gave_up
        self._output = output
        self._timeout_ms = timeout_ms
        self._seen = (0, 0)
        self._looks_left = LOOKS

    def begin(self) -> None:
        """Wait from now on."""
        self._seen = self._output.outbox.size, self._output.unread
        if self._output.outbox.size:
            self._context.loop.after(self._timeout_ms, self._look)

    def _look(self) -> None:
        if not self._output.outbox.size:
            return
        alive = (self._output.outbox.size, self._output.unread) != self._seen
        self._looks_left -= 1
        if alive and self._looks_left > 0:
            self.begin()
            return
        lines = self._output.give_up()
        if lines is None:
            self.begin()
            return
        self._gave_up()
        if lines:
            why = b"it took nothing for %d ms" % self._timeout_ms
            if alive:
                why = b"it took %d ms, and has not done" % (LOOKS * self._timeout_ms)
            text = b"%b: %d lines are given up: %b" % (self._output.name, lines, why)
            self._context.messages.insist(text)
        self._context.changed()
