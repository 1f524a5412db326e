"""Warm loggers, seen from the supervisor: which may be, and having one made.

A run file that can only become our logger is not executed: the nursery makes a
copy of itself that is that logger already. Whatever is in doubt, late or broken
is executed, as all other run files are.
"""

import _socket
import os
import select
import sys
import time

from s6log.unix.fds import rights
from s6log.unix.signals import signal
from supervisor.service import companion
from supervisor.warm import folder
from supervisor.warm.demand import NotReady, Refused
from supervisor.warm.order import MOST_BYTES, READY, Order, encode
from supervisor.warm.origin import Origin
from supervisor.warm.recognize import NAMES, Command, recognize

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from s6log.unix.loop import Loop, Timer
    from s6log.unix.messages import Messages
    from supervisor.service.spawner import Spawner

PROGRAM = b"s6-log-nursery"
ROOM_BYTES = 2048  # for the command lines of loggers, which take the place of its own
RUN_BYTES = 16 << 10  # a larger run file is executed
# The supervisor stands still meanwhile. A fork takes some milliseconds under load:
# one that takes longer hangs, and executing the logger is sooner done.
ANSWER_S = 0.5
READY_NS = 10_000_000_000
FAILURES = 3  # in a row: nurseries that never got ready, or failed at an order
REST_MS = 10_000  # without an order; it has as much memory as a logger or two


