"""The letters that supervise/control takes, and what each asks for. Pure.

One byte is one command (s6 2.15.1.0; `Q` as documented, which 2.15 ignores by
mistake). Unknown bytes mean nothing.
"""

from supervisor.service import events


class Command:
    """A letter, its event, and for SIGNAL the number; `meaning` is for people."""

    __slots__ = ("event", "letter", "meaning", "signal")

    def __init__(
        self, letter: bytes, event: str, meaning: str, signal: int = 0
    ) -> None:
        self.letter = letter
        self.event = event
        self.meaning = meaning
        self.signal = signal


_ALL = (
    Command(b"a", events.SIGNAL, "send SIGALRM", 14),
    Command(b"b", events.SIGNAL, "send SIGABRT", 6),
    Command(b"q", events.SIGNAL, "send SIGQUIT", 3),
    Command(b"h", events.SIGNAL, "send SIGHUP", 1),
    Command(b"k", events.SIGNAL, "send SIGKILL", 9),
    Command(b"t", events.SIGNAL, "send SIGTERM", 15),
    Command(b"i", events.SIGNAL, "send SIGINT", 2),
    Command(b"1", events.SIGNAL, "send SIGUSR1", 10),
    Command(b"2", events.SIGNAL, "send SIGUSR2", 12),
    Command(b"y", events.SIGNAL, "send SIGWINCH", 28),
    Command(b"p", events.PAUSE, "send SIGSTOP: pause"),
    Command(b"c", events.CONTINUE, "send SIGCONT: continue"),
    Command(b"r", events.RESTART, "send the down-signal, so that it restarts"),
    Command(b"l", events.RELOAD, "send the reload-signal"),
    Command(b"P", events.PAUSE_GROUP, "send SIGSTOP to the process group"),
    Command(b"C", events.CONTINUE_GROUP, "send SIGCONT to the process group"),
    Command(b"K", events.KILL_GROUP, "send SIGKILL to the process group"),
    Command(b"o", events.ONCE, "start it if it is down, and do not restart it"),
    Command(b"d", events.WANT_DOWN, "bring it down, and do not restart it"),
    Command(b"u", events.WANT_UP, "bring it up, and restart it when it dies"),
    Command(b"D", events.STAY_DOWN, "as -d, and make a file `down`"),
    Command(b"U", events.STAY_UP, "as -u, and remove the file `down`"),
    Command(b"x", events.EXIT, "end the supervisor when the service is down"),
    Command(b"O", events.ONCE_AT_MOST, "do not restart it when it dies"),
    Command(b"Q", events.STAY_DOWN_LATER, "as -O, and make a file `down`"),
)

COMMANDS = {command.letter: command for command in _ALL}
"""By letter, in the order of the reference."""
