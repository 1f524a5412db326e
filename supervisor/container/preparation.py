"""Makes /run ready: checked, emptied of what an earlier boot has left, filled.

After this the places of `places` are there, and the environment is on file.
"""

import errno
import os
import stat

from s6log.unix.fds import STDERR
from s6log.unix.locks import is_locked
from s6log.unix.messages import MISTAKE, REFUSED, Fatal
from supervisor.container import copying, environment, places, programs
from supervisor.container.settings import READ_ONLY_ROOT, WORLD_WRITABLE_RUN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from s6log.unix.messages import Messages
    from supervisor.container.settings import Settings

MODE = 0o755
EXIT_CODE_MODE = 0o644
GROUP_WRITES, ALL_WRITE = 0o020, 0o002
STALE = (places.S6, places.SCANDIR)
INITIAL_CODE = b"0"
RED, PLAIN = b"\033[1;31m", b"\033[0m"
WRITE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
WRITE |= os.O_NONBLOCK | os.O_NOFOLLOW
HINT = b"mount a tmpfs there, such as with --tmpfs /run:exec"


def prepare(
    messages: "Messages", settings: "Settings", variables: "Mapping[bytes, bytes]"
) -> None:
    """Make /run what the stages and services need. Raises Fatal.

    `variables` are those of the container. The umask is 022 from now on.
    """
    os.umask(0o022)
    check_run(messages, settings)
    refuse_company()
    try:
        for path in STALE:
            copying.remove_tree(path)
        for path in (
            places.S6,
            places.ETC,
            places.SERVICES,
            places.STAGE3,
            places.COMMANDS,
            places.SCANDIR,
            places.RESULTS,
        ):
            os.makedirs(path, MODE, exist_ok=True)
        write_file(places.EXIT_CODE, INITIAL_CODE, EXIT_CODE_MODE)
        write_environment(messages, variables)
    except OSError as error:
        raise Fatal(REFUSED, b"unable to prepare /run", error) from error
    link_commands(messages)
    link_old_names(messages)


def write_file(path: bytes, content: bytes, mode: int) -> None:
    """Write a small file anew. OSError, also where a FIFO or a link is in its place."""
    fd = os.open(path, WRITE, mode)
    try:
        os.write(fd, content)
        os.fchmod(fd, mode)
    finally:
        os.close(fd)


def write_environment(messages: "Messages", variables: "Mapping[bytes, bytes]") -> None:
    """Put the variables of the container on file. OSError."""
    for name in environment.write(environment.CONTAINER_ENVIRONMENT, variables):
        shown = name[:80].decode(errors="replace").encode()
        messages.warn(b"unable to keep variable " + shown + b": its name is no file's")


# ---- /run itself


def check_run(messages: "Messages", settings: "Settings") -> None:
    """Make sure that /run is ours and can be written to. Raises Fatal, code 100."""
    read_only = settings.on(READ_ONLY_ROOT)
    try:
        if not read_only:
            make_run()
        found = os.stat(places.RUN)
    except OSError as error:
        raise Fatal(MISTAKE, b"unable to use /run", error, (HINT,)) from error
    check_owner(messages, settings, found)
    if os.geteuid() == 0 and not read_only:
        set_mode(messages, found)
    trial = places.RUN + b"/.s6-init-%d" % os.getpid()
    try:
        os.makedirs(trial, exist_ok=True)
        os.rmdir(trial)
    except OSError as error:
        if error.errno != errno.EROFS or not mount_tmpfs():
            text = b"unable to write to /run"
            raise Fatal(MISTAKE, text, error, (HINT,)) from error
    if os.statvfs(places.RUN).f_flag & os.ST_NOEXEC:
        messages.warn(
            b"/run is mounted noexec: the programs of services are executed in /etc,"
            b" and whatever else is to be executed in /run will fail"
        )


def make_run() -> None:
    """Make /run where it is missing. OSError."""
    try:
        os.mkdir(places.RUN, MODE)
    except FileExistsError:
        pass


