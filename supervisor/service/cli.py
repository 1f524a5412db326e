"""`s6-supervise`: keeps one service running, as s6-svscan does for many."""

import os

from s6log.unix.fds import ensure_standard
from s6log.unix.loop import Loop
from s6log.unix.messages import DONE, REFUSED, Fatal, Messages
from s6log.unix.signals import signal
from s6log.unix.spawn import DIRECTORY
from supervisor.manual import Manual
from supervisor.service import events
from supervisor.service.host import Host, OwnStreams
from supervisor.service.service import Service
from supervisor.service.spawner import Spawner

MANUAL = Manual(
    "s6-supervise",
    "servicedir",
    (),
    """
Starts ./run in the service directory and starts it again whenever it dies, runs
./finish after each death, and takes commands through supervise/control, where
s6-svc writes them. There are no options: every other word is a directory.""",
)

SIGNALS = {
    signal.SIGTERM: events.TERM,
    signal.SIGHUP: events.HUP,
    signal.SIGQUIT: events.QUIT,
    signal.SIGINT: events.INT,
}


def main(arguments: list[bytes]) -> int:
    """Supervise the service in directory `arguments[0]` to its end."""
    if MANUAL.answered(arguments):
        return DONE
    if not arguments:
        return MANUAL.usage()
    name = arguments[0]
    try:
        os.chdir(name)
    except OSError as error:
        raise Fatal(REFUSED, b"unable to chdir to " + name, error) from error
    messages = Messages(b"s6-supervise " + name)
    try:
        return _supervise(messages, name)
    except Fatal as failure:
        return messages.fatal(failure)


def _supervise(messages: Messages, name: bytes) -> int:
    ensure_standard()
    loop = Loop()
    host = Host(loop, messages, dict(os.environb), Spawner(), named=False)
    ended: list[Service] = []
    directory = os.open(".", DIRECTORY)
    service = Service(host, name, directory, OwnStreams(), ended.append)
    # Before anybody is told that there is a supervisor: from then on they may come.
    loop.on_signal(signal.SIGCHLD, loop.reap_children)
    # Caught, not ignored: writing then says EPIPE, and children get the default.
    loop.on_signal(signal.SIGPIPE, _nothing)
    for signum, event in SIGNALS.items():
        loop.on_signal(signum, _Sender(service, event))
    service.begin()
    while not ended:
        loop.turn()
    return DONE


def _nothing() -> None:
    """Catch a signal that means nothing."""


class _Sender:
    """Tells a service of a signal, as long as there is one to tell."""

    __slots__ = ("_event", "_service")

    def __init__(self, service: Service, event: str) -> None:
        self._service = service
        self._event = event

    def __call__(self) -> None:
        if self._service.state != events.ENDED:
            self._service.send(self._event)
