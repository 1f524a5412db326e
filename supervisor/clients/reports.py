"""What a person wants to know of a service, in a word or two each. Pure.

Words that can be bad news come with a tone, for those who look at night.
"""

from supervisor.clients.fields import last_exit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.clients.fields import View

    Said = tuple[str, int]

CALM, ODD, BAD = range(3)
"""As it should be; worth a look; not doing what it is wanted to do."""

NOTHING = "-"
STEADY_SECONDS = 60  # one that has died, and is not up for that long, is worth a look
MINUTE, HOUR, DAY = 60, 3600, 86400


class Report:
    """What was found out about a service at one instant.

    `view` is None when nobody supervises it, or one may not know: `problem` says
    which. `deaths` are those in its tally, which holds `most` of them; `notifies`
    tells that it says when it is ready; `logger` is the service in its `log`.
    """

    __slots__ = ("deaths", "logger", "most", "name", "notifies", "problem", "view")

    def __init__(self, name: bytes, view: "View | None", problem: str = "") -> None:
        self.name = name
        self.view = view
        self.problem = problem
        self.deaths = 0
        self.most = 0
        self.notifies = False
        self.logger: Report | None = None

    @property
    def up(self) -> bool:
        """Whether its run lives, as far as one knows."""
        return self.view is not None and self.view.status.up


def state(report: Report) -> "Said":
    """Say whether it is up, and what of that is not as wanted, or not as usual."""
    if report.view is None:
        return report.problem, BAD
    status, up = report.view.status, report.up
    word, opposite = _word(report.view), "down" if up else "up"
    if status.want_up != up:
        return f"{word}, want {opposite}", ODD if up else BAD
    if report.view.normally_up != up:
        return f"{word}, normally {opposite}", ODD
    return word, ODD if word in ("paused", "finishing") else CALM


def _word(view: "View") -> str:
    status = view.status
    if status.up:
        return "paused" if status.paused else "up"
    if status.finishing:
        return "finishing"
    return "down" if status.started else "not started"


def since(report: Report) -> str:
    """Say for how long it has been up or down."""
    if report.view is None or not report.view.status.started:
        return NOTHING
    return duration(report.view.seconds)


def pid(report: Report) -> str:
    """Give the process id of its run."""
    if report.view is None or not report.up:
        return NOTHING
    return str(report.view.status.pid)


def ready(report: Report) -> "Said":
    """Say whether it is ready, when it is up and one that says so."""
    if report.view is None or not report.up:
        return NOTHING, CALM
    if report.view.status.ready:
        return "yes", CALM
    return ("no", ODD) if report.notifies else (NOTHING, CALM)


def restarts(report: Report) -> "Said":
    """Count the deaths in the tally; `100+` when it is full."""
    if report.view is None or not report.most:
        return NOTHING, CALM
    full = "+" if report.deaths >= report.most else ""
    steady = report.view.seconds >= STEADY_SECONDS or not report.view.status.want_up
    return f"{report.deaths}{full}", CALM if steady or not report.deaths else ODD


def last(report: Report, numbers: bool) -> str:
    """Say how its run ended the last time, `numbers` for those of signals."""
    if report.view is None:
        return NOTHING
    wait_status = report.view.status.wait_status
    # 0 is exit code 0, and also what stands there before any death.
    if not (wait_status or report.deaths):
        return NOTHING
    return last_exit(wait_status, numbers).decode()


def logger(report: Report) -> "Said":
    """Say how its logger is; its restarts too, since they have no other place."""
    if report.logger is None:
        return NOTHING, CALM
    text, tone = state(report.logger)
    if report.logger.deaths:
        count, unsteady = restarts(report.logger)
        noun = "restart" if count == "1" else "restarts"
        return f"{text}, {count} {noun}", max(tone, unsteady)
    return text, tone


def duration(seconds: int) -> str:
    """Give a time in its two largest units: 5s, 3m 12s, 4h 0m, 3d 4h."""
    if seconds < MINUTE:
        return f"{seconds}s"
    if seconds < HOUR:
        return f"{seconds // MINUTE}m {seconds % MINUTE}s"
    if seconds < DAY:
        return f"{seconds // HOUR}h {seconds % HOUR // MINUTE}m"
    return f"{seconds // DAY}d {seconds % DAY // HOUR}h"


def printable(name: bytes) -> str:
    """Give a name as text that cannot disturb a line or a terminal."""
    text = name.decode(errors="backslashreplace")
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)
