"""The folder that the nursery rehearses in: its name, and how it goes away.

Its supervisor removes it for a nursery that was ended before it was ready.
"""

import os

# In memory where possible. The name is our own, and nobody else may look inside.
PARENTS = ("/dev/shm", "/run", "/tmp")  # noqa: S108
MODE = 0o700


def make() -> str | None:
    """Make the folder of this process; None where that is not possible."""
    for folder in names(os.getpid()):
        try:
            os.mkdir(folder, MODE)
        except OSError:
            continue
        return folder
    return None


def names(pid: int) -> list[str]:
    """Give what the folder of a process may be called."""
    return [f"{parent}/s6-log-nursery.{pid}" for parent in PARENTS]


def remove(folder: str) -> None:
    """Remove a folder with all that is in it. OSError."""
    for place, folders, files in os.walk(folder, topdown=False):
        for name in files:
            os.unlink(f"{place}/{name}")
        for name in folders:
            os.rmdir(f"{place}/{name}")
    os.rmdir(folder)


def clear(pid: int) -> None:
    """Remove what a process that is dead may have left."""
    for folder in names(pid):
        try:
            if os.stat(folder, follow_symlinks=False).st_uid == os.geteuid():
                remove(folder)
        except OSError:
            pass  # there is none, or it is not ours
