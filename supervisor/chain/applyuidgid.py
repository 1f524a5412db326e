"""s6-applyuidgid: become a program as another user, given by numbers."""

import os

from s6log.unix.getopt import scan
from s6log.unix.messages import DONE, MISTAKE, REFUSED, Fatal
from supervisor.chain import accounts
from supervisor.chain.execute import environment_with, execute
from supervisor.manual import Manual, Misuse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

VARIABLES = {b"u": b"UID", b"g": b"GID", b"G": b"GIDLIST"}
UNSET = dict.fromkeys(VARIABLES.values())

MANUAL = Manual(
    "s6-applyuidgid",
    "[ -z ] [ -u uid ] [ -g gid ] [ -G gidlist ] [ -U ] prog...",
    (
        ("-u uid", "the user's number (0: leave it)"),
        ("-g gid", "the group's number (0: leave it)"),
        ("-G list", "numbers of supplementary groups, such as 4,24"),
        ("-U", "all three from the variables UID, GID and GIDLIST"),
        ("-z", "remove these variables"),
    ),
    "Become prog... with another user, group and list of groups. Only for root.",
)


class Wish:
    """What the command line asks for; 0 and None leave things as they are."""

    __slots__ = ("gids", "numbers", "program", "unexport")

    def __init__(self, arguments: list[bytes]) -> None:
        pairs, self.program = scan(arguments, b"zU", b"ugG")
        self.numbers = {b"UID": 0, b"GID": 0}
        self.gids: Sequence[int] | None = None
        self.unexport = False
        for letter, value in pairs:
            if letter == b"U":
                self._take_variables()
            elif letter == b"z":
                self.unexport = True
            elif not self._set(VARIABLES.get(letter), value):
                raise Misuse
        if not self.program:
            raise Misuse

    def _take_variables(self) -> None:
        """Do as the environment says. Raises Fatal."""
        for name in VARIABLES.values():
            text = os.environb.get(name)
            if text is None:
                raise Fatal(MISTAKE, name + b" not set")
            if not self._set(name, text):
                raise Fatal(MISTAKE, b"invalid $" + name)

    def _set(self, name: bytes | None, text: bytes) -> bool:
        """Take over one number, or a list of them; False when it is none."""
        if name == b"GIDLIST":
            self.gids = accounts.numbers(text)
            return self.gids is not None
        number = accounts.number(text)
        if name is None or number is None:
            return False
        self.numbers[name] = number
        return True


def main(arguments: list[bytes]) -> int:
    """Run the program; the exit code if it does not become another."""
    if MANUAL.answered(arguments):
        return DONE
    try:
        wish = Wish(arguments)
    except Misuse:
        return MANUAL.usage()
    become(wish.numbers[b"UID"], wish.numbers[b"GID"], wish.gids)
    return execute(wish.program, environment_with(UNSET) if wish.unexport else None)


def become(uid: int, gid: int, gids: "Sequence[int] | None") -> None:
    """Change this process's user, group and supplementary groups. Raises Fatal.

    In this order, as each step needs a privilege that the last one gives up. The
    group belongs to the list, too, as in s6.
    """
    step = b"set supplementary group list"
    try:
        if gids is not None:
            os.setgroups(list(dict.fromkeys([gid or os.getegid(), *gids])))
        step = b"setgid"
        if gid:
            os.setgid(gid)
        step = b"setuid"
        if uid:
            os.setuid(uid)
    except OSError as error:
        raise Fatal(REFUSED, b"unable to " + step, error) from error
