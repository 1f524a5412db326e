"""Copies of the image's files in /run, with their modes, links and owners."""

import errno
import os
import stat

CHUNK_BYTES = 1 << 20
PERMISSIONS = 0o7777
OWN = (b"supervise", b"event")  # of an earlier supervisor


def copy_tree(source: bytes, target: bytes, runs_here: bool, top: bytes = b"") -> None:
    """Copy a file or a directory to a path where nothing is. OSError.

    What a supervisor has left in a service directory stays behind. `runs_here`:
    copies can be executed; else a program becomes a link to the original. `top` is
    what is copied as a whole, by default the source.
    """
    top = top or source
    found = os.lstat(source)
    if stat.S_ISDIR(found.st_mode):
        os.mkdir(target, 0o700)
        for name in sorted(os.listdir(source)):
            if name not in OWN:
                inner = source + b"/" + name
                copy_tree(inner, target + b"/" + name, runs_here, top)
    elif stat.S_ISLNK(found.st_mode):
        os.symlink(_leads_to(source, top), target)
        return
    elif stat.S_ISREG(found.st_mode):
        if found.st_mode & 0o111 and not runs_here:
            os.symlink(source, target)
            return
        _copy_content(source, target)
    elif stat.S_ISFIFO(found.st_mode):
        os.mkfifo(target, 0o600)
    else:
        return  # sockets and devices mean nothing in another place
    if os.geteuid() == 0:
        os.chown(target, found.st_uid, found.st_gid)
    os.chmod(target, found.st_mode & PERMISSIONS)  # after chown, which takes bits away


def _leads_to(link: bytes, top: bytes) -> bytes:
    """Give what a link says, so that it leads to the same place from the copy.

    Within what is copied it may say the same.
    """
    said = os.readlink(link)
    place = os.path.normpath(os.path.join(os.path.dirname(link), said))
    if said.startswith(b"/") or place.startswith(top + b"/"):
        return said
    return place


def _copy_content(source: bytes, target: bytes) -> None:
    with (
        open(source, "rb", buffering=0) as reading,
        open(target, "xb", buffering=0) as writing,
    ):
        while chunk := reading.read(CHUNK_BYTES):
            rest = memoryview(chunk)
            while rest:
                rest = rest[writing.write(rest) :]


def remove_tree(path: bytes) -> None:
    """Remove a file or a directory with all that is in it, if it is there. OSError.

    What is mounted below it stays, and so do the directories above that.
    """
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return
    if not stat.S_ISDIR(found.st_mode):
        os.unlink(path)
    elif os.lstat(os.path.dirname(path)).st_dev == found.st_dev:
        for name in os.listdir(path):
            remove_tree(path + b"/" + name)
        try:
            os.rmdir(path)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EBUSY):
                raise
