"""Long options beside the short ones, as the newer programs of s6 read them. Pure.

`--name` is a flag, `--name=value` an option with a value; both may stand among
clusters of letters. The source of the rules and the messages is skalibs (gol).
"""

from s6log.unix.getopt import UNKNOWN, scan
from s6log.unix.messages import MISTAKE, Fatal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def scan_long(
    arguments: "Sequence[bytes]",
    flags: "Mapping[bytes, bytes]",
    valued: "Mapping[bytes, bytes]",
) -> tuple[list[tuple[bytes, bytes]], list[bytes]]:
    """Split a command line into (long name, value) pairs and what follows them.

    `flags` and `valued` map the letter of an option to its long name. A letter
    that lacks its value is passed over. Raises Fatal for an unknown option.
    """
    names = {**flags, **valued}
    letters, rest = scan(arguments, b"".join(flags), b"".join(valued))
    pairs = [(names[letter], value) for letter, value in letters if letter in names]
    if not letters or letters[-1][0] != UNKNOWN:
        return pairs, rest
    word = arguments[len(arguments) - len(rest) - 1]
    if not word.startswith(b"--"):
        raise Fatal(MISTAKE, b"unrecognized short option: " + letters[-1][1])
    pairs.append(_long(word, flags, valued))
    more, rest = scan_long(rest, flags, valued)
    return [*pairs, *more], rest


def _long(
    word: bytes, flags: "Mapping[bytes, bytes]", valued: "Mapping[bytes, bytes]"
) -> tuple[bytes, bytes]:
    """Read one word that begins with two dashes."""
    name, equals, value = word[2:].partition(b"=")
    if name in (valued if equals else flags).values():
        return name, value
    kind = b"option with argument: " if equals else b"boolean option: "
    raise Fatal(MISTAKE, b"unrecognized " + kind + word)
