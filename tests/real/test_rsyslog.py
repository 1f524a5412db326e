"""Lines for a real rsyslog, by the programs that people have: logger and socat."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from commands import WAIT, Feeding, feeding, numbers
from harness import Program, wait_until
from numbered import WHOLE, line, lines
from receivers import Receiver, needed

TAG = "web"
PRIORITY = f"p<14>{TAG}:"  # user.info, as a prefix of every line
COUNT = 2000


def socket_logger(rsyslog: Receiver) -> list[str]:
    """Send by logger, to the socket."""
    program = needed("logger", "bsdutils")
    return [f"@pipe=exec {program} -S 60k -t {TAG} -u {rsyslog.folder}/socket"]


def tcp_logger(rsyslog: Receiver) -> list[str]:
    """Send by logger, by TCP, each message with its length."""
    program = needed("logger", "bsdutils")
    where = f"-T --octet-count -n 127.0.0.1 -P {rsyslog.port}"
    return [f"@pipe=exec {program} -S 60k -t {TAG} {where}"]


def tcp_socat(rsyslog: Receiver) -> list[str]:
    """Send by socat, by TCP; the logger writes what makes a line a message."""
    program = needed("socat", "socat")
    return [PRIORITY, f"@pipe=exec {program} -u - TCP:127.0.0.1:{rsyslog.port}"]


WAYS = {
    "logger to the socket": socket_logger,
    "logger by TCP": tcp_logger,
    "socat by TCP": tcp_socat,
}

Way = Callable[[Receiver], list[str]]
each_way = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())


def received(rsyslog: Receiver) -> list[int]:
    """Give the numbers of lines that have been written, each as the template says."""
    return numbers("".join(f"{text}\n" for text in texts(rsyslog)).encode())


def texts(rsyslog: Receiver) -> list[str]:
    """Give what has been written, without the name of the service."""
    return [text.removeprefix(f"{TAG}| ") for text in rsyslog.lines("received")]


def wait_for(rsyslog: Receiver, number: int) -> None:
    """Wait until a line has arrived and been written."""
    wait_until(lambda: f":{number:09}>" in "".join(texts(rsyslog)[-1:]), f"{number}")


@each_way
@pytest.mark.parametrize("options", [["-t0"], ["-bt0"]], ids=["", "-b"])
def test_every_line_arrives(
    ours: Program,
    rsyslog: Receiver,
    way: Way,
    options: list[str],
    tmp_path: Path,
) -> None:
    """Once, in order, and a long one whole."""
    with feeding(ours, tmp_path, "-l0", *options, *way(rsyslog)) as fed:
        fed.feed(lines(0, COUNT - 1))
        fed.feed(line(COUNT - 1, 20_000))
        assert fed.end() == 0
        assert fed.said() == []
    wait_for(rsyslog, COUNT - 1)
    assert received(rsyslog) == list(range(COUNT))


def restart(rsyslog: Receiver, fed: Feeding, first: int) -> None:
    """End rsyslog, give the logger 500 lines from a number on, and start it again."""
    rsyslog.stop()
    fed.feed(lines(first, first + 500))
    fed.settle()
    rsyslog.start()


@pytest.mark.parametrize("way", [tcp_logger, tcp_socat], ids=["logger", "socat"])
def test_what_is_in_the_pipe_waits_for_rsyslog(
    ours: Program, rsyslog: Receiver, way: Way, tmp_path: Path
) -> None:
    """With no command that takes lines while rsyslog is away, none is missing.

    Commands are started in vain until it is back.
    """
    with feeding(ours, tmp_path, "-t0", "r100", *way(rsyslog)) as fed:
        rsyslog.stop()
        fed.kill("logger" if way is tcp_logger else "socat")
        fed.wait_for("it exited 1; it will be started again")
        fed.feed(lines(0, COUNT))
        fed.wait_for("it exited 1; it will be started again", times=5)
        rsyslog.start()
        wait_for(rsyslog, COUNT - 1)
        assert fed.end() == 0
    assert received(rsyslog) == list(range(COUNT))


@each_way
def test_rsyslog_is_started_again(
    ours: Program, rsyslog: Receiver, way: Way, tmp_path: Path
) -> None:
    """Lines that come when it is back arrive; of those before, some may be missing.

    They were taken by a command that could not know. One that dies within a line
    leaves the rest of it to the next. None comes twice.
    """
    outages = (500, 1000)
    with feeding(ours, tmp_path, "-t0", "r20", *way(rsyslog)) as fed:
        fed.feed(lines(0, 500))
        wait_for(rsyslog, 499)
        for first in outages:
            restart(rsyslog, fed, first)
        fed.feed(lines(1500, COUNT))
        wait_for(rsyslog, COUNT - 1)
        assert fed.end() == 0
    whole = [
        int(text[1:10]) for text in texts(rsyslog) if WHOLE.fullmatch(text.encode())
    ]
    assert whole == sorted(set(whole))
    assert set(whole) >= {*range(500), *range(1500, COUNT)}
    assert len(texts(rsyslog)) - len(whole) <= 2 * len(outages)


def test_socat_makes_one_datagram_of_many_lines(
    ours: Program, rsyslog: Receiver, tmp_path: Path
) -> None:
    """And cuts lines where its buffer ends: what sends to the socket is logger."""
    program = needed("socat", "socat")
    socket = f"UNIX-SENDTO:{rsyslog.folder}/socket"
    command = f"@pipe={WAIT}; exec {program} -u - {socket}"
    with feeding(ours, tmp_path, "-t0", PRIORITY, command) as fed:
        fed.feed(lines(0, COUNT))
        fed.settle()
        fed.open_gate()
        assert fed.end() == 0
        wait_for(rsyslog, COUNT - 1)
    messages = texts(rsyslog)
    assert len(messages) < COUNT // 10
    assert not [text for text in messages if WHOLE.fullmatch(text.encode())]


def test_json_is_read_by_its_own_parser(
    ours: Program, rsyslog: Receiver, tmp_path: Path
) -> None:
    """By rsyslog's mmjsonparse: our members, and those that an object had."""
    script = [*socket_logger(rsyslog)]
    texts_of = [
        b'say "hi" \\ \t\x01 caf\xc3\xa9',
        b"caf\xe9",
        b'{"level":"warn","msg":"own"}',
    ]
    args = ["-t0", "@tag=web", "@json", *script]
    with feeding(ours, tmp_path, *args) as fed:
        fed.feed(b"".join(text + b"\n" for text in texts_of))
        assert fed.end() == 0
    wait_until(lambda: len(rsyslog.lines("members")) >= 3, "three objects")
    rows = [row.split("|") for row in rsyslog.lines("members")]
    assert [row[1:3] for row in rows] == [["web", "stdout"]] * 3
    assert all(
        re.fullmatch(r"2\d{3}-\d\d-\d\dT[\d:]{8}\.\d{6}Z", row[0]) for row in rows
    )
    assert [row[3] for row in rows[1:]] == ["caf\ufffd", "own"]
    assert rows[0][3].startswith('say "hi" \\ ')
    assert [row[4] for row in rows] == ["", "", "warn"]
