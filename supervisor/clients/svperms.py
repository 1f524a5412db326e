"""s6-svperms: show or set who may use a service.

That is a matter of modes and groups alone: of supervise/ for its status, of
supervise/control for commands, of event/ for subscriptions.
"""

import os
import stat

from s6log.unix.getopt import scan
from s6log.unix.messages import DONE, MISTAKE, REFUSED, Fatal
from supervisor.chain import accounts
from supervisor.manual import Manual, Misuse, show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Audience = Callable[[int], bytes | None]

SUPERVISE, CONTROL, EVENT = b"/supervise", b"/supervise/control", b"/event"
FOR_OWNER, FOR_GROUP, FOR_ALL = b"owner", b"group", b"public"
INCORRECT = 1  # exit code
ROOT = 0

SUPERVISE_MODES = {b"u": 0o700, b"g": 0o710, b"G": 0o710, b"o": 0o711, b"O": 0o711}
CONTROL_MODES = {b"u": 0o600, b"g": 0o600, b"G": 0o620, b"o": 0o600, b"O": 0o620}
EVENT_MODES = {b"e": 0o1733, b"E": 0o3730}
WITH_GROUP = b"gGOE"

MANUAL = Manual(
    "s6-svperms",
    "[ -v ] [ -u | -g group | -G group | -o | -O group ] [ -e | -E group ]"
    " servicedir...",
    (
        ("-v", "print what holds now, after a change too"),
        ("-u", "only the owner reads the status and sends commands"),
        ("-g group", "a group reads the status"),
        ("-G group", "a group reads the status and sends commands"),
        ("-o", "everybody reads the status"),
        ("-O group", "everybody reads the status, a group sends commands"),
        ("-e", "everybody subscribes to events"),
        ("-E group", "a group subscribes to events"),
    ),
    "Print who, beside its owner, may read the status of a service, send commands\n"
    "to it and subscribe to its events; or change that. A group is a name or :gid.",
)


class Change:
    """The modes to set, by path in the service directory, and the groups for them.

    A group that is not given, or of no use with a mode, becomes that of the owner.
    """

    __slots__ = ("groups", "modes")

    def __init__(self) -> None:
        self.modes: dict[bytes, int] = {}
        self.groups: dict[bytes, int | None] = {}

    def take(self, option: bytes, group: int | None) -> None:
        """Note an option; a later one of its kind takes its place."""
        if option in EVENT_MODES:
            self._note(EVENT, EVENT_MODES[option], group)
        else:
            self._note(SUPERVISE, SUPERVISE_MODES[option], group)
            self._note(CONTROL, CONTROL_MODES[option], group)

    def _note(self, path: bytes, mode: int, group: int | None) -> None:
        alone = mode & 0o070 and not mode & 0o007  # allowed what others are not
        self.modes[path] = mode
        self.groups[path] = group if alone else None

    def make(self, directory: bytes) -> None:
        """Set them on a service directory. Raises Fatal."""
        for path, mode in self.modes.items():
            file, group = directory + path, self.groups[path]
            if group is None:
                group = owners_group(file)
            try:
                what = b"chown "
                os.chown(file, -1, group)
                # Afterwards: chown(2) may clear bits of the mode.
                what = b"chmod "
                os.chmod(file, mode)
            except OSError as error:
                raise Fatal(REFUSED, b"unable to " + what + file, error) from error


def main(arguments: list[bytes]) -> int:
    """Run s6-svperms; return its exit code."""
    if MANUAL.answered(arguments):
        return DONE
    options, directories = scan(arguments, b"vuoe", WITH_GROUP)
    change, verbose = Change(), False
    try:
        for option, value in options:
            if option == b"v":
                verbose = True
            elif option in SUPERVISE_MODES or option in EVENT_MODES:
                group = read_group(value) if option in WITH_GROUP else None
                change.take(option, group)
            else:
                raise Misuse
        if not directories:
            raise Misuse
    except Misuse:
        return MANUAL.usage()
    code = DONE
    for directory in directories:
        change.make(directory)
        if (verbose or not change.modes) and not print_all(directory):
            code = INCORRECT
    return code


def read_group(text: bytes) -> int:
    """Read a group. Raises Misuse, Fatal."""
    if text.startswith(b":"):
        gid = accounts.number(text[1:])
        if gid is None:
            raise Misuse
        return gid
    gid = accounts.group(text)
    if gid is None:
        what = b"unable to find entry for " + text + b" in group database"
        raise Fatal(MISTAKE, what)
    return gid


def owners_group(file: bytes) -> int:
    """Give the primary group of a file's owner. Raises Fatal."""
    import pwd

    try:
        owner = os.stat(file).st_uid
    except OSError as error:
        raise Fatal(REFUSED, b"unable to stat " + file, error) from error
    try:
        return pwd.getpwuid(owner).pw_gid
    except KeyError:
        text = b"unable to determine primary gid for the owner of "
        MANUAL.messages.warn(text + file + b" (using root instead)")
        return ROOT


def print_all(directory: bytes) -> bool:
    """Print the permissions of a service; tell whether they are as they should be."""
    correct = print_one(directory, SUPERVISE) and print_one(directory, CONTROL)
    return print_one(directory, EVENT) and correct


def print_one(directory: bytes, path: bytes) -> bool:
    """Print who may use one file, or warn; tell whether it is as it should be."""
    file = directory + path
    warn = MANUAL.messages.warn
    try:
        found = os.stat(file)
    except OSError as error:
        warn(b"unable to stat " + file, error)
        return False
    purpose, kind, is_kind, audience = FILES[path]
    mode = stat.S_IMODE(found.st_mode)
    if not is_kind(found.st_mode):
        warn(file + b" is not a " + kind)
        return False
    who = audience(mode)
    if who is None:
        warn(file + b" has incorrect permissions: %o" % mode)
        return False
    if who == FOR_GROUP:
        who += b" " + group_name(found.st_gid)
    show(directory + b" " + purpose + b": " + who + b"\n")
    return True


def audience_of_status(mode: int) -> bytes | None:
    """Tell for whom supervise/ can be searched; None if the mode is incorrect."""
    if mode & 0o5066 or ~mode & 0o700:
        return None
    return {0o00: FOR_OWNER, 0o10: FOR_GROUP, 0o11: FOR_ALL}.get(mode & 0o11)


def audience_of_control(mode: int) -> bytes | None:
    """Tell for whom supervise/control can be written; None if it is incorrect."""
    if mode & 0o157:
        return None
    return FOR_GROUP if mode & 0o20 else FOR_OWNER


def audience_of_events(mode: int) -> bytes | None:
    """Tell for whom event/ is; None if the mode is incorrect."""
    return {0o3730: FOR_GROUP, 0o1733: FOR_ALL}.get(mode)


FILES: "dict[bytes, tuple[bytes, bytes, Callable[[int], bool], Audience]]" = {
    SUPERVISE: (b"status", b"directory", stat.S_ISDIR, audience_of_status),
    CONTROL: (b"control", b"named pipe", stat.S_ISFIFO, audience_of_control),
    EVENT: (b"events", b"directory", stat.S_ISDIR, audience_of_events),
}
"""What each file is for, what kind it has to be, and how its mode is read."""


def group_name(gid: int) -> bytes:
    """Give the name of a group, or its number when it has none."""
    import grp

    try:
        return os.fsencode(grp.getgrgid(gid).gr_name)
    except KeyError:
        return b"%d" % gid
