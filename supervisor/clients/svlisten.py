"""s6-svlisten: listen to services, start a command, wait for its effect."""

import errno
import os

from s6log.unix.messages import DONE, MISTAKE, REFUSED, Fatal, Messages
from supervisor.clients import waiting
from supervisor.manual import Manual, Misuse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

LEAST_WORDS = 3  # a directory, the end of the block, a command
DIES = 2  # of $EXECLINE_STRICT; 1 warns

MANUAL = Manual(
    "s6-svlisten",
    "[ -U | -u | -d | -D | -r | -R ] [ -a | -o ] [ -t timeout ]"
    ' servicedir... "" prog...',
    (*waiting.OPTIONS, *waiting.CHOICE, *waiting.PATIENCE),
    "Listen to services, start prog, and wait until they have reached a state.\n"
    "The end of prog is not waited for. As in execline, the directories are a\n"
    'block: each with a blank in front, and "" at the end.',
)


def main(arguments: list[bytes]) -> int:
    """Run s6-svlisten; return its exit code."""
    if MANUAL.answered(arguments):
        return DONE
    try:
        wish, words = waiting.read_options(arguments)
        if len(words) < LEAST_WORDS:
            raise Misuse
        directories, command = split_block(words, MANUAL.messages)
    except Misuse:
        return MANUAL.usage()
    if not directories:
        from supervisor.chain.execute import execute

        execute(command)
    if wish.restart and wish.either:
        text = b"-o is unsupported when combined with -%b- using -a instead"
        MANUAL.messages.warn(text % wish.goal)
        wish.either = False
    waiting.check(waiting.wait(directories, wish, lambda: spawn(command), True))
    return DONE


def spawn(command: "Sequence[bytes]") -> None:
    """Start a command, which nobody waits for. Raises Fatal."""
    try:
        if not command[0]:  # for posix_spawnp(3) a word like others, not for Python
            raise OSError(errno.ENOENT, os.strerror(errno.ENOENT))
        os.posix_spawnp(command[0], list(command), os.environb)
    except OSError as error:
        raise Fatal(REFUSED, b"unable to spawn " + command[0], error) from error


def split_block(
    words: "Sequence[bytes]", messages: Messages
) -> tuple[list[bytes], list[bytes]]:
    """Split an execline block from the command behind it.

    Raises Misuse where there is no command, Fatal where the block has no end or
    $EXECLINE_STRICT forbids words without a blank in front.
    """
    strict = strictness()
    block: list[bytes] = []
    for position, word in enumerate(words):
        if not word:
            command = list(words[position + 1 :])
            if not command:
                raise Misuse
            return block, command
        if strict and not word.startswith(b" "):
            complain(messages, word, position, strict == DIES)
        block.append(word.removeprefix(b" "))
    raise Fatal(MISTAKE, b"unterminated servicedir block")


def strictness() -> int:
    """Read $EXECLINE_STRICT as execline does: the digits that it begins with."""
    value = os.environb.get(b"EXECLINE_STRICT", b"")
    digits = value[: len(value) - len(value.lstrip(b"0123456789"))]
    return min(int(digits[:10] or b"0"), DIES)


def complain(messages: Messages, word: bytes, position: int, fatal: bool) -> None:
    """Tell of a word without a blank in front, in the words of execline."""
    text = b"unquoted argument %b at block 1 position %d" % (word, position)
    if fatal:
        raise Fatal(MISTAKE, text)
    messages.warn(text)
