"""One process that supervises a scan directory, as PID 1 or not.

It does not end by an error that can be survived: it warns and goes on.
"""

import gc
import os

from s6log.unix.fds import STDERR, STDOUT, ensure_standard, replace_by_null
from s6log.unix.messages import DONE, REFUSED, Messages
from s6log.unix.signals import signal
from supervisor.adoption.keeper import Keeper
from supervisor.adoption.safe import Safe
from supervisor.scan import effects, limits, orders, scripts
from supervisor.scan.ground import Ground
from supervisor.scan.outlets import OwnOutlets
from supervisor.scan.tree import Tree
from supervisor.scan.turns import Turns
from supervisor.service.ends import code_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.scan.options import Options
    from supervisor.scan.watching import Watching
    from supervisor.service.host import Host

KEEPER = b".s6-svscan/keeper"


class Daemon:
    """s6-svscan, from the moment its command line has been read."""

    __slots__ = (
        "_code",
        "_console",
        "_ground",
        "_notification",
        "_silent",
        "_tree",
        "_turns",
        "_watching",
    )

    def __init__(self, messages: Messages, options: "Options") -> None:
        """Take the directory. Raises Fatal."""
        ensure_standard()
        self._code = DONE
        self._console = options.console_fd
        self._notification = options.notification_fd
        self._silent = False
        environment = dict(os.environb)
        self._ground = Ground(messages, options.directory, environment, self._hear)
        self._find_keeper()
        if options.warm:
            self._ground.warm_up()
        host = self._ground.host
        host.on_essential = self._on_essential
        outlets = OwnOutlets(options.console_fd)
        self._tree = Tree(host, options, outlets, self._fall_silent)
        self._turns = Turns(self._ground.loop, messages, self._tree.resume)
        self._watching = _watching(host, self._ground.here) if options.watch else None

    def run(self) -> int:
        """Supervise; give the exit code when there is nothing to become."""
        self._listen()
        self._notify()
        self._ground.loop.again(self._tree.scan)
        if self._watching is not None:
            self._watching.start()
        able = self._go_on()
        self._ground.end_warmth()
        if self._tree.leaving == effects.LEAVE:
            self._ground.host.safe.end()
        elif self._leave_behind():
            return self._stay_behind()
        self._prepare_to_leave()
        messages = self._ground.messages
        if not able:
            return scripts.become_crash(messages)
        return scripts.become_finish(messages, self._code)

    def _go_on(self) -> bool:
        """Do what there is to do until the tree is left; False: it cannot be done."""
        while not self._tree.leaving:
            self._turns.turn()
            if self._turns.hopeless and not _must_go_on():
                return False
        return True

    def _on_essential(self, service: bytes, wait_status: int) -> None:
        """End, since a service has that must not; its code is ours."""
        if self._tree.stopping:
            return
        self._code = code_of(wait_status)
        text = b"essential service %s has ended (%d): stopping"
        self._ground.messages.warn(text % (service, self._code))
        self._tree.order((orders.STOP,))

    def _leave_behind(self) -> bool:
        """Fork a process that goes on with the services; True in that process.

        What the parent becomes knows nothing of them (s6-svscanctl -b, or a crash).
        """
        try:
            return os.fork() == 0
        except OSError as error:
            text = b"unable to fork: services lose their supervisor"
            self._ground.messages.warn(text, error)
            return False

    def _stay_behind(self) -> int:
        """Supervise what runs to its end, and nothing new, without orders."""
        self._end_watching()
        self._ground.control.stop(self._ground.loop)
        # Whoever supervises this directory next has a keeper of its own.
        self._ground.host.safe.end()
        self._turns.forget()
        self._tree.abandon()
        return DONE if self._go_on() else REFUSED

    def _find_keeper(self) -> None:
        """Have log pipes kept for the case that we die, if services outlive us."""
        host, messages = self._ground.host, self._ground.messages
        if host.place is None:
            return
        # What is loaded now stays as it is: else collections of garbage would write
        # to all of it, and the keeper's copies of these pages would count.
        gc.freeze()
        keeper = Keeper(self._ground.loop, KEEPER, self._keeper_lost)
        try:
            host.safe = Safe(keeper)
        except OSError as error:
            messages.warn(b"unable to start the keeper of log pipes", error)

    def _keeper_lost(self) -> None:
        text = b"the keeper of log pipes has died; another takes over"
        self._ground.messages.warn(text)

    def _listen(self) -> None:
        loop = self._ground.loop
        for name in orders.SIGNALS:
            loop.on_signal(getattr(signal, name), _Answer(self, name).give)
        # Caught, not ignored: writing then says EPIPE, and children get the default.
        loop.on_signal(signal.SIGPIPE, _nothing)
        self._ground.control.listen(loop)

    def _notify(self) -> None:
        """Tell whoever waits that orders are taken: a newline, then close."""
        if self._notification is None:
            return
        try:
            os.write(self._notification, b"\n")
        except OSError:
            pass  # whoever wanted to know has gone
        os.close(self._notification)

    def _hear(self, letters: bytes) -> None:
        self._tree.hear(letters)

    def answer(self, name: str) -> None:
        """Do what a signal asks for, or start the script that does."""
        scripted = name in orders.SCRIPTED and not self._tree.stopping
        ground = self._ground
        if not (scripted and scripts.answer(ground.host, ground.here, name)):
            self._tree.order(orders.SIGNALS[name])

    def _fall_silent(self) -> None:
        """Write to the catch-all logger no more: it waits for the end of its input."""
        if self._silent:
            return
        self._silent = True
        self._end_watching()
        replace_by_null(STDOUT)
        replace_by_null(STDERR)
        self._restore_console()
        self._ground.voice.move()

    def _restore_console(self) -> None:
        """Speak to the console again (-X)."""
        if self._console is not None:
            os.dup2(self._console, STDERR)
            os.dup2(self._console, STDOUT)

    def _end_watching(self) -> None:
        if self._watching is not None:
            self._watching.end()

    def _prepare_to_leave(self) -> None:
        """Give the process's limits and console to whatever it becomes."""
        self._end_watching()
        limits.restore_limit(self._ground.limits)
        self._restore_console()
        self._ground.voice.move()


class _Answer:
    """What a daemon does about one signal."""

    __slots__ = ("_daemon", "_name")

    def __init__(self, daemon: Daemon, name: str) -> None:
        self._daemon = daemon
        self._name = name

    def give(self) -> None:
        """Do it."""
        self._daemon.answer(self._name)


def _must_go_on() -> bool:
    """Tell whether to end would be worse than to go on badly."""
    return os.getpid() == 1 and not scripts.can_crash()


def _watching(host: "Host", directory: int) -> "Watching":
    # Not at the top: few ask for it.
    from supervisor.scan.watching import Watching

    return Watching(host, directory)


def _nothing() -> None:
    """Catch a signal that means nothing."""
