"""How long an output is waited for at the end, when it takes nothing."""

from s6log.outputs.account import AT_END

TYPE_CHECKING = False
if TYPE_CHECKING:
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


class Patience:
    """Gives up what an output has pending, once it took nothing for `timeout_ms`.

    For as long as it takes something it is waited for: what is pending is bounded.
    """

    def __init__(self, context: "Context", output: "Slow", timeout_ms: int) -> None:
        self._context = context
        self._output = output
        self._timeout_ms = timeout_ms
        self._seen = 0

    def begin(self) -> None:
        """Wait from now on."""
        self._seen = self._output.outbox.size
        if self._seen:
            self._context.loop.after(self._timeout_ms, self._look)

    def _look(self) -> None:
        if self._output.outbox.size < self._seen:
            self.begin()
            return
        lines = self._output.outbox.untold
        lines += self._output.outbox.clear(AT_END)
        what = b"%d lines are lost: it took nothing for %d ms"
        text = self._output.name + b": " + what % (lines, self._timeout_ms)
        self._context.messages.insist(text)
        self._context.changed()
