"""Users and groups: from names to numbers, and lists of numbers as text.

`pwd` and `grp` are imported where they are used, and ask whatever the C library
asks (nsswitch.conf(5)).
"""

import os

from s6log.unix.getopt import UINT32_MAX, decimal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

SEPARATORS = b",:; \t\r\n"  # between the numbers of a list, one or more of them
SPACES = bytes.maketrans(SEPARATORS, b" " * len(SEPARATORS))


class Ids:
    """The number of a user, of a group, and of supplementary groups."""

    __slots__ = ("gid", "gids", "uid")

    def __init__(self, uid: int, gid: int, gids: "Sequence[int]") -> None:
        self.uid = uid
        self.gid = gid
        self.gids = gids


def account(name: bytes) -> Ids | None:
    """Look up a user with the groups that name it as a member."""
    import grp
    import pwd

    member = os.fsdecode(name)
    try:
        entry = pwd.getpwnam(member)
    except KeyError:
        return None
    gids = [group.gr_gid for group in grp.getgrall() if member in group.gr_mem]
    return Ids(entry.pw_uid, entry.pw_gid, gids)


def user(name: bytes) -> int | None:
    """Look up a user's number."""
    import pwd

    try:
        return pwd.getpwnam(os.fsdecode(name)).pw_uid
    except KeyError:
        return None


def group(name: bytes) -> int | None:
    """Look up a group's number."""
    import grp

    try:
        return grp.getgrnam(os.fsdecode(name)).gr_gid
    except KeyError:
        return None


def number(text: bytes) -> int | None:
    """Read a user's or group's number; None when it is none."""
    return decimal(text, UINT32_MAX)


def numbers(text: bytes) -> list[int] | None:
    """Read a list of numbers, which may be empty; None when it is none.

    s6 uses what comes before the first thing that is no number, if anything does.
    """
    found = [number(word) for word in text.translate(SPACES).split()]
    known = [gid for gid in found if gid is not None]
    return known if len(known) == len(found) else None
