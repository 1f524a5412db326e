"""Command lines and numbers, read as the programs of skarnet.org read them. Pure.

The rules are those of getopt(3) and POSIX: letters in clusters (`-qb`), a value
attached or in the next word (`-l100`, `-l 100`), and no option after the first
word that is none.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

UINT32_MAX = 2**32 - 1
UINT64_MAX = 2**64 - 1

UNKNOWN = b"?"
NO_VALUE = b":"


def scan(
    arguments: "Sequence[bytes]", flags: bytes, valued: bytes
) -> tuple[list[tuple[bytes, bytes]], list[bytes]]:
    """Split a command line into options and the words that follow them.

    `flags` are the letters without a value (theirs is b""), `valued` those with
    one. Options end before the first word that does not begin with `-` or is
    just `-`, and after `--`. As in getopt(3), an option that is not valid comes
    out as (UNKNOWN, letter), one that lacks its value as (NO_VALUE, letter);
    scanning ends with it, so that the caller meets mistakes in their order.
    """
    pairs: list[tuple[bytes, bytes]] = []
    rest = list(arguments)
    while rest and rest[0].startswith(b"-") and rest[0] != b"-":
        word = rest.pop(0)
        if word == b"--":
            break
        cluster = word[1:]
        while cluster:
            letter, cluster = cluster[:1], cluster[1:]
            if letter in flags:
                pairs.append((letter, b""))
            elif letter not in valued:
                return [*pairs, (UNKNOWN, letter)], rest
            elif cluster or rest:
                pairs.append((letter, cluster or rest.pop(0)))
                break
            else:
                return [*pairs, (NO_VALUE, letter)], rest
    return pairs, rest


def decimal(text: bytes, limit: int) -> int | None:
    """Read a number from 0 to `limit`: digits and nothing else, else None."""
    digits = text.lstrip(b"0")
    # The length is looked at first: int() refuses, or takes long over, very
    # long strings of digits.
    if not text.isdigit() or len(digits) > len(str(limit)):
        return None
    number = int(text[-len(digits) :] if digits else b"0")
    return number if number <= limit else None
