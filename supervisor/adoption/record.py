"""The record in supervise/process: what a later supervisor adopts a process by. Pure.

Text, a word and its value on each line; a file of ours, unknown to s6:

    s6log process 1
    state run
    pid 1234
    start 8391234
    place 0556bad1-7129-4b50-8d45-efa558d337dd/4026531836
    stdin 0:0
    stdout 14:88123
    notification 14:88124
    wait 0

It is written with pid 0 before the process is started, and again when its pid is
known. So whoever finds pid 0 must look for an orphan before starting anything.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    Inode = tuple[int, int]

HEAD = "s6log process 1"
RUN, FINISH = "run", "finish"
NO_INODE = (0, 0)
RECORD_BYTES = 1024  # more than any has
INT_MAX = 2**31 - 1
WAIT_STATUS_MAX = 0xFFFF  # exit code and signal: what a status has room for
INT64_MAX = 2**63 - 1


class Record:
    """One process of a service; `state` says whether it is run or finish.

    `place` is where pids mean something (processes.own_place). `start_ticks` is
    when the process started, as in /proc/PID/stat; while `pid` is 0, the earliest
    time at which it can have. `stdin`, `stdout`, `notification` are (device,
    inode) of the pipes shared with it: the log pipe, and that for readiness until
    it is ready; else NO_INODE. `wait_status` is how run ended, for finish.
    """

    __slots__ = (
        "notification",
        "pid",
        "place",
        "start_ticks",
        "state",
        "stdin",
        "stdout",
        "wait_status",
    )

    def __init__(self, place: str, state: str = RUN) -> None:
        self.place = place
        self.state = state
        self.pid = 0
        self.start_ticks = 0
        self.stdin: Inode = NO_INODE
        self.stdout: Inode = NO_INODE
        self.notification: Inode = NO_INODE
        self.wait_status = 0


def encode(record: Record) -> bytes:
    """Give the content of the file."""
    lines = (
        HEAD,
        f"state {record.state}",
        f"pid {record.pid}",
        f"start {record.start_ticks}",
        f"place {record.place}",
        "stdin {}:{}".format(*record.stdin),
        "stdout {}:{}".format(*record.stdout),
        "notification {}:{}".format(*record.notification),
        f"wait {record.wait_status}",
        "",
    )
    return "\n".join(lines).encode()


def decode(content: bytes) -> Record | None:
    """Read the content of the file; None when it is not a whole record.

    Words that only a later version knows are passed over.
    """
    try:
        return _decode(content.decode("ascii"))
    except (KeyError, ValueError):
        return None


def _decode(text: str) -> Record:
    head, *lines = text.split("\n")
    # Without a newline at its end the file may have been cut within a number.
    if head != HEAD or lines[-1:] != [""]:
        raise ValueError
    words = dict(line.partition(" ")[::2] for line in lines)
    if words["state"] not in (RUN, FINISH):
        raise ValueError
    record = Record(words["place"], words["state"])
    record.pid = _number(words["pid"], INT_MAX)
    record.start_ticks = _number(words["start"])
    record.stdin = _inode(words["stdin"])
    record.stdout = _inode(words["stdout"])
    record.notification = _inode(words["notification"])
    record.wait_status = _number(words["wait"], WAIT_STATUS_MAX)
    return record


def _inode(text: str) -> "Inode":
    device, _, inode = text.partition(":")
    return _number(device), _number(inode)


def _number(text: str, most: int = INT64_MAX) -> int:
    # int() alone takes signs, blanks and underscores too.
    if not text.isdecimal() or int(text) > most:
        raise ValueError
    return int(text)
