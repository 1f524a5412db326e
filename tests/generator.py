"""Random scripts, inputs and log directories, each made from a seed.

What is made here means the same to s6-log 2.11 and to ours. It keeps clear of
the decided differences: a rotation never falls inside a piece of input, no
directory appears twice, `?` is restated before each directory, and recovery
never has to give one time to two archives.
"""

import random
import shlex
from collections.abc import Callable
from dataclasses import dataclass, field

WORDS = (b"ERROR", b"warn", b"info", b"alpha", b"beta", b"gamma", b"GET /x", b"42")
ODDS = (b"\r", b"\t", b"@", b"\xff", b"\xc3\xa9", b"\x01", b"\x7f", b" ", b".", b"[")
ATOMS = (
    *("a", "e", "R", "4", ".", "x", " ", "[a-f]", "[^a-z]", "[[:digit:]]", "[]x]"),
    *("[[:upper:][:space:]]", r"\.", r"\w", r"\S", "(al|be)", "()", "(x|)", "ERR"),
    *("w[a-z]+n", "\udcc3\udca9", "[\udc80-\udcff]"),
)
REPEATS = ("", "", "", "", "*", "+", "?", "{2}", "{,2}", "{1,3}", "*?")
PLACES = ("^", "$", r"\<", r"\>", r"\b", r"\B", r"\`", r"\'")
# These change lines, but no time before them (a-f are digits there).
PROCESSORS = ("?cat", "?tr g-z G-Z", "!tr g-z G-Z", '!sed "s/o/ u/"', "?cat; echo .")
MISTAKES = (
    *("zz", "", "n", "nfoo", "n5x", "t1", "T ", "12", "1 ", "f0", "=", "s4294967296"),
    *("r2147483648", "l", "E-1", "^x", "S1x", "+[", "-*", "+a{", "+(", "-a{3,1}"),
    *("l99999", "-[z-a]", "+[[:no:]]"),
)
UNUSABLE = ("./no/parent", "./file", "/proc/x", "/dev/null")
UMASKS = (0o022, 0o022, 0o077, 0o027, 0)


@dataclass
class Trial:
    """One comparison: run `args` on each of `pieces`, in a folder set up first.

    Between pieces the logger comes to rest; a piece of None is a SIGALRM.
    """

    seed: int
    args: list[str] = field(default_factory=list)
    pieces: list[bytes | None] = field(default_factory=list)
    setup: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    umask: int = 0o022

    def recipe(self) -> str:
        """Tell how to repeat the trial by hand, to be pasted into a shell."""
        fill = [
            f"mkdir -p $(dirname {name}); printf %b {quoted(content)} > {name};"
            f" chmod {mode:o} {name}"
            for name, (mode, content) in self.setup.items()
        ]
        feed = [
            "echo SIGALRM here >&2" if piece is None else f"printf %b {quoted(piece)}"
            for piece in self.pieces
        ]
        words = shlex.join(self.args).encode("utf-8", "surrogateescape")
        return "\n".join(
            [
                f"# seed {self.seed}",
                *fill,
                f"umask {self.umask:03o}",
                f"( {'; sleep .1; '.join(feed) or ':'} ) |"
                f" s6-log {words.decode('utf-8', 'backslashreplace')}",
            ]
        )


def quoted(data: bytes) -> str:
    """Write bytes as an argument of printf %b."""
    return "'" + "".join(f"\\0{byte:03o}" for byte in data) + "'"


def trial(seed: int) -> Trial:
    """Make the trial of a seed."""
    maker = Maker(random.Random(seed), Trial(seed))
    makers: tuple[Callable[[], None], ...] = (
        maker.selection,
        maker.selection,
        maker.alarm,
        maker.rotation,
        maker.recovery,
        maker.mistake,
    )
    makers[seed % len(makers)]()
    return maker.trial


