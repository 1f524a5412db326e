"""s6-init: one process that boots a container, supervises its services and stops it.

Phases follow each other: BOOTING, RUNNING (with a CMD or without), STOPPING, ENDED.
What each does is in `boot`, `command` and `stop`; here is what leads from one to the
next.
"""

import os

from s6log.unix.fds import STDIN, ensure_standard, replace_by_null
from s6log.unix.messages import BUG, REFUSED, Fatal, Messages
from s6log.unix.signals import signal
from s6log.unix.spawn import DIRECTORY, keep_high
from supervisor.container import places, preparation, programs, scripts, settings
from supervisor.container.boot import Boot
from supervisor.container.context import Context
from supervisor.container.files import CONT_FINISH, Files
from supervisor.container.outlets import HIGH, Original, Outlets, Pipe
from supervisor.container.progress import Progress
from supervisor.container.sequence import Sequence
from supervisor.container.settings import Settings, with_needed
from supervisor.scan import effects, orders
from supervisor.scan.ground import Ground
from supervisor.scan.options import Options
from supervisor.scan.tree import Tree
from supervisor.scan.turns import Turns
from supervisor.service.ends import code_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from supervisor.container.command import Command
    from supervisor.container.sequence import Steps
    from supervisor.container.stop import Stop

BOOTING, RUNNING, STOPPING, ENDED = range(4)
PATH = b"PATH"
HIGH_ENOUGH = 3  # of S6_WAIT_FOR_CLOSING_FD
WARNINGS = 1  # of S6_VERBOSITY: from then on there are warnings

STOP, RESCAN, REAP, NOTHING = range(4)
SIGNALS: "Mapping[str, int]" = {
    "TERM": STOP,
    "INT": STOP,
    "USR1": STOP,
    "USR2": STOP,
    "PWR": STOP,
    "HUP": RESCAN,
    "CHLD": REAP,
    "QUIT": NOTHING,
    "WINCH": NOTHING,
    "PIPE": NOTHING,  # caught: writing then says EPIPE, and children get the default
}
"""What signals to s6-init mean."""


