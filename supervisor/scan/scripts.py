"""The executables in .s6-svscan: in the place of a signal, and at the very end."""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from s6log.unix.messages import Messages
    from supervisor.service.host import Host

FOLDER = b".s6-svscan/"
FINISH = FOLDER + b"finish"
CRASH = FOLDER + b"crash"
NOT_FOUND = 127
NOT_EXECUTABLE = 126


def answer(host: "Host", directory: int, signal_name: str) -> bool:
    """Start the script for a signal, if there is one; tell whether it was started.

    Nobody waits for it. `directory` is a descriptor of the scan directory.
    """
    from supervisor.service.host import Streams

    path = FOLDER + signal_name.encode()
    if not os.access(path, os.X_OK):
        return False
    try:
        host.spawner.start((path,), directory, Streams(), host.environment)
    except OSError as error:
        host.messages.warn(b"unable to spawn " + path, error)
        return False
    return True


def become_finish(messages: "Messages", code: int) -> int:
    """Become .s6-svscan/finish; give the exit code, `code` where there is none."""
    error = _become(FINISH)
    if isinstance(error, FileNotFoundError):
        return code
    messages.warn(b"unable to exec finish script " + FINISH, error)
    return become_crash(messages)


def can_crash() -> bool:
    """Tell whether there is a .s6-svscan/crash."""
    return os.access(CRASH, os.X_OK)


def become_crash(messages: "Messages") -> int:
    """Become .s6-svscan/crash; give the exit code where that is not possible."""
    messages.warn(b"executing into " + CRASH)
    error = _become(CRASH)
    messages.warn(b"unable to exec " + CRASH, error)
    return NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE


def _become(path: bytes) -> OSError:
    try:
        os.execv(path, [path])  # noqa: S606 - no shell is wanted
    except OSError as error:
        return error
