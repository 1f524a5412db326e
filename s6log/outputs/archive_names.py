"""Names of archives: @TAI64N.s and @TAI64N.u, their order, which have to go. Pure."""

from s6log.unix.tai64n import label

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

HEX = "0123456789abcdefABCDEF"
NAME_LENGTH = 1 + 24 + len(".s")
STAMP = slice(1, 25)
LAST = "@ffffffffffffffff"  # nothing comes after this second
NANOSECONDS_PER_SECOND = 1_000_000_000


class Archives:
    """The archives among the entries of a logdir, oldest first.

    Remembers which names it has seen: a directory of a thousand archives is
    listed at each rotation, and has one new name each time.
    """

    __slots__ = ("_archives", "_seen")

    def __init__(self) -> None:
        self._seen: set[str] = set()
        self._archives: list[str] = []

    def among(self, entries: "Iterable[str]") -> list[str]:
        """Pick them; all else is somebody else's and never touched (s6-log).

        The order is that of bytes, which is that of time. The list is the
        caller's.
        """
        names = set(entries)
        for name in filter(is_archive, names ^ self._seen):
            if name in names:
                self._archives.append(name)
            else:
                self._archives.remove(name)
        self._archives.sort()
        self._seen = names
        return self._archives.copy()


def is_archive(entry: str) -> bool:
    """Tell whether the name is that of an archive.

    Exactly @, 24 hexadecimal digits of either case, and `.s` or `.u` (s6-log).
    """
    return (
        len(entry) == NAME_LENGTH
        and entry[0] == "@"
        and (entry.endswith((".s", ".u")))
        and not entry[STAMP].strip(HEX)
    )


def next_name(now_ns: int, existing: "Sequence[str]", suffix: str) -> str:
    """Name a new archive: after `now_ns` (wall clock), and after every other.

    When the clock went back, a name made from it alone would sort before older
    archives, and the newest one would be deleted first. `existing` as Archives
    gives them, `suffix` is "s" or "u".
    """
    name = label(now_ns).decode()
    if existing:
        newest = existing[-1][: STAMP.stop].lower()
        if name <= newest < LAST:
            name = _successor(newest)
    return f"{name}.{suffix}"


def _successor(stamp: str) -> str:
    """Give the stamp one nanosecond later: 16 digits of seconds, 8 of nanoseconds."""
    seconds, nanoseconds = int(stamp[1:17], 16), int(stamp[17:], 16) + 1
    if nanoseconds >= NANOSECONDS_PER_SECOND:
        seconds, nanoseconds = seconds + 1, 0
    return f"@{seconds:016x}{nanoseconds:08x}"
