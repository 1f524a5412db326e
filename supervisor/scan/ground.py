"""What a supervisor of a scan directory stands on: its place, its lock, its host."""

import os

from s6log.unix.loop import Loop
from s6log.unix.messages import REFUSED, Fatal
from s6log.unix.spawn import DIRECTORY
from supervisor.scan import limits, scanner
from supervisor.scan.control import Control
from supervisor.scan.voice import Voice
from supervisor.service.host import Host
from supervisor.service.spawner import Spawner
from supervisor.warm.loggers import WarmLoggers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from s6log.unix.messages import Messages


class Ground:
    """The scan directory is the working directory, and nobody else's, from now on.

    `heard` gets the letters written into the control FIFO, once `control` listens.
    `limits` are those of descriptors as they were. Raises Fatal.
    """

    __slots__ = ("control", "here", "host", "limits", "loop", "messages", "voice")

    def __init__(
        self,
        messages: "Messages",
        directory: bytes,
        environment: dict[bytes, bytes],
        heard: "Callable[[bytes], None]",
    ) -> None:
        try:
            os.chdir(directory)
        except OSError as error:
            raise Fatal(REFUSED, b"unable to chdir to " + directory, error) from error
        self.messages = messages
        self.control = Control(heard)
        try:
            self.limits = limits.raise_limit()
            self.here = os.open(".", DIRECTORY)
            self.loop = Loop(many=True)
            self.voice = Voice(messages)
            spawner = Spawner(self.limits[0])
            self.host = Host(self.loop, messages, environment, spawner)
            scanner.remove_dangling()
        except OSError as error:
            raise Fatal(REFUSED, b"unable to start", error) from error

    def warm_up(self) -> None:
        """Let loggers be made that need not be executed."""
        host = self.host
        host.warm = WarmLoggers(
            self.loop, self.messages, host.spawner, host.environment
        )

    def end_warmth(self) -> None:
        """End the nursery: who takes our place knows nothing of such a child."""
        if self.host.warm is not None:
            self.host.warm.end()
            self.host.warm = None
