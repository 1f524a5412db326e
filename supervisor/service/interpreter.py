"""Says more about a program that is there and cannot be executed.

The system has one answer for a file that is missing and for a script whose
interpreter is. Only looks, and only at regular files.
"""

import errno
import os
import stat

from s6log.unix.messages import reason

HEAD_BYTES = 256  # as much as the kernel reads (BINPRM_BUF_SIZE)
LOOK = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
ANY_EXECUTE = 0o111
SCRIPT = b"#!"
BLANKS = b" \t"
ELF = b"\x7fELF"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
SHORT = {b"\n"[0]: "\\n", b"\r"[0]: "\\r", b"\t"[0]: "\\t"}
SPACE, DELETE = 0x20, 0x7F


def why(path: bytes, directory_fd: int | None, error: OSError) -> bytes:
    """Give the system's reason, and the hint behind it where there is one."""
    more = hint(path, directory_fd, error)
    return reason(error) + (b": " + more if more else b"")


def hint(path: bytes, directory_fd: int | None, error: OSError) -> bytes:
    """Say what is wrong with a program that could not be executed; or nothing.

    `path` is relative to `directory_fd` (None: the current directory), in which it
    would have been executed, as is that of its interpreter.
    """
    say = HINTS.get(error.errno or 0)
    if say is None:
        return b""
    try:
        # Looked at before it is opened: a FIFO or a device would notice that.
        mode = os.stat(path, dir_fd=directory_fd).st_mode
        if not stat.S_ISREG(mode):
            return b""
        if error.errno == errno.EACCES and not mode & ANY_EXECUTE:
            return b"it is not executable"
        return say(_head(path, directory_fd), directory_fd)
    except OSError:
        return b""  # it is gone, or not for us to read: what is known has been said


def interpreter(head: bytes) -> bytes | None:
    """Give the interpreter that the beginning of a script names, as Linux reads it.

    None: it is no script. Empty: there is no name. A carriage return is a letter
    like others.
    """
    if not head.startswith(SCRIPT):
        return None
    line = head[len(SCRIPT) :].partition(b"\n")[0].lstrip(BLANKS)
    return line.replace(b"\t", b" ").replace(b"\0", b" ").partition(b" ")[0]


def visible(text: bytes) -> bytes:
    """Write control characters so that they can be seen."""
    if all(byte >= SPACE and byte != DELETE for byte in text):
        return text
    return b"".join(map(_shown, text))


def _shown(byte: int) -> bytes:
    if byte >= SPACE and byte != DELETE:
        return bytes((byte,))
    return SHORT.get(byte, f"\\x{byte:02x}").encode()


def _head(path: bytes, directory_fd: int | None) -> bytes:
    fd = os.open(path, LOOK, dir_fd=directory_fd)
    try:
        # Once more: somebody may have exchanged it.
        return os.read(fd, HEAD_BYTES) if stat.S_ISREG(os.fstat(fd).st_mode) else b""
    finally:
        os.close(fd)


def _of_missing(head: bytes, directory_fd: int | None) -> bytes:
    """ENOENT, though the program is there."""
    if head.startswith(ELF):
        return b"its dynamic loader is not there: it may be for another C library"
    name = interpreter(head)
    if not name:
        return b""
    try:
        os.stat(name, dir_fd=directory_fd)
    except OSError:
        end = b" (lines end in CR LF)" if name.endswith(b"\r") else b""
        return b"its interpreter %s is not there%s" % (visible(name), end)
    return b"its interpreter %s cannot be executed" % visible(name)


def _of_forbidden(head: bytes, directory_fd: int | None) -> bytes:
    """EACCES, though it may be executed itself."""
    name = interpreter(head)
    if not name:
        return b""
    mode = os.stat(name, dir_fd=directory_fd).st_mode
    if stat.S_ISREG(mode) and mode & ANY_EXECUTE:
        return b""
    return b"its interpreter %s is not executable" % visible(name)


def _of_formless(head: bytes, _directory_fd: int | None) -> bytes:
    """ENOEXEC."""
    if head.startswith(ELF):
        return b"it may be for another kind of processor"
    if head.startswith(BYTE_ORDER_MARK):
        return b"it begins with a byte order mark instead of #!"
    if interpreter(head) is None:
        return b"it has no #! line" if head else b"it is empty"
    return b""


HINTS = {
    errno.ENOENT: _of_missing,
    errno.EACCES: _of_forbidden,
    errno.ENOEXEC: _of_formless,
}
