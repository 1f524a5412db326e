"""Lines for whoever reads a descriptor: stdout, a command, alerts on stderr."""

from s6log.stream.format import cut_line, prefixed, shorten

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from s6log.outputs.feed import Feed, Parcel
    from s6log.outputs.shared import Port
    from s6log.script import model
    from s6log.stream.batch import Batch, Piece, Route

ALERT = b"s6-log: alert: "


class Console:
    """Lines on a descriptor: all `1` or all `2` actions of a script, or one `@pipe`."""

    def __init__(
        self,
        feed: "Feed",
        port: "Port",
        name: bytes,
        excuse: bytes = b"its reader is behind",
    ) -> None:
        self.name = name
        self.excuse = excuse
        self.feed = feed
        feed.connect(self.accept)
        self.outbox = port.outbox
        self.account = port.account
        self._port = port

    @property
    def growth(self) -> int:
        """The most bytes that one byte of input can become."""
        return self.feed.growth

    @property
    def busy(self) -> bool:
        """Something is left to write."""
        return self.outbox.size > 0

    @property
    def unread(self) -> int:
        """Bytes that were written and that nobody has read."""
        return self._port.unread

    def give_up(self) -> int:
        """Drop what is pending; how many lines nobody will hear of."""
        return self._port.give_up()

    def deliver(self, batch: "Batch") -> None:
        """Write the lines of the block that are for it."""
        self.accept(self.feed.parcels(batch))

    def accept(self, parcels: "Iterable[Parcel]") -> None:
        """Write records, or keep them."""
        for parcel in parcels:
            self._port.put(*parcel)


class Alarms:
    """What makes alerts of the lines of all `2` actions, cut after `E` bytes each.

    Stamp and prefix stand after `alert: ` and do not count for the cut (s6-log).
    """

    def __init__(self, actions: "Sequence[model.Alert]") -> None:
        self._limits = [action.most for action in actions]
        self._marks = [b""]
        if len(actions) > 1:
            self._marks = [b"%d:" % number for number in range(len(actions))]

    def render(self, batch: "Batch", routes: "Sequence[Route]") -> "Piece | None":
        """Give the lines of the block that are alerts, as records; None for none."""
        piece = batch.plain(routes, self._marks)
        if piece is None:
            return None
        _, data, end = piece
        prefixes = [ALERT + batch.prefixes.of(route.format) for route in routes]
        if len(prefixes) > 1:
            alerts = self._mixed(data[:end], prefixes)
            return b"", alerts, len(alerts)
        return prefixed(*shorten(data, end, self._limits[0]), prefixes[0])

    def _mixed(self, marked: "bytes | bytearray", prefixes: list[bytes]) -> bytes:
        """Make alerts of lines that each begin with the number of their action.

        Line by line: several actions on stderr are rare, and their alerts come
        in the order of lines, as in s6-log.
        """
        records = []
        for line in bytes(marked[:-1]).split(b"\n"):
            mark, _, text = line.partition(b":")
            number = int(mark)
            cut = cut_line(text, self._limits[number])
            records.append(prefixes[number] + cut + b"\n")
        return b"".join(records)
