"""The catch-all logger of S6_LOGGING 1 and 2: a service, its directory and its pipe.

It logs what services without a logger, the stages and the CMD say. Its standard
input is a pipe that s6-init holds to the end, and not a FIFO: what is in it
outlives the logger.
"""

import os

from supervisor.chain import accounts
from supervisor.container import places
from supervisor.container.preparation import write_file
from supervisor.container.settings import (
    CATCHALL_USER,
    LOGGING,
    LOGGING_SCRIPT,
    stamps,
)
from supervisor.scan.entries import CATCH_ALL
from supervisor.warm.recognize import is_account

TYPE_CHECKING = False
if TYPE_CHECKING:
    from s6log.unix.messages import Messages
    from supervisor.container.settings import Settings

SERVICE = places.SCANDIR + b"/" + CATCH_ALL
TO_CONSOLE = 1  # S6_LOGGING: lines go to the container's output too
LOGDIR_MODE = 0o2700
RUN = b"""\
#!/bin/sh
exec %ss6-log -bpd3 -- %s
"""


def install(messages: "Messages", settings: "Settings") -> None:
    """Make the service, and the directory that it logs to. OSError."""
    user = _user(messages, settings)
    logdir = make_logdir(messages, user)
    words = [*stamps(settings.texts[LOGGING_SCRIPT]), logdir]
    if settings.numbers[LOGGING] == TO_CONSOLE:
        words.insert(0, b"1")  # before the stamps: the console gets lines as they are
    change = b"s6-setuidgid " + user + b" " if user else b""
    os.mkdir(SERVICE, 0o755)
    write_file(SERVICE + b"/run", RUN % (change, b" ".join(words)), 0o755)
    write_file(SERVICE + b"/notification-fd", b"3\n", 0o644)


def _user(messages: "Messages", settings: "Settings") -> bytes:
    """Give the account that logs; none where we cannot choose."""
    if os.geteuid() != 0:
        return b""
    user = settings.texts[CATCHALL_USER]
    if not is_account(user) or _ids(user) is None:
        messages.warn(b"S6_CATCHALL_USER is no user here: " + user)
        return b"root" if accounts.account(b"root") else b""
    return user


def make_logdir(messages: "Messages", user: bytes) -> bytes:
    """Make the log directory, and let both of its names lead there. OSError.

    Where the older one is a directory already, perhaps a volume, that is it; unless
    nothing can be written there.
    """
    logdir, other = places.UNCAUGHT, places.OLD_UNCAUGHT
    if os.path.isdir(other) and not os.path.islink(other):
        if os.access(other, os.W_OK):
            logdir, other = other, logdir
        else:
            messages.warn(b"unable to write to " + other + b": logging to " + logdir)
    os.makedirs(logdir, 0o755, exist_ok=True)
    ids = _ids(user) if user else None
    if ids is not None:
        give(logdir, *ids)
    if os.stat(logdir).st_uid == os.geteuid() or os.geteuid() == 0:
        os.chmod(logdir, LOGDIR_MODE)
    if not os.path.lexists(other):
        try:
            os.makedirs(os.path.dirname(other), 0o755, exist_ok=True)
            os.symlink(logdir, other)
        except OSError as error:
            if os.access(os.path.dirname(other), os.W_OK):
                messages.warn(b"unable to make " + other, error)
    return logdir


def give(logdir: bytes, uid: int, gid: int) -> None:
    """Give a log directory to a user, with what another one has logged. OSError."""
    with os.scandir(logdir) as found:
        for entry in found:
            if entry.is_file(follow_symlinks=False):
                os.chown(entry.path, uid, gid, follow_symlinks=False)
    os.chown(logdir, uid, gid)


def _ids(user: bytes) -> tuple[int, int] | None:
    uid, colon, gid = user.partition(b":")
    if colon and uid.isdigit() and gid.isdigit():
        return int(uid), int(gid)
    found = accounts.account(user)
    return None if found is None else (found.uid, found.gid)
