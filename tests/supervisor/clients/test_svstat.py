"""s6-svstat on one service: the words of s6, beside Debian's program."""

import contextlib
import json
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import harness
from chains import become
from harness import Outcome, Program, Stage
from standins import locked, statuses, supervised, up
from supervising import (
    make_service,
    record,
    service_directory,
    supervise,
    tell,
    wait_down,
    wait_up,
)
from supervising import status as read
from supervisor.clients.fields import FIELDS
from supervisor.service.status import PAUSED, READY, WANT_UP, Status

TOOL = "s6-svstat"
ALL_FIELDS = ",".join(name.decode() for name in FIELDS if name != b"pgid")
Find = Callable[[str], Program]
PID = re.compile(rb"\(pid (\d+)\)")


def ours(folder: Path, *words: str | bytes, **env: str) -> Outcome:
    """Run our s6-svstat in a folder."""
    return become(harness.ours(TOOL), words, Stage(folder, env=env))


def real(folder: Path, *words: str | bytes) -> Outcome:
    """Run Debian's, and turn its words into those of s6 2.15."""
    outcome = become(harness.oracle(TOOL), words, Stage(folder))
    out = PID.sub(rb"(pid \1 pgid \1)", outcome.out)
    return Outcome(outcome.code, out, outcome.err.replace(b": : ", b": "))


