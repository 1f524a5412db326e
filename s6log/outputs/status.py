"""A status file: the last selected line, for whoever looks at it now.

Replaced atomically, so a reader sees one line or the other, and never kept for
good: no fsync (it describes a running process).
"""

from itertools import chain

from s6log.outputs.account import FAILED, SUPERSEDED
from s6log.outputs.replacing import replace
from s6log.stream.format import status_record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from s6log.outputs.account import Account
    from s6log.outputs.context import Context
    from s6log.outputs.feed import Feed, Parcel
    from s6log.script import model
    from s6log.stream.batch import Batch

PAD = b"\n" * 4096


class Status:
    """One `=FILE` action. Its failures are warned about and forgotten."""

    def __init__(
        self,
        action: "model.Status",
        context: "Context",
        feed: "Feed",
        account: "Account",
    ) -> None:
        self.feed = feed
        feed.connect(self.accept)
        self.account = account
        self.name = b"=" + action.path
        self._path = action.path
        self._size = action.size
        self._base_fd = context.base_fd
        self._messages = context.messages

    def deliver(self, batch: "Batch") -> None:
        """Show the last line of the block that is for this file, if any."""
        if not self.feed.plain or self.account.counting:
            self.accept(self.feed.parcels(batch))
            return
        record = batch.last(self.feed.routes[0])
        if record is not None:
            self._show(record)

    def accept(self, parcels: "Iterable[Parcel]") -> None:
        """Show the last of some records, but none of the logger's own."""
        lines = 0
        record = b""
        for head, data, end, counted, _ in parcels:
            if counted:
                start = data.rfind(b"\n", 0, end - 1) + 1
                record = bytes(data[start:end]) if start else head + data[:end]
                lines += self.account.lines(head, data, 0, end)
        if not record:
            return
        written = self._show(record)
        if self.account.counting and lines:
            self.account.drop(lines - 1, SUPERSEDED)
            if written:
                self.account.wrote(1, len(record))
            else:
                self.account.drop(1, FAILED)

    def _show(self, record: bytes) -> bool:
        try:
            content, missing = status_record(record, self._size)
            pieces = chain((content,), padding(missing))
            replace(self._base_fd, self._path, pieces)
        except OSError as error:
            text = b"unable to write status file " + self._path
            self._messages.warn(text, error)
            return False
        return True


def padding(count: int) -> "Iterator[bytes]":
    """Give so many LFs, a few at a time: a status file can be large."""
    for start in range(0, count, len(PAD)):
        yield PAD[: count - start]
