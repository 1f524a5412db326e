"""Death tallies on disk, for the programs that read or clear one."""

import os

NAME = b"supervise/death_tally"
CREATE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NONBLOCK | os.O_CLOEXEC
READ = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC


def read(directory: bytes) -> bytes:
    """Give the tally of a service as it is; the format is in `service.tally`.

    Raises OSError. A file that is missing where it could be counts as empty: s6
    makes one then, and empties one of a wrong size, but readers should not write.
    """
    try:
        fd = os.open(directory + b"/" + NAME, READ)
    except FileNotFoundError:
        os.stat(directory + b"/supervise")
        return b""
    with open(fd, "rb", buffering=0) as file:
        return file.readall()


def clear(directory: bytes) -> None:
    """Replace the tally by an empty one, at once, as supervisors do. OSError."""
    path = directory + b"/" + NAME
    new = path + b".new"
    os.close(os.open(new, CREATE, 0o666))
    os.rename(new, path)
