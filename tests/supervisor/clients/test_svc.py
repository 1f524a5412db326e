"""s6-svc: which bytes reach supervise/control, what it says, how it waits."""

import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import harness
from chains import agree
from harness import Outcome, Program, Stage, wait_until
from supervising import (
    control,
    make_service,
    received,
    service_directory,
    status,
    subscribers,
    supervise,
    tell,
    wait_down,
    wait_up,
)
from supervisor.service.commands import COMMANDS
from waiters import Case, attend

TOOL = "s6-svc"
LETTERS = "abqhkti12pcyroduDUxOQ"
"""What s6 2.11 knows."""

NEW_LETTERS = "lPCK"
Find = Callable[[str], Program]


def svc(program: Program, folder: Path, *words: str) -> Outcome:
    """Run s6-svc to its end."""
    return harness.run(program, words, b"", Stage(folder))


@pytest.mark.parametrize(
    ("words", "letters"),
    [
        ("", b""),
        *((f"-{letter}", letter.encode()) for letter in LETTERS),
        (f"-{LETTERS}", LETTERS.encode()),
        ("-du", b"du"),
        ("-d -u -d", b"dud"),
        ("-" + "u" * 62, b"u" * 62),
        ("-T 1000 -x --", b"x"),
        ("-T1000 -xd", b"xd"),
    ],
)
def test_letters_arrive_in_their_order(
    find: Find, tmp_path: Path, words: str, letters: bytes
) -> None:
    """All of them, in one write: as the real one sends them."""
    with control(tmp_path / "d") as fd:
        outcome = svc(find(TOOL), tmp_path, *words.split(), "d")
        assert (outcome.code, outcome.err) == (0, b"")
        assert received(fd) == letters


@pytest.mark.parametrize("letter", NEW_LETTERS)
def test_letters_of_later_versions(tmp_path: Path, letter: str) -> None:
    """Those that came with s6 2.12 to 2.15."""
    with control(tmp_path / "d") as fd:
        assert svc(harness.ours(TOOL), tmp_path, f"-{letter}", "d").code == 0
        assert received(fd) == letter.encode()


def test_every_command_has_its_option() -> None:
    """What a supervisor of ours takes can be sent."""
    assert {letter.decode() for letter in COMMANDS} == {*LETTERS, *NEW_LETTERS}


@pytest.mark.parametrize(
    ("name", "letter"),
    [
        ("HUP", b"h"),
        ("SIGHUP", b"h"),
        ("sigusr1", b"1"),
        ("1", b"h"),
        ("ALRM", b"a"),
        ("ABRT", b"b"),
        ("QUIT", b"q"),
        ("KILL", b"k"),
        ("9", b"k"),
        ("TERM", b"t"),
        ("INT", b"i"),
        ("USR2", b"2"),
        ("STOP", b"p"),
        ("CONT", b"c"),
        ("WINCH", b"y"),
        ("28", b"y"),
    ],
)
def test_signals_go_by_name_or_number(tmp_path: Path, name: str, letter: bytes) -> None:
    """Each is the letter that sends it."""
    with control(tmp_path / "d") as fd:
        outcome = svc(harness.ours(TOOL), tmp_path, "-u", "-s", name, "-d", "d")
        assert (outcome.code, outcome.err) == (0, b"")
        assert received(fd) == b"u" + letter + b"d"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("WRONG", "invalid signal: WRONG"),
        ("", "invalid signal: "),
        ("0", "invalid signal: 0"),
        ("-1", "invalid signal: -1"),
        ("999", "invalid signal: 999"),
        ("SEGV", "SEGV is not in the list of user-available signals"),
        ("15x", "invalid signal: 15x"),
    ],
)
def test_signals_that_cannot_be_sent(tmp_path: Path, name: str, text: str) -> None:
    """Those that are none, and those without a letter."""
    with control(tmp_path / "d") as fd:
        outcome = svc(harness.ours(TOOL), tmp_path, "-s", name, "d")
        assert (outcome.code, outcome.err) == (100, f"s6-svc: fatal: {text}\n".encode())
        assert received(fd) == b""


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["-z", "d"],
        ["-T", "d"],
        ["-T", "x", "d"],
        ["-T", "-1", "d"],
        ["-w"],
        ["-wz", "d"],
        ["-w", "", "d"],
        ["-wx", "-u", "d"],
        ["-u"],
        ["--"],
        [""],
        ["-u", ""],
        ["-" + "u" * 63, "d"],
        ["-u", "d"],
    ],
    ids=repr,
)
def test_mistakes_are_told_as_by_the_real_one(tmp_path: Path, words: list[str]) -> None:
    """Usage, too many letters, paths that can be none."""
    with control(tmp_path / "d") as fd:
        outcome = agree(TOOL, words, Stage(tmp_path))
        assert received(fd) == (b"" if outcome.code else b"uu")


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """Make service directories in which something is missing, or nobody listens."""
    for name in ("new", "deaf/supervise", "bare/supervise", "odd/supervise/control"):
        (tmp_path / name).mkdir(parents=True)
    os.mkfifo(tmp_path / "deaf" / "supervise" / "control")
    (tmp_path / "file").touch()
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / "supervise").touch()
    (tmp_path / "lost").mkdir()
    (tmp_path / "lost" / "supervise").symlink_to("nowhere")
    return tmp_path


