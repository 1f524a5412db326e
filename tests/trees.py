"""What programs leave on disk: listings that can be compared, lines of a logdir."""

import re
import stat
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

DAY_S = 86400
ARCHIVE = re.compile(r"@[0-9A-Fa-f]{24}\.[su]")
STAMP = re.compile(rb"@4([0-9a-f]{15})[0-9a-f]{8}")
ISO = re.compile(rb"(\d{4}-\d\d-\d\d) \d\d:\d\d:\d\d\.\d{9}")


@dataclass(frozen=True)
class Entry:
    """One thing in a tree: permission bits and content (None unless a file)."""

    mode: int
    content: bytes | None = None


Listing = dict[str, Entry]
"""Paths below a folder, directories with a slash at the end."""


def listing(root: Path) -> Listing:
    """Read everything below a folder; symbolic links and fifos have no content."""
    found: Listing = {}
    for path in sorted(root.rglob("*")):
        status = path.lstat()
        mode = stat.S_IMODE(status.st_mode)
        name = str(path.relative_to(root))
        if stat.S_ISDIR(status.st_mode):
            found[name + "/"] = Entry(mode)
        elif stat.S_ISREG(status.st_mode):
            found[name] = Entry(mode, path.read_bytes())
        else:
            found[name] = Entry(mode)
    return found


def numbered(tree: Listing, old: Iterable[str] = ()) -> Listing:
    """Call the archives of each folder @TS1.s, @TS2.u ... in the order of names.

    `old` are paths that were there before and keep their names.
    """
    kept = set(old)
    made: dict[str, int] = {}
    result: Listing = {}
    for name in sorted(tree):
        folder, _, last = name.rpartition("/")
        if ARCHIVE.fullmatch(last) and name not in kept:
            made[folder] = made.get(folder, 0) + 1
            last = f"@TS{made[folder]}{last[-2:]}"
        result[f"{folder}/{last}" if folder else last] = tree[name]
    return result


def unstamped(data: bytes) -> bytes:
    """Replace times by <TAI64N> and <ISO>, which differ from run to run.

    Times more than a day away from now do not come from this run, and stay.
    """
    return ISO.sub(_iso, STAMP.sub(_tai64n, data))


def _tai64n(stamp: re.Match[bytes]) -> bytes:
    fresh = abs(int(stamp[1], 16) - time.time()) < DAY_S
    return b"<TAI64N>" if fresh else stamp[0]


def _iso(stamp: re.Match[bytes]) -> bytes:
    near = (time.time() + shift for shift in (-DAY_S, 0, DAY_S))
    days = {time.strftime("%F", time.gmtime(seconds)).encode() for seconds in near}
    return b"<ISO>" if stamp[1] in days else stamp[0]


def timeless(tree: Listing, old: Iterable[str] = ()) -> Listing:
    """Make two runs comparable: number new archives, take times out of contents."""
    return {
        name: entry
        if entry.content is None
        else replace(entry, content=unstamped(entry.content))
        for name, entry in numbered(tree, old).items()
    }


def archives(logdir: Path) -> list[Path]:
    """List the archives of a log directory, oldest first."""
    return sorted(p for p in logdir.iterdir() if ARCHIVE.fullmatch(p.name))


def logged(logdir: Path) -> bytes:
    """Read a log directory from its oldest archive to `current`, in order.

    FileNotFoundError when one of them is missing, as in the midst of a rotation.
    """
    files = [*archives(logdir), logdir / "current"]
    return b"".join(path.read_bytes() for path in files)
