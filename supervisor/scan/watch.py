"""The watcher of `s6-svscan --watch`: has the scan directory scanned when it changes.

A program of its own, since watchdog needs threads, which a process that forks
services must not have. It looks at what the supervisor looks at, the directory
itself wherever it is moved, and ends when its standard input does: that is a pipe
whose other end the supervisor holds.
"""

import os
import select
import sys

from s6log.unix.messages import DONE, MISTAKE, REFUSED, Fatal, Messages
from supervisor.clients.asking import send
from supervisor.scan.changes import Seen, letters, look

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from watchdog.events import FileSystemEvent, FileSystemEventHandler
    from watchdog.observers.api import ObservedWatch

PROGRAM = "s6-svscan-watch"
CONTROL = b".s6-svscan/control"
STDIN = 0
READ_BYTES = 4096
QUIET_MS = 300
HERE = "."

# Directories without run that are watched, each by a thread: somebody may be
# about to fill them.
MOST_UNFINISHED = 16

CHANGES = (
    *("DirCreatedEvent", "DirDeletedEvent", "DirMovedEvent", "DirModifiedEvent"),
    *("FileCreatedEvent", "FileDeletedEvent", "FileMovedEvent", "FileModifiedEvent"),
    *("DirAttribEvent", "FileAttribEvent"),  # watchdog 7 has them, before: modified
)
"""Events of watchdog that may make a service. Not opening and closing: then to
look at the directory would be a change of it."""


def command(directory: bytes) -> "Sequence[bytes]":
    """Give the command line of a watcher for this directory.

    With `site`, unlike other programs: watchdog is where Python finds it.
    """
    import s6log

    launcher = os.path.join(os.path.dirname(s6log.__file__), "launch.py")
    words = (sys.executable, "-I", "-X", "utf8", launcher, PROGRAM)
    return (*map(os.fsencode, words), directory)


def main(arguments: list[bytes]) -> int:
    """Watch the directory that is the only argument, until standard input ends."""
    messages = Messages(PROGRAM.encode())
    if len(arguments) != 1:
        return messages.usage(PROGRAM.encode() + b" scandir")
    (directory,) = arguments
    try:
        os.chdir(directory)
        return Watcher(messages).run()
    except OSError as error:
        raise Fatal(REFUSED, b"unable to watch " + directory, error) from error
    except ImportError as error:
        raise Fatal(MISTAKE, b"the Python package watchdog is missing") from error


class Bell:
    """What watchdog's threads ring at, and poll(2) hears."""

    def __init__(self) -> None:
        self.fd, self._write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)

    def ring(self) -> None:
        """Wake whoever waits; from any thread."""
        try:
            os.write(self._write, b"!")
        except BlockingIOError:
            pass  # a full pipe wakes as well as any

    def silence(self) -> None:
        """Forget what has been rung."""
        os.read(self.fd, READ_BYTES)


class Eyes:
    """Watches directories; any change in them rings the bell."""

    def __init__(self, bell: Bell) -> None:
        """Begin with the working directory. Raises OSError, ImportError."""
        from watchdog import events
        from watchdog.observers import Observer

        names = [name for name in CHANGES if hasattr(events, name)]
        self._kinds = [getattr(events, name) for name in names]
        self._handler = handler(bell)
        self._observer = Observer()
        self._observer.start()
        self._unfinished: list[ObservedWatch] = []
        self._watch(HERE)

    def watch_only(self, paths: "Collection[str]") -> None:
        """Watch these directories besides, and no others.

        Those that were watched already, too, are watched anew: they may be others
        under the same name.
        """
        for watch in self._unfinished:
            self._observer.unschedule(watch)
        self._unfinished.clear()
        for path in sorted(paths)[:MOST_UNFINISHED]:
            try:
                self._unfinished.append(self._watch(path))
            except OSError:
                pass  # gone again, or one watch too many for inotify(7)

    def _watch(self, path: str) -> "ObservedWatch":
        return self._observer.schedule(
            self._handler, path, recursive=False, event_filter=self._kinds
        )


def handler(bell: Bell) -> "FileSystemEventHandler":
    """Make of a bell what watchdog calls."""
    from watchdog.events import FileSystemEventHandler

    class Handler(FileSystemEventHandler):
        def on_any_event(self, _event: "FileSystemEvent") -> None:
            bell.ring()

    return Handler()


class Watcher:
    """Looks when it has been quiet for a while after a change, and tells."""

    def __init__(self, messages: Messages) -> None:
        """Begin to watch the working directory. Raises OSError, ImportError."""
        self._messages = messages
        self._bell = Bell()
        self._eyes = Eyes(self._bell)
        self._seen: Seen | None = None
        self._unfinished: set[str] = set()
        self._rung = True  # by whatever happened before there were eyes

    def run(self) -> int:
        """Watch until standard input ends; give the exit code."""
        poll = select.poll()
        poll.register(STDIN, select.POLLIN)
        poll.register(self._bell.fd, select.POLLIN)
        timeout_ms: int | None = QUIET_MS
        while True:
            ready = [fd for fd, _ in poll.poll(timeout_ms)]
            if STDIN in ready and not os.read(STDIN, READ_BYTES):
                return DONE
            if self._bell.fd in ready:
                self._bell.silence()
                self._rung = True
                timeout_ms = QUIET_MS
            elif not ready:
                timeout_ms = QUIET_MS if self._look() else None

    def _look(self) -> bool:
        """See what has changed, and tell the supervisor; True: look again soon."""
        try:
            seen = look(os.fsencode(HERE))
        except OSError:
            return False  # removed, and the supervisor hears no more of it
        self._tell(letters(self._seen, seen))
        self._seen = seen
        unfinished = {os.path.realpath(os.fsdecode(name)) for name in seen.unfinished}
        if not self._rung and unfinished == self._unfinished:
            return False
        self._rung = False
        self._unfinished = unfinished
        self._eyes.watch_only(unfinished)
        # One may have been finished before its watch was in place.
        return bool(unfinished)

    def _tell(self, orders: bytes) -> None:
        """Send orders to the supervisor, if there are any."""
        if not orders:
            return
        try:
            send(CONTROL, orders)
        except OSError as error:
            self._messages.warn(b"unable to control the scan directory", error)
