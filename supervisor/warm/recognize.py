"""What a run file becomes, when that can only be one of our loggers. Pure.

Recognized are files of which every byte is understood: an s6-logscript file, or a
script for sh or execlineb of comments and one command line, without any expansion,
redirection or operator: `[exec] [s6-setuidgid USER] s6-log WORDS...` or
`[exec] logutil-service DIR`. In doubt nothing is: the file is executed, which is
always right.
"""

from supervisor.warm.words import Doubt, execline_words, sh_words

SH = b"/bin/sh"
ENV = b"/usr/bin/env"
EXECLINEB = b"execlineb"
EXEC = b"exec"
SETUIDGID = b"s6-setuidgid"
LOGGER = b"s6-log"
LOGSCRIPT = b"s6-logscript"
LOGUTIL = b"logutil-service"
NAMES = (LOGGER, LOGUTIL)  # one of them is in each file that is recognized
SHEBANG_BYTES = 127  # more is cut off before Linux 5.1 (execve(2))

# They change nothing for a script that is one command without variables.
SH_OPTIONS = (b"", b"-e", b"-u", b"-eu", b"-ue")
# No positional parameters; or they are put into the script. The other ways of
# execlineb leave them in the environment.
NO_PARAMETERS, PARAMETERS = b"-P", b"-S0"

LETTERS = b"_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
DIGITS = 9  # of a number that is small enough everywhere
IN_NAME = LETTERS + b"0123456789-."  # of a user


class Command:
    """The logger that a run file becomes.

    `interpreter`: the path after `#!`. `chain`: the programs executed on the way,
    `logger`: the last one, all as they are written. `user`: what s6-setuidgid is
    given, or None. `program` is s6-log, s6-logscript or logutil-service, and gets
    `arguments`.
    """

    __slots__ = ("arguments", "chain", "interpreter", "logger", "program", "user")

    def __init__(
        self, interpreter: bytes, logger: bytes, arguments: list[bytes]
    ) -> None:
        self.interpreter = interpreter
        self.logger = logger
        self.program = basename(logger)
        self.arguments = arguments
        self.chain: tuple[bytes, ...] = ()
        self.user: bytes | None = None

    @property
    def is_logutil(self) -> bool:
        """Tell whether it executes s6-log, and as another user if it can."""
        return self.program == LOGUTIL


def recognize(text: bytes, name: bytes) -> Command | None:
    """Say what `./run NAME` with this content becomes; None when in doubt."""
    first, _, script = text.partition(b"\n")
    if not first.startswith(b"#!") or len(first) > SHEBANG_BYTES:
        return None
    # What the kernel makes of the line: a path, and all the rest is one argument.
    line = first[2:].replace(b"\t", b" ").strip(b" ")
    interpreter, _, option = line.partition(b" ")
    try:
        return _recognize(interpreter, option.lstrip(b" "), script, name)
    except Doubt:
        return None


def _recognize(
    interpreter: bytes, option: bytes, script: bytes, name: bytes
) -> Command:
    if interpreter == SH and option in SH_OPTIONS:
        return _in_sh(sh_words(script))
    if is_path(interpreter, EXECLINEB) and option in (NO_PARAMETERS, PARAMETERS):
        return _in_execline(interpreter, execline_words(script, option == PARAMETERS))
    if (interpreter, option) == (ENV, LOGSCRIPT):
        return Command(ENV, LOGSCRIPT, [b"./run", name])
    if is_path(interpreter, LOGSCRIPT) and not option:
        # Our programs are sh scripts, so the kernel starts sh with the path.
        return Command(SH, interpreter, [b"./run", name])
    raise Doubt


def _in_sh(words: list[bytes]) -> Command:
    """Read the command, where `exec` is no program of its own.

    Without it the shell would wait for the logger, and be what signals reach: not
    what anybody wants.
    """
    return _command(SH, words[1:] if words[:1] == [EXEC] else words)


def _in_execline(interpreter: bytes, words: list[bytes]) -> Command:
    """Read the command, where `exec` is a program."""
    if words[:1] != [EXEC]:
        return _command(interpreter, words)
    command = _command(interpreter, words[1:])
    command.chain = (EXEC, *command.chain)
    return command


def _command(interpreter: bytes, words: list[bytes]) -> Command:
    """Read `[s6-setuidgid USER] s6-log WORDS...`, or another one. Raises Doubt."""
    if not words:
        raise Doubt
    program, *arguments = words
    if is_program(program, LOGGER) or is_logutil(program, arguments):
        return Command(interpreter, program, arguments)
    if not (is_program(program, SETUIDGID) and arguments and is_account(arguments[0])):
        raise Doubt
    user, *rest = arguments
    command = _command(interpreter, rest)
    if command.user is not None or command.is_logutil:
        raise Doubt
    command.user = user
    command.chain = (program,)
    return command


def is_program(word: bytes, name: bytes) -> bool:
    """Tell whether a word stands for the program of that name."""
    return word == name or is_path(word, name)


def is_logutil(word: bytes, arguments: list[bytes]) -> bool:
    """Tell whether words are `logutil-service DIR`, without any option."""
    named = len(arguments) == 1 and arguments[0][:1] not in (b"", b"-")
    return named and is_program(word, LOGUTIL)


def is_path(word: bytes, name: bytes) -> bool:
    """Tell whether a word is an absolute path that ends in a name."""
    return word.startswith(b"/") and basename(word) == name


def is_account(word: bytes) -> bool:
    """Tell whether a word can be a user's name, or is uid:gid in numbers."""
    user, _, group = word.partition(b":")
    if user.isdigit() and group.isdigit():
        return max(len(user), len(group)) <= DIGITS
    return bool(word) and word[0] in LETTERS and not word.translate(None, IN_NAME)


def basename(path: bytes) -> bytes:
    """Give what comes after the last slash."""
    return path.rpartition(b"/")[2]