WRONG = "something is wrong with the {}/supervise directory: "
DEAF = "unable to control {}: supervisor not listening"
REFUSED = "unable to control {}: "

BROKEN = [
    # directory, code and text since s6 2.14; code of 2.11
    ("new", 102, DEAF, 100),
    ("deaf", 102, DEAF, 100),
    ("lost", 102, DEAF, 100),
    ("bare", 1, WRONG + "No such file or directory", 100),
    ("odd", 1, WRONG + "Is a directory", 100),
    ("plain", 1, WRONG + "Not a directory", 100),
    ("nowhere", 111, REFUSED + "No such file or directory", 111),
    ("file", 111, REFUSED + "Not a directory", 111),
    ("file/x", 111, REFUSED + "Not a directory", 111),
]


@pytest.mark.parametrize("words", ["", "-u"])
@pytest.mark.parametrize("case", BROKEN)
def test_what_is_wrong_is_told(
    broken: Path, words: str, case: tuple[str, int, str, int]
) -> None:
    """As a warning with a code of its own since s6 2.14, fatally in 2.11."""
    directory, code, text, old_code = case
    arguments = [*words.split(), directory]
    reason = text.format(directory)
    outcome = svc(harness.ours(TOOL), broken, *arguments)
    assert outcome == Outcome(code, b"", f"s6-svc: warning: {reason}\n".encode())
    real = svc(harness.oracle(TOOL), broken, *arguments)
    # Its stray colon before what the system does not say is not ours to keep.
    said = real.err.replace(b"fatal: : ", b"fatal: ")
    assert (real.code, said) == (old_code, f"s6-svc: fatal: {reason}\n".encode())


def test_several_services_get_the_same(broken: Path) -> None:
    """One that cannot be reached does not keep the others from it."""
    with control(broken / "a") as a, control(broken / "b") as b:
        words = ["-du", "a", "new", "nowhere", "bare", "b"]
        outcome = svc(harness.ours(TOOL), broken, *words)
        assert received(a) == received(b) == b"du"
    assert outcome.code == 1
    assert outcome.err.count(b"s6-svc: warning: ") == 3


def test_a_path_may_be_any(tmp_path: Path) -> None:
    """With a slash at its end, with blanks, not in UTF-8."""
    name = os.fsdecode(b"a \xff b")
    with control(tmp_path / name) as fd:
        for path in (name + "/", str(tmp_path / name), f"./{name}"):
            assert agree(TOOL, ["-u", path], Stage(tmp_path)).code == 0
            assert received(fd) == b"uu"


# ---- waiting


@pytest.fixture
def service(find_supervisor: Find, tmp_path: Path) -> Iterator[Path]:
    """Run a service under a real supervisor; its end takes a finish script."""
    with (
        service_directory(tmp_path, finish="exit 0") as directory,
        supervise(find_supervisor("s6-supervise"), directory),
    ):
        wait_up(directory)
        yield directory


@pytest.mark.parametrize(
    ("words", "up", "ready"),
    [
        ("-wD -d", False, True),
        ("-w D -d -T 20000", False, True),
        ("-wd -d", False, None),
        ("-wu -u", True, False),
        ("-wDx -d", False, True),
        ("-wd -wu -u", True, False),
        ("-wr -r", True, False),
        ("-uwu", True, False),
    ],
)
def test_it_waits_for_the_effect(
    find: Find, service: Path, words: str, up: bool, ready: bool | None
) -> None:
    """Listening begins before the command is sent."""
    outcome = svc(find(TOOL), service, *words.split(), ".")
    assert (outcome.code, outcome.err) == (0, b"")
    now = status(service)
    assert now.up == up
    assert ready in (None, now.ready)
    assert subscribers(service) == []


def test_a_restart_is_a_new_process(find: Find, service: Path) -> None:
    """Down, and up again under another pid."""
    before = status(service).pid
    assert svc(find(TOOL), service, "-wr", "-r", ".").code == 0
    assert status(service).pid not in (0, before)


@pytest.mark.parametrize(
    ("words", "real_speaker", "speaker"),
    [
        ("-wd -T 200", "s6-svwait", "s6-svwait"),
        ("-wD -T 200 -a", "s6-svlisten1", "s6-svlisten"),
    ],
)
def test_time_runs_out(
    find_supervisor: Find, tmp_path: Path, words: str, real_speaker: str, speaker: str
) -> None:
    """Exit 99, told in the name of the program that waits in the original."""
    run = "trap '' ALRM\nwhile :; do sleep 1000; done"
    with (
        service_directory(tmp_path, run=run) as service,
        supervise(find_supervisor("s6-supervise"), service),
    ):
        wait_up(service)
        ours = svc(harness.ours(TOOL), service, *words.split(), ".")
        assert ours == Outcome(99, b"", f"{speaker}: fatal: timed out\n".encode())
        real = svc(harness.oracle(TOOL), service, *words.split(), ".")
        assert real == Outcome(99, b"", f"{real_speaker}: fatal: timed out\n".encode())


