"""What a supervisor tells the nursery: which logger, and what it starts with. Pure."""

import marshal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MOST_BYTES = 128 << 10  # of a message; a socket's buffer has 208 KiB (socket(7))
MOST_DESCRIPTORS = 16
READY = b"ready"


class Order:
    """A logger to be made: `words` are its command line, the program's name first.

    Those of logutil-service are its own; the logger's it finds out as it is made.
    `variables` come on top of the supervisor's environment; `user` is what
    s6-setuidgid is given, or None. With it go descriptors: the gate, the directory,
    then one for each of `numbers`, which is its number in the logger.
    """

    __slots__ = ("numbers", "user", "variables", "words")

    def __init__(
        self,
        words: "Sequence[bytes]",
        user: bytes | None,
        variables: "Mapping[bytes, bytes]",
        numbers: "Sequence[int]",
    ) -> None:
        self.words = words
        self.user = user
        self.variables = variables
        self.numbers = numbers


def encode(order: Order) -> bytes:
    """Write an order as the bytes of a message."""
    words, numbers = list(order.words), list(order.numbers)
    return marshal.dumps((words, order.user, dict(order.variables), numbers))


def decode(message: bytes) -> Order:
    """Read what `encode` wrote; nobody else has an end of the socket."""
    return Order(*marshal.loads(message))  # noqa: S302 - see above
