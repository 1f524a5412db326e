"""`s6-init --install`: the links by which images reach our programs."""

import os

from s6log.unix.messages import DONE, MISTAKE, REFUSED, Fatal
from supervisor.container import programs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from s6log.unix.messages import Messages

INIT = b"/init"
COMMAND = b"/command"
WITH_CONTENV = b"/usr/bin/with-contenv"
EXECLINE = (b"/usr/lib/execline/bin", b"/usr/bin", b"/bin")
EXECLINEB = b"execlineb"
ELTEST, TEST = b"eltest", b"s6-test"  # which s6-portable-utils had before
IN_THE_WAY = b"remove what is there, perhaps of s6-overlay, before"
LAUNCHER_BYTES = 16 << 10
USR_BIN = b"/usr/bin/"
NOT_IN_USR_BIN = (b"halt", b"s6-init")
# What is in /usr/bin with many others: those that scripts for s6-overlay name.
EXECLINE_NAMES = (
    b"background backtick cd define elgetopt elgetpositionals elglob emptyenv eltest"
    b" exec execlineb exit export export-array fdblock fdclose fdmove fdreserve fdswap"
    b" forbacktickx foreground forstdin forx getcwd getpid heredoc homeof if ifelse"
    b" ifte ifthenelse importas loopwhilex multidefine multisubstitute pipeline"
    b" piperw posix-cd posix-umask redirfd runblock shift trap tryexec umask unexport"
    b" wait withstdinas"
).split()


def install(messages: "Messages", arguments: list[bytes]) -> int:
    """Make the links, below a root directory; give the exit code. Raises Fatal."""
    if len(arguments) > 1:
        raise Fatal(MISTAKE, b"--install takes one directory at most")
    root = arguments[0].rstrip(b"/") if arguments else b""
    try:
        os.makedirs(root + COMMAND, 0o755, exist_ok=True)
        os.makedirs(root + os.path.dirname(WITH_CONTENV), 0o755, exist_ok=True)
        for link, target in links():
            replace_link(root + link, target)
        for link, target in older_links():
            if is_free(root + link):
                replace_link(root + link, target)
    except OSError as error:
        path = os.fsencode(error.filename2 or error.filename or root or b"/")
        hints = (IN_THE_WAY,) if isinstance(error, FileExistsError) else ()
        text = b"unable to install " + path
        raise Fatal(REFUSED, text, error, hints) from error
    if not os.path.lexists(root + COMMAND + b"/" + EXECLINEB):
        messages.warn(b"execline is not installed: scripts in sh do without it")
    return DONE


def links() -> "Iterable[tuple[bytes, bytes]]":
    """Give pairs of link and target, the links below the root."""
    own = programs.folder() + b"/"
    yield INIT, own + b"s6-init"
    yield WITH_CONTENV, own + b"with-contenv"
    for name in launchers(own):
        yield COMMAND + b"/" + name, own + name
    for name, target in of_execline():
        yield COMMAND + b"/" + name, target


def older_links() -> "Iterable[tuple[bytes, bytes]]":
    """Give links where s6-overlay 1 and 2 had its programs; others may have some there.

    Not `halt`, which is another program in such a folder.
    """
    own = programs.folder() + b"/"
    for name in launchers(own):
        if name not in NOT_IN_USR_BIN:
            yield USR_BIN + name, own + name
    for name, target in of_execline():
        if name in (EXECLINEB, TEST):
            yield USR_BIN + name, target


def of_execline() -> "Iterable[tuple[bytes, bytes]]":
    """Give the programs of execline that are there: name and path."""
    for name in EXECLINE_NAMES:
        for folder in EXECLINE:
            path = folder + b"/" + name
            if os.access(path, os.X_OK):
                yield name, path
                if name == ELTEST:
                    yield TEST, path
                break


def is_free(link: bytes) -> bool:
    """Tell whether there is nothing, or nothing but a link of ours from before."""
    own = programs.folder() + b"/"
    if os.path.islink(link):
        return os.readlink(link).startswith(own)
    return not os.path.lexists(link)


def launchers(folder: bytes) -> list[bytes]:
    """Give the names of our programs: all launchers are one text. OSError."""
    text = content(folder + b"s6-init")
    return [
        name for name in sorted(os.listdir(folder)) if content(folder + name) == text
    ]


def content(path: bytes) -> bytes | None:
    """Give what is in a small file; None for anything else."""
    if not os.path.isfile(path) or os.path.getsize(path) > LAUNCHER_BYTES:
        return None
    with open(path, "rb", buffering=0) as file:
        return file.read()


def replace_link(link: bytes, target: bytes) -> None:
    """Make a link, in the place of one that is there. OSError for anything else."""
    if os.path.islink(link):
        if os.readlink(link) == target:
            return
        os.unlink(link)
    elif os.path.lexists(link) and os.path.samefile(link, target):
        return  # /command is a link to that folder
    os.symlink(target, link)
