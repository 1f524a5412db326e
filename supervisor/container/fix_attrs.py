"""The lines of fix-attrs.d: `path recurse account fmode dmode`. Pure.

`account` is `A[,UID:GID]`: a user, or `user:group`. What is no name is taken as a
number, and what stays unknown comes from behind the comma.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Lookup = Callable[[bytes], int | None]

WORDS = 5
COMMENT = b"#"
LEAVE = b"-"
RECURSE = {b"true": True, b"false": False}
MOST_MODE = 0o7777
OCTAL = b"01234567"
MODE_DIGITS = 5
DIGITS = b"0123456789"
ID_DIGITS = 10
MOST_ID = 2**32 - 2  # -1 leaves an id as it is (chown(2))
WILDCARDS = b"*?["
HERE, UP = b".", b".."


class Unfit(Exception):
    """A line, or a part of one, says nothing that could be done; `reason` says why."""

    def __init__(self, reason: bytes) -> None:
        super().__init__(reason)
        self.reason = reason


class Accounts:
    """Who is known: each gives an id for a name, or None.

    `user` and `primary` give the uid and the gid of a user.
    """

    __slots__ = ("group", "primary", "user")

    def __init__(self, user: "Lookup", primary: "Lookup", group: "Lookup") -> None:
        self.user = user
        self.primary = primary
        self.group = group


class Rule:
    """What a line asks for; a mode is None where it is to be left alone.

    `number` is that of the line. `is_pattern`: the path stands for several.
    """

    __slots__ = ("dmode", "fmode", "gid", "number", "path", "recurse", "uid")

    def __init__(self, words: "Iterable[bytes]", known: Accounts, number: int) -> None:
        self.path, recurse, account, fmode, dmode = words
        self.number = number
        if self.is_pattern and UP in split_pattern(self.path)[1]:
            # By then somebody may have moved the directory.
            raise Unfit(b"no way back up from a pattern: " + self.path)
        if recurse not in RECURSE:
            raise Unfit(b"neither true nor false: " + recurse)
        self.recurse = RECURSE[recurse]
        self.uid, self.gid = resolve(account, known)
        self.fmode = mode(fmode)
        self.dmode = mode(dmode)

    @property
    def is_pattern(self) -> bool:
        """Tell whether the path has wildcards."""
        return is_wild(self.path)


def parse(text: bytes, known: Accounts) -> "Iterable[Rule | tuple[int, bytes]]":
    """Read a file: rules, and for lines that are none their number and why."""
    for number, line in enumerate(text.split(b"\n"), 1):
        words = line.split()
        if not words or words[0].startswith(COMMENT):
            continue
        try:
            if len(words) != WORDS:
                raise Unfit(b"%d words are wanted, not %d" % (WORDS, len(words)))
            if b"\0" in line:
                raise Unfit(b"there is a NUL in it")
            yield Rule(words, known, number)
        except Unfit as failure:
            yield number, failure.reason


def is_wild(text: bytes) -> bool:
    """Tell whether there are wildcards."""
    return any(byte in WILDCARDS for byte in text)


def split_pattern(path: bytes) -> tuple[bytes, list[bytes]]:
    """Give what comes before the first wildcard, with its slash; and the names after.

    A slash at the end stands for directories only, and so does the name `.`.
    """
    names = path.split(b"/")
    first = next(at for at, name in enumerate(names) if is_wild(name))
    fixed = b"".join(name + b"/" for name in names[:first]) or b"./"
    wanted = [name for name in names[first:] if name]
    return fixed, wanted if names[-1] else [*wanted, HERE]


def resolve(text: bytes, known: Accounts) -> tuple[int, int]:
    """Find the uid and gid of an account. Raises Unfit."""
    account, comma, fallback = text.partition(b",")
    name, colon, group = account.partition(b":")
    if colon:
        uid = _either(known.user(name), name)
        gid = _either(known.group(group), group)
    else:
        uid, gid = _either(known.user(name), name), known.primary(name)
    if comma:
        other_uid, other_gid = _fallback(fallback)
        uid = other_uid if uid is None else uid
        gid = other_gid if gid is None else gid
    if uid is None or gid is None:
        raise Unfit(_unknown(account, uid))
    return uid, gid


def _either(known: int | None, text: bytes) -> int | None:
    """Prefer a name to the number that it looks like."""
    return _id(text) if known is None else known


def _fallback(text: bytes) -> tuple[int, int]:
    uid, _, gid = map(_id, text.partition(b":"))
    if uid is None or gid is None:
        raise Unfit(b"not uid:gid in numbers: " + text)
    return uid, gid


def _unknown(account: bytes, uid: int | None) -> bytes:
    """Say what of an account is not known."""
    if uid is None:
        return b"unknown user: " + account
    return b"unknown group: " + account


def _id(text: bytes) -> int | None:
    """Read a number; None when it is none."""
    if not text or text.strip(DIGITS) or len(text) > ID_DIGITS:
        return None
    number = int(text)
    return number if number <= MOST_ID else None


def mode(text: bytes) -> int | None:
    """Read a mode; None when it is to be left alone. Raises Unfit."""
    if text == LEAVE:
        return None
    if not text or text.strip(OCTAL) or len(text) > MODE_DIGITS:
        raise Unfit(b"not an octal mode: " + text)
    value = int(text, 8)
    if value > MOST_MODE:
        raise Unfit(b"not an octal mode: " + text)
    return value
