"""From finished file to archive, and which archives are kept."""

from s6log.outputs.archive_names import Archives, next_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os

    from s6log.script.model import Rules
    from s6log.unix.durable import Place
    from s6log.unix.messages import Messages


def archive(
    place: "Place", entry: bytes, suffix: str, now_ns: int, keep: "Keep"
) -> bool:
    """Make a finished file of the logdir an archive; False if there is none.

    An empty file leaves no archive (s6-log 2.15). One rename instead of the
    original's link and unlink: the name is new, since it is later than all
    others and the directory is locked, so there is nothing to overwrite, and
    no moment with both names. OSError when that fails; then nothing changed.
    `settle` has to follow.
    """
    status = place.stat(entry)
    if status is None:
        return False
    existing = keep.existing(place)
    if status.st_size == 0 or _has_name(place, status, existing):
        place.remove(entry)
    else:
        name = next_name(now_ns, existing, suffix)
        place.rename(entry, name.encode())
    return True


def settle(place: "Place", keep: "Keep") -> None:
    """Make a new archive's name durable, then drop the oldest archives."""
    place.sync()
    keep.trim(place, keep.existing(place))


def _has_name(place: "Place", status: "os.stat_result", existing: list[str]) -> bool:
    """Tell whether the file is an archive already.

    So it is when the original was killed between its link and its unlink. Other
    hard links, such as those of a backup, do not count.
    """
    if status.st_nlink == 1:
        return False
    same = (status.st_dev, status.st_ino)
    for name in existing:
        other = place.stat(name.encode())
        if other is not None and (other.st_dev, other.st_ino) == same:
            return True
    return False


class Keep:
    """How many archives, and how many bytes of them, a logdir keeps."""

    def __init__(self, rules: "Rules", messages: "Messages") -> None:
        self._count = rules.keep
        self._total_bytes = rules.total_bytes
        self._messages = messages
        self._archives = Archives()

    def existing(self, place: "Place") -> list[str]:
        """Give the names of the archives there are, oldest first."""
        return self._archives.among(place.entries())

    def trim(self, place: "Place", existing: list[str]) -> None:
        """Delete the oldest of the archives until the rest may stay.

        Failures are warned about; the archive then counts as gone.
        """
        surplus = max(0, len(existing) - self._count)
        sizes = self._sizes(place, existing) if self._total_bytes else {}
        total = sum(sizes.values())
        for position, name in enumerate(existing):
            if position >= surplus and total <= self._total_bytes:
                return
            if self._remove(place, name):
                total -= sizes.get(name, 0)

    def _sizes(self, place: "Place", existing: list[str]) -> dict[str, int]:
        sizes = {}
        for name in existing:
            try:
                status = place.stat(name.encode())
            except OSError as error:
                path = place.name(name.encode())
                self._messages.warn(b"unable to stat " + path, error)
                continue
            if status is not None:
                sizes[name] = status.st_size
        return sizes

    def _remove(self, place: "Place", name: str) -> bool:
        try:
            place.remove(name.encode())
        except OSError as error:
            path = place.name(name.encode())
            self._messages.warn(b"unable to unlink " + path, error)
            return False
        return True
