"""Turns of a loop that go on whatever happens in one of them."""

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from s6log.unix.loop import Loop
    from s6log.unix.messages import Messages

FAILURES_IN_A_ROW = 10  # turns of the loop; it does nothing any more
FIRST_PAUSE_S = 0.01  # after a failure; the next ones twice as long each
LONGEST_PAUSE_S = 1.0


class Turns:
    """Takes turn after turn; `resume` is called in the one after a failure.

    For what else was to be done in that turn may have been left undone.
    """

    __slots__ = ("_failures", "_loop", "_messages", "_resume")

    def __init__(
        self, loop: "Loop", messages: "Messages", resume: "Callable[[], None]"
    ) -> None:
        self._loop = loop
        self._messages = messages
        self._resume = resume
        self._failures = 0

    @property
    def hopeless(self) -> bool:
        """Whether turn after turn has failed."""
        return self._failures >= FAILURES_IN_A_ROW

    def forget(self) -> None:
        """Count failures anew."""
        self._failures = 0

    def turn(self) -> None:
        """Let the loop wait for something, and handle it."""
        try:
            self._loop.turn()
        except Exception as error:  # noqa: BLE001 - nothing that can be survived ends it
            self._survive(error)
        else:
            self._failures = 0

    def _survive(self, error: Exception) -> None:
        """Warn and go on, but not at full speed."""
        text = f"internal error: {type(error).__name__}: {error}"
        self._messages.warn(text.replace("\n", " ").encode(errors="backslashreplace"))
        time.sleep(min(FIRST_PAUSE_S * 2**self._failures, LONGEST_PAUSE_S))
        self._failures = min(self._failures + 1, FAILURES_IN_A_ROW)
        # In turns to come, since that may fail as well.
        self._loop.again(self._loop.reap_children)
        self._loop.again(self._resume)
