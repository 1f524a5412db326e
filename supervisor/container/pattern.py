"""Finds what a pattern stands for, one name after the other, and through no link.

Anybody may have written what is behind a wildcard: each step begins at a
descriptor. Before the first one links are followed, as the author wrote it.
"""

import os

from supervisor.container.fix_attrs import is_wild, split_pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Fail = Callable[[bytes, OSError], None]

FOLDER = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC
STAY = FOLDER | os.O_NOFOLLOW
LIST = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


def find(path: bytes, fail: "Fail") -> "Iterator[tuple[int, bytes, bytes]]":
    """Give directories, each with a descriptor and its path, and names in them.

    Sorted; a descriptor is good until the next one is asked for. What cannot be looked
    into is told to `fail`; where something is missing, or no directory, nothing is.
    """
    fixed, wanted = split_pattern(path)
    levels: list[tuple[int, bytes, list[bytes]]] = []
    try:
        _enter(levels, (None, b"", fixed), wanted, fail)
        while levels:
            directory, folder, names = levels[-1]
            if not names:
                os.close(directory)
                levels.pop()
            elif len(levels) == len(wanted):
                yield directory, folder, names.pop()
            else:
                _enter(levels, (directory, folder, names.pop() + b"/"), wanted, fail)
    finally:
        for directory, _, _ in levels:
            os.close(directory)


def _enter(
    levels: list[tuple[int, bytes, list[bytes]]],
    place: tuple[int | None, bytes, bytes],
    wanted: list[bytes],
    fail: "Fail",
) -> None:
    """Open a directory for the next of the wanted names."""
    above, folder, name = place
    path = folder + name
    try:
        if above is None:
            fd = os.open(name, FOLDER)
        else:
            # Without the slash, which would follow a link.
            fd = os.open(name.rstrip(b"/"), STAY, dir_fd=above)
        try:
            names = _matching(fd, wanted[len(levels)])
        except OSError:
            os.close(fd)
            raise
        levels.append((fd, path, names))
    except (FileNotFoundError, NotADirectoryError):
        pass
    except OSError as error:
        fail(b"unable to look into " + path, error)


def _matching(directory: int, wanted: bytes) -> list[bytes]:
    """Give the names that are meant, the last one first. OSError."""
    if not is_wild(wanted):
        os.stat(wanted, dir_fd=directory, follow_symlinks=False)
        return [wanted]
    from fnmatch import fnmatchcase

    fd = os.open(".", LIST, dir_fd=directory)
    try:
        names = [os.fsencode(name) for name in os.listdir(fd)]
    finally:
        os.close(fd)
    if not wanted.startswith(b"."):
        names = [name for name in names if not name.startswith(b".")]
    return sorted((name for name in names if fnmatchcase(name, wanted)), reverse=True)
