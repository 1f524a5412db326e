"""One service directory under supervision: the machine's effects, carried out.

What it decides is in `machine`; here is what touches the system. Everything that
can go wrong becomes a warning, or an event for the machine.
"""

import os
import select

from s6log.unix.signals import signal
from supervisor.adoption.heritage import DIED, NOTHING, Heritage, look, resumed
from supervisor.adoption.record import RUN
from supervisor.service import events, fifodir, restarts, tally
from supervisor.service.commands import COMMANDS
from supervisor.service.definition import Definition
from supervisor.service.directory import SUPERVISE_MODE, Directory, unable
from supervisor.service.machine import Machine
from supervisor.service.process import Process
from supervisor.service.shown import Shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from s6log.unix.loop import Timer
    from supervisor.service.host import Host, Streams

CONTROL = "supervise/control"
COMMANDS_AT_ONCE = 512  # bytes; more of them wait for the next turn
FINISH_LIMIT_MS = 5000


class Service:
    """Supervises one service, from `begin` until it calls `on_end(service)`.

    `name` is what run and finish are told; `directory` an O_PATH descriptor, owned
    from now on; `streams` are what run gets as 0, 1 and 2, and stay the caller's.
    """

    __slots__ = (
        "_control",
        "_definition",
        "_directory",
        "_host",
        "_lock",
        "_machine",
        "_on_end",
        "_process",
        "_shown",
        "_streams",
        "_timer",
        "let_go",
        "name",
    )

    def __init__(
        self,
        host: "Host",
        name: bytes,
        directory: int,
        streams: "Streams",
        on_end: "Callable[[Service], None]",
    ) -> None:
        self.name = name
        self.let_go = False  # of stdin and stdout: they are not used any more
        self._host = host
        self._directory = Directory(directory)
        self._definition = Definition(self._directory, self._warn)
        self._shown = Shown(self._directory, self._warn)
        self._process = Process(
            host, name, self._directory, self._definition, self._happen
        )
        self._streams = streams
        self._on_end = on_end
        self._machine = Machine(False, host.now().wall_ns)
        self._control = self._lock = -1
        self._timer: Timer | None = None

    @property
    def state(self) -> str:
        """The machine's state, one of events.STATES."""
        return self._machine.state

    @property
    def want_up(self) -> bool:
        """Whether it is to run."""
        return self._machine.status.want_up

    @property
    def untried(self) -> bool:
        """Whether its first start is still to come."""
        return self.state == events.DOWN and self._machine.deadline_ns == 0

    @property
    def gave_up(self) -> bool:
        """Whether it has failed for good."""
        return self._machine.gave_up

    @property
    def up(self) -> bool:
        """Whether run runs."""
        return self.state in (events.UP, events.LASTUP)

    @property
    def ready(self) -> bool:
        """Whether it runs and has said that it is ready."""
        return self.up and self._machine.status.ready

    @property
    def notifies(self) -> bool:
        """Whether it is to say when it is ready, as far as its directory tells."""
        return self._definition.has("notification-fd")

    @property
    def pid(self) -> int:
        """The process of run or finish; 0 when there is none."""
        return self._machine.status.pid

    # ---- beginning and end

    def begin(self) -> None:
        """Make and take supervise/, tell listeners, and start soon if wanted up.

        What a supervisor before us has left running is taken over. Raises Fatal
        when this directory cannot be supervised; all is closed then.
        """
        try:
            self._take()
            self._listen()
            self._begin(self._heritage())
        except BaseException:
            self._close()
            raise
        self._arm()

    def send(self, event: str) -> None:
        """Tell it TERM, HUP, QUIT or INT, as a signal to s6-supervise; or DRAIN."""
        self._happen(event)

    def disown(self) -> None:
        """Go on as a forked child of the supervisor that started its processes."""
        self._process.disown(self.state in (events.UP, events.LASTUP))

    def _begin(self, heritage: Heritage) -> None:
        fifodir.clean(self._directory)
        if heritage.found == NOTHING:
            self._shown.forget_deaths()
            self._machine.status.want_up = not self._shown.down
        else:
            self._resume(heritage)
        self._write_status()
        self._shown.tell(b"s")
        if heritage.found == DIED:
            self._process.missed()

    def _take(self) -> None:
        os.umask(0)
        try:
            fifodir.make(self._directory)
            self._directory.make("supervise", SUPERVISE_MODE)
            self._lock = self._directory.open_lock(self._host.locked)
            self._control = self._directory.open_control(CONTROL)
        finally:
            os.umask(self._host.umask)

    def _heritage(self) -> Heritage:
        host = self._host
        try:
            record = self._process.recorded()
        except OSError as error:
            raise unable("read supervise/process", error) from error
        return look(record, host.place, self._directory, host.orphans())

    def _listen(self) -> None:
        try:
            self._host.loop.watch(self._control, select.POLLIN, self._on_control)
        except OSError as error:
            raise unable(f"listen to {CONTROL}", error) from error

    def _resume(self, heritage: Heritage) -> None:
        """Go on where the last supervisor stopped."""
        record = heritage.record
        assert record is not None  # noqa: S101 - found something: there is a record
        known = self._shown.known_status()
        status = resumed(known, record, self._host.now().wall_ns)
        state = events.UP if record.state == RUN else events.FINISH
        self._machine.adopt(state, status)
        self._process.adopt(heritage, status.ready)
        if state == events.FINISH:
            self._limit_finish()  # from now: when it began is not known

    def _close(self) -> None:
        """Give back everything, the lock last."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._process.close()
        if self._control >= 0:
            self._host.loop.unwatch(self._control)
            os.close(self._control)
        if self._lock >= 0:
            found = os.fstat(self._lock)
            self._host.locked.discard((found.st_dev, found.st_ino))
            os.close(self._lock)
        os.close(self._directory.fd)
        self._control = self._lock = self._directory.fd = -1

    # ---- events

    def _on_control(self, _ready: int) -> None:
        try:
            letters = os.read(self._control, COMMANDS_AT_ONCE)
        except BlockingIOError:
            return
        for code in letters:
            command = COMMANDS.get(bytes((code,)))
            if command is not None and self.state != events.ENDED:
                self._happen(command.event, command.signal)

    def _on_timer(self) -> None:
        self._timer = None
        self._happen(events.TIMER)

    def _happen(self, event: str, number: int = 0) -> None:
        """Let the machine decide, and do what it says.

        An effect may lead to the next event at once (a start): then the outer call
        has nothing left to do but what this one does too.
        """
        try:
            self._step(event, number)
        except Exception as error:  # noqa: BLE001 - one service's bug is not the tree's
            text = f"internal error: {type(error).__name__}: {error}"
            self._warn(text.replace("\n", " ").encode(errors="backslashreplace"))
        if self._lock < 0:
            return  # closed by what this event led to
        if self.state == events.ENDED:
            self._close()
            self._on_end(self)
        else:
            self._arm()
        self._host.on_change()

    def _step(self, event: str, number: int) -> None:
        for effect, argument in self._machine.step(event, self._host.now(), number):
            if argument is None:
                EFFECTS[effect](self)
            elif isinstance(argument, bytes):
                self._shown.tell(argument)  # NOTIFY is the only one with text
            elif effect == events.KILL:
                self._process.send(argument)
            else:
                self._process.send_group(argument)

    def _arm(self) -> None:
        """Keep one timer, at the machine's deadline."""
        due_ns = self._machine.deadline_ns
        timer = self._timer
        if timer is not None:
            if timer.deadline_ns == due_ns:
                return
            timer.cancel()
        loop = self._host.loop
        self._timer = None if due_ns is None else loop.at(due_ns, self._on_timer)

    # ---- effects

    def _start_run(self) -> None:
        # A logger that starts for what is left has one chance only.
        patient = self.state != events.LASTDOWN
        self._process.start_run(self._streams, patient)

    def _start_finish(self) -> None:
        self._process.start_finish(self._streams, self._machine.status)

    def _kill_down(self) -> None:
        self._process.send(self._definition.signal("down-signal", signal.SIGTERM))

    def _kill_reload(self) -> None:
        signum = self._definition.signal("reload-signal", signal.SIGHUP)
        self._machine.restarts.sent(signum, self._host.now().monotonic_ns)
        self._process.send(signum)

    def _kill_hard(self) -> None:
        group = self._definition.has("flag-timeout-killpg")
        send = self._process.send_group if group else self._process.send
        send(signal.SIGKILL)
        send(signal.SIGCONT)

    def _limit_dying(self) -> None:
        self._limit("timeout-kill", 0)

    def _limit_finish(self) -> None:
        self._limit("timeout-finish", FINISH_LIMIT_MS)

    def _limit(self, name: str, default_ms: int) -> None:
        given_ms = self._definition.number(name)
        limit_ms = default_ms if given_ms is None else given_ms
        if limit_ms:
            self._machine.arm(limit_ms, self._host.now())

    def _write_status(self) -> None:
        self._shown.write_status(self._machine.status)

    def _record_death(self) -> None:
        most = self._definition.number("max-death-tally")
        most = tally.DEFAULT_MOST if most is None else most
        self._shown.record_death(self._machine.status, most)

    def _count_death(self) -> None:
        if not self._machine.restarts.unasked:
            return
        limit = self._definition.parsed("give-up", restarts.limit)
        reason = self._machine.count_death(limit)
        if reason:
            self._warn(b"gives up: " + reason)

    def _back_off(self) -> None:
        if not self._machine.restarts.unasked:
            return
        backoff = self._definition.parsed("backoff", restarts.backoff)
        if backoff is not None:
            self._machine.back_off(backoff, self.notifies, self._host.now())

    def _report_death(self) -> None:
        report = self._host.on_essential
        if report is None or not self._machine.restarts.final:
            return
        if self._definition.has("essential"):
            report(self.name, self._machine.status.wait_status)

    def _make_down(self) -> None:
        self._shown.make_down()

    def _remove_down(self) -> None:
        self._shown.remove_down()

    def _let_go(self) -> None:
        self.let_go = True
        self._streams.let_go(self._host.null)

    def _finish_too_long(self) -> None:
        self._warn(
            b"finish script lifetime reached maximum value - sending it a SIGKILL"
        )

    def _warn(self, text: bytes, error: OSError | None = None) -> None:
        self._host.warn(self.name, text, error)


EFFECTS: "Mapping[str, Callable[[Service], None]]" = {
    events.START_RUN: Service._start_run,
    events.START_FINISH: Service._start_finish,
    events.KILL_DOWN: Service._kill_down,
    events.KILL_RELOAD: Service._kill_reload,
    events.KILL_HARD: Service._kill_hard,
    events.LIMIT_DYING: Service._limit_dying,
    events.LIMIT_FINISH: Service._limit_finish,
    events.WRITE_STATUS: Service._write_status,
    events.RECORD_DEATH: Service._record_death,
    events.COUNT_DEATH: Service._count_death,
    events.BACK_OFF: Service._back_off,
    events.REPORT_DEATH: Service._report_death,
    events.MAKE_DOWN: Service._make_down,
    events.REMOVE_DOWN: Service._remove_down,
    events.LET_GO: Service._let_go,
    events.FINISH_TOO_LONG: Service._finish_too_long,
}
"""How the machine's effects are carried out that have no argument."""
