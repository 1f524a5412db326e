"""Becomes a logger: what a fresh copy of the nursery does.

The one module of the supervisor that uses the logger. It makes the process what
executing the run file would have made of it, and goes on as the program does.
"""

import fcntl
import os
import time

from s6log.__main__ import main, take_name
from s6log.unix.messages import DONE, REFUSED, Fatal, Messages
from supervisor.chain import accounts, applyuidgid, envuidgid
from supervisor.container import logutil_service
from supervisor.warm.recognize import LOGUTIL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from supervisor.warm.order import Order

TIME_ZONE = b"TZ"


class Room:
    """Memory that others can see, through /proc/PID/cmdline say (proc(5))."""

    __slots__ = ("address", "size")

    def __init__(self, address: int, size: int) -> None:
        self.address = address
        self.size = size

    def show(self, words: "Sequence[bytes]") -> None:
        """Put words there, each ended by NUL, as far as they fit.

        All that is behind them is NUL too, which ps(1) and pgrep(1) do not mind.
        Where there is no /proc nothing is done, and nobody can see it.
        """
        text = b"\0".join(words)[: max(0, self.size - 1)]
        try:
            memory = os.open("/proc/self/mem", os.O_WRONLY | os.O_CLOEXEC)
        except OSError:
            return
        try:
            os.pwrite(memory, text.ljust(self.size, b"\0"), self.address)
        finally:
            os.close(memory)


def become(order: "Order", fds: "Sequence[int]", room: Room) -> int:
    """Become the logger, run it to its end and return the exit code.

    `fds` are that of its directory and those for the order's numbers, owned from
    now on. `room` is that of the command line. The user changes last, as another
    one may not write to /proc/self, and before anything is opened.
    """
    voice = Messages(order.words[0])
    is_logutil = order.words[0] == LOGUTIL
    try:
        os.fchdir(fds[0])
        _take_descriptors(order.numbers, fds)
        _take_variables(order.variables)
        words = _prepare(order.words[1]) if is_logutil else order.words
        appear(words, room)
        if is_logutil:
            logutil_service.change_user()
    except OSError as error:
        return voice.fatal(Fatal(REFUSED, b"unable to start", error))
    except Fatal as failure:
        return voice.fatal(failure)
    code = DONE if order.user is None else change_user(order.user)
    return code or main([os.fsdecode(word) for word in words])


def _prepare(directory: bytes) -> "Sequence[bytes]":
    """Do as logutil-service does as root; give the logger's words. Raises Fatal.

    The environment is what the launcher of s6-log makes of the one that it gets.
    """
    words = logutil_service.command(os.environb, directory)
    logutil_service.ready(directory)
    variables = logutil_service.remaining(os.environb)
    os.environb.clear()
    _take_variables(variables)
    time.tzset()
    return words


def appear(words: "Sequence[bytes]", room: Room) -> None:
    """Be seen as a program with its arguments: in /proc/PID/comm and cmdline."""
    take_name(os.fsdecode(words[0]))
    room.show(words)


def _take_descriptors(numbers: "Sequence[int]", fds: "Sequence[int]") -> None:
    """Move all but the first to their numbers, and close what they were.

    By way of higher ones, so that no move closes what another one needs.
    """
    above = max(*numbers, *fds) + 1
    copies = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, above) for fd in fds[1:]]
    for fd in fds:
        os.close(fd)
    for copy, number in zip(copies, numbers, strict=True):
        os.dup2(copy, number)
        os.close(copy)


def _take_variables(variables: "Mapping[bytes, bytes]") -> None:
    """Change the environment; PWD too, as the shells do that a logger comes from."""
    os.environb[b"PWD"] = os.getcwdb()
    for name, value in variables.items():
        os.environb[name] = value
    if TIME_ZONE in variables:
        time.tzset()


def change_user(account: bytes) -> int:
    """Do as s6-setuidgid does; return its exit code, 0 when it is done."""
    uid, colon, gid = account.partition(b":")
    try:
        if colon:
            applyuidgid.become(int(uid), int(gid), ())
            return DONE
        ids = accounts.account(account)
        if ids is None:
            unknown = envuidgid.unknown(envuidgid.USER, account)
            return envuidgid.MANUAL.messages.fatal(unknown)
        applyuidgid.become(ids.uid, ids.gid, ids.gids)
    except Fatal as failure:
        return applyuidgid.MANUAL.messages.fatal(failure)
    for name in applyuidgid.UNSET:
        os.environb.pop(name, None)
    return DONE
