"""Runs a few loggers for nothing, so that later ones find everything ready.

What Python works out when it is first needed, it keeps: modules, bytecode that fits
what it met (after eight calls of a function), where the attributes of classes are.
Done here once it is in memory that all copies of this process share; left to them,
each would need time for it, and more than a megabyte of its own.
"""

import os

from s6log.unix.fds import is_open
from s6log.unix.signals import signal
from supervisor.chain import accounts
from supervisor.container import log_directory, logutil_service
from supervisor.warm import folder as place
from supervisor.warm.become import become
from supervisor.warm.order import Order, decode, encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.warm.become import Room

ROUNDS = 10
SCRIPTS = (
    b"n2 s4096 ./a",
    b"-b n2 s4096 t ./a",
    b"T - +o.*e p: ./a",
    b"@tag=a @join=indent ./a",
    b"@json ./a",
)
LINES = b"one\ntwo\nthree\n" * 400  # less than a pipe holds, more than a file
STDIN, STDERR = 0, 2
MOST_DESCRIPTORS = 64
SCRIPT = b"n2 s4096 T"


def rehearse(room: "Room") -> None:
    """Run the scripts; nothing stays but what Python has learned.

    Descriptor 0 then is /dev/null. Without a folder to log to, nothing is run.
    """
    _look_up_accounts()
    before = _descriptors()
    folder = place.make()
    if folder is None:
        return
    errors = os.dup(STDERR)
    null = os.open("/dev/null", os.O_WRONLY | os.O_CLOEXEC)
    os.dup2(null, STDERR)
    for _ in range(ROUNDS):
        for script in SCRIPTS:
            _run(folder, script.split(), room)
        _prepare(os.fsencode(folder))
    os.dup2(errors, STDERR)
    os.chdir("/")
    place.remove(folder)
    for fd in _descriptors() - before:
        os.close(fd)
    for signum in signal.valid_signals():
        if signal.getsignal(signum) not in (signal.SIG_DFL, signal.SIG_IGN):
            signal.signal(signum, signal.SIG_DFL)


def _look_up_accounts() -> None:
    """Have the C library load what it finds users with, some hundred kilobytes.

    To become one is not tried here.
    """
    accounts.account(logutil_service.ACCOUNT)
    accounts.group(logutil_service.ACCOUNT)


def _prepare(folder: bytes) -> None:
    """Do what logutil-service does before it becomes the logger."""
    environment = {logutil_service.SCRIPT: SCRIPT}
    logutil_service.command(environment, folder + b"/log")
    logutil_service.remaining(environment)
    log_directory.prepare(folder + b"/log", os.geteuid(), os.getegid())


def _run(folder: str, script: list[bytes], room: "Room") -> None:
    reading, writing = os.pipe()
    os.write(writing, LINES)
    os.close(writing)
    directory = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    order = Order((b"s6-log", *script), None, {}, (STDIN,))
    become(decode(encode(order)), (directory, reading), room)


def _descriptors() -> set[int]:
    return {fd for fd in range(MOST_DESCRIPTORS) if is_open(fd)}
