"""s6-notifyoncheck: become a service, and say that it is ready when a check succeeds.

The program takes this process, so that it is the one that s6-supervise started. A
child checks it, and ends with it.
"""

import os

from s6log.unix.getopt import UINT32_MAX, decimal
from s6log.unix.messages import DONE, MISTAKE, REFUSED, Fatal, Messages
from supervisor.chain.execute import execute
from supervisor.clients.asking import supervised
from supervisor.clients.check_plan import FD, Plan
from supervisor.manual import Manual, Misuse

HERE = b"."
FILE = b"./notification-fd"
MOST_BYTES = 64  # of that file
INT32_MAX = 2**31 - 1  # of a descriptor

MANUAL = Manual(
    "s6-notifyoncheck",
    "[ -d ] [ -3 fd ] [ -s initialsleep ] [ -T globaltimeout ] [ -t localtimeout ]"
    ' [ -w waitingtime ] [ -n tries ] [ -c "checkprog..." ] prog...',
    (
        ("-d", "check in a grandchild, so that prog has no child (--doublefork)"),
        ("-3 fd", "where to say ready (--notification-fd, else ./notification-fd)"),
        ("-s ms", "before the first check (--initial-sleep; 10)"),
        ("-T ms", "for all checks together (--global-timeout; 0: no limit)"),
        ("-t ms", "for one check (--local-timeout; 0: no limit)"),
        ("-w ms", "from one check to the next (--waiting-time; 1000)"),
        ("-n tries", "how many checks (--tries; 7, 0: no limit)"),
        ("-c checkprog", "what checks, as execlineb reads it (--check-program)"),
    ),
    "For run scripts of services that cannot say when they are ready. Become prog...\n"
    "while a child runs ./data/check until it succeeds, then say so for the service.",
)


def main(arguments: list[bytes]) -> int:
    """Become the program; in the child, return its exit code."""
    if MANUAL.answered(arguments):
        return DONE
    try:
        plan = Plan(arguments)
    except Misuse:
        return MANUAL.usage()
    fd = plan.numbers.get(FD)
    if fd is None:
        fd = read_fd()
    make_sure(fd)
    read_end, write_end = os.pipe()
    if fork(plan.twice):
        os.close(read_end)
        return watch_over(plan, fd, write_end)
    os.close(write_end)
    os.close(fd)
    # Only when the child hears what happens: the service may die at once.
    if not os.read(read_end, 1):
        raise Fatal(REFUSED, b"unable to synchronize with child")
    return execute(plan.program)


def read_fd() -> int:
    """Read the descriptor from the service directory. Raises Fatal."""
    try:
        with open(FILE, "rb", buffering=0) as file:
            text = file.read(MOST_BYTES) or b""
    except OSError as error:
        raise Fatal(REFUSED, b"unable to read " + FILE, error) from error
    fd = decimal(text.partition(b"\n")[0], UINT32_MAX)
    if fd is None:
        raise Fatal(MISTAKE, b"invalid " + FILE)
    return fd


def make_sure(fd: int) -> None:
    """Make sure that one can say something and somebody listens. Raises Fatal."""
    try:
        os.fstat(min(fd, INT32_MAX))  # which no descriptor reaches
    except OSError as error:
        raise Fatal(REFUSED, FD + b" sanity check failed", error) from error
    try:
        runs = supervised(HERE)
    except OSError as error:
        text = b"unable to sanity-check current service directory"
        raise Fatal(REFUSED, text, error) from error
    if not runs:
        raise Fatal(MISTAKE, b"s6-supervise not running.")


def fork(twice: bool) -> bool:
    """Fork, or have the child do it and end; tell whether this is the new process."""
    try:
        if not twice:
            return os.fork() == 0
        child = os.fork()
        if child:
            os.waitpid(child, 0)
            return False
        if os.fork():
            os._exit(DONE)
    except OSError as error:
        raise Fatal(REFUSED, b"unable to fork", error) from error
    return True


def watch_over(plan: Plan, fd: int, started: int) -> int:
    """Be the child: check, say ready on `fd`; return the exit code."""
    # Not at the top: the service is to start soon.
    from supervisor.clients.checking import READY, check

    def tell_parent() -> None:
        os.write(started, b"\0")
        os.close(started)

    messages = Messages(b"s6-notifyoncheck (child)")
    try:
        code = check(plan, messages, tell_parent)
    except Fatal as failure:
        return messages.fatal(failure)
    if code == READY:
        os.write(fd, b"\n")
    return code