def test_waiting_without_a_command(find: Find, service: Path) -> None:
    """As s6-svwait does."""
    tell(service, b"d")
    wait_down(service)
    assert svc(find(TOOL), service, "-wD", ".").code == 0
    with harness.running(find(TOOL), ["-wu", "."], Stage(service)) as process:
        wait_until(lambda: bool(subscribers(service)), "a subscription")
        tell(service, b"u")
        assert harness.finish(process).code == 0


@pytest.mark.parametrize("letter", "UR")
def test_readiness_that_cannot_come_is_not_waited_for(
    find: Find, service: Path, letter: str
) -> None:
    """Without a file notification-fd there is a warning."""
    command = "-u" if letter == "U" else "-r"
    outcome = svc(find(TOOL), service, f"-w{letter}", command, ".")
    text = b"./notification-fd not present - ignoring request for readiness"
    warning = b"s6-svc: warning: " + text + b" notification\n"
    assert (outcome.code, outcome.err) == (0, warning)


def test_readiness_is_waited_for(
    find_supervisor: Find, find: Find, tmp_path: Path
) -> None:
    """Until the service writes its newline."""
    run = "sleep 0.2; echo >&3; exec sleep 1000"
    with (
        service_directory(tmp_path, run=run, notification_fd="3", down="") as service,
        supervise(find_supervisor("s6-supervise"), service),
    ):
        assert svc(find(TOOL), service, "-wU", "-u", ".").code == 0
        assert status(service).ready


def test_a_service_that_gives_up_is_a_failure(
    find_supervisor: Find, tmp_path: Path
) -> None:
    """Exit 1, in the words of s6-svlisten; 2.11 runs s6-svlisten1."""
    with (
        service_directory(tmp_path, "s", "exit 1", "exit 125", down="") as service,
        supervise(find_supervisor("s6-supervise"), service),
    ):
        # Up is reached first, so wait for what comes after.
        (service / "notification-fd").write_text("3")
        ours = svc(harness.ours(TOOL), service, "-wU", "-u", ".")
        text = b"some services reported permanent failure or their supervisor died\n"
        assert ours == Outcome(1, b"", b"s6-svlisten: fatal: " + text)
        real = svc(harness.oracle(TOOL), service, "-wU", "-u", ".")
        text = b"s6-svlisten1: fatal: . failed permanently or its supervisor died\n"
        assert real == Outcome(1, b"", text)


def test_several_services_are_waited_for(find_supervisor: Find, tmp_path: Path) -> None:
    """All of them get the command, and all have to obey."""
    with contextlib.ExitStack() as stack:
        names = [str(number) for number in range(4)]
        for name in names:
            service = make_service(tmp_path / name)
            stack.enter_context(supervise(find_supervisor("s6-supervise"), service))
            wait_up(service)
        outcome = svc(harness.ours(TOOL), tmp_path, "-wD", "-d", *names)
        assert (outcome.code, outcome.err) == (0, b"")
        assert [status(tmp_path / name).pid for name in names] == [0] * 4


def test_a_command_that_does_not_arrive_does_not_end_the_wait(
    find_supervisor: Find, tmp_path: Path
) -> None:
    """As in s6, where another process sends it."""
    service = make_service(tmp_path / "s")
    with supervise(find_supervisor("s6-supervise"), service):
        wait_up(service)
    words = ["-wd", "-T", "200", "-d", "s"]
    outcome = svc(harness.ours(TOOL), tmp_path, *words)
    warning = b"s6-svc: warning: unable to control s: supervisor not listening\n"
    assert outcome.code == 99
    assert outcome.err == warning + b"s6-svlisten: fatal: timed out\n"


def test_a_restart_goes_through_the_end_of_finish(tmp_path: Path) -> None:
    """With a command, as s6-svlisten has it; without one, as s6-svwait."""
    case = Case("-wr -T 300", "u", ("0 d", "0 u"))
    words = [*case.options.split(), "0"]
    assert attend(harness.ours(TOOL), words, tmp_path / "without", case).code == 0
    words = ["-r", *words]
    assert attend(harness.ours(TOOL), words, tmp_path / "with", case).code == 99


def test_a_strict_execline_is_no_matter_here(find: Find, service: Path) -> None:
    """The directories were not written as a block by anybody."""
    stage = Stage(service, env={"EXECLINE_STRICT": "2"})
    assert harness.run(find(TOOL), ["-wD", "-d", "."], b"", stage).code == 0


def test_interrupted_it_leaves_nothing_behind(service: Path) -> None:
    """Ctrl-C while it waits."""
    words = ["-wd", "-a", "."]
    (service / "run").write_text("#!/bin/sh\ntrap '' ALRM\nexec sleep 1000\n")
    tell(service, b"r")
    wait_up(service, status(service).pid)
    with harness.running(harness.ours(TOOL), words, Stage(service)) as process:
        wait_until(lambda: bool(subscribers(service)), "a subscription")
        process.send_signal(signal.SIGINT)
        assert harness.finish(process).code == -signal.SIGINT
    assert subscribers(service) == []
