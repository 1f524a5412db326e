"""What the outputs of one logger share with it."""

from s6log.outputs.outbox import Backlog

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from s6log.unix.loop import Loop
    from s6log.unix.messages import Messages


class Context:
    """A logger's loop, voice, working directory and file mode mask.

    `backlog` counts what its outputs have not written yet;
    `locked` holds (device, inode) of the locks its logdirs have; `changed` is
    called when an output has got rid of something it could not write before.
    """

    __slots__ = ("backlog", "base_fd", "changed", "locked", "loop", "messages", "umask")

    def __init__(
        self, loop: "Loop", messages: "Messages", base_fd: int, umask: int
    ) -> None:
        self.loop = loop
        self.messages = messages
        self.base_fd = base_fd
        self.umask = umask
        self.backlog = Backlog()
        self.locked: set[tuple[int, int]] = set()
        self.changed: Callable[[], None] = nothing


def nothing() -> None:
    """Serve as a callback when nobody is interested."""
