"""The options of s6-notifyoncheck, read."""

import pytest

from s6log.unix.messages import Fatal
from supervisor.clients.check_plan import (
    DEFAULTS,
    FD,
    GLOBAL,
    INITIAL,
    LOCAL,
    TRIES,
    WAITING,
    Plan,
)
from supervisor.manual import Misuse


def plan(text: str) -> Plan:
    """Read a command line."""
    return Plan(text.encode().split())


def test_without_options_it_is_as_in_s6() -> None:
    """Seven checks, one a second, for as long as they take."""
    found = plan("prog -x arg")
    assert found.program == [b"prog", b"-x", b"arg"]
    assert found.check == (b"./data/check",)
    assert found.numbers == DEFAULTS
    assert (DEFAULTS[INITIAL], DEFAULTS[WAITING], DEFAULTS[TRIES]) == (10, 1000, 7)
    assert (DEFAULTS[GLOBAL], DEFAULTS[LOCAL]) == (0, 0)
    assert not found.twice


@pytest.mark.parametrize(
    "text",
    [
        "-d -3 5 -s 1 -T 2 -t 3 -w 4 -n 0 -c test prog",
        "-d35 -s1 -T2 -t3 -w4 -n0 -ctest prog",
        "--doublefork --notification-fd=5 --initial-sleep=1 --global-timeout=2"
        " --local-timeout=3 --waiting-time=4 --tries=0 --check-program=test prog",
        "-3 9 -w 9 -3 5 -s 1 -T 2 -t 3 -d --waiting-time=4 -n 0 -c x -c test -- prog",
    ],
)
def test_options_may_be_short_or_long(text: str) -> None:
    """And mixed; the last one counts."""
    found = plan(text)
    expected = {FD: 5, INITIAL: 1, GLOBAL: 2, LOCAL: 3, WAITING: 4, TRIES: 0}
    assert found.numbers == expected
    assert found.check == (b"execlineb", b"-Pc", b"test")
    assert (found.twice, found.program) == (True, [b"prog"])


@pytest.mark.parametrize("text", ["", "-d", "-3 5", "--tries=3"])
def test_there_must_be_a_program(text: str) -> None:
    """To become."""
    with pytest.raises(Misuse):
        plan(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("-3 x p", b"notification-fd must be an unsigned integer"),
        ("-n -1 p", b"tries must be an unsigned integer"),
        ("--waiting-time= p", b"waiting-time must be an unsigned integer"),
        ("-T 4294967296 p", b"global-timeout must be an unsigned integer"),
        ("-Z p", b"unrecognized short option: Z"),
        ("--nothing p", b"unrecognized boolean option: --nothing"),
    ],
)
def test_mistakes_name_the_option(text: str, message: bytes) -> None:
    """Exit 100."""
    with pytest.raises(Fatal) as failure:
        plan(text)
    assert (failure.value.code, failure.value.text) == (100, message)