def agree(folder: Path, *words: str | bytes) -> Outcome:
    """Run both within the same second, as far as it matters; they say the same."""
    while True:
        before = real(folder, *words)
        outcome = ours(folder, *words)
        if before == real(folder, *words):
            assert outcome == before
            return outcome


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Give a folder with a service directory `s`, whose lock is held."""
    folder = tmp_path_factory.mktemp("held")
    with locked_service(folder / "s"):
        yield folder


def locked_service(directory: Path) -> contextlib.AbstractContextManager[None]:
    """Make a service directory and hold its lock."""
    make_service(directory)
    (directory / "supervise").mkdir()
    return locked(directory / "supervise" / "lock")


@settings(max_examples=60)
@given(status=statuses(time.time_ns()), down=st.booleans(), numbers=st.booleans())
def test_any_status_reads_as_in_s6(
    held: Path, status: Status, down: bool, numbers: bool
) -> None:
    """The text, with a pgid, as s6 2.15 has it; "not started" apart."""
    status.paused &= status.pid != 0
    prepare(held / "s", status, down)
    agree(held, *(["-n"] if numbers else []), "s")


@settings(max_examples=60)
@given(status=statuses(time.time_ns()), down=st.booleans())
def test_any_status_has_the_fields_of_s6(
    held: Path, status: Status, down: bool
) -> None:
    """All of them but pgid, which came later."""
    status.paused &= status.pid != 0
    prepare(held / "s", status, down)
    agree(held, "-o", ALL_FIELDS, "s")


def prepare(directory: Path, status: Status, down: bool) -> None:
    """Write what a supervisor says, and the file `down` or not."""
    record(directory, status)
    (directory / "down").unlink(missing_ok=True)
    if down:
        (directory / "down").touch()


def test_a_service_that_was_never_started(tmp_path: Path) -> None:
    """In the words of s6 2.15, which 2.11 does not know."""
    initial = Status(0, time.time_ns(), time.time_ns(), 0, PAUSED | WANT_UP | READY)
    with supervised(tmp_path / "s", initial):
        text = ours(tmp_path, "s").out
        fields = ours(tmp_path, "-o", "up,paused,exitcode,signal", "s").out
    assert text == b"down (not started yet) , normally up, want up\n"
    assert fields == b"false false -1 NA\n"


def test_a_record_of_s6_2_13_is_read_too(tmp_path: Path) -> None:
    """Of 43 bytes, with the pgid in between."""
    status = Status(77, time.time_ns(), time.time_ns(), 9, WANT_UP | PAUSED)
    with supervised(tmp_path / "s", status):
        file = tmp_path / "s" / "supervise" / "status"
        record = file.read_bytes()
        file.write_bytes(record[:32] + (77).to_bytes(8, "big") + record[32:])
        text = ours(tmp_path, "s").out
    assert text == b"up (pid 77 pgid 77) 0 seconds, paused\n"


LETTERS = (
    "-u",
    "-w",
    "-N",
    "-r",
    "-p",
    "-e",
    "-s",
    "-upwNrest",
    "-u -o pid,ready -n -e",
    "-o up, ",
    "-n -o signal",
    "--",
    "-o u,w,n,r,p,pi,e,s,signu,upd,readys,updownf,readyf",
    "-" + "u" * 16,
)


@pytest.mark.parametrize("options", LETTERS)
def test_options_mean_what_they_mean_in_s6(held: Path, options: str) -> None:
    """Letters, names and beginnings of names, mixed."""
    prepare(held / "s", Status(5, time.time_ns(), time.time_ns(), 15, WANT_UP), False)
    assert agree(held, *options.split(), "s").code == 0


def test_the_pgid_is_the_pid(held: Path) -> None:
    """A field of s6 2.13 and later."""
    prepare(held / "s", up(pid=321), True)
    assert ours(held, "-pg", "s").out == b"321 321\n"
    assert ours(held, "-o", "pgid", "s").out == b"321\n"


def test_an_empty_list_of_fields_is_none(held: Path) -> None:
    """The text is printed, as if there were no option."""
    prepare(held / "s", Status(5, time.time_ns(), time.time_ns(), 15, WANT_UP), False)
    assert agree(held, "-o", "", "s").out.startswith(b"up (pid 5 pgid 5)")


MISTAKES = (
    ("nowhere", 1),
    ("unsupervised", 1),
    ("file", 111),
    ("short", 111),
    ("blank", 111),
    ("-o x s", 100),
    ("-o upp s", 100),
    ("-o UP s", 100),
    ("-o up,x,pid s", 100),
    (f"-{'u' * 17} s", 100),
    (f"-{'u' * 16} -o up s", 100),
)


@pytest.mark.parametrize(("words", "code"), MISTAKES)
def test_failures_are_told_in_the_words_of_s6(
    tmp_path: Path, words: str, code: int
) -> None:
    """And with its exit codes."""
    (tmp_path / "file").touch()
    make_service(tmp_path / "unsupervised")
    with (
        supervised(tmp_path / "s", up()),
        supervised(tmp_path / "short", up()),
        supervised(tmp_path / "blank", up()),
    ):
        (tmp_path / "short" / "supervise" / "status").write_bytes(b"x" * 34)
        (tmp_path / "blank" / "supervise" / "status").unlink()
        outcome = agree(tmp_path, *words.split())
    assert outcome.code == code


@pytest.mark.parametrize("words", ["-o ,", "-o up,,pid", "-o ,up", "-o up,,"])
def test_a_field_without_a_name_is_invalid(held: Path, words: str) -> None:
    """As in s6 2.15; 2.11 has another word for it."""
    prepare(held / "s", up(), False)
    outcome = ours(held, *words.split(), "s")
    assert (outcome.code, outcome.out) == (100, b"")
    assert outcome.err == b"s6-svstat: fatal: invalid option field: \n"
    assert real(held, *words.split(), "s").code == 100


@pytest.mark.parametrize(
    "words", ["-x s", "-o", "--nothing s", "--watch=0 s", "--watch=x s", "--watch= s"]
)
def test_other_options_are_mistakes(held: Path, words: str) -> None:
    """Usage, exit 100."""
    outcome = ours(held, *words.split())
    assert (outcome.code, outcome.out) == (100, b"")
    assert outcome.err.startswith(b"s6-svstat: usage: s6-svstat [ -uwNrpgest ")


def test_output_that_cannot_be_written_is_an_error(held: Path) -> None:
    """A full disk, not a reader that has gone."""
    prepare(held / "s", up(), False)
    full = os.open("/dev/full", os.O_WRONLY)
    try:
        stage = Stage(held, stdout=full)
        outcome = become(harness.ours(TOOL), ["s"], stage)
    finally:
        os.close(full)
    assert outcome.code == 111
    text = b"s6-svstat: fatal: unable to write to stdout: No space left on device\n"
    assert outcome.err == text


def test_the_life_of_a_service(tmp_path: Path, find_supervisor: Find) -> None:
    """Under either supervisor, both programs say the same of it."""
    with (
        service_directory(tmp_path, "s", finish="exec sleep 1000") as service,
        supervise(find_supervisor("s6-supervise"), service),
    ):
        pid = wait_up(service)
        assert agree(tmp_path, "s").out.startswith(b"up (pid %d pgid" % pid)
        tell(service, b"p")
        harness.wait_until(lambda: b"paused" in ours(tmp_path, "s").out, "a pause")
        agree(tmp_path, "s")
        tell(service, b"ck")
        said = b"down (signal SIGKILL) "
        harness.wait_until(lambda: said in ours(tmp_path, "s").out, "its death")
        assert b"normally up, want up" in agree(tmp_path, "s").out
        tell(service, b"D")
        harness.wait_until((service / "down").exists, "a file down")
        os.kill(read(service).pid, signal.SIGKILL)
        wait_down(service)
        assert agree(tmp_path, "-wN", "s").out == b"false false\n"


def test_json_of_one_service(held: Path) -> None:
    """An object, with the name as it was given."""
    prepare(held / "s", up(pid=99), False)
    facts = json.loads(ours(held, "-j", "s").out)
    assert (facts["name"], facts["up"], facts["pid"]) == ("s", True, 99)


def test_json_of_no_service(tmp_path: Path) -> None:
    """The error of s6, and no JSON."""
    make_service(tmp_path / "s")
    outcome = ours(tmp_path, "-j", "s")
    text = b"s6-svstat: fatal: unable to read status for s: s6-supervise not running\n"
    assert outcome == Outcome(1, b"", text)