def set_mode(messages: "Messages", found: os.stat_result) -> None:
    """Let only root write to /run, as s6-overlay does: a tmpfs often has mode 1777."""
    if stat.S_IMODE(found.st_mode) == MODE:
        return
    try:
        os.chmod(places.RUN, MODE)
    except OSError as error:
        messages.warn(b"unable to set the mode of /run", error)


def check_owner(
    messages: "Messages", settings: "Settings", found: os.stat_result
) -> None:
    """Make sure that /run belongs to us, or to root who lets us. Raises Fatal."""
    uid = os.geteuid()
    if found.st_uid == uid:
        return
    if uid == 0:
        try:
            os.chown(places.RUN, 0, 0)
        except OSError as error:
            text = b"unable to give /run to root"
            raise Fatal(MISTAKE, text, error) from error
        return
    mode = stat.S_IMODE(found.st_mode)
    ours = found.st_uid == 0 and bool(mode & (GROUP_WRITES | ALL_WRITE))
    in_group = 0 in (os.getegid(), *os.getgroups())
    if ours and in_group and found.st_gid == 0 and not mode & ALL_WRITE:
        return  # a user of group root, as OpenShift has them
    if ours and (mode & stat.S_ISVTX or settings.on(WORLD_WRITABLE_RUN)):
        text = b"/run can be written to by others: %o" % mode
        messages.warn(RED + text + PLAIN if os.isatty(STDERR) else text)
        return
    text = b"/run belongs to uid %d instead of %d" % (found.st_uid, uid)
    hint = b"give it to that user in the image, or mount a tmpfs there that is theirs"
    raise Fatal(MISTAKE, text, hints=(hint,))


def mount_tmpfs() -> bool:
    """Mount a tmpfs on /run, where that is allowed (CAP_SYS_ADMIN)."""
    from supervisor.container import kernel

    try:
        kernel.mount_tmpfs(places.RUN, b"mode=0755")
    except OSError:
        return False
    return True


def refuse_company() -> None:
    """Make sure that nobody supervises the scan directory. Raises Fatal.

    What comes next would take it away from under somebody's feet.
    """
    path = places.SCANDIR + b"/.s6-svscan/lock"
    try:
        lock = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    except OSError as error:
        raise Fatal(REFUSED, b"unable to open " + path, error) from error
    try:
        taken = is_locked(lock)
    finally:
        os.close(lock)
    if taken:
        text = b"another s6-init or s6-svscan is running on " + places.SCANDIR
        raise Fatal(MISTAKE, text)


# ---- names that people know


def link_commands(messages: "Messages") -> None:
    """Make the commands that stop a container, as links: /run may be noexec."""
    halt = programs.folder() + b"/halt"
    for name in places.STOP_COMMANDS:
        try:
            os.symlink(halt, places.COMMANDS + b"/" + name)
        except OSError as error:
            messages.warn(b"unable to make " + places.COMMANDS + b"/" + name, error)


def link_old_names(messages: "Messages") -> None:
    """Let /var/run be /run, and s6-overlay's older names lead to what we have."""
    for link, target in places.OLD_NAMES:
        try:
            os.symlink(target, link)
        except OSError as error:
            messages.warn(b"unable to make " + link, error)
    if os.path.realpath(places.VAR_RUN) == os.path.realpath(places.RUN):
        return
    try:
        if not os.path.lexists(places.VAR_RUN):
            os.symlink(places.RUN, places.VAR_RUN)
        elif not os.path.lexists(places.VAR_RUN + b"/s6"):
            os.symlink(places.S6, places.VAR_RUN + b"/s6")
        elif not os.path.islink(places.VAR_RUN + b"/s6"):
            messages.warn(places.VAR_RUN + b"/s6 is not ours: older paths do not work")
    except OSError as error:
        messages.warn(b"unable to make /var/run/s6 lead to /run/s6", error)
