"""A logging script in plain English: what `--explain` prints. Pure.

First each directive by itself, then the way of a line through the elements:
which are selected, what is done with them, which end nowhere. What people do
not expect is pointed out: settings without effect, selections that change
nothing, lines that are written twice.
"""

from s6log.script.builder import Builder
from s6log.script.directives import ACTION, PATH, SELECTION, classify, defaults
from s6log.script.layout import duration, hang, heading, row, size, verbatim
from s6log.script.model import BLOCK, Logdir, Pipe
from s6log.script.reach import reach
from s6log.script.route import route

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from s6log.script.model import Script
    from s6log.script.options import Options
    from s6log.script.reach import Reach
    from s6log.script.words import Word

PROCESSORS = (b"!", b"?")  # either replaces the other
NUMBER_COLUMNS = 5
WORD_COLUMNS = 20  # a longer directive stands alone, its meaning below it


def explain(script: "Script", options: "Options", words: "Sequence[bytes]") -> str:
    """Explain a valid script, which was read from `words`.

    The text ends in a newline and fits into 80 columns, but for long words of
    the user's own.
    """
    directives = classify(words)
    paths = reach(directives)
    lines = [
        *heading("The script, directive by directive"),
        *_list(directives, paths),
        *heading("What happens to a line"),
        *hang("", _splitting(options)),
        "",
        *route(script, directives, paths),
        *heading("The logger itself"),
        *_logger(script, options),
    ]
    return "\n".join(lines[1:]) + "\n"


def _list(words: "Sequence[Word]", paths: "Reach | None") -> "Iterator[str]":
    """Give each directive with its meaning and, where it has no effect, say why."""
    lengths = [len(verbatim(word.text)) for word in words]
    longest = max(length for length in (1, *lengths) if length <= WORD_COLUMNS)
    column = NUMBER_COLUMNS + longest + 2
    builder = Builder(defaults())
    for index, word in enumerate(words):
        word.row.take(builder, word)
        number = f"{word.position}. ".rjust(NUMBER_COLUMNS)
        yield from row(number + verbatim(word.text), _meaning(word, builder), column)
        if idle := _idle(word, words[index + 1 :], paths):
            yield from hang(" " * column, f"(no effect: {idle})")


def _meaning(word: "Word", builder: Builder) -> str:
    """Say what a directive sets or does, with its value as it is in force."""
    argument, meaning = word.row.argument, word.row.meaning
    if argument.limit:
        value = builder.numbers[word.row.letter]
        zero = f" ({argument.none})" if argument.none and not value else ""
        return f"{meaning}: {value:,}{zero}"
    if argument is PATH:
        return f"{meaning}: {verbatim(word.text)}"
    if word.argument:
        return f"{meaning}: {verbatim(word.argument)}"
    return argument.none or meaning


def _idle(word: "Word", later: "Sequence[Word]", paths: "Reach | None") -> str:
    """Say why a directive has no effect, or nothing if it has one."""
    if word.row.role is ACTION:
        empty = paths is not None and not paths.selected[word.position]
        return "no line can get here" if empty else ""
    if word.row.role is SELECTION:
        return _idle_selection(word, later, paths)
    return _idle_setting(word, later)


def _idle_selection(
    word: "Word", later: "Sequence[Word]", paths: "Reach | None"
) -> str:
    if not any(other.row.role is ACTION for other in later):
        return "no action follows"
    if paths is not None:
        before, after = paths.selected[word.position - 1 : word.position + 1]
        if before == after:
            return "it changes nothing about which lines are selected"
    for other in later:
        if other.row.role is ACTION:
            break
        if other.row.role is SELECTION and not other.argument:
            return f"directive {other.position} selects afresh"
    return ""


def _idle_setting(word: "Word", later: "Sequence[Word]") -> str:
    role, letter = word.row.role, word.row.letter
    if not role.users:
        return ""  # it is for the logger as a whole
    rivals = PROCESSORS if letter in PROCESSORS else (letter,)
    for other in later:
        if other.row.role is ACTION and other.row.letter in role.users:
            return ""
        if other.row.letter in rivals:
            return f"directive {other.position} replaces it first"
        if other.row.role is ACTION and word.row.once:
            return f"directive {other.position} uses it up"
    return f"no {role.name} follows"


def _splitting(options: "Options") -> str:
    limit = options.line_limit
    long = f"; one of more than {size(limit)} is split" if limit else ", however long"
    return (
        f"A line ends with a newline or a NUL byte{long}. Patterns see it without "
        "what is put before it. It goes through these elements in this order:"
    )


def _logger(script: "Script", options: "Options") -> "Iterator[str]":
    """Say how the program as a whole behaves."""
    for text in _behaviour(script, options):
        yield from hang("- ", text)


def _behaviour(script: "Script", options: "Options") -> "Iterator[str]":
    if options.notify_fd is not None:
        yield f"It writes a newline to descriptor {options.notify_fd} once it is ready."
    actions = [action for _, action in script.actions]
    drops = any(action.limit.full != BLOCK for action in actions)
    if options.blocking:
        but = ", but for outputs that may drop lines" if drops else ""
        yield f"It reads on only when all it has read is written (-b){but}."
    if options.verbosity == 0:
        yield "It shows no warnings, but for the loss of standard output (-q)."
    if script.metrics:
        yield f"Figures are in {verbatim(script.metrics)}, every 15 s while lines come."
    if any(isinstance(action, Logdir) for action in actions):
        yield "SIGALRM rotates all log directories at once."
    term = " (SIGTERM is ignored: -p)" if options.protect else " or SIGTERM"
    yield f"It ends when its input ends, or on SIGHUP{term}."
    wait = options.last_line_timeout_ms
    long = "as long as it takes" if wait is None else f"up to {duration(wait)}"
    yield f"After a signal it waits {long} for the rest of a line that has begun."
    if wait is not None and (drops or any(isinstance(a, Pipe) for a in actions)):
        yield f"Commands, and outputs that may drop lines, may then idle {long}."
