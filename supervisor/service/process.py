"""The process of a service, run or finish: started, signalled, listened to, adopted.

It may be our child, or that of a supervisor before us.
"""

import os
import select

from supervisor.adoption import pipes
from supervisor.adoption.ledger import Ledger
from supervisor.adoption.pidfd import Adopted
from supervisor.adoption.record import FINISH, NO_INODE, RUN
from supervisor.adoption.safe import readiness_key
from supervisor.service import events
from supervisor.service.programs import Programs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from supervisor.adoption.heritage import Heritage
    from supervisor.adoption.record import Record
    from supervisor.service.definition import Definition, Warn
    from supervisor.service.directory import Directory
    from supervisor.service.host import Host, Streams
    from supervisor.service.status import Status

    Happen = Callable[[str, int], None]

READINESS_BYTES = 512
UNKNOWN_END = 255 << 8  # as a wait status: what finish and the tally are told


class Process:
    """At most one process at a time; what becomes of it is told through `happen`."""

    __slots__ = (
        "_adopted",
        "_directory",
        "_happen",
        "_host",
        "_key",
        "_ledger",
        "_notification",
        "_programs",
        "_warn",
        "pid",
    )

    def __init__(
        self,
        host: "Host",
        name: bytes,
        directory: "Directory",
        definition: "Definition",
        happen: "Happen",
    ) -> None:
        self.pid = 0
        self._host = host
        self._directory = directory
        self._warn: Warn = definition.warn
        self._programs = Programs(host, name, directory, definition)
        self._ledger = Ledger(directory, host.place, definition.warn)
        self._happen = happen
        self._adopted: Adopted | None = None
        found = os.fstat(directory.fd)
        self._key = readiness_key((found.st_dev, found.st_ino))
        self._notification = -1

    # ---- starting

    def start_run(self, streams: "Streams", patient: bool) -> None:
        """Start run; STARTED or NOT_STARTED is told.

        `patient`: NOT_STARTED may also mean that it is better started in a moment.
        """
        started = self._programs.start_run(
            streams, patient, lambda reading: self._expect(streams, reading)
        )
        if not started.pid:
            self._forget(started.notification)
            self._ledger.over()
            self._happen(events.NOT_STARTED, started.delay_ms)
            return
        self._born(started.pid, self._on_death)
        self._ledger.started(started.pid)
        self._happen(events.STARTED, started.pid)
        self._listen(started.notification)

    def _expect(self, streams: "Streams", reading: int) -> None:
        """Leave what a supervisor after us needs: it may be needed at once."""
        if reading >= 0:
            self._host.safe.keep(self._key, (reading,))
        self._ledger.starting(RUN, streams, notification=reading)

    def start_finish(self, streams: "Streams", status: "Status") -> None:
        """Start finish; FINISH_STARTED or NO_FINISH is told."""
        if self._directory.has("finish"):
            self._ledger.starting(FINISH, streams, status.wait_status)
            pid = self._programs.start_finish(streams, status)
            if pid:
                self._born(pid, self._on_finished)
                self._ledger.started(pid)
                self._happen(events.FINISH_STARTED, pid)
                return
        self.pid = 0
        self._ledger.over()
        self._happen(events.NO_FINISH, 0)

    def _born(self, pid: int, on_exit: "Callable[[int], None]") -> None:
        self.pid = pid
        self._host.loop.on_exit(pid, on_exit)

    # ---- adopting

    def recorded(self) -> "Record | None":
        """Give what the supervisor before us has put on record. OSError."""
        return self._ledger.read()

    def adopt(self, heritage: "Heritage", ready: bool) -> None:
        """Take over the process that was found."""
        record, process = heritage.record, heritage.process
        if record is None or process is None:
            return
        self.pid = record.pid
        self._adopted = process
        running = record.state == RUN
        callback = self._on_unseen_death if running else self._on_unseen_finish
        process.on_exit(self._host.loop, callback)
        if running and not ready and record.notification != NO_INODE:
            self._listen(self._recover_notification(record))
        self._ledger.adopted(record)

    def _recover_notification(self, record: "Record") -> int:
        """Get hold of the pipe again through which it says that it is ready."""
        kept = self._host.safe.take(self._key)
        if kept:
            return kept[0]  # never blocks: the same description
        try:
            fd = pipes.take(record.pid, record.notification, writable=False)
        except OSError as error:
            self._warn(b"unable to listen for readiness again", error)
            return -1
        if fd is None:
            return -1  # it has closed its end, and so will never be ready
        os.set_blocking(fd, False)
        return fd

    def disown(self, running: bool) -> None:
        """Go on without being the parent: we are a forked child of the supervisor."""
        if self._adopted is not None or not self.pid:
            return
        self._host.loop.forget_exit(self.pid)
        try:
            self._adopted = Adopted(self.pid)
        except OSError as error:
            self._warn(b"unable to go on supervising it", error)
            return
        callback = self._on_unseen_death if running else self._on_unseen_finish
        self._adopted.on_exit(self._host.loop, callback)

    def _on_unseen_death(self, wait_status: int | None) -> None:
        self._on_death(self._known_end(wait_status))

    def _on_unseen_finish(self, wait_status: int | None) -> None:
        self._on_finished(self._known_end(wait_status))

    def _known_end(self, wait_status: int | None) -> int:
        self._adopted = None
        if wait_status is not None:
            return wait_status
        self._warn(b"it was not our child: its exit status is not known", None)
        return UNKNOWN_END

    def missed(self) -> None:
        """Tell of a run that died while nobody supervised it."""
        self._warn(b"died while it was not supervised", None)
        self._happen(events.DIED, UNKNOWN_END)

    # ---- signals

    def send(self, signum: int) -> None:
        """Send a signal to the process."""
        try:
            if self._adopted is not None:
                self._adopted.send(signum)
            elif self.pid:
                os.kill(self.pid, signum)
        except OSError as error:
            self._not_sent(error)

    def send_group(self, signum: int) -> None:
        """Send a signal to its process group: it leads one, as its session."""
        try:
            if self.pid > 1:  # killpg(2) takes 1 for everybody
                os.killpg(self.pid, signum)
        except OSError as error:
            self._not_sent(error)

    def _not_sent(self, error: OSError) -> None:
        if not isinstance(error, ProcessLookupError):
            self._warn(b"unable to send a signal", error)

    # ---- ends

    def _on_death(self, wait_status: int) -> None:
        # It may have become ready and died before we came to look.
        if self._notification >= 0:
            self._look_for_newline()
            self._stop_listening()
        # The pid stays: finish is told of it, and its group may live on.
        self._happen(events.DIED, wait_status)

    def _on_finished(self, wait_status: int) -> None:
        self.pid = 0
        self._ledger.over()
        self._happen(events.FINISHED, wait_status)

    def close(self) -> None:
        """Stop watching; the process itself is left alone."""
        self._stop_listening()
        if self._adopted is not None:
            self._adopted.close()
            self._adopted = None

    # ---- readiness

    def _listen(self, notification: int) -> None:
        if notification < 0:
            return
        try:
            loop = self._host.loop
            loop.watch(notification, select.POLLIN, self._on_notification)
        except OSError as error:
            self._forget(notification)
            self._warn(b"unable to listen for readiness", error)
        else:
            self._notification = notification

    def _on_notification(self, _ready: int) -> None:
        self._look_for_newline()

    def _look_for_newline(self) -> None:
        """Read what run says on its notification-fd; a newline means ready."""
        try:
            said = os.read(self._notification, READINESS_BYTES)
        except BlockingIOError:
            return
        except OSError:
            said = b""
        if b"\n" in said:
            # Before anything is let go: what has been read cannot be read again by
            # a supervisor after us.
            self._happen(events.NEWLINE, 0)
            self._ledger.ready()
            self._stop_listening()
        elif not said:
            self._stop_listening()

    def _stop_listening(self) -> None:
        if self._notification >= 0:
            self._host.loop.unwatch(self._notification)
            self._forget(self._notification)
            self._notification = -1

    def _forget(self, notification: int) -> None:
        if notification >= 0:
            self._host.safe.drop(self._key)
            os.close(notification)
