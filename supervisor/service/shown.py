"""What a supervisor shows of its service on disk: status, death tally, events, down.

Nothing that goes wrong here ends a supervision: it is told in a warning.
"""

from supervisor.service import fifodir, tally
from supervisor.service.status import LONG_RECORD_BYTES, Status, decode, encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.service.definition import Warn
    from supervisor.service.directory import Directory

STATUS = "supervise/status"
TALLY = "supervise/death_tally"
DOWN = "down"


class Shown:
    """Writes what others read about one service."""

    __slots__ = ("_directory", "_warn")

    def __init__(self, directory: "Directory", warn: "Warn") -> None:
        self._directory = directory
        self._warn = warn

    def write_status(self, status: Status) -> None:
        """Replace supervise/status."""
        try:
            self._directory.replace(STATUS, encode(status))
        except OSError as error:
            self._warn(b"unable to write status file", error)

    def known_status(self) -> Status | None:
        """Read what the supervisor before us wrote, if it can be read."""
        try:
            return decode(self._directory.read(STATUS, LONG_RECORD_BYTES) or b"")
        except OSError:
            return None

    def tell(self, happened: bytes) -> None:
        """Tell the listeners; what they read then is written before."""
        fifodir.tell(self._directory, happened)

    def record_death(self, status: Status, most: int) -> None:
        """Add the death of run that `status` tells of; keep the last `most`."""
        if not most:
            return
        death = tally.of_status(status.stamp_ns, status.wait_status)
        known = b""
        try:
            known = self._directory.read(TALLY, tally.RECORD_BYTES * tally.MOST) or b""
        except OSError as error:
            self._warn(b"unable to read " + TALLY.encode(), error)
        try:
            self._directory.replace(TALLY, tally.add(known, death, most))
        except OSError as error:
            self._warn(b"unable to write " + TALLY.encode(), error)

    def forget_deaths(self) -> None:
        """Begin an empty tally."""
        try:
            self._directory.write(TALLY, b"")
        except OSError as error:
            self._warn(b"unable to truncate " + TALLY.encode(), error)

    @property
    def down(self) -> bool:
        """Whether the service is not to be started by itself."""
        return self._directory.has(DOWN)

    def make_down(self) -> None:
        """Make ./down."""
        try:
            self._directory.write(DOWN, b"")
        except OSError as error:
            self._warn(b"unable to create ./down file", error)

    def remove_down(self) -> None:
        """Remove ./down."""
        try:
            self._directory.remove(DOWN)
        except OSError as error:
            self._warn(b"unable to unlink ./down file", error)
