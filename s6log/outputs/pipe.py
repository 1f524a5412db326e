"""A long-running command that is fed lines: `@pipe=COMMAND`.

The pipe is made once, and its read end is held as long as the logger lives: what a
command had not read when it died is there for the next one. The write end is ours
alone, so that the command sees the end of its input when the logger has died.
"""

import os

from s6log.outputs.console import Console
from s6log.outputs.shared import Shared
from s6log.unix.fds import unread
from s6log.unix.spawn import spawn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from s6log.outputs.account import Account
    from s6log.outputs.context import Context
    from s6log.outputs.feed import Feed
    from s6log.script import model
    from s6log.unix.loop import Timer

STDIN = 0
NOBODY = 0  # in place of a pid
HURRY_MS = 100  # between two starts when everything is about to end
SHOWN = 60  # bytes of a command in a message
ANY = 1 << 62  # more than is in any pipe


class Pipe:
    """One `@pipe` action: its command; what is written to that is the `stream`'s."""

    def __init__(
        self, action: "model.Pipe", context: "Context", feed: "Feed", account: "Account"
    ) -> None:
        self.name = b"@pipe=" + shown(action.command)
        self._action = action
        self._context = context
        self._read_fd, self._write_fd = os.pipe2(os.O_CLOEXEC)
        self._shared = Shared(context, self._write_fd, self._lost, alone=True)
        self._shared.changed = self._on_change
        port = self._shared.port(action.limit, account)
        self.stream = Console(feed, port, self.name, b"it does not read")
        self._pid = NOBODY
        self._retry: Timer | None = None
        self._deadline: Timer | None = None
        self._ending = False
        self._left = ANY  # in the pipe, when a command ended after the end of input
        self._started = False
        self._lost_bytes = 0
        self.restarts = 0
        self.closed = False

    @property
    def unread(self) -> int:
        """Bytes in the pipe that nobody has read; in the end, those that were lost."""
        return self._lost_bytes if self.closed else unread(self._read_fd)

    @property
    def restless(self) -> bool:
        """Something will change by itself: its pipe is read, or it starts again."""
        return not self.closed and (self._retry is not None or self.unread > 0)

    def begin(self) -> None:
        """Start the command."""
        self._start()

    def hurry(self) -> None:
        """Start a command that waits for its time now: nothing more will come."""
        self._ending = True
        if self._retry is not None:
            self._start()

    def finish(self, timeout_ms: int | None) -> None:
        """Close the pipe and wait for the command to end, for so long at most."""
        self._ending = True
        self._forget_retry()
        self._shared.close()
        os.close(self._write_fd)
        if self._pid == NOBODY:
            self._start_for_rest()
        if not self.closed and timeout_ms is not None:
            self._deadline = self._context.loop.after(timeout_ms, self._on_deadline)

    # ---- the command

    def _forget_retry(self) -> None:
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None

    def _start(self) -> None:
        self._forget_retry()
        argv = (b"/bin/sh", b"-c", self._action.command)
        directory = self._context.base_fd, b"."
        try:
            pid = spawn(argv, directory, {STDIN: self._read_fd}, os.environb)
        except OSError as error:
            self._warn(b"unable to start it", error)
            self._start_later()
            return
        self._pid = pid
        self.restarts += self._started
        self._started = True
        self._context.loop.on_exit(pid, self._on_exit)

    def _start_later(self) -> None:
        if self._shared.closed:
            # Nothing can be done for what is left in the pipe.
            self._close()
            return
        delay_ms = self._action.retry_ms
        if self._ending:
            delay_ms = min(delay_ms, HURRY_MS)
        self._retry = self._context.loop.after(delay_ms, self._start)

    def _start_for_rest(self) -> None:
        """Start it once more for what is in the pipe, if there is anything.

        And again, for as long as it takes some of that each time.
        """
        if 0 < (left := self.unread) < self._left:
            self._left = left
            self._start()
        else:
            self._close()

    def _on_exit(self, status: int) -> None:
        self._pid = NOBODY
        code = os.waitstatus_to_exitcode(status)
        fate = b"it exited %d" % code
        if code < 0:
            fate = b"it was killed by signal %d" % -code
        if not self._shared.closed:
            self._warn(fate + b"; it will be started again")
            self._start_later()
            return
        if code:
            self._warn(fate)
        self._start_for_rest()

    def _on_deadline(self) -> None:
        self._deadline = None
        self._warn(b"it goes on, as pid %d: not waited for any longer" % self._pid)
        self._context.loop.forget_exit(self._pid)
        self._close()

    def _close(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        if not self.closed:
            if self._pid == NOBODY and (left := self.unread):
                self._lost_bytes = left
                text = self.name + b": %d bytes are lost that it did not read"
                self._context.messages.insist(text % left)
            os.close(self._read_fd)
            self.closed = True
            self._context.changed()

    def _on_change(self) -> None:
        self._context.changed()

    def _lost(self, error: OSError) -> None:
        """Tell that the pipe is broken, which cannot be while we hold both ends."""
        self._warn(b"unable to write to it", error)

    def _warn(self, text: bytes, error: OSError | None = None) -> None:
        self._context.messages.warn(self.name + b": " + text, error)


def shown(command: bytes) -> bytes:
    """Give as much of a command as fits into a message, which is one line."""
    command = command.strip()
    first = command.partition(b"\n")[0][:SHOWN]
    return first if first == command else first + b"..."