class WarmLoggers:
    """Has loggers made by a nursery, which is started when it is first needed.

    `environment` is that of the services, without what is theirs alone.
    """

    __slots__ = (
        "_channel",
        "_environment",
        "_failures",
        "_loop",
        "_messages",
        "_origin",
        "_pid",
        "_ready",
        "_rest",
        "_spawner",
        "_started_ns",
    )

    def __init__(
        self,
        loop: "Loop",
        messages: "Messages",
        spawner: "Spawner",
        environment: "Mapping[bytes, bytes]",
    ) -> None:
        self._loop = loop
        self._messages = messages
        self._spawner = spawner
        self._environment = environment
        self._origin: Origin | None = None
        self._channel: _socket.socket | None = None
        self._pid = 0
        self._ready = False
        self._failures = 0
        self._started_ns = 0
        self._rest: Timer | None = None

    @property
    def pid(self) -> int:
        """The nursery; 0: there is none."""
        return self._pid

    # ---- which

    def recognized(self, directory: int, name: bytes) -> Command | None:
        """Say what ./run in a directory becomes, if that is one of our loggers."""
        if self._failures >= FAILURES:
            return None
        try:
            run = os.open(
                "run", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=directory
            )
        except OSError:
            return None  # executing it will tell why
        try:
            text = os.read(run, RUN_BYTES)
            executable = os.access("run", os.X_OK, dir_fd=directory, effective_ids=True)
        except OSError:
            return None
        finally:
            os.close(run)
        named = any(name in text for name in NAMES)
        if not named or len(text) == RUN_BYTES or not executable:
            return None
        return recognize(text, name)

    # ---- making one

    def start(
        self,
        command: Command,
        directory: int,
        fds: "Mapping[int, int]",
        environment: "Mapping[bytes, bytes]",
    ) -> int:
        """Have a logger made; give its pid, which is that of a child of ours.

        `fds` maps numbers in the logger to descriptors here. Raises NotReady or
        Refused.
        """
        origin = self._known_origin()
        reached = origin.environment(command, environment)
        if reached is None or not origin.unchanged():
            raise Refused
        channel = self._prepared()
        variables = {
            name: value
            for name, value in reached.items()
            if self._environment.get(name) != value
        }
        words = (command.program, *command.arguments)
        message = encode(Order(words, command.user, variables, list(fds)))
        if len(message) > MOST_BYTES:
            raise Refused
        try:
            return self._ordered(channel, message, (directory, *fds.values()))
        except OSError as error:
            self._messages.warn(b"unable to have a logger made; executing it", error)
            self._forget()
            self._count_failure()
            raise Refused from error

    def _known_origin(self) -> Origin:
        """Look at our files, once, before the nursery loads them."""
        if self._origin is None:
            import s6log

            package = os.fsencode(os.path.dirname(s6log.__file__))
            try:
                self._origin = Origin(package, os.fsencode(sys.executable))
            except OSError as error:
                self._failures = FAILURES
                raise Refused from error
        return self._origin

    def _ordered(
        self, channel: "_socket.socket", message: bytes, fds: "Sequence[int]"
    ) -> int:
        """Order a logger, and let it begin once its pid is known.

        It waits at a gate, whose end would tell it that nobody knows of it: so
        there is never one too many.
        """
        gate, key = os.pipe2(os.O_CLOEXEC)
        try:
            data = rights(gate, *fds)
            channel.sendmsg([message], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, data)])
            answer = channel.recv(64)
            if not answer:
                raise ConnectionResetError
            os.write(key, b"!")
            self._failures = 0
            self._plan_rest()
            return int(answer)
        finally:
            os.close(gate)
            os.close(key)

    # ---- the nursery

    def _prepared(self) -> "_socket.socket":
        """Give the channel to a nursery that is ready; or start one."""
        if self._channel is None:
            try:
                self._begin()
            except OSError as error:
                self._messages.warn(b"unable to start the nursery of loggers", error)
                self._failures = FAILURES
                raise Refused from error
        if not self._ready or self._channel is None:
            if time.monotonic_ns() - self._started_ns < READY_NS:
                raise NotReady
            self._forget()
            self._count_failure()
            raise Refused
        return self._channel

    def _begin(self) -> None:
        from supervisor.service.host import Streams

        null = os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC)
        try:
            self._pid, ours = companion.start(
                self._spawner,
                (PROGRAM, b"-" * ROOM_BYTES),
                Streams(null, null),
                self._environment,
            )
        finally:
            os.close(null)
        ours.settimeout(ANSWER_S)
        self._channel = ours
        self._ready = False
        self._started_ns = time.monotonic_ns()
        self._loop.on_exit(self._pid, self._on_exit)
        self._loop.watch(ours.fileno(), select.POLLIN, self._on_word)

    def _on_word(self, _events: int) -> None:
        """Hear that the nursery is ready; its end is heard of as its parent."""
        channel = self._channel
        if channel is None:
            return
        self._loop.unwatch(channel.fileno())
        try:
            self._ready = channel.recv(64) == READY
        except OSError:
            pass
        self._plan_rest()

    def _plan_rest(self) -> None:
        """Let the nursery go if no order comes for a while."""
        if self._rest is not None:
            self._rest.cancel()
        self._rest = self._loop.after(REST_MS, self._let_go)

    def _let_go(self) -> None:
        """End the nursery until it is needed again, which is no failure of it."""
        self._rest = None
        self._forget()

    def _on_exit(self, _wait_status: int) -> None:
        """Hear that the nursery has died by itself: not one that was let go."""
        pid, ready = self._pid, self._ready
        self._pid = 0
        self._forget()
        if not ready:
            folder.clear(pid)
            self._count_failure()

    def _count_failure(self) -> None:
        self._failures += 1
        if self._failures == FAILURES:
            self._messages.warn(b"the nursery of loggers dies: they are executed")

    def _forget(self) -> None:
        """Let the nursery go; the next order starts another.

        Its death comes later, when there may be that other one: all that is left
        to do then is to remove the folder that it may have been rehearsing in.
        """
        pid, ready = self._pid, self._ready
        self._pid = 0
        self._ready = False
        if self._rest is not None:
            self._rest.cancel()
            self._rest = None
        if self._channel is not None:
            self._loop.unwatch(self._channel.fileno())
            self._channel.close()
            self._channel = None
        if not pid:
            return
        os.kill(pid, signal.SIGKILL)
        if ready:
            self._loop.forget_exit(pid)
        else:
            self._loop.on_exit(pid, lambda _wait_status: folder.clear(pid))

    def end(self) -> None:
        """End the nursery, whose loggers go on."""
        pid, ready = self._pid, self._ready
        self._failures = FAILURES
        self._forget()
        if not pid:
            return
        self._loop.forget_exit(pid)
        try:
            os.waitpid(pid, 0)
        except ChildProcessError:
            return  # it is the child of the supervisor that we were forked from
        if not ready:
            folder.clear(pid)
