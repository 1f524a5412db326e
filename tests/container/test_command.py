"""A container with a purpose: its CMD runs among services, and its end is the end."""

from pathlib import Path

import pytest

from boxes import BOOT, FINISH, SERVICES, Boxes
from engines import Options
from harness import Stage, finish, running
from terminals import Terminal

BEFORE = [
    *BOOT,
    "[cont-init.d] executing container initialization scripts...",
    "[cont-init.d] 01-say: executing... ",
    "preparing",
    "[cont-init.d] 01-say: exited 0.",
    "[cont-init.d] done.",
    SERVICES[0],
    "cache: ready",
    SERVICES[1],
]
QUIET = Options(env={"S6_VERBOSITY": "0"})


def after(code: int) -> list[str]:
    """Give the lines that follow the end of the CMD."""
    return [
        "cache: has stopped",
        "[cont-finish.d] executing container finish scripts...",
        "[cont-finish.d] 01-say: executing... ",
        f"clearing up after {code}",
        "[cont-finish.d] 01-say: exited 0.",
        "[cont-finish.d] done.",
        *FINISH,
    ]


def test_the_code_of_the_command_is_that_of_the_container(boxes: Boxes) -> None:
    """The image's own CMD, with services before, and stopped after it."""
    done = boxes.run("command")
    assert done.returncode == 42
    assert done.stdout.splitlines() == [*BEFORE, "[cmd] sh exited 42", *after(42)]
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["true"], 0),
        (["sh", "-c", "exit 255"], 255),
        (["sh", "-c", "kill -TERM $$"], 143),
        (["sh", "-c", "kill -KILL $$"], 137),
        (["/etc/passwd"], 126),
        (["nonsense"], 127),
    ],
    ids=["0", "255", "TERM", "KILL", "not-executable", "not-found"],
)
def test_codes_of_other_commands(boxes: Boxes, words: list[str], code: int) -> None:
    """As a shell gives them; what cannot be executed is named."""
    done = boxes.run("command", *words)
    assert done.returncode == code
    assert f"[cmd] {words[0]} exited {code}" in done.stdout.splitlines()
    assert f"clearing up after {code}" in done.stdout
    assert (f"unable to exec {words[0]}: " in done.stderr) == (code in (126, 127))


def test_what_a_command_finds(boxes: Boxes) -> None:
    """The container's variables, its working directory, services that are up."""
    value = "two\nlines"
    script = 'echo "$PWD|$GREETING|$(stat -c %s /run/cache-is-up)"'
    done = boxes.run(
        "command", "sh", "-c", script, options=Options(env={"GREETING": value})
    )
    assert f"/srv|{value}|1\n" in done.stdout
    assert done.returncode == 0


def test_what_comes_in_goes_to_the_command(boxes: Boxes) -> None:
    """And to nobody else: it is read to its end."""
    data = "".join(f"line {number}\n" for number in range(20000))
    done = boxes.run("command", "cat", options=QUIET, data=data)
    assert done.returncode == 0
    assert done.stdout == f"preparing\ncache: ready\n{data}" + (
        "cache: has stopped\nclearing up after 0\n"
    )


def test_words_may_be_put_in_front_of_the_command(boxes: Boxes) -> None:
    """For images that had an entry point of their own."""
    options = Options(env={"S6_CMD_ARG0": "echo\nhello dear"})
    done = boxes.run("command", "world", options=options)
    assert "hello dear world" in done.stdout.splitlines()


def test_signals_may_be_for_the_command(boxes: Boxes) -> None:
    """It is told to stop, and how it ends is how the container does."""
    options = Options(env={"S6_CMD_RECEIVE_SIGNALS": "1"})
    script = (
        "trap 'echo told; exit 8' TERM; echo listening; while :; do sleep 0.1; done"
    )
    box = boxes.start("command", "sh", "-c", script, options=options)
    box.wait_for("listening")
    assert box.stop() == 8
    assert box.out[-len(after(8)) - 2 :] == ["told", "[cmd] sh exited 8", *after(8)]


def test_a_terminal_is_the_commands(boxes: Boxes) -> None:
    """It can be typed on, and ^C ends what a shell runs in front, not the container."""
    words = boxes.terminal("command", "sh")
    with (
        Terminal() as terminal,
        running(
            words,
            [],
            Stage(Path("/"), terminal.fd, terminal.fd, terminal.fd),
        ) as engine,
    ):
        terminal.wait_for(SERVICES[1])
        terminal.type("tty; sleep 1000; echo $((6 * 7))\n")
        terminal.wait_for("/dev/pts/0\n")
        terminal.type("\x03")
        terminal.type("exit 3\n")
        assert finish(engine).code == 3
        assert "job control" not in terminal.seen
        assert "42" not in terminal.seen.splitlines()
        assert "[cmd] sh exited 3\n" in terminal.seen
