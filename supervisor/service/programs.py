"""Starting run and finish of one service: arguments, environment, descriptors."""

import errno
import os

from s6log.unix.messages import reason
from supervisor.service.namespaces import ChildrenInNewNamespace
from supervisor.warm.demand import NotReady, Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from supervisor.service.definition import Definition
    from supervisor.service.directory import Directory
    from supervisor.service.host import Host, Streams
    from supervisor.service.status import Status

RETRY_MS = 60_000  # s6 2.15; 2.11 waits 10 seconds
# The system is short of something: that passes sooner than a mistake is mended.
SHORT_RETRY_MS = 10_000
SHORT_OF = (errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE)
MS_PER_SECOND = 1000
SIGNALED = 256  # what finish gets as the exit code when run died of a signal
NURSERY_MS = 50  # it needs some hundred to get ready, once
RUN = b"./run"
FINISH = b"./finish"
SERVICE_VARIABLE = b"S6_SERVICE"
FIRST_NOTIFICATION = 1  # as stdin it would take the logger's input away


class Started:
    """A run that was started: its pid, and the reading end of its notification-fd.

    pid 0: it was not; try again in `delay_ms`, or with 0 when told to. The caller
    owns the descriptor either way.
    """

    __slots__ = ("delay_ms", "notification", "pid")

    def __init__(self, pid: int, notification: int = -1, delay_ms: int = 0) -> None:
        self.pid = pid
        self.notification = notification
        self.delay_ms = delay_ms


class Programs:
    """Knows how run and finish of one service are started."""

    __slots__ = ("_definition", "_directory", "_host", "_name")

    def __init__(
        self,
        host: "Host",
        name: bytes,
        directory: "Directory",
        definition: "Definition",
    ) -> None:
        self._host = host
        self._name = name
        self._directory = directory
        self._definition = definition

    def start_run(
        self, streams: "Streams", patient: bool, expect: "Callable[[int], None]"
    ) -> Started:
        """Start ./run; a failure is told in a warning.

        `patient`: it may also be started in a moment, when that is of use.
        `expect` is called right before, with the reading end or -1.
        """
        fd = self._notification_fd()
        lock_fd = self._lock_fd()
        if fd is not None and fd == lock_fd:
            self._warn(
                b"unable to start service: notification-fd and lock-fd are the same"
            )
            return Started(0)  # until a command comes: only then has it changed
        try:
            argv = self._argv(lock_fd)
        except OSError as error:
            return self._failed(b"unable to open supervise/service-lock", error)
        if fd is None:
            expect(-1)
            return self._spawn_run(argv, streams, {}, patient)
        try:
            reading, writing = os.pipe2(os.O_CLOEXEC)
        except OSError as error:
            return self._failed(b"unable to create a notification pipe", error)
        os.set_blocking(reading, False)
        expect(reading)
        try:
            started = self._spawn_run(argv, streams, {fd: writing}, patient)
        finally:
            os.close(writing)
        started.notification = reading
        return started

    def start_finish(self, streams: "Streams", status: "Status") -> int:
        """Start ./finish for a run that has died; 0 when there is none to start."""
        code, signum = status.wait_status >> 8 & 0xFF, status.wait_status & 0x7F
        argv = (
            FINISH,
            b"%d" % (SIGNALED if signum else code),
            b"%d" % signum,
            self._name,
            b"%d" % status.pid,
        )
        try:
            return self._start(argv, streams, {})
        except OSError as error:
            self._warn(b"unable to spawn ./finish: " + self._why(FINISH, error))
        return 0

    def _spawn_run(
        self,
        argv: "Sequence[bytes]",
        streams: "Streams",
        extra: dict[int, int],
        patient: bool,
    ) -> Started:
        try:
            if self._definition.has("flag-newpidns"):
                with ChildrenInNewNamespace():
                    return Started(self._start(argv, streams, extra))
            if argv[0] == RUN:
                pid = self._start_warm(streams, extra, patient)
                if pid:
                    return Started(pid)
            return Started(self._start(argv, streams, extra))
        except NotReady:
            return Started(0, delay_ms=NURSERY_MS)
        except OSError as error:
            return self._failed(b"unable to spawn ./run", error, argv[0])

    def _start_warm(
        self, streams: "Streams", extra: dict[int, int], patient: bool
    ) -> int:
        """Have ./run made by the nursery, if it can only be our logger; else 0.

        Raises NotReady to those who are patient.
        """
        warm = self._host.warm
        if warm is None:
            return 0
        command = warm.recognized(self._directory.fd, self._name)
        if command is None or self._definition.has("nowarm"):
            return 0
        fds = {0: streams.stdin, 1: streams.stdout, 2: streams.stderr, **extra}
        environment = self._environment()
        try:
            return warm.start(command, self._directory.fd, fds, environment)
        except Refused:
            return 0
        except NotReady:
            if patient:
                raise
            return 0

    def _start(
        self, argv: "Sequence[bytes]", streams: "Streams", extra: dict[int, int]
    ) -> int:
        return self._host.spawner.start(
            argv, self._directory.fd, streams, self._environment(), extra
        )

    def _failed(
        self, what: bytes, error: OSError, program: bytes | None = None
    ) -> Started:
        delay_ms = SHORT_RETRY_MS if error.errno in SHORT_OF else RETRY_MS
        wait = b" (waiting %d seconds)" % (delay_ms // MS_PER_SECOND)
        why = reason(error) if program is None else self._why(program, error)
        self._warn(what + wait + b": " + why)
        return Started(0, delay_ms=delay_ms)

    def _why(self, program: bytes, error: OSError) -> bytes:
        """Say why a program of the directory could not be started."""
        from supervisor.service import interpreter  # seldom wanted

        return interpreter.why(program, self._directory.fd, error)

    def _argv(self, lock_fd: int | None) -> "Sequence[bytes]":
        run = (RUN, self._name)
        if lock_fd is None:
            return run
        # The lock must belong to the process that becomes run: it is taken there,
        # and waited for there.
        from supervisor.service import locked_run

        locked_run.prepare(self._directory, self._warn)
        return locked_run.command(lock_fd, run)

    def _notification_fd(self) -> int | None:
        fd = self._definition.number("notification-fd")
        if fd is None:
            return None
        if not FIRST_NOTIFICATION <= fd < self._host.spawner.soft_limit:
            self._definition.invalid("notification-fd")
            return None
        return fd

    def _lock_fd(self) -> int | None:
        fd = self._definition.number("lock-fd")
        if fd is None:
            return None
        if not 0 < fd < self._host.spawner.soft_limit:
            self._definition.invalid("lock-fd")
            return None
        return fd

    def _environment(self) -> dict[bytes, bytes]:
        """Give the supervisor's environment, and the service's name.

        The name is a decided difference from s6; `nosvcenv` takes it out.
        """
        if not self._host.named or self._definition.has("nosvcenv"):
            return self._host.environment
        service = self._name.removesuffix(b"/log")
        return {**self._host.environment, SERVICE_VARIABLE: service}

    def _warn(self, text: bytes) -> None:
        self._host.warn(self._name, text)