class Init:
    """A container, from its first instruction to its exit code."""

    __slots__ = (
        "_code",
        "_command",
        "_context",
        "_essential",
        "_ground",
        "_phase",
        "_sequence",
        "_stop",
        "_turns",
        "_words",
    )

    def __init__(self, messages: Messages, arguments: list[bytes]) -> None:
        """Make everything ready. Raises Fatal."""
        ensure_standard()
        variables = dict(os.environb)
        variables[PATH] = with_needed(variables.get(PATH), (programs.folder(),))
        chosen = Settings(variables)
        messages.verbosity = int(chosen.numbers[settings.VERBOSITY] >= WARNINGS)
        for mistake in chosen.mistakes:
            messages.warn(mistake)
        await_closing(chosen.numbers[settings.CLOSING_FD])
        self._words = chosen.command(arguments)
        workdir = keep_high(open_workdir(messages), HIGH)
        self._context = context = Context(chosen, variables, workdir)
        self._phase = BOOTING
        self._code = 0
        self._essential = b""
        self._sequence: Sequence | None = None
        self._stop: Stop | None = None
        self._command: Command | None = None
        preparation.prepare(messages, chosen, variables)
        self._ground = self._take_ground(messages)
        self._connect()
        context.files = Files(
            chosen.etc, chosen.on(settings.READ_ONLY_ROOT), messages.warn
        )
        options = Options({}, (), places.SCANDIR)
        context.tree = Tree(context.host, options, context.outlets, nothing)
        self._turns = Turns(context.loop, messages, context.tree.resume)

    def _take_ground(self, messages: Messages) -> Ground:
        """Take the scan directory, and what services are given."""
        context = self._context
        keep = context.settings.on(settings.KEEP_ENV)
        environment = dict(context.variables)
        if not keep:
            environment = {PATH: context.variables[PATH]}
        ground = Ground(messages, places.SCANDIR, environment, self._hear)
        host = context.host = ground.host
        # They end with us, be it as process 1 or because nobody could take over.
        host.place = None
        host.on_change = context.bell.ring
        host.on_essential = self._on_essential
        ground.warm_up()
        context.voice = ground.voice
        return ground

    def _connect(self) -> None:
        """Connect everybody's output. Raises Fatal."""
        context = self._context
        try:
            context.original = original = Original()
            replace_by_null(STDIN)
            pipe = console = None
            if context.settings.on(settings.LOGGING):
                from supervisor.container import catchall

                catchall.install(context.messages, context.settings)
                pipe = Pipe()
            if context.settings.console != settings.RAW:
                out = original.stdout if pipe is None else pipe.writing
                from supervisor.container.console import Console

                mode = context.settings.console
                console = Console(context.host, mode, out, original.stderr)
                console.begin()
            context.outlets = Outlets(original, pipe, console)
            context.outlets.take_own()
        except OSError as error:
            raise Fatal(REFUSED, b"unable to connect outputs", error) from error
        verbosity = context.settings.numbers[settings.VERBOSITY]
        context.progress = Progress(context.loop, verbosity)
        context.voice.move()

    # ---- phases

    def run(self) -> int:
        """Boot, run and stop; give the exit code."""
        loop = self._context.loop
        for name, meaning in SIGNALS.items():
            loop.on_signal(getattr(signal, f"SIG{name}"), _Answer(self, name, meaning))
        self._ground.control.listen(loop)
        # At once: a container may live so short that no later turn finds it alive, and
        # the catch-all logger must be known before anybody says something.
        self._context.tree.scan()
        boot = Boot(self._context, bool(self._words))
        self._begin(boot.steps(), self._booted)
        while self._phase != ENDED and self._context.tree.leaving != effects.ABORT:
            self._turns.turn()
        self._ground.end_warmth()
        return self._code

    def _begin(self, steps: "Steps", on_end: "Callable[[int], None]") -> None:
        self._sequence = Sequence(steps, on_end, self._failed)
        self._sequence.begin()

    def _booted(self, code: int) -> None:
        if code:
            self.stop(code)
        elif self._phase == BOOTING:
            self._phase = RUNNING
            self._warn_of_slow_stop()
            if self._words:
                from supervisor.container.command import Command

                limits = self._ground.limits
                self._command = Command(self._context, self._words, limits)
                self._begin(self._command.run(), self.stop)

    def stop(self, code: int | None = None) -> None:
        """Stop, if that was not under way: with a code, or as it was ordered."""
        if self._phase >= STOPPING:
            return
        self._phase = STOPPING
        context = self._context
        if code is not None:
            self._code = code
            context.record(code)
        if self._sequence is not None:
            self._sequence.cancel()
        if context.script:
            scripts.signal_session(context.script, signal.SIGTERM)
        # What is not needed before is not in memory while the container lives.
        from supervisor.container.stop import Stop

        self._stop = stop = Stop(context, self._code, self._essential)
        self._begin(stop.steps(), self._stopped)

    def _stopped(self, code: int) -> None:
        self._code = code
        self._phase = ENDED

    def _failed(self, error: Exception) -> int:
        """Say that we are wrong; a boot goes on to its end, a stop has come to it."""
        text = f"internal error: {type(error).__name__}: {error}".replace("\n", " ")
        self._context.messages.insist(text.encode(errors="backslashreplace"))
        if self._stop is None:
            return BUG
        from supervisor.container import processes

        processes.kill(())
        return self._stop.exit_code()

    # ---- what happens

    def _hear(self, letters: bytes) -> None:
        """Do what was written into the control FIFO; a stop of the tree is ours."""
        tree = self._context.tree
        tree.hear(letters)
        if tree.stopping:
            self.stop()

    def _on_essential(self, service: bytes, wait_status: int) -> None:
        """Stop because an essential service has ended. The first one has the say."""
        if self._phase < STOPPING:
            self._essential = service
            self.stop(code_of(wait_status))

    def answer(self, name: str, meaning: int) -> None:
        """Do what a signal means, or have the CMD do so."""
        command = self._command
        forwarded = self._context.settings.on(settings.CMD_RECEIVE_SIGNALS)
        if forwarded and command is not None and command.takes(name):
            command.send(getattr(signal, f"SIG{name}"))
        elif meaning == STOP:
            self.stop()
        elif meaning == RESCAN:
            self._context.tree.order((orders.SCAN, orders.PRUNE))
        elif meaning == REAP:
            self._context.loop.reap_children()
            if command is not None:
                command.go_on()
        elif name == "QUIT":
            text = b"SIGQUIT means nothing here; SIGTERM stops (STOPSIGNAL in an image)"
            self._context.messages.warn(text)

    def _warn_of_slow_stop(self) -> None:
        """Warn when limits that somebody has chosen are more than an engine waits."""
        context = self._context
        scripts_there = len(context.files.scripts(CONT_FINISH))
        most_ms = context.settings.slowest_stop_ms(scripts_there)
        if most_ms > settings.ENGINE_MS:
            text = b"a stop may take %d ms; docker stop waits for 10000"
            context.messages.warn(text % most_ms)


class _Answer:
    """What s6-init does about one signal."""

    __slots__ = ("_init", "_meaning", "_name")

    def __init__(self, init: Init, name: str, meaning: int) -> None:
        self._init = init
        self._name = name
        self._meaning = meaning

    def __call__(self) -> None:
        self._init.answer(self._name, self._meaning)


def open_workdir(messages: Messages) -> int:
    """Open the image's working directory, or / where that is not ours to enter."""
    try:
        return os.open(".", DIRECTORY)
    except OSError as error:
        messages.warn(b"unable to use the working directory", error)
    return os.open("/", DIRECTORY)


def await_closing(fd: int) -> None:
    """Wait until whoever holds the other end of a descriptor has closed it."""
    if fd < HIGH_ENOUGH:
        return
    try:
        while os.read(fd, 4096):
            pass
        os.close(fd)
    except OSError:
        pass  # it is not open, and so nobody is to be waited for


def nothing() -> None:
    """Go on speaking, though only the catch-all logger is left: it hears us too."""
