"""A stand-in for the process that holds the pipes of services and announces them."""

import base64
import contextlib
import json
import math
import os
import re
import select
import socket
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from harness import DEADLINE_S, Pipe, Process, Program, Stage, finish, ours, running
from watching import facts, switches

NAME = "s6-init-console"
STREAMS = {1: b"stdout", 2: b"stderr"}
# Descriptor 3 of a test may be anybody's: a shell makes it out of another one.
WITH_SOCKET = ("sh", "-c", 'exec "$@" 3<&0 0</dev/null', "sh")

FED_BYTES = 20_000

Who = tuple[str, int]
"""A service, and the descriptor that it writes to."""

Log = dict[Who, list[bytes]]
"""The lines of each, in order."""

OBSERVED_S = 2.0
"""Long enough to see any wake-up that comes at least twice in a while."""

TAGGED = re.compile(rb"(\S+) +\| (.*)", re.DOTALL)


class Console:
    """One running program, and the socket on which it is told of pipes."""

    def __init__(self, process: Process, channel: socket.socket) -> None:
        self.process = process
        self.channel = channel

    def announce(self, who: Who, fd: int) -> None:
        """Tell it of a pipe."""
        name, number = who
        self.send(b"%d%b" % (number, os.fsencode(name)), fd)

    def send(self, packet: bytes, *fds: int) -> None:
        """Send whatever it is."""
        socket.send_fds(self.channel, [packet], fds)

    def end(self) -> None:
        """Tell it that nothing more will come."""
        self.channel.close()


class Holder:
    """Holds both ends of each pipe, whatever becomes of the program that reads it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.pipes: dict[Who, Pipe] = {}

    def __enter__(self) -> "Holder":
        return self

    def __exit__(self, *_: object) -> None:
        self.end()
        for pipe in self.pipes.values():
            pipe.drop_read()

    def open(self, *everybody: Who) -> list[Pipe]:
        """Make pipes."""
        made = {who: Pipe() for who in everybody}
        self.pipes |= made
        return list(made.values())

    def end(self) -> None:
        """Close all write ends: the services have ended."""
        for pipe in self.pipes.values():
            pipe.end()

    @contextlib.contextmanager
    def showing(
        self,
        form: str,
        stdout: int = Stage.stdout,
        stderr: int = Stage.stderr,
        env: Mapping[str, str] | None = None,
    ) -> Iterator[Console]:
        """Run the program for the length of a with block; it knows of all pipes."""
        here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        stage = Stage(self._folder, there.fileno(), stdout, stderr, env=env or {})
        program = Program(NAME, (*WITH_SOCKET, *ours(NAME).argv))
        with here, there, running(program, [form], stage) as process:
            there.close()
            console = Console(process, here)
            for who, pipe in self.pipes.items():
                console.announce(who, pipe.read)
            yield console


def pump(
    feeding: dict[Pipe, bytes],
    out: int,
    step_bytes: int = 1 << 16,
    enough_bytes: float = math.inf,
) -> bytes:
    """Feed pipes, all at once, and read an output meanwhile; give what was read.

    Until all is fed, or so much was read; what was not fed is left. Not more than
    `step_bytes` at a time are read.
    """
    seen = bytearray()
    deadline = time.monotonic() + DEADLINE_S
    while any(feeding.values()) and len(seen) < enough_bytes:
        assert time.monotonic() < deadline, f"{len(seen)} bytes, and nothing new"
        by_fd = {pipe.write: pipe for pipe, rest in feeding.items() if rest}
        readable, writable, _ = select.select([out], list(by_fd), [], 1.0)
        for fd in writable:
            pipe = by_fd[fd]
            # Some at a time, or those that come first would be far ahead.
            feeding[pipe] = feeding[pipe][pipe.offer(feeding[pipe][:FED_BYTES]) :]
        if readable:
            seen += os.read(out, step_bytes)
        if readable or writable:
            deadline = time.monotonic() + DEADLINE_S
    return bytes(seen)


def drain(out: Pipe) -> bytes:
    """Read the rest of an output; this was the last writer of it here."""
    out.end()
    with open(out.read, "rb", closefd=False) as reader:
        return reader.read()


def from_json(out: bytes) -> Log:
    """Read objects."""
    log: Log = {}
    numbers = {stream.decode(): number for number, stream in STREAMS.items()}
    for record in out.splitlines():
        entry = json.loads(record)
        assert set(entry) <= {"ts", "service", "stream", "msg", "msg_base64"}
        text = entry["msg"].encode()
        if "msg_base64" in entry:
            text = base64.b64decode(entry["msg_base64"])
        log.setdefault((entry["service"], numbers[entry["stream"]]), []).append(text)
    return log


def from_tags(out: bytes) -> dict[bytes, list[bytes]]:
    """Read tagged lines: those of each service."""
    log: dict[bytes, list[bytes]] = {}
    for record in out.split(b"\n")[:-1]:
        match = TAGGED.fullmatch(record)
        assert match, record[:100]
        log.setdefault(match[1], []).append(match[2])
    return log


def shown(folder: Path, form: str, data: dict[Who, bytes], **env: str) -> bytes:
    """Have some bytes of each shown; give standard output."""
    with Holder(folder) as holder, Pipe() as out:
        holder.open(*data)
        with holder.showing(form, out.write, env=env) as console:
            seen = pump({holder.pipes[who]: data[who] for who in data}, out.read)
            holder.end()
            console.end()
            seen += drain(out)
            ended = finish(console.process)
            assert (ended.code, ended.err) == (0, b"")
    return seen


def wakes(pid: int) -> int:
    """Count the wake-ups of a process while it is watched."""
    before = switches(facts(pid))
    # Not synchronisation: it is the time in which nothing must happen.
    time.sleep(OBSERVED_S)
    return switches(facts(pid)) - before
