"""The CMD of a container: a foreground process that is not supervised."""

import errno
import fcntl
import os

from s6log.unix.fds import STDERR, STDIN, STDOUT
from s6log.unix.messages import Fatal, Messages
from s6log.unix.signals import signal
from supervisor.chain.execute import execute, places_of
from supervisor.container import places
from supervisor.container.children import fork
from supervisor.container.preparation import write_file
from supervisor.container.sequence import Ended
from supervisor.container.settings import CMD_USE_TERMINAL, LOGGING
from supervisor.scan import limits
from supervisor.service.ends import code_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from supervisor.container.context import Context
    from supervisor.container.sequence import Steps

JOB_CONTROL = (signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)
PATH = b"PATH"
SHELL = b"/bin/sh"
FORWARDED = ("TERM", "QUIT", "INT", "USR1", "USR2", "PWR", "WINCH")
"""With S6_CMD_RECEIVE_SIGNALS: signals to s6-init that the CMD gets instead."""


class Command:
    """The CMD, from its start to its end.

    `original_limits` are those of descriptors (RLIMIT_NOFILE) that it gets.
    """

    __slots__ = ("_context", "_limits", "_words", "pid")

    def __init__(
        self, context: "Context", words: list[bytes], original_limits: tuple[int, int]
    ) -> None:
        self._context = context
        self._words = words
        self._limits = original_limits
        self.pid = 0

    def run(self) -> "Steps":
        """Run it; give its exit code."""
        context = self._context
        environment = context.full_environment()
        try:
            self.pid = fork(lambda: self._become(environment))
        except OSError as error:
            context.messages.warn(b"unable to start " + self._words[0], error)
            return 126
        self._note_pid()
        status = yield Ended(context.loop, self.pid)
        self._forget_pid()
        take_terminal(context.original.stdin, os.getpgrp())
        code = code_of(status or 0)
        context.progress.say(b"[cmd] %s exited %d\n" % (self._words[0], code))
        return code

    def takes(self, name: str) -> bool:
        """Tell whether it lives, and a signal to s6-init can be for it."""
        return bool(self.pid) and name in FORWARDED

    def send(self, signum: int) -> None:
        """Send it a signal."""
        try:
            os.kill(self.pid, signum)
        except OSError:
            pass  # it has just ended

    def go_on(self) -> None:
        """Continue it if a key of the terminal has stopped it (Ctrl-Z).

        It is nobody's job: there is no shell that could.
        """
        if not self.pid:
            return
        try:
            seen = os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WNOHANG)
            if seen is not None and seen.si_status in JOB_CONTROL:
                os.killpg(self.pid, signal.SIGCONT)
        except OSError:
            pass  # it has ended

    def _note_pid(self) -> None:
        try:
            write_file(places.CMD_PID, b"%d\n" % self.pid, 0o644)
        except OSError as error:
            self._context.messages.warn(b"unable to write " + places.CMD_PID, error)

    def _forget_pid(self) -> None:
        self.pid = 0
        try:
            os.unlink(places.CMD_PID)
        except OSError:
            pass

    # ---- in the child

    def _become(self, environment: "Mapping[bytes, bytes]") -> int:
        """Become the CMD; give an exit code where that is not possible.

        A process group of its own in our session, which has the terminal; so shells
        can do job control, and Ctrl-C is for the CMD.
        """
        os.setpgid(0, 0)
        take_terminal(self._context.original.stdin, os.getpgrp())
        self._take_streams()
        os.fchdir(self._context.workdir)
        limits.restore_limit(self._limits)
        # What PATH says is where it is looked for.
        os.environb[PATH] = environment.get(PATH) or self._context.variables[PATH]
        try:
            try:
                execute(self._words, environment)
            except Fatal as failure:
                if failure.error is None or failure.error.errno != errno.ENOEXEC:
                    raise
                # No `#!`: s6-overlay leaves the CMD to sh, which reads it itself.
                execute([SHELL, *self._found()], environment)
        except Fatal as failure:
            return Messages(b"s6-init").fatal(failure)

    def _found(self) -> list[bytes]:
        """Give the words, with the path of the program that was found."""
        program, *arguments = self._words
        for path in places_of(program):
            if os.access(path, os.X_OK):
                return [path, *arguments]
        return self._words

    def _take_streams(self) -> None:
        """Take the container's own streams; or log what is said."""
        original, settings = self._context.original, self._context.settings
        os.dup2(original.stdin, STDIN)
        keeps = settings.on(CMD_USE_TERMINAL) and os.isatty(original.stdout)
        if settings.on(LOGGING) and not keeps:
            output = self._context.outlets.output()
            os.dup2(output, STDOUT)
            os.dup2(output, STDERR)
        else:
            os.dup2(original.stdout, STDOUT)
            os.dup2(original.stderr, STDERR)
        for fd in (STDIN, STDOUT, STDERR):
            fcntl.fcntl(fd, fcntl.F_SETFD, 0)


def take_terminal(fd: int, group: int) -> None:
    """Make a process group the one that a terminal is for, if `fd` is ours.

    From the background that stops the caller, unless SIGTTOU is blocked
    (tcsetpgrp(3)).
    """
    if not os.isatty(fd):
        return
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTTOU])
    try:
        os.tcsetpgrp(fd, group)
    except OSError:
        pass  # it is not our controlling terminal: nobody's job control is in the way
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTTOU])
