"""What the stages of a container share."""

from supervisor.container import places
from supervisor.container.environment import CONTAINER_ENVIRONMENT, contained
from supervisor.container.preparation import write_file
from supervisor.container.sequence import Bell

TYPE_CHECKING = False
if TYPE_CHECKING:
    from s6log.unix.loop import Loop
    from s6log.unix.messages import Messages
    from supervisor.container.files import Files
    from supervisor.container.outlets import Original, Outlets
    from supervisor.container.progress import Progress
    from supervisor.container.settings import Settings
    from supervisor.scan.tree import Tree
    from supervisor.scan.voice import Voice
    from supervisor.service.host import Host


class Context:
    """One container, as its stages see it.

    `variables` are those it was started with. `workdir` is a descriptor of the
    image's working directory. `bell` rings when something has happened to a service.
    `script` is the pid of the script that a stage waits for, or 0.
    """

    __slots__ = (
        "bell",
        "files",
        "host",
        "original",
        "outlets",
        "progress",
        "script",
        "settings",
        "tree",
        "variables",
        "voice",
        "workdir",
    )

    host: "Host"
    files: "Files"
    original: "Original"
    outlets: "Outlets"
    progress: "Progress"
    tree: "Tree"
    voice: "Voice"

    def __init__(
        self, settings: "Settings", variables: dict[bytes, bytes], workdir: int
    ) -> None:
        self.settings = settings
        self.variables = variables
        self.workdir = workdir
        self.bell = Bell()
        self.script = 0

    @property
    def loop(self) -> "Loop":
        """The loop that everything waits on."""
        return self.host.loop

    @property
    def messages(self) -> "Messages":
        """The voice of s6-init."""
        return self.host.messages

    def full_environment(self) -> dict[bytes, bytes]:
        """Give the container's variables, with what its scripts have changed."""
        try:
            return contained(self.host.environment, CONTAINER_ENVIRONMENT)
        except OSError as error:
            self.messages.warn(b"unable to read the container environment", error)
            return {**self.variables, **self.host.environment}

    def move_voices(self) -> None:
        """Speak to what descriptors 1 and 2 refer to by now."""
        self.progress.move()
        self.voice.move()

    def record(self, code: int) -> None:
        """Put an exit code where scripts find it, and from where we exit with it."""
        try:
            write_file(places.EXIT_CODE, b"%d" % code, 0o644)
        except OSError as error:
            self.messages.warn(b"unable to write " + places.EXIT_CODE, error)
