"""The way of a line through the elements of a script, in words. Pure."""

from s6log.script.directives import ACTION, SELECTION
from s6log.script.layout import duration, hang, listed, row, size, verbatim
from s6log.script.model import BLOCK, USUAL_LIMIT, Alert, Logdir, Pipe, Status
from s6log.script.words import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from s6log.script.model import (
        Action,
        Element,
        Format,
        Limit,
        Processor,
        Rules,
        Script,
        Selector,
    )
    from s6log.script.reach import Reach
    from s6log.script.words import Word

INDENT = " " * 4
COLUMN = 19  # where the details of an action begin
ALERT_DOTS = len("...")
STREAMS = {b"1": "standard output", b"2": "standard error"}
FRESH = {b"+": "Every line", b"-": "No line", b"f": "Lines that no action has had yet"}
"""What is selected after an empty `+` or `-`, or an `f`."""


def route(
    script: "Script", words: "Sequence[Word]", paths: "Reach | None"
) -> "Iterator[str]":
    """Describe the elements by number, and where lines end."""
    starts = list(_starts(words))
    for number, element in enumerate(script.elements, 1):
        yield from _element(number, element)
        if paths is not None and not paths.selected[starts[number - 1]]:
            yield from hang(INDENT, "No line can get here.")
        yield ""
    yield from _ending(script, paths)
    yield from _repeated(words, paths)


def _starts(words: "Iterable[Word]") -> "Iterator[int]":
    """Give the position of the first action of each element."""
    open_ = False
    for word in words:
        if word.row.role is ACTION and not open_:
            yield word.position
        if word.row.role in (ACTION, SELECTION):
            open_ = word.row.role is ACTION


def _element(number: int, element: "Element") -> "Iterator[str]":
    carried = "Every line"
    if number > 1:
        carried = f"Lines that element {number - 1} left selected (this carries over)"
    chosen = _chosen(element.selectors, carried)
    yield from hang(f"{number}.".ljust(len(INDENT)), next(chosen))
    yield from (INDENT + line for line in chosen)
    for action in element.actions:
        yield from hang(f"{INDENT}-> ", _destination(action))
        for label, text in _details(action):
            yield from row(f"{INDENT}   {label}", text, COLUMN)


def _chosen(selectors: "Sequence[Selector]", carried: str) -> "Iterator[str]":
    """Say which lines these selectors leave selected; each pattern has its line."""
    start, steps = carried, selectors
    for index, selector in enumerate(selectors):
        if selector.tree is None:
            start, steps = FRESH[selector.kind], selectors[index + 1 :]
    if not steps:
        yield start
    more = "Lines" if start == FRESH[b"-"] else f"{start}, and also those"
    joints = {b"+": more, b"-": f"{start}, except those"}
    for kind, patterns in _runs(steps):
        yield joints[kind] + (" that match one of" if patterns[1:] else " that match")
        for pattern in patterns:
            yield from hang(INDENT, verbatim(pattern))
        joints = {b"+": "and again those", b"-": "but not those"}


def _runs(steps: "Iterable[Selector]") -> list[tuple[bytes, list[bytes]]]:
    """Put the patterns of neighbours of one kind together."""
    runs: list[tuple[bytes, list[bytes]]] = []
    for step in steps:
        if not runs or runs[-1][0] != step.kind:
            runs.append((step.kind, []))
        runs[-1][1].append(step.pattern)
    return runs


def _destination(action: "Action") -> str:
    if isinstance(action, Logdir):
        return f"the log directory {verbatim(action.path)}"
    if isinstance(action, Status):
        return f"the file {verbatim(action.path)}, which holds the last line only"
    if isinstance(action, Alert):
        return "an alert on standard error"
    if isinstance(action, Pipe):
        return f"the standard input of {verbatim(action.command)} (run by /bin/sh)"
    return "standard output"


def _details(action: "Action") -> "Iterator[tuple[str, str]]":
    """Give what is worth knowing of an action, by label."""
    if action.join is not None:
        kind = action.join.kind.decode()
        what = f"lines after one that matches {printable(action.join.pattern)}"
        lines = what if action.join.pattern else f"lines of one trace ({kind})"
        yield "joined", f"{lines} become one, after 0.5 s at the latest"
    if action.rate is not None:
        period = duration(action.rate.period_ms)
        noun = "line" if action.rate.lines == 1 else "lines"
        most = f"{action.rate.lines:,} {noun} in {period}"
        yield "limited", f"to {most}; others are dropped, which is counted and told"
    yield "as", _record(action)
    if not isinstance(action, Status):
        yield from _waiting(action.limit)
    if isinstance(action, Alert) and action.most:
        rest = f"{action.most + ALERT_DOTS:,}"
        yield "cut", f"lines of more than {rest} bytes: after {size(action.most)}"
    elif isinstance(action, Status) and action.size:
        yield "size", f"{size(action.size)}: cut, or filled up with newlines"
    elif isinstance(action, Logdir):
        yield from _rules(action.rules)
        if action.processor is not None:
            yield "archives", _processing(action.processor)


