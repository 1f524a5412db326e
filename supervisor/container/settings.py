"""What the environment of a container asks of s6-init: the S6_* variables. Pure.

Names, defaults and meanings are those of s6-overlay 3, where docs/reference/s6-init.md
names no difference. A number is all digits; anything else counts as the default,
and so does an empty value.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

DIGITS = b"0123456789"
MOST_MS = (1 << 31) - 1  # poll(2) takes an int
MOST_GRACE_MS = 300_000  # of S6_KILL_GRACETIME, as in s6-overlay 3
LEAST_DRAIN_MS = 500  # for loggers to read to the end, also where grace is less
ENGINE_MS = 10_000  # what docker stop waits before it kills
DEFAULT_PATH = b"/command:/usr/bin:/bin"
SCRIPT = b"n20 s1000000 T"
CONSOLES = (b"raw", b"tag", b"json")
RAW, TAG, JSON = CONSOLES

KEEP_ENV = "S6_KEEP_ENV"
LOGGING = "S6_LOGGING"
CATCHALL_USER = "S6_CATCHALL_USER"
LOGGING_SCRIPT = "S6_LOGGING_SCRIPT"
BEHAVIOUR = "S6_BEHAVIOUR_IF_STAGE2_FAILS"
HOOK = "S6_STAGE2_HOOK"
FINISH_MAXTIME = "S6_KILL_FINISH_MAXTIME"
READYTIME = "S6_SERVICES_READYTIME"
SERVICES_GRACETIME = "S6_SERVICES_GRACETIME"
KILL_GRACETIME = "S6_KILL_GRACETIME"
SYNC_DISKS = "S6_SYNC_DISKS"
CMD_ARG0 = "S6_CMD_ARG0"
CMD_USE_TERMINAL = "S6_CMD_USE_TERMINAL"
CMD_RECEIVE_SIGNALS = "S6_CMD_RECEIVE_SIGNALS"
CMD_WAIT = "S6_CMD_WAIT_FOR_SERVICES"
CMD_WAIT_MAXTIME = "S6_CMD_WAIT_FOR_SERVICES_MAXTIME"
FIX_ATTRS_HIDDEN = "S6_FIX_ATTRS_HIDDEN"
READ_ONLY_ROOT = "S6_READ_ONLY_ROOT"
VERBOSITY = "S6_VERBOSITY"
PROFILE = "S6_RUNTIME_PROFILE"
BUNDLEDIR = "S6_RUNTIME_BUNDLEDIR"
CLOSING_FD = "S6_WAIT_FOR_CLOSING_FD"
WORLD_WRITABLE_RUN = "S6_YES_I_WANT_A_WORLD_WRITABLE_RUN_BECAUSE_KUBERNETES"
CONSOLE = "S6_CONSOLE"

NUMBERS: "Mapping[str, int]" = {
    KEEP_ENV: 0,
    LOGGING: 0,
    BEHAVIOUR: 0,
    FINISH_MAXTIME: 5000,
    READYTIME: 50,
    SERVICES_GRACETIME: 3000,
    KILL_GRACETIME: 3000,
    SYNC_DISKS: 0,
    CMD_USE_TERMINAL: 0,
    CMD_RECEIVE_SIGNALS: 0,
    CMD_WAIT: 0,
    CMD_WAIT_MAXTIME: 0,
    FIX_ATTRS_HIDDEN: 0,
    READ_ONLY_ROOT: 0,
    VERBOSITY: 2,
    CLOSING_FD: 0,
    WORLD_WRITABLE_RUN: 0,
}
"""Variables that are numbers, with their defaults."""

TEXTS: "Mapping[str, bytes]" = {
    CATCHALL_USER: b"root",
    LOGGING_SCRIPT: SCRIPT,
    HOOK: b"",
    CMD_ARG0: b"",
    PROFILE: b"",
    BUNDLEDIR: b"/etc/s6-overlay/user-bundles.d",
    CONSOLE: RAW,
}
"""Variables that are words, with their defaults."""


class Settings:
    """The variables of a container, read once.

    `numbers` and `texts` have a value for each variable of NUMBERS and TEXTS.
    """

    __slots__ = ("_given", "numbers", "texts")

    def __init__(self, environment: "Mapping[bytes, bytes]") -> None:
        self.numbers = {
            name: number(environment.get(name.encode(), b""), default)
            for name, default in NUMBERS.items()
        }
        self.texts = {
            name: environment.get(name.encode(), b"") or default
            for name, default in TEXTS.items()
        }
        limits = (FINISH_MAXTIME, SERVICES_GRACETIME, KILL_GRACETIME)
        self._given = any(environment.get(name.encode()) for name in limits)

    def on(self, name: str) -> bool:
        """Tell whether a number is not 0."""
        return self.numbers[name] != 0

    @property
    def console(self) -> bytes:
        """How lines without a logger look on the console, one of CONSOLES."""
        console = self.texts[CONSOLE]
        return console if console in CONSOLES else RAW

    @property
    def mistakes(self) -> list[bytes]:
        """What to tell the user of values that mean nothing."""
        console = self.texts[CONSOLE]
        if console in CONSOLES:
            return []
        return [b"S6_CONSOLE is none of " + b", ".join(CONSOLES) + b": " + console]

    @property
    def kill_grace_ms(self) -> int:
        """How long processes have between the last TERM and KILL."""
        return min(self.numbers[KILL_GRACETIME], MOST_GRACE_MS)

    @property
    def etc(self) -> bytes:
        """Where the image's own files are, without the last slash."""
        profile = self.texts[PROFILE]
        return b"/etc/cont-profile.d/" + profile if profile else b"/etc"

    def command(self, arguments: list[bytes]) -> list[bytes]:
        """Give the words of the CMD, those of S6_CMD_ARG0 in front.

        One a line, as in s6-overlay 1 and 2; on one line blanks divide them, as in 3.
        """
        first = self.texts[CMD_ARG0]
        words = first.split(b"\n") if b"\n" in first else first.split()
        return [*filter(None, words), *arguments]

    def slowest_stop_ms(self, scripts: int) -> int:
        """Give how long a stop may take if somebody has chosen that; else 0.

        `scripts` are those of cont-finish.d.
        """
        if not self._given:
            return 0
        limits = self.numbers
        finish_ms = scripts * limits[FINISH_MAXTIME]
        drain_ms = max(self.kill_grace_ms, LEAST_DRAIN_MS)
        return limits[SERVICES_GRACETIME] + finish_ms + self.kill_grace_ms + drain_ms


def number(text: bytes, default: int) -> int:
    """Read a number, which is all digits."""
    if not text or text.strip(DIGITS):
        return default
    # int() refuses thousands of digits.
    return min(int(text), MOST_MS) if len(text) <= len(str(MOST_MS)) else MOST_MS


def with_needed(path: bytes | None, others: "tuple[bytes, ...]" = ()) -> bytes:
    """Give PATH with the folders that every container's has, and `others` behind it.

    s6-overlay puts those that are missing in front.
    """
    if not path:
        path = DEFAULT_PATH
    folders = path.split(b":")
    missing = [folder for folder in DEFAULT_PATH.split(b":") if folder not in folders]
    behind = [folder for folder in others if folder not in [*missing, *folders]]
    return b":".join([*missing, *folders, *behind])


def stamps(script: bytes) -> list[bytes]:
    """Give the words of a logging script that concern the catch-all logger too.

    s6-overlay takes over `t` and `T`; we also take how large and how many files are.
    """
    return [
        word
        for word in script.split()
        if word in (b"t", b"T") or (word[:1] in b"ns" and word[1:].isdigit())
    ]
