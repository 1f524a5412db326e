"""Makes a directory ready for a logger that is not root: before root is given up.

Imports little: loggers that are made, not executed, do it too.
"""

import os

MODE = 0o2755
PARENT_MODE = 0o755
OPEN = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def prepare(path: bytes, uid: int, gid: int) -> None:
    """Make a log directory, or take over an empty one of root's. OSError.

    That is what a Dockerfile or a fresh volume has. Any other directory stays as it
    is, and so does what a link leads to: somebody else may have put it there. Those
    above it may be links, as for `mkdir -p` (/var/log on a volume): whoever may write
    in one of them has a say in where the logs are, and it is root that goes there.
    """
    path = path.rstrip(b"/") or b"/"
    made = make(path)
    if not made and os.path.islink(path):
        return
    try:
        fd = os.open(path, OPEN)
    except NotADirectoryError:
        return  # the logger will say so
    try:
        found = os.fstat(fd)
        if found.st_uid == 0 and not os.listdir(fd):
            os.fchown(fd, uid, gid)
            if made:
                os.fchmod(fd, MODE)
    finally:
        os.close(fd)


def make(path: bytes) -> bool:
    """Make a directory and those above it; tell whether it was not there. OSError."""
    above = os.path.dirname(path)
    if above and not os.path.isdir(above):
        make_parents(above)
    try:
        os.mkdir(path, PARENT_MODE)
    except FileExistsError:
        return False
    return True


def make_parents(path: bytes) -> None:
    """Make directories that others can go through, whatever the umask. OSError."""
    above = os.path.dirname(path)
    if above and not os.path.isdir(above):
        make_parents(above)
    try:
        os.mkdir(path)
    except FileExistsError:
        return
    os.chmod(path, PARENT_MODE)
