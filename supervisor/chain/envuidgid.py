"""s6-envuidgid: become a program that is told a user's numbers in its environment."""

from s6log.unix.getopt import scan
from s6log.unix.messages import DONE, Fatal
from supervisor.chain import accounts
from supervisor.chain.execute import environment_with, execute
from supervisor.manual import Manual, Misuse

UNKNOWN = 1  # the exit code for an account that does not exist

# What the account is: a user with all groups, a user, a group, or user:group.
ACCOUNT, USER, GROUP, BOTH = b"account", b"user", b"group", b"user:group"
SUBJECTS = {b"u": USER, b"g": GROUP, b"B": BOTH}
FIND = {USER: accounts.user, GROUP: accounts.group}
NOBODY_ELSE = accounts.Ids(0, 0, ())

MANUAL = Manual(
    "s6-envuidgid",
    "[ -i | -D defaultuid:defaultgid:defaultgidlist ] [ -u | -g | -B ] [ -n ] "
    "account prog...",
    (
        ("-i", "exit 1 when there is no such account (the default)"),
        ("-D u:g:list", "then use these numbers"),
        ("-u", "account is a user: set UID only"),
        ("-g", "account is a group: set GID only"),
        ("-B", "account is user:group: set UID and GID"),
        ("-n", "the same, unless -u or -g is given; a number stands for itself"),
    ),
    "Set UID, GID and GIDLIST to the numbers of an account, and become prog...",
)


class Wish:
    """What the command line asks for; without `defaults` the account must exist."""

    __slots__ = ("account", "defaults", "numeric", "program", "subject")

    def __init__(self, arguments: list[bytes]) -> None:
        pairs, words = scan(arguments, b"ugBni", b"D")
        self.subject = ACCOUNT
        self.numeric = False
        self.defaults: accounts.Ids | None = None
        for letter, value in pairs:
            self._take(letter, value)
        if not words[1:]:
            raise Misuse
        self.account, *self.program = words

    def _take(self, letter: bytes, value: bytes) -> None:
        if letter in SUBJECTS:
            self.subject = SUBJECTS[letter]
        elif letter == b"n":
            self.numeric = True
            self.subject = BOTH if self.subject == ACCOUNT else self.subject
        elif letter == b"i":
            self.defaults = None
        elif letter == b"D":
            self.defaults = read_defaults(value)
        else:
            raise Misuse


def read_defaults(text: bytes) -> accounts.Ids:
    """Read uid:gid:gidlist, of which a part that is missing is 0 or no groups."""
    uid, _, rest = text.partition(b":")
    gid, _, gidlist = rest.partition(b":")
    user, group = accounts.number(uid or b"0"), accounts.number(gid or b"0")
    gids = accounts.numbers(gidlist)
    if not text or user is None or group is None or gids is None:
        raise Misuse
    return accounts.Ids(user, group, gids)


def main(arguments: list[bytes]) -> int:
    """Run the program; the exit code if it does not become another."""
    if MANUAL.answered(arguments):
        return DONE
    try:
        wish = Wish(arguments)
    except Misuse:
        return MANUAL.usage()
    return execute(wish.program, environment_with(variables(wish)))


def variables(wish: Wish) -> dict[bytes, bytes]:
    """Give the variables to set. Raises Fatal for an account that does not exist."""
    if wish.subject == ACCOUNT:
        ids = accounts.account(wish.account) or wish.defaults
        if ids is None:
            raise unknown(USER, wish.account)
        gidlist = b",".join(b"%d" % gid for gid in ids.gids)
        return {b"UID": b"%d" % ids.uid, b"GID": b"%d" % ids.gid, b"GIDLIST": gidlist}
    user, group = wish.account, wish.account
    if wish.subject == BOTH:
        user, _, group = wish.account.partition(b":")
    default = wish.defaults or NOBODY_ELSE
    found = {}
    if wish.subject in (GROUP, BOTH):
        found[b"GID"] = b"%d" % number(wish, GROUP, group, default.gid)
    if wish.subject in (USER, BOTH):
        found[b"UID"] = b"%d" % number(wish, USER, user, default.uid)
    return found


def number(wish: Wish, kind: bytes, name: bytes, default: int) -> int:
    """Find the number of a user or of a group."""
    if wish.subject == BOTH and not name:
        return default
    found = FIND[kind](name)
    if found is None and wish.numeric:
        found = accounts.number(name)
    if found is None and wish.defaults is None:
        raise unknown(kind, name)
    return default if found is None else found


def unknown(kind: bytes, name: bytes) -> Fatal:
    """Say that there is no such user or group."""
    return Fatal(UNKNOWN, b"unknown " + kind + b": " + name)