def _waiting(limit: "Limit") -> "Iterator[tuple[str, str]]":
    """Say how much may wait, where that is not as usual."""
    if not limit.is_like(USUAL_LIMIT):
        most = f"at most {size(limit.buffer_bytes)}; then "
        way = {b"drop-oldest": "the oldest are", b"drop-newest": "new ones are"}
        dropped = f"{way.get(limit.full)} dropped, which is counted and told"
        yield "waiting", most + ("reading stops" if limit.full == BLOCK else dropped)


def _record(action: "Action") -> str:
    """Show what becomes of a line: an example with made-up stamps."""
    form = action.format
    if form.json:
        return "a JSON object with ts, service, stream and msg; an object gains them"
    parts = ["s6-log: alert: "] if isinstance(action, Alert) else []
    if form.stamp:
        parts.append("@40000000663c0aad1dcd6500 ")
    if form.iso:
        parts.append(_date(form))
    if form.tag is not None:
        parts.append(f"{printable(form.tag) or 'SERVICE'} | ")
    if form.prefix:
        parts.append(f"{printable(form.prefix)} ")
    return verbatim("".join([*parts, "LINE"]).encode())


def _date(form: "Format") -> str:
    """Show what `T` writes."""
    written, zone = form.date
    example = f"<{printable(written)}>" if written else "2024-05-08 23:28:08.500000000"
    return f"{example}<{printable(zone)}>  " if zone else f"{example}  "


def _rules(rules: "Rules") -> "Iterator[tuple[str, str]]":
    least = rules.size_bytes - rules.tolerance_bytes
    when = "after every line, because l is not less than s"
    if least > 0:
        when = f"after the line that brings it to {size(least)}"
    if rules.period_s:
        when += f", and every {duration(rules.period_s * 1000)}"
    yield "rotated", when
    yield "kept", _kept(rules)
    yield "retries", f"{duration(rules.retry_ms)} after something failed"


def _kept(rules: "Rules") -> str:
    if not rules.keep:
        return "no archive: what is rotated away is deleted"
    many = rules.keep > 1
    newest = f"the {rules.keep:,} newest archives" if many else "the newest archive"
    if rules.total_bytes:
        return f"{newest}, of {size(rules.total_bytes)} together at most"
    total = (rules.keep + 1) * rules.size_bytes
    return f"{newest}: with current, about {size(total)} at most"


def _processing(processor: "Processor") -> str:
    how = "by /bin/sh" if processor.shell else "without a shell"
    return f"rewritten by {verbatim(processor.command)} (run {how})"


def _ending(script: "Script", paths: "Reach | None") -> list[str]:
    actions = [action for _, action in script.actions]
    if any(a.rate or a.limit.full != BLOCK for a in actions):
        return hang("", "Lines are dropped where a limit says so.")
    if paths is not None and not paths.dropped:
        return hang("", "Every line goes somewhere: none is dropped.")
    if paths is not None and paths.dropped == paths.everything:
        return hang("", "Every line is dropped: no action ever gets one.")
    return hang("", "A line that no element selects goes nowhere: it is dropped.")


def _repeated(words: "Sequence[Word]", paths: "Reach | None") -> "Iterator[str]":
    """Name the outputs that one line can go to more than once."""
    places: dict[bytes, list[Word]] = {}
    for word in words:
        if word.row.role is ACTION:
            places.setdefault(word.text, []).append(word)
    for text, same in places.items():
        if _overlap(same, paths):
            which = listed([str(word.position) for word in same])
            name = STREAMS.get(text) or verbatim(text)
            how = f"more than once: directives {which}."
            yield from hang("", f"A line can go to {name} {how}")


def _overlap(words: "Sequence[Word]", paths: "Reach | None") -> bool:
    """Tell whether a line can be selected at two of these places."""
    if paths is None:
        return len(words) > 1
    met = 0
    for word in words:
        if met & paths.selected[word.position]:
            return True
        met |= paths.selected[word.position]
    return False
