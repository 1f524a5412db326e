"""What a running process is doing, read from /proc without touching it."""

import os
import signal
from pathlib import Path

from harness import Process, wait_until

HANDLED = 1 << (signal.SIGALRM - 1)
"""The mask bit of a signal that every logger takes over before it reads."""


def facts(pid: int) -> dict[str, str]:
    """Read /proc/PID/status; empty when there is no such process."""
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return {}
    return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)


def ended(known: dict[str, str]) -> bool:
    """Tell from its facts whether a process is gone or waits to be collected."""
    return not known or known["State"].startswith(("Z", "X"))


def listening(known: dict[str, str]) -> bool:
    """Tell whether a logger has got as far as its signals (signalfd or handler)."""
    return bool((int(known["SigCgt"], 16) | int(known["SigBlk"], 16)) & HANDLED)


def switches(known: dict[str, str]) -> int:
    """Count how often the process went to sleep by itself."""
    return int(known["voluntary_ctxt_switches"])


def resident_bytes(pid: int) -> int:
    """Give the memory that a process occupies now."""
    return int(facts(pid)["VmRSS"].split()[0]) * 1024


def children(pid: int) -> list[int]:
    """List the child processes of a process with one thread."""
    try:
        listed = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [int(child) for child in listed.split()]


def descriptors(pid: int) -> dict[int, str]:
    """Give the open descriptors of a process and what each refers to."""
    folder = f"/proc/{pid}/fd"
    return {int(fd): os.readlink(f"{folder}/{fd}") for fd in os.listdir(folder)}


def flags(pid: int, fd: int) -> int:
    """Give the open file description flags behind a descriptor of a process."""
    text = Path(f"/proc/{pid}/fdinfo/{fd}").read_text()
    fields = dict(line.split(":", 1) for line in text.splitlines())
    return int(fields["flags"], 8)


def _asleep(known: dict[str, str]) -> bool:
    pending = int(known["SigPnd"], 16) | int(known["ShdPnd"], 16)
    return known["State"].startswith("S") and not pending


def _waiting(pid: int) -> bool:
    """Tell whether a process is inside a system call, not on its way out of one.

    A process that its control group has run out of time for shows as asleep too
    (seen with Linux 6.18), when it is about to return to its own code.
    """
    try:
        return Path(f"/proc/{pid}/syscall").read_text()[:1].isdigit()
    except PermissionError:
        return True  # not ours to know; the state has to do
    except (FileNotFoundError, ProcessLookupError):
        return False


def settle(process: Process) -> None:
    """Wait until a logger has done all it can do for now, or has ended.

    A write to its pipe or a signal makes a sleeping process runnable before the
    system call that did it returns. So once it sleeps with no signal pending, and
    a second look finds that it slept all along, it has dealt with everything that
    happened before the call. A processor it started may still run.
    """
    wait_until(lambda: _settled(process.pid), f"{process.args!r} to settle")


def rest(process: Process) -> None:
    """Wait until a logger has settled and runs no child."""
    wait_until(
        lambda: not children(process.pid) and _settled(process.pid),
        f"{process.args!r} to come to rest",
    )


def _settled(pid: int) -> bool:
    first = facts(pid)
    if ended(first):
        return True
    if not (listening(first) and _asleep(first) and _waiting(pid)):
        return False
    second = facts(pid)
    if ended(second):
        return False
    return _asleep(second) and switches(second) == switches(first)
