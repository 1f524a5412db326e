"""A script while it is read: the settings in force, the elements so far. Pure.

One method a kind of directive; the table in `directives` says which is whose.
"""

from s6log.script.execline import ExeclineError, tokenize
from s6log.script.model import (
    USUAL_LIMIT,
    Action,
    Alert,
    Element,
    Format,
    Join,
    Limit,
    Logdir,
    Pipe,
    Processor,
    Rate,
    Rules,
    Selector,
    Status,
    Stdout,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from s6log.script.tree import Node
    from s6log.script.words import Word

SIZE_LEAST, SIZE_MOST = 4096, 268435455  # `s` is brought within these, silently


class Builder:
    """Takes directives from left to right.

    `numbers` are the settings by letter. What an action does is settled when it
    is met; most settings stay in force for the actions after it. The next action
    alone is meant by `stamp`, `iso`, `tag`, `json`, `join` and `rate`.
    """

    __slots__ = (
        "actions",
        "date",
        "elements",
        "iso",
        "join",
        "json",
        "limit",
        "logdirs",
        "metrics",
        "numbers",
        "prefix",
        "processor",
        "rate",
        "selectors",
        "stamp",
        "streams",
        "tag",
    )

    def __init__(self, numbers: dict[bytes, int]) -> None:
        self.numbers = numbers
        self.prefix = b""
        self.processor: Processor | None = None
        self.date = (b"", b"")
        self.limit = USUAL_LIMIT
        self.metrics = b""
        self.streams: dict[bytes, Limit] = {}
        self._use_up()
        self.selectors: list[Selector] = []
        self.actions: list[Action] = []
        self.logdirs: list[Logdir] = []
        self.elements: list[Element] = []

    def finish(self) -> tuple[Element, ...]:
        """Give the elements; selections without an action after them are dropped."""
        self._close_element()
        return tuple(self.elements)

    def select(self, word: "Word") -> None:
        """`+RE`, `-RE`, `f`: after an action, the first one of a new element."""
        tree = pattern_of(word, word.argument)
        selector = Selector(word.row.letter, word.argument, tree)
        self._close_element()
        self.selectors.append(selector)

    def set_number(self, word: "Word") -> None:
        """Any letter with a number that nothing else is asked of."""
        self.numbers[word.row.letter] = word.number()

    def set_size(self, word: "Word") -> None:
        """`sN`."""
        self.numbers[b"s"] = max(SIZE_LEAST, min(word.number(), SIZE_MOST))

    def set_tolerance(self, word: "Word") -> None:
        """`lN`: checked against the `s` before it; a later `s` is not looked at."""
        value, size = word.number(), self.numbers[b"s"]
        if value > size // 2:
            hint = f"l takes at most {size // 2} here: half of s, which is {size}"
            after = b" conflicts with previous s directive"
            raise word.refused(hint, b"directive ", after)
        self.numbers[b"l"] = value

    def set_prefix(self, word: "Word") -> None:
        """`pTEXT`."""
        self.prefix = word.argument

    def set_processor(self, word: "Word") -> None:
        """`!COMMAND`."""
        argv = _split(word)
        self.processor = Processor(word.argument, False, argv) if argv else None

    def set_shell_processor(self, word: "Word") -> None:
        """`?COMMAND`: like `!`, and to the next of either (in s6-log: one action)."""
        command = word.argument
        argv = (b"/bin/sh", b"-c", command)
        self.processor = Processor(command, True, argv) if command else None

    def set_stamp(self, _: "Word") -> None:
        """`t`."""
        self.stamp = True

    def set_iso(self, _: "Word") -> None:
        """`T`."""
        self.iso = True

    def add_stdout(self, word: "Word") -> None:
        """`1`."""
        self._add_to_stream(Stdout(self._format()), word)

    def add_alert(self, word: "Word") -> None:
        """`2`."""
        if self.json:
            raise word.refused("an alert is text: @json is not for it")
        self._add_to_stream(Alert(self._format(), self.numbers[b"E"]), word)

    def add_status(self, word: "Word") -> None:
        """`=FILE`."""
        self._add(Status(self._format(), word.argument, self.numbers[b"^"]))

    def add_logdir(self, word: "Word") -> None:
        """`./dir` or `/dir`: the whole word is the path."""
        numbers = self.numbers
        rules = Rules(
            keep=numbers[b"n"],
            size_bytes=numbers[b"s"],
            total_bytes=numbers[b"S"],
            tolerance_bytes=numbers[b"l"],
            retry_ms=numbers[b"r"],
            period_s=numbers[b"R"],
        )
        logdir = Logdir(self._format(), word.text, rules, self.processor)
        self.logdirs.append(logdir)
        self._add(logdir)

    def add_pipe(self, word: "Word") -> None:
        """`@pipe=COMMAND`."""
        self._add(Pipe(self._format(), word.argument, self.numbers[b"r"]))

    def _add(self, action: Action) -> None:
        """Add an action with all that is in force; what is for it alone is used up."""
        action.limit = self.limit
        action.join, action.rate = self.join, self.rate
        self.actions.append(action)
        self._use_up()

    def _add_to_stream(self, action: Action, word: "Word") -> None:
        """Add a `1` or `2`: all of one kind are one output, with one buffer."""
        if not self.streams.setdefault(word.text, self.limit).is_like(self.limit):
            hint = "all actions of this kind share one buffer: @buffer and @full differ"
            raise word.refused(hint)
        self._add(action)

    def _use_up(self) -> None:
        """Forget what was for one action."""
        self.stamp = self.iso = self.json = False
        self.tag: bytes | None = None
        self.join: Join | None = None
        self.rate: Rate | None = None

    def _close_element(self) -> None:
        if self.actions:
            self.elements.append(Element(tuple(self.selectors), tuple(self.actions)))
            self.selectors, self.actions = [], []

    def _format(self) -> Format:
        """Give what becomes of the lines of an action."""
        form = Format(self.stamp, self.iso, self.prefix)
        form.date, form.tag, form.json = self.date, self.tag, self.json
        return form


def pattern_of(word: "Word", pattern: bytes) -> "Node | None":
    """Read a word's pattern, None for an empty one. Raises ScriptError."""
    if not pattern:
        return None
    # Not at the top: a logger without patterns starts without this.
    from s6log.script.ere import EreError
    from s6log.script.ere import parse as parse_pattern

    try:
        return parse_pattern(pattern)
    except EreError as error:
        at = len(word.argument) - len(pattern) + error.position + 1
        hint = f"bad pattern at byte {at}: {error.reason}"
        raise word.refused(hint) from error


def _split(word: "Word") -> tuple[bytes, ...]:
    """Split the command of a `!`; refuse what could only fail at each rotation."""
    try:
        argv = tokenize(word.argument)
    except ExeclineError as error:
        hint = f"bad command: {error.reason} (execline's quoting applies)"
        raise word.refused(hint) from error
    if word.argument and not argv:
        raise word.refused("a command without words would empty every archive")
    return argv
