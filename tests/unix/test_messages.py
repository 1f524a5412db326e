"""What programs say: one vocabulary, one write, exit codes that mean something."""

import errno
import os
import subprocess

import pytest

from harness import PYTHON
from inside import CHECKOUT
from s6log.unix.messages import MISTAKE, REFUSED, Fatal, Messages, reason

DENIED = PermissionError(errno.EACCES, os.strerror(errno.EACCES))


class Ear:
    """Hears what a voice says, each write by itself."""

    def __init__(self, verbosity: int) -> None:
        self.writes: list[bytes] = []
        self.voice = Messages(b"s6-log", verbosity)
        self.voice.write = self.writes.append


@pytest.fixture
def ear() -> Ear:
    """Hear a program that says everything."""
    return Ear(1)


@pytest.fixture
def quiet() -> Ear:
    """Hear a program started with -q."""
    return Ear(0)


def test_a_warning_is_one_line_in_one_write(ear: Ear) -> None:
    """With the reason, where the system gave one."""
    ear.voice.warn(b"processor failed in ./d")
    ear.voice.warn(b"unable to write to ./d/current", DENIED)
    assert ear.writes == [
        b"s6-log: warning: processor failed in ./d\n",
        b"s6-log: warning: unable to write to ./d/current: Permission denied\n",
    ]


def test_warnings_can_be_silenced_but_not_all(quiet: Ear) -> None:
    """What -q does not silence comes all the same."""
    quiet.voice.warn(b"unheard")
    quiet.voice.insist(b"unable to write to stdout, closing the stream", DENIED)
    assert quiet.writes == [
        b"s6-log: warning: unable to write to stdout, closing the stream: "
        b"Permission denied\n"
    ]


@pytest.mark.parametrize("code", [MISTAKE, REFUSED])
def test_a_fatal_message_gives_its_exit_code(ear: Ear, code: int) -> None:
    """The caller exits with it."""
    failure = Fatal(code, b"unable to lock ./d/lock", DENIED)
    assert ear.voice.fatal(failure) == code
    assert ear.writes == [
        b"s6-log: fatal: unable to lock ./d/lock: Permission denied\n"
    ]


def test_hints_follow_in_lines_of_their_own(ear: Ear) -> None:
    """In the same write, so that nothing comes between."""
    ear.voice.fatal(Fatal(MISTAKE, b"what", None, (b"one hint", b"and another")))
    assert ear.writes == [
        b"s6-log: fatal: what\ns6-log: one hint\ns6-log: and another\n"
    ]


def test_fatal_messages_are_never_silenced(quiet: Ear) -> None:
    """Nor is the usage."""
    quiet.voice.fatal(Fatal(MISTAKE, b"what"))
    assert quiet.voice.usage(b"s6-log [ -q ] script") == MISTAKE
    assert quiet.writes == [
        b"s6-log: fatal: what\n",
        b"s6-log: usage: s6-log [ -q ] script\n",
    ]


def test_a_voice_speaks_on_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    """Unless somebody puts something else in the place of that."""
    Messages(b"s6-log").warn(b"heard")
    assert capfd.readouterr() == ("", "s6-log: warning: heard\n")


@pytest.mark.parametrize("closed", ["2>&-", "2>/dev/full"])
def test_nobody_to_tell_is_no_error(closed: str) -> None:
    """A closed stderr, or one that takes nothing, harms nothing."""
    text = (
        "import sys; sys.path[:0] = [sys.argv[1]]\n"
        "from s6log.unix.messages import Messages\n"
        "Messages(b's6-log').warn(b'unheard')\n"
    )
    command = [*PYTHON, "-c", text, str(CHECKOUT)]
    shell = ["/bin/sh", "-c", f'exec "$@" {closed}', "sh", *command]
    subprocess.run(shell, check=True)


def test_reasons_are_those_of_the_system() -> None:
    """With what Python says only where the system has no number for it."""
    assert reason(OSError(errno.EBUSY, "anything")) == b"Device or resource busy"
    assert reason(OSError("something else")) == b"something else"


def test_a_fatal_keeps_what_it_is_made_of() -> None:
    """Whoever catches it can add to it."""
    failure = Fatal(REFUSED, b"unable to x", DENIED, (b"hint",))
    assert (failure.code, failure.text) == (REFUSED, b"unable to x")
    assert (failure.error, failure.hints) == (DENIED, (b"hint",))
    assert str(failure) == "b'unable to x'"
