"""Services that write numbered lines as fast as they may, and take notes of it.

Each life of a run or a finish has numbers of its own. What its pipe has taken is
noted in a file that outlives every kill: those lines have to be in its log.
"""

import shlex
import struct
import sys
from pathlib import Path

from harness import Program
from numbered import Reading
from scanning import logged

LINE_BYTES = 256
PIECE = 16
"""Lines in a page, which a pipe takes as a whole or not at all (PIPE_BUF, pipe(7))."""

PIPE_LINES = 65536 // LINE_BYTES
"""What fits into a pipe: a logger with -b takes no more at once."""

LIFE = 500_000
"""How many numbers there are for each."""

LIVES = 1800
LAST_PIECES = 8
PAUSE_S = 0.02
"""After half a pipe, so that one machine has room for several."""

NOTES = "notes"
LOGDIR = "log/main"
KEEP_ALL = "n1000 s1000000 ./main"

SPEAKER = f"""
import mmap, os, signal, struct, sys, time

def line(number):
    ends = b"<%09d:" % number, b":%09d>\\n" % number
    return ends[0] + b"x" * ({LINE_BYTES} - len(ends[0]) - len(ends[1])) + ends[1]

def say(said):
    # Write a page of lines and note it; give how many there are by now.
    first = life * {LIFE} + said
    page = b"".join(map(line, range(first, first + {PIECE})))
    assert os.write(1, page) == len(page)
    said += {PIECE}
    struct.pack_into("=q", notes, 8 * life, said)
    return said

notes = mmap.mmap(os.open("{NOTES}", os.O_RDWR), 0)
(life,) = struct.unpack_from("=q", notes, 0)
life += 1
struct.pack_into("=q", notes, 0, life)
told = sys.argv[1:]
signal.signal(signal.SIGTERM, lambda *_: told.append("to end"))
said = 0
while not told:
    if said < {LIFE} - 100 * {PIECE}:
        said = say(said)
    if said % {PIPE_LINES // 2} == 0:
        time.sleep({PAUSE_S})
for _ in range({LAST_PIECES}):
    said = say(said)
"""
"""Says some last pieces when it is told to end; with an argument, only those."""

SPEAK = shlex.join(["exec", sys.executable, "-I", "-S", "../.speaker"])
FINISH = f"{SPEAK} finish"


def chatty(
    scandir: Path, name: str, logger: Program, *options: str, finish: str = FINISH
) -> Path:
    """Make a service that writes, and whose finish does too, with its logger."""
    log = shlex.join(["exec", *logger.argv, *options]) + " " + KEEP_ALL
    service = logged(scandir, name, SPEAK, log, finish)
    (scandir / ".speaker").write_text(SPEAKER)
    (service / NOTES).write_bytes(bytes(8 * LIVES))
    return service


def noted(service: Path) -> list[int]:
    """Give how many lines were taken by the pipe in each life so far."""
    lives, *counts = struct.unpack(f"={LIVES}q", (service / NOTES).read_bytes())
    return counts[:lives]


class Account:
    """What became of the lines of a service.

    `missing` were taken by its pipe and are not in its log. `strange` is a line and
    one that should not come after it. That is no matter of a logger that was killed
    and has written up to a pipe of lines again, `doubled` times. With `gaps`, lines
    may be missing in between.
    """

    def __init__(self, service: Path, gaps: bool = False) -> None:
        reading = Reading(service / LOGDIR)
        self.torn = [name for name, _ in reading.torn if not name.endswith(".u")]
        self.strange: list[tuple[int, int]] = []
        self.doubled = 0
        self._gaps = gaps
        self._known: list[int] = []
        self._place: dict[int, int] = {}
        place = 0
        for number in reading.numbers:
            place = self._take(number, place)
        self.lines = len(self._known)
        self.missing = [
            number
            for life, count in enumerate(noted(service), 1)
            for number in range(life * LIFE, life * LIFE + count)
            if number not in self._place
        ]

    def _take(self, number: int, place: int) -> int:
        """Take in a line that comes at a place; give the place of the next."""
        known = self._known
        if place == len(known) and number not in self._place:
            last = known[-1] if known else 0
            if not self._follows(last, number):
                self.strange.append((last, number))
            self._place[number] = place
            known.append(number)
        elif place == len(known) or known[place] != number:
            self.doubled += 1
            place = self._place.get(number, 0)
            if number not in self._place or len(known) - place > PIPE_LINES:
                self.strange.append((known[-1], number))
        return place + 1

    def _follows(self, last: int, number: int) -> bool:
        begins = number % LIFE == 0
        return number == last + 1 or (number > last and (begins or self._gaps))