class Maker:
    """Fills in a trial; every choice comes from `rng`."""

    def __init__(self, rng: random.Random, made: Trial) -> None:
        self.rng = rng
        self.trial = made
        self.folders: list[str] = []
        self.statuses = 0
        made.umask = rng.choice(UMASKS)

    def selection(self) -> None:
        """Give much input at once, all kinds of lines, without rotation."""
        limits = ["-l0", "-l1", "-l48", "-l100", "-l8191"]
        self.options([*limits, *limits[:2]])
        self.script(rotate=False)
        data = self.lines(self.rng.randrange(300), 200)
        if self.rng.random() < 0.1:
            data += b"y" * self.rng.randrange(20000)
        self.trial.pieces.append(data)

    def rotation(self) -> None:
        """Give one line at a time to directories that rotate, with processors."""
        self.options([])
        self.script(rotate=True)
        for folder in self.folders:
            if self.rng.random() < 0.4:
                self.archives(folder)
        for _ in range(self.rng.randrange(4, 14)):
            size = self.rng.choice((0, 10, 300, 1000, 2100, 3000))
            self.trial.pieces.append(self.line(size) + b"\n")

    def alarm(self) -> None:
        """Rotate by SIGALRM, always directories that hold something.

        What becomes of an empty one has changed since 2.11.
        """
        self.options([])
        for _ in range(self.rng.randint(1, 3)):
            self.action("/", rotate=False)
            self.trial.args.insert(-1, self.rng.choice((*PROCESSORS, "!")))
            if self.rng.random() < 0.4:
                self.archives(self.folders[-1])
        for _ in range(self.rng.randint(1, 6)):
            self.trial.pieces.append(self.lines(self.rng.randint(1, 5), 100) + b"\n")
            self.trial.pieces.append(None)

    def recovery(self) -> None:
        """Begin with directories in every state that a kill can leave behind."""
        self.options([])
        while not self.folders:
            self.trial.args.clear()
            self.options([])
            self.script(rotate=False)
        for folder in self.folders:
            self.archives(folder)
            self.leftovers(folder)
        self.trial.pieces.append(self.lines(self.rng.randrange(4), 30))

    def mistake(self) -> None:
        """Put something wrong into a script."""
        self.options([])
        self.trial.setup["file"] = (0o644, b"")
        start = len(self.trial.args)
        self.script(rotate=False)
        place = self.rng.randint(start, len(self.trial.args))
        words = MISTAKES if self.rng.random() < 0.7 else UNUSABLE
        self.trial.args.insert(place, self.rng.choice(words))
        self.trial.pieces.append(b"a\n")

    # The script.

    def options(self, limits: list[str]) -> None:
        """Choose options; `limits` are the line limits to choose from."""
        chosen = [o for o in ("-b", "-p", "-q", "-v") if self.rng.random() < 0.2]
        if limits and self.rng.random() < 0.5:
            chosen.append(self.rng.choice(limits))
        self.trial.args.extend([*chosen, "--"])

    def script(self, rotate: bool) -> None:
        """Write elements, and now and then something useless at the end."""
        for number in range(self.rng.choice((1, 1, 2, 3, 4))):
            least = 1 if number else 0
            for _ in range(self.rng.randint(least, 3)):
                self.trial.args.append(self.selector())
            for _ in range(self.rng.choice((1, 1, 2, 3))):
                kind = self.rng.choice("12=//////" if rotate else "1112=//")
                self.action(kind, rotate)
        if self.rng.random() < 0.1:
            self.trial.args.append(self.rng.choice(("n5", "t", "+x", "f", "pfoo")))

    def selector(self) -> str:
        """Make one of `f`, `-`, `+RE`, `-RE`."""
        kind = self.rng.choice("f--++++")
        if kind == "f" or self.rng.random() < 0.2:
            return kind
        return kind + self.pattern()

    def pattern(self) -> str:
        """Make an extended regular expression, nearly always a valid one."""
        parts = [self.rng.choice(ATOMS) + self.rng.choice(REPEATS)]
        while self.rng.random() < 0.4:
            parts.append(self.rng.choice(ATOMS) + self.rng.choice(REPEATS))
        if self.rng.random() < 0.3:
            parts.insert(self.rng.randint(0, len(parts)), self.rng.choice(PLACES))
        if self.rng.random() < 0.15:
            parts.insert(1, "|")
        return "".join(parts)

    def action(self, kind: str, rotate: bool) -> None:
        """Write control directives and one action that may use them."""
        words = [w for w in ("t", "T") if self.rng.random() < 0.3]
        if self.rng.random() < 0.3:
            words.append("p" + self.rng.choice(("", "", "x", " two words", "\udcff:")))
        if kind == "2":
            words.append(f"E{self.rng.choice((0, 1, 5, 200))}")
        elif kind == "=":
            self.statuses += 1
            words.append(f"^{self.rng.choice((0, 1, 5, 30, 1001, 3000))}")
            kind = f"=status{self.statuses}"
        elif kind == "/":
            odd = self.rng.choice(("", "", "", " x", "\udcff", "\n"))
            self.folders.append(f"d{len(self.folders)}{odd}")
            kind = f"./{self.folders[-1]}"
            words.extend(self.policy(rotate))
        self.rng.shuffle(words)
        # Order matters to these two: l is checked against the s before it.
        words.sort(key=lambda word: word[0] == "s")
        self.trial.args.extend([*words, kind])

    def policy(self, rotate: bool) -> list[str]:
        """Choose when a directory rotates, what it keeps, and its processor."""
        words = [f"n{self.rng.choice((0, 1, 2, 3, 10))}"]
        if self.rng.random() < 0.3:
            words.append(f"S{self.rng.choice((0, 1, 100, 3000, 9000))}")
        if not rotate:
            return words
        words.extend((f"l{self.rng.choice((0, 1000, 2000, 2048))}", "s4096"))
        words.append(self.rng.choice((*PROCESSORS, "!", "!", "!", "!")))
        return words

    # The input.

    def line(self, most: int) -> bytes:
        """Make a line of at most about `most` bytes, without separator."""
        size = self.rng.randint(0, most)
        parts: list[bytes] = []
        while sum(map(len, parts)) < size:
            parts.append(self.rng.choice(WORDS if self.rng.random() < 0.8 else ODDS))
            parts.append(self.rng.choice((b" ", b"", b"-")))
        if size > 20 and self.rng.random() < 0.1:
            parts.append(self.rng.randbytes(40).translate(None, b"\n\0"))
        return b"".join(parts)

    def lines(self, count: int, most: int) -> bytes:
        """Make lines ended by LF or NUL, the last one sometimes by neither."""
        data = b"".join(
            self.line(self.rng.choice((0, 10, 30, most)))
            + self.rng.choice((b"\n", b"\n", b"\n", b"\n", b"\0"))
            for _ in range(count)
        )
        return data[:-1] if data and self.rng.random() < 0.3 else data

    # What was there before.

    def archives(self, folder: str) -> None:
        """Put old archives, and files that only look like ones, into a folder."""
        for _ in range(self.rng.randrange(7)):
            name = f"@400000005{self.rng.randrange(16**15):015x}"
            if self.rng.random() < 0.1:
                name = name.upper()
            suffix = self.rng.choice((".s", ".s", ".u", ".z", ""))
            content = b"o" * self.rng.choice((1, 100, 3000))
            self.trial.setup[f"{folder}/{name}{suffix}"] = (0o744, content)

    def leftovers(self, folder: str) -> None:
        """Put a state of the logger's own files into a folder."""
        setup = self.trial.setup
        kind = self.rng.choice(("clean", "unclean", "previous", "processed"))
        ending = self.rng.choice((b"", b"\n"))
        if kind in ("clean", "unclean"):
            mode = 0o744 if kind == "clean" else self.rng.choice((0o644, 0o654, 0o600))
            setup[f"{folder}/current"] = (mode, b"old\ncurrent" + ending)
        if kind == "previous":
            setup[f"{folder}/previous"] = (self.rng.choice((0o744, 0o644)), b"p\np")
            if self.rng.random() < 0.5:
                setup[f"{folder}/processed"] = (0o644, b"half")
        if kind == "processed":
            setup[f"{folder}/processed"] = (0o744, b"P\nP" + ending)
            if self.rng.random() < 0.5:
                setup[f"{folder}/previous"] = (0o744, b"p\np")
            if self.rng.random() < 0.5:
                setup[f"{folder}/current"] = (0o644, b"unfinished")
        for name in ("state", "newstate"):
            if self.rng.random() < 0.5:
                setup[f"{folder}/{name}"] = (0o644, name.encode())
