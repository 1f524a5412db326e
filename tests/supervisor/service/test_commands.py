"""The letters of supervise/control are those of s6."""

import signal

import pytest

from supervisor.service import events
from supervisor.service.commands import COMMANDS

# As the manual page of s6-svc has them, and for Q and the signals, of s6-supervise.
LETTERS = "abqhkti12pcyrlPCKoduDUxOQ"
SIGNALS = {
    "a": "ALRM",
    "b": "ABRT",
    "q": "QUIT",
    "h": "HUP",
    "k": "KILL",
    "t": "TERM",
    "i": "INT",
    "1": "USR1",
    "2": "USR2",
    "y": "WINCH",
}
OTHERS = {
    "p": events.PAUSE,
    "c": events.CONTINUE,
    "r": events.RESTART,
    "l": events.RELOAD,
    "P": events.PAUSE_GROUP,
    "C": events.CONTINUE_GROUP,
    "K": events.KILL_GROUP,
    "o": events.ONCE,
    "d": events.WANT_DOWN,
    "u": events.WANT_UP,
    "D": events.STAY_DOWN,
    "U": events.STAY_UP,
    "x": events.EXIT,
    "O": events.ONCE_AT_MOST,
    "Q": events.STAY_DOWN_LATER,
}


def test_every_letter_is_there_once() -> None:
    """One byte each, and no other byte means anything."""
    assert set(COMMANDS) == {letter.encode() for letter in LETTERS}
    assert all(command.letter == letter for letter, command in COMMANDS.items())


@pytest.mark.parametrize(("letter", "name"), SIGNALS.items())
def test_a_letter_that_only_sends_a_signal(letter: str, name: str) -> None:
    """It is the event SIGNAL with the number of that signal."""
    command = COMMANDS[letter.encode()]
    assert command.event == events.SIGNAL
    assert command.signal == signal.Signals["SIG" + name]
    assert name in command.meaning


@pytest.mark.parametrize(("letter", "event"), OTHERS.items())
def test_a_letter_that_means_more(letter: str, event: str) -> None:
    """It has an event of its own, and no number."""
    assert COMMANDS[letter.encode()].event == event
    assert COMMANDS[letter.encode()].signal == 0


def test_every_command_has_a_letter() -> None:
    """Whatever the machine can be told, somebody can tell it."""
    assert {command.event for command in COMMANDS.values()} == set(events.COMMANDS)
