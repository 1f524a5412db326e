"""One process that supervises a scan directory, as PID 1 or not.

It does not end by an error that can be survived: it warns and goes on.
"""

import gc
import os
import time

from s6log.unix.fds import STDERR, STDOUT, ensure_standard, replace_by_null
from s6log.unix.loop import Loop
from s6log.unix.messages import DONE, REFUSED, Fatal, Messages
from s6log.unix.signals import signal
from s6log.unix.spawn import DIRECTORY
from supervisor.adoption.keeper import Keeper
from supervisor.adoption.safe import Safe
from supervisor.scan import effects, limits, orders, scanner, scripts
from supervisor.scan.control import Control
from supervisor.scan.tree import Tree
from supervisor.scan.voice import Voice
from supervisor.service.host import Host
from supervisor.service.spawner import Spawner
from supervisor.warm.loggers import WarmLoggers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.scan.options import Options
    from supervisor.scan.watching import Watching

KEEPER = b".s6-svscan/keeper"
FAILURES_IN_A_ROW = 10  # turns of the loop; it does nothing any more
FIRST_PAUSE_S = 0.01  # after a failure; the next ones twice as long each
LONGEST_PAUSE_S = 1.0


class Daemon:
    """s6-svscan, from the moment its command line has been read."""

    __slots__ = (
        "_console",
        "_control",
        "_failures",
        "_here",
        "_host",
        "_limits",
        "_loop",
        "_messages",
        "_notification",
        "_silent",
        "_tree",
        "_voice",
        "_watching",
    )

    def __init__(self, messages: Messages, options: "Options") -> None:
        """Take the directory. Raises Fatal."""
        ensure_standard()
        try:
            os.chdir(options.directory)
        except OSError as error:
            text = b"unable to chdir to " + options.directory
            raise Fatal(REFUSED, text, error) from error
        self._messages = messages
        self._console = options.console_fd
        self._notification = options.notification_fd
        self._silent = False
        self._failures = 0
        self._control = Control(self._hear)
        try:
            self._limits = limits.raise_limit()
            self._here = os.open(".", DIRECTORY)
            self._loop = Loop(many=True)
            self._voice = Voice(messages)
            environment = dict(os.environb)
            spawner = Spawner(self._limits[0])
            self._host = Host(self._loop, messages, environment, spawner)
            scanner.remove_dangling()
        except OSError as error:
            raise Fatal(REFUSED, b"unable to start", error) from error
        self._find_keeper()
        if options.warm:
            loop, host = self._loop, self._host
            host.warm = WarmLoggers(loop, messages, spawner, environment)
        self._tree = Tree(self._host, options, self._fall_silent)
        self._watching = _watching(self._host, self._here) if options.watch else None

    def run(self) -> int:
        """Supervise; give the exit code when there is nothing to become."""
        self._listen()
        self._notify()
        self._loop.again(self._tree.scan)
        if self._watching is not None:
            self._watching.start()
        able = self._go_on()
        self._end_warmth()
        if self._tree.leaving == effects.LEAVE:
            self._host.safe.end()
        elif self._leave_behind():
            return self._stay_behind()
        self._prepare_to_leave()
        become = scripts.become_finish if able else scripts.become_crash
        return become(self._messages)

    def _go_on(self) -> bool:
        """Do what there is to do until the tree is left; False: it cannot be done."""
        while not self._tree.leaving:
            self._turn()
            if self._failures >= FAILURES_IN_A_ROW and not _must_go_on():
                return False
        return True

    def _leave_behind(self) -> bool:
        """Fork a process that goes on with the services; True in that process.

        What the parent becomes knows nothing of them (s6-svscanctl -b, or a crash).
        """
        try:
            return os.fork() == 0
        except OSError as error:
            self._messages.warn(
                b"unable to fork: services lose their supervisor", error
            )
            return False

    def _stay_behind(self) -> int:
        """Supervise what runs to its end, and nothing new, without orders."""
        self._end_watching()
        self._control.stop(self._loop)
        # Whoever supervises this directory next has a keeper of its own.
        self._host.safe.end()
        self._failures = 0
        self._tree.abandon()
        return DONE if self._go_on() else REFUSED

    def _end_warmth(self) -> None:
        """End the nursery: who takes our place knows nothing of such a child."""
        if self._host.warm is not None:
            self._host.warm.end()
            self._host.warm = None

    def _find_keeper(self) -> None:
        """Have log pipes kept for the case that we die, if services outlive us."""
        if self._host.place is None:
            return
        # What is loaded now stays as it is: else collections of garbage would write
        # to all of it, and the keeper's copies of these pages would count.
        gc.freeze()
        keeper = Keeper(self._loop, KEEPER, self._keeper_lost)
        try:
            self._host.safe = Safe(keeper)
        except OSError as error:
            self._messages.warn(b"unable to start the keeper of log pipes", error)

    def _keeper_lost(self) -> None:
        self._messages.warn(b"the keeper of log pipes has died; another takes over")

    def _listen(self) -> None:
        for name in orders.SIGNALS:
            self._loop.on_signal(getattr(signal, name), _Answer(self, name).give)
        # Caught, not ignored: writing then says EPIPE, and children get the default.
        self._loop.on_signal(signal.SIGPIPE, _nothing)
        self._control.listen(self._loop)

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
        if not (scripted and scripts.answer(self._host, self._here, name)):
            self._tree.order(orders.SIGNALS[name])

    def _turn(self) -> None:
        try:
            self._loop.turn()
        except Exception as error:  # noqa: BLE001 - nothing that can be survived ends it
            self._survive(error)
        else:
            self._failures = 0

    def _survive(self, error: Exception) -> None:
        """Warn and go on, but not at full speed."""
        text = f"internal error: {type(error).__name__}: {error}"
        self._messages.warn(text.replace("\n", " ").encode(errors="backslashreplace"))
        time.sleep(min(FIRST_PAUSE_S * 2**self._failures, LONGEST_PAUSE_S))
        self._failures = min(self._failures + 1, FAILURES_IN_A_ROW)
        # What else was to be done in that turn may have been left undone. In turns
        # to come, since that may fail as well.
        self._loop.again(self._loop.reap_children)
        self._loop.again(self._tree.resume)

    def _fall_silent(self) -> None:
        """Write to the catch-all logger no more: it waits for the end of its input."""
        if self._silent:
            return
        self._silent = True
        self._end_watching()
        replace_by_null(STDOUT)
        replace_by_null(STDERR)
        self._restore_console()
        self._voice.move()

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
        limits.restore_limit(self._limits)
        self._restore_console()
        self._voice.move()


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


def _watching(host: Host, directory: int) -> "Watching":
    # Not at the top: few ask for it.
    from supervisor.scan.watching import Watching

    return Watching(host, directory)


def _nothing() -> None:
    """Catch a signal that means nothing."""
