"""logutil-service: become a logger that is not root, with the container's script."""

import os

from s6log.unix.getopt import scan
from s6log.unix.messages import DONE, MISTAKE, REFUSED, Fatal
from supervisor.chain import accounts, applyuidgid
from supervisor.chain.execute import execute
from supervisor.container import log_directory
from supervisor.container.environment import CONTAINER_ENVIRONMENT, PATH, SERVICE
from supervisor.container.environment import variable as container_variable
from supervisor.manual import Manual, Misuse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

ACCOUNT = b"nobody"
NOBODY = accounts.Ids(65534, 65534, ())  # where there is no such account
SCRIPT = b"S6_LOGGING_SCRIPT"
DEFAULT_SCRIPT = b"n20 s1000000 T"
LOGGER = (b"s6-log", b"-b", b"--")
STDIN = 0

MANUAL = Manual(
    "logutil-service",
    "[ -f fifo ] dir",
    (("-f fifo", "log what comes through a FIFO, not the standard input"),),
    """
Become `s6-log -b -- SCRIPT dir` as nobody, where SCRIPT are the words of
S6_LOGGING_SCRIPT (default: n20 s1000000 T), a variable of the container. If root
starts it, dir is made if need be. Others log as who they are.""",
)


def main(arguments: list[bytes]) -> int:
    """Become the logger; the exit code if that fails."""
    if MANUAL.answered(arguments):
        return DONE
    try:
        fifo, directory = read(arguments)
    except Misuse:
        return MANUAL.usage()
    words = command(os.environb, directory)
    if fifo is not None:
        take_fifo(fifo)
    ready(directory)
    change_user()
    return execute(words, remaining(os.environb))


def read(arguments: list[bytes]) -> tuple[bytes | None, bytes]:
    """Read the command line: a FIFO or None, and a directory. Raises Misuse."""
    pairs, rest = scan(arguments, b"", b"f")
    fifo = None
    for letter, value in pairs:
        if letter != b"f":
            raise Misuse
        fifo = value
    if len(rest) != 1 or not rest[0]:
        raise Misuse
    return fifo, rest[0]


def command(
    own: "Mapping[bytes, bytes]",
    directory: bytes,
    container: bytes = CONTAINER_ENVIRONMENT,
) -> list[bytes]:
    """Give the logger's command line. Raises Fatal.

    A script in the environment of this process comes first: somebody has put it
    there for this logger.
    """
    try:
        script = own.get(SCRIPT) or container_variable(own, SCRIPT, container)
    except OSError as error:
        raise Fatal(REFUSED, b"unable to read variable " + SCRIPT, error) from error
    return [*LOGGER, *(script or DEFAULT_SCRIPT).split(), directory]


def remaining(own: "Mapping[bytes, bytes]") -> dict[bytes, bytes]:
    """Give what the logger keeps of an environment."""
    return {name: own[name] for name in (PATH, SERVICE) if name in own}


def take_fifo(path: bytes) -> None:
    """Make a FIFO the standard input. Raises Fatal.

    Opened for writing as well, which never waits (fifo(7)): so there is no end of
    the input when the last writer leaves, and the next one finds a reader.
    """
    import stat

    try:
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        if not stat.S_ISFIFO(os.fstat(fd).st_mode):
            raise Fatal(MISTAKE, b"not a FIFO: " + path)
        if fd == STDIN:
            os.set_inheritable(fd, True)
            return
        os.dup2(fd, STDIN)
        os.close(fd)
    except OSError as error:
        raise Fatal(REFUSED, b"unable to open " + path, error) from error


def ready(directory: bytes) -> None:
    """Make a directory ready for the logger, if we are root. Raises Fatal."""
    if os.geteuid() != 0:
        return
    ids = account()
    try:
        log_directory.prepare(directory, ids.uid, ids.gid)
    except OSError as error:
        raise Fatal(REFUSED, b"unable to prepare " + directory, error) from error


def change_user() -> None:
    """Be nobody, if we are root. Raises Fatal."""
    if os.geteuid() == 0:
        ids = account()
        applyuidgid.become(ids.uid, ids.gid, ids.gids)


def account() -> accounts.Ids:
    """Find out who logs."""
    return accounts.account(ACCOUNT) or NOBODY
