"""What an output gets of each block: the lines of its actions, as records."""

from s6log.outputs.console import ALERT
from s6log.stream.batch import Route

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from s6log.outputs.account import Account
    from s6log.outputs.console import Alarms
    from s6log.outputs.lane import Lane
    from s6log.script.model import Action
    from s6log.stream.batch import Batch
    from s6log.stream.blocks import Data

    Parcel = tuple[bytes, Data, int, bool, int]
    """(head, data, end, counted, missing): head + data[:end] are records. Those that
    are not counted are the logger's own, and may tell of so many missing lines."""

BRACE = 0x7B  # {
PLAIN = (b"",)


class Feed:
    """The lines that some actions of one output want, in the order of the input.

    Without `lanes` they need nothing but a prefix, and without them blocks are not
    looked at line by line. `tags` says that a tag is all there is besides: then a
    block without any JSON object in it needs no more either. With `alarms` the records
    are alerts.
    """

    __slots__ = ("_account", "_alarms", "_lanes", "_tags", "routes")

    def __init__(
        self,
        actions: "Sequence[tuple[int, Action]]",
        account: "Account",
        lanes: "Sequence[Lane]" = (),
        tags: bool = False,
        alarms: "Alarms | None" = None,
    ) -> None:
        self.routes = [Route(element, action.format) for element, action in actions]
        self._account = account
        self._lanes = lanes
        self._tags = tags
        self._alarms = alarms

    @property
    def growth(self) -> int:
        """The most bytes that one byte of input can become: an empty line."""
        if self._lanes:
            return sum(1 + lane.former.size for lane in self._lanes)
        mark = 0 if self._alarms is None else len(ALERT)
        return sum(1 + mark + route.size for route in self.routes)

    @property
    def plain(self) -> bool:
        """Nothing is done to lines but to put something before them."""
        return not self._lanes

    def connect(self, emit: "Callable[[Sequence[Parcel]], None]") -> None:
        """Say who gets records that leave later than their block."""
        for lane in self._lanes:
            lane.emit = emit

    def parcels(self, batch: "Batch") -> "Sequence[Parcel]":
        """Give the records of a block."""
        if not self._lanes or (self._tags and batch.data.find(BRACE, 0, batch.end) < 0):
            return self._plainly(batch)
        if len(self._lanes) == 1:
            piece = batch.plain(self.routes, PLAIN)
            if piece is None:
                return ()
            return self._lanes[0].take(piece[1], piece[2], batch.now_ns)
        return self._mixed(batch)

    @property
    def waits(self) -> bool:
        """Something will leave later, by itself."""
        return any(lane.waits for lane in self._lanes)

    def flush(self) -> "list[Parcel]":
        """Give what waits on the way, now that nothing more comes."""
        return [parcel for lane in self._lanes for parcel in lane.flush()]

    def _plainly(self, batch: "Batch") -> "Sequence[Parcel]":
        """Give records with nothing but something before each line, and count them."""
        if self._alarms is None:
            piece = batch.render(self.routes)
        else:
            piece = self._alarms.render(batch, self.routes)
        if piece is None:
            return ()
        if self._account.counting:
            head, data, end = piece
            self._account.selected += self._account.lines(head, data, 0, end)
        return ((*piece, True, 0),)

    def _mixed(self, batch: "Batch") -> "list[Parcel]":
        """Send each part of the block on its lane; a line of several on each."""
        parcels = []
        for start, end, wanted in batch.spans(self.routes):
            block = bytes(memoryview(batch.data)[start:end])
            parts = [block]
            if len(wanted) > 1:
                parts = [line + b"\n" for line in block[:-1].split(b"\n")]
            for part in parts:
                for number in wanted:
                    taken = self._lanes[number].take(part, len(part), batch.now_ns)
                    parcels += taken
        return parcels
