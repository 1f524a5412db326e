"""Every letter and every signal in every state: the real s6-supervise and ours agree.

The real one is of 2.11, which has the same five states as 2.15, and fewer letters.
"""

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from differing import LETTERS as UNKNOWN
from differing import NEW_LETTERS, Difference, not_started
from harness import wait_until
from trying import LISTEN, Trial, agree, read

LETTERS = "abqhti12ypcPCrlouOuQUDUdu"
"""All but k and K, which kill, and x; what stops or makes `down` is undone next."""

SIGNALS = ("TERM", "HUP", "QUIT", "INT")
AT_ONCE = ("QUIT", "INT")


def down(trial: Trial) -> None:
    """Let it be not wanted, and never started."""
    trial.service(LISTEN, notification_fd="3", down="")
    trial.start()
    trial.hear(b"s")


def up(trial: Trial) -> None:
    """Let it run, and be ready for signals."""
    trial.service(LISTEN, notification_fd="3")
    trial.start()
    trial.hear(b"suU")


def finish(trial: Trial) -> None:
    """Let run have died, and finish is ready for signals."""
    trial.service("exit 3", LISTEN, timeout_finish="0")
    trial.start()
    trial.hear(b"sud")
    wait_until(lambda: b"ready" in read(trial.directory / "got"), "finish to be ready")


def last_up(trial: Trial) -> None:
    """Let it run for the last time."""
    up(trial)
    trial.command(b"x")
    trial.look("x")


def last_finish(trial: Trial) -> None:
    """Let finish run for the last time."""
    finish(trial)
    trial.command(b"x")
    trial.look("x")


STATES: dict[str, Callable[[Trial], None]] = {
    "down": down,
    "up": up,
    "finish": finish,
    "last up": last_up,
    "last finish": last_finish,
}

NEW = {f"{LETTERS.index(c) + 1} {c}": known for c, known in NEW_LETTERS.items()}


def walk(trial: Trial, letters: str) -> None:
    """Write letters, and look after each."""
    for number, letter in enumerate(letters, start=1):
        trial.command(letter.encode())
        trial.look(f"{number} {letter}")


def signals(trial: Trial, names: tuple[str, ...]) -> None:
    """Send signals to the supervisor, and look after each."""
    for name in names:
        trial.signal(signal.Signals["SIG" + name])
        trial.look(name)


def test_letters_while_it_is_up(tmp_path: Path) -> None:
    """Signals are sent, flags change, and nobody is told of either."""

    def play(trial: Trial) -> None:
        up(trial)
        trial.look("up")
        walk(trial, LETTERS + "Ok")
        trial.hear(b"dD")
        trial.look("down")
        trial.command(b"x")
        trial.end()

    agree(play, tmp_path, NEW)


def test_letters_and_signals_while_it_is_up_for_the_last_time(tmp_path: Path) -> None:
    """They do the same; that it is wanted has no consequence any more."""

    def play(trial: Trial) -> None:
        last_up(trial)
        walk(trial, LETTERS)
        signals(trial, ("HUP", "TERM"))
        trial.command(b"xuk")
        trial.hear(b"dDx")
        trial.end()

    agree(play, tmp_path, NEW)


def test_letters_while_finish_runs(tmp_path: Path) -> None:
    """Finish gets no signals; what is wanted may change."""

    def play(trial: Trial) -> None:
        finish(trial)
        trial.look("finish")
        walk(trial, LETTERS + "kKO")
        trial.kill()
        trial.hear(b"D")
        trial.look("down")
        trial.command(b"x")
        trial.end()

    agree(play, tmp_path)


def test_letters_and_signals_while_finish_runs_for_the_last_time(
    tmp_path: Path,
) -> None:
    """They change as little."""

    def play(trial: Trial) -> None:
        last_finish(trial)
        walk(trial, LETTERS + "kKu")
        signals(trial, ("HUP", "TERM"))
        trial.kill()
        trial.hear(b"Dx")
        trial.end()

    agree(play, tmp_path)


def test_letters_while_it_is_down(tmp_path: Path) -> None:
    """Those that start it do so at once; the others change what is wanted."""

    def play(trial: Trial) -> None:
        down(trial)
        trial.look("not started")
        walk(trial, "abqhkti12ypcPCKrl")
        walk(trial, "OQdD")
        for letter in "ouU":
            trial.command(letter.encode())
            trial.hear(b"uU")
            trial.settle()
            trial.look(letter)
            trial.command(b"Ok")
            trial.hear(b"dD")
        trial.command(b"x")
        trial.end()

    shown = "ready; 0x0000; pid is not there, down file"
    known = {
        label: not_started(shown)
        for label in (
            "not started",
            *(f"{n} {c}" for n, c in enumerate("abqhkti12ypcPCKrl", 1)),
        )
    }
    agree(play, tmp_path, known)


@pytest.mark.parametrize("how", [*SIGNALS, "x"])
@pytest.mark.parametrize("state", STATES)
def test_every_end(state: str, how: str, tmp_path: Path) -> None:
    """At once, or when what runs has ended; what is still there is left alone."""

    def play(trial: Trial) -> None:
        STATES[state](trial)
        if how == "x":
            trial.command(b"x")
        else:
            trial.signal(signal.Signals["SIG" + how])
        if state != "down" and how not in AT_ONCE:
            trial.look("still there")
            trial.kill()
            trial.hear(b"Dx" if "finish" in state else b"dDx")
        trial.end()

    known = {}
    if state == "down":
        shown = "ready; 0x0000; pid is not there, down file"
        known["status"] = not_started(shown)
    agree(play, tmp_path, known)


def test_kill_goes_to_the_group(tmp_path: Path) -> None:
    """The letter K, which 2.11 does not know."""

    def play(trial: Trial) -> None:
        up(trial)
        trial.command(b"OK")
        trial.look("K")
        trial.command(b"xk")
        trial.end()

    dead = "ready; 0x0009; pid is not there"
    known = {
        "K": Difference("ready; 0x0000; up, got ready", dead + ", got ready", UNKNOWN),
        "status": Difference(
            dead + ", new pid, new stamp_ns, new ready_ns", dead, UNKNOWN
        ),
    }
    agree(play, tmp_path, known)
