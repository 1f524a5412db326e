"""A logger that was made beside one that was executed: what tells them apart."""

import fcntl
import os
import pwd
import re
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import harness
import trees
import watching
from nurseries import (
    Installation,
    Nursery,
    Service,
    nursery,
    open_to_all,
    python,
    service,
    words_of,
)
from supervisor.service.spawner import Spawner
from supervisor.warm.order import Order

NOBODY = "nobody"
COMPARED = (
    *("Name", "Umask", "State", "PPid", "TracerPid", "Uid", "Gid", "Groups"),
    *("SigPnd", "ShdPnd", "SigBlk", "SigIgn", "SigCgt", "Threads", "Seccomp"),
    *("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs"),
    *("Cpus_allowed", "Mems_allowed", "Speculation_Store_Bypass"),
)
"""Fields of /proc/PID/status. The others are numbers of the process and of memory."""

FORKED_NOT_EXECUTED = 0x40
"""PF_FORKNOEXEC (linux/sched.h), in the flags of /proc/PID/stat."""

DIFFERENCES = """
The command line in /proc/PID/cmdline: that of the launcher's Python, when executed.
The environment in /proc/PID/environ: blank, when made.
PF_FORKNOEXEC among the process's flags: set, when made.
Who may look into /proc/PID: after a change of user only root, when made.
"""
"""All that may differ; docs/explanation/warm-loggers.md says why."""


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """Install the checkout in a place that all users can reach."""
    folder = tmp_path_factory.mktemp("installed")
    open_to_all(folder)
    return Installation(folder / "prefix", python())


@pytest.fixture(scope="module")
def made_by(installation: Installation) -> Iterator[Nursery]:
    """Run a nursery in the environment of the installation."""
    with nursery(installation) as made:
        yield made


class Pair:
    """Two services that are alike: one logger is executed, one is made."""

    def __init__(
        self, installation: Installation, made_by: Nursery, services: list[Service]
    ) -> None:
        self.installation = installation
        self.nursery = made_by
        self.executed, self.made = services

    def start(self, script: str, user: str | None = None) -> None:
        """Start both with the words of a script."""
        prefix = f"s6-setuidgid {user} " if user else ""
        run = f"#!/bin/sh\nexec {prefix}s6-log {script}\n"
        (self.executed.folder / "run").write_text(run)
        variables = {b"S6_SERVICE": b"foo"}
        environment = {**self.installation.environment, **variables}
        self.executed.execute(Spawner(), environment)
        account = user.encode() if user else None
        order = Order(words_of(script), account, variables, ())
        self.made.grow(self.nursery, order)

    def each(self) -> tuple[Service, Service]:
        """Give both, the executed one first."""
        return self.executed, self.made


@pytest.fixture
def pair(
    installation: Installation, made_by: Nursery, tmp_path: Path
) -> Iterator[Pair]:
    """Make two service directories."""
    open_to_all(tmp_path)
    with service(tmp_path / "one") as one, service(tmp_path / "two") as two:
        yield Pair(installation, made_by, [one, two])


def descriptors(one: Service) -> dict[int, tuple[str, int, int]]:
    """Give what each descriptor is, its flags and its position, in any directory."""
    found = {}
    ends = {os.fstat(one.pipe.read).st_ino: "stdin"}
    for fd, target in watching.descriptors(one.pid).items():
        text = Path(f"/proc/{one.pid}/fdinfo/{fd}").read_text()
        fields = dict(
            line.split(":\t", 1) for line in text.splitlines() if ":\t" in line
        )
        inode = re.fullmatch(r"pipe:\[(\d+)]", target)
        name = ends.get(int(inode[1]), "a pipe") if inode else target
        name = name.replace(str(one.folder), "DIRECTORY")
        found[fd] = name, int(fields["flags"], 8), int(fields["pos"])
    return found


def stat(one: Service) -> dict[str, int]:
    """Give the fields of /proc/PID/stat that do not count something."""
    text = Path(f"/proc/{one.pid}/stat").read_text()
    fields = text.rpartition(")")[2].split()
    numbers = {"parent": 4, "tty": 7, "foreground": 8, "flags": 9, "priority": 18}
    numbers |= {"nice": 19, "threads": 20, "exit signal": 38, "policy": 41}
    values = {name: int(fields[number - 3]) for name, number in numbers.items()}
    assert values["flags"] & FORKED_NOT_EXECUTED in (0, FORKED_NOT_EXECUTED)
    values["flags"] &= ~FORKED_NOT_EXECUTED
    group, session = int(fields[5 - 3]), int(fields[6 - 3])
    return {**values, "leads": int(group == session == one.pid)}


def look(one: Service) -> dict[str, object]:
    """Give all that /proc says of a logger and that does not depend on the moment."""
    proc = Path(f"/proc/{one.pid}")
    status = watching.facts(one.pid)
    texts = ("limits", "oom_score_adj", "timerslack_ns", "personality", "cgroup")
    return {
        **{name: status.get(name) for name in COMPARED},
        **{name: (proc / name).read_text() for name in texts if (proc / name).exists()},
        **{name: os.readlink(proc / "ns" / name) for name in os.listdir(proc / "ns")},
        "cwd": os.readlink(proc / "cwd").replace(str(one.folder), "DIRECTORY"),
        "root": os.readlink(proc / "root"),
        "exe": os.path.realpath(proc / "exe"),
        "fd": descriptors(one),
        "stat": stat(one),
    }


def settle(pair: Pair) -> None:
    """Let both write a line and wait."""
    for one in pair.each():
        one.log()
        wait_for_sleep(one.pid)


def wait_for_sleep(pid: int) -> None:
    """Wait until a logger waits for what comes next."""
    harness.wait_until(
        lambda: watching.facts(pid)["State"].startswith("S"), "the logger to wait"
    )


needs_root = pytest.mark.skipif(os.getuid() != 0, reason="only root may do this")


@pytest.mark.parametrize(
    "script",
    ["./main", "-b n3 t T s4096 pX: ./main", "- +l.*e t ./main", "1 =status 2 ./main"],
)
def test_proc_shows_no_difference(script: str, pair: Pair) -> None:
    """Descriptors, signals, session, limits, namespaces, directory, user..."""
    pair.start(script)
    settle(pair)
    assert look(pair.made) == look(pair.executed)


@needs_root
def test_proc_shows_no_difference_for_another_user(pair: Pair) -> None:
    """With that user's groups and no capabilities."""
    if not shutil.which("s6-log", path=os.defpath) and not python().exists():
        pytest.skip("no Python that another user can execute")
    nobody = pwd.getpwnam(NOBODY)
    for one in pair.each():
        os.chown(one.folder, nobody.pw_uid, nobody.pw_gid)
    pair.start("t ./main", NOBODY)
    settle(pair)
    made = look(pair.made)
    assert made == look(pair.executed)
    assert str(made["Uid"]).split() == [str(nobody.pw_uid)] * 4
    # Only root may look into the one that was made.
    owners = [Path(f"/proc/{one.pid}/fd").stat().st_uid for one in pair.each()]
    assert owners == [nobody.pw_uid, 0]


def test_it_is_called_what_it_is(pair: Pair) -> None:
    """In /proc/PID/comm, and where ps and pgrep look for the command line."""
    pair.start("n3 s100000 ./main")
    settle(pair)
    shown = Path(f"/proc/{pair.made.pid}/cmdline").read_bytes()
    assert shown.rstrip(b"\0") == b"s6-log\0n3\0s100000\0./main"
    executed = Path(f"/proc/{pair.executed.pid}/cmdline").read_bytes()
    assert executed.endswith(b"\0s6-log\0n3\0s100000\0./main\0")
    names = [Path(f"/proc/{one.pid}/comm").read_text() for one in pair.each()]
    assert names == ["s6-log\n"] * 2
    assert not Path(f"/proc/{pair.made.pid}/environ").read_bytes().strip(b"\0")


def test_a_long_command_line_is_shown_as_far_as_it_goes(pair: Pair) -> None:
    """There is only as much room as the nursery had."""
    patterns = " ".join(f"-nothing{number}" for number in range(500))
    pair.start(f"-- {patterns} ./main")
    pair.made.log()
    shown = Path(f"/proc/{pair.made.pid}/cmdline").read_bytes()
    assert shown.startswith(b"s6-log\0--\0-nothing0\0-nothing1\0")
    assert shown.endswith(b"\0")


ENVIRONMENT = "!env ./main"


def processors_environment(one: Service) -> set[bytes]:
    """Give the variables that a logger's processors get."""
    one.log(b"x\n")
    os.kill(one.pid, signal.SIGALRM)
    harness.wait_until(lambda: bool(trees.archives(one.folder / "main")), "an archive")
    (archive,) = trees.archives(one.folder / "main")
    text = archive.read_bytes().replace(os.fsencode(one.folder), b"DIRECTORY")
    return {line for line in text.splitlines() if not line.startswith(b"_=")}


def test_processors_get_the_same_environment(pair: Pair) -> None:
    """With PWD, which the shells set that a logger is executed by."""
    pair.start(ENVIRONMENT)
    executed, made = map(processors_environment, pair.each())
    assert made == executed
    assert {b"S6_SERVICE=foo", b"PWD=DIRECTORY", b"TZ=UTC", b"LANG=C"} <= made


@needs_root
def test_s6_setuidgid_takes_its_variables_away(
    installation: Installation, pair: Pair
) -> None:
    """UID, GID and GIDLIST."""
    given = {b"UID": b"7", b"GID": b"7", b"GIDLIST": b"7", b"HOME": b"/x"}
    nobody = pwd.getpwnam(NOBODY)
    for one in pair.each():
        os.chown(one.folder, nobody.pw_uid, nobody.pw_gid)
    usual = installation.environment
    installation.environment = {**usual, **given}
    with nursery(installation) as other:
        pair.nursery = other
        pair.start(ENVIRONMENT, NOBODY)
        executed, made = map(processors_environment, pair.each())
    installation.environment = usual
    assert made == executed
    assert b"HOME=/x" in made
    assert not [line for line in made if line.startswith((b"UID", b"GID"))]


def hour(line: bytes) -> int:
    """Read the hour of a line with an ISO stamp."""
    return int(line.split()[1].split(b":")[0])


def test_its_time_zone_is_its_own(pair: Pair, made_by: Nursery) -> None:
    """That of its environment, when that differs from the nursery's."""
    variables = {b"TZ": b"XYZ-5"}
    pair.made.grow(made_by, Order(words_of("T ./main"), None, variables, ()))
    now = time.gmtime().tm_hour
    pair.made.pipe.feed(b"line\n")
    harness.wait_until(lambda: bool(pair.made.logged()), "the line to be logged")
    hours = (now, time.gmtime().tm_hour)
    assert hour(pair.made.logged()) in [(hour + 5) % 24 for hour in hours]


ENDS = [
    ("", 100),
    ("./main ./main", 100),
    ("x", 100),
    ("-z ./main", 100),
    ("-d 77 ./main", 100),
    ("--help", 0),
    ("--version", 0),
    ("--explain ./main", 0),
    ("/proc/nowhere", 111),
    ("./run", 111),
]


@pytest.mark.parametrize(("script", "code"), ENDS)
def test_it_ends_and_says_the_same(script: str, code: int, pair: Pair) -> None:
    """Whatever is wrong with its script, and when nothing is."""
    pair.start(script)
    codes = [one.wait() for one in pair.each()]
    assert codes == [code, code]
    for before, after in zip(pair.executed.paths, pair.made.paths, strict=True):
        assert after.read_bytes() == before.read_bytes()


@needs_root
@pytest.mark.parametrize(("user", "code"), [("nosuchuser", 1), ("0:0", 0)])
def test_a_user_is_the_one_that_s6_setuidgid_finds(
    user: str, code: int, pair: Pair
) -> None:
    """Or it says what that program says."""
    pair.start("./main", user)
    for one in pair.each():
        one.pipe.end()
    assert [one.wait() for one in pair.each()] == [code, code]
    assert pair.made.err.read_bytes() == pair.executed.err.read_bytes()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGUSR1])
def test_signals_end_it_as_they_end_others(number: signal.Signals, pair: Pair) -> None:
    """And the supervisor hears which."""
    pair.start("./main")
    settle(pair)
    for one in pair.each():
        os.kill(one.pid, number)
    assert [one.wait() for one in pair.each()] == [-number, -number]


def test_it_tells_when_it_is_ready(pair: Pair, made_by: Nursery) -> None:
    """Through a descriptor of any number, even one that is in use meanwhile."""
    for number in (3, 4, 5, 9):
        reading, writing = os.pipe()
        made = pair.made
        words = words_of(f"-d {number} ./main")
        order = Order(words, None, {}, (*made.descriptors, number))
        fds = (made.directory, *made.descriptors.values(), writing)
        pid = made_by.obey(order, fds)
        os.close(writing)
        assert os.read(reading, 9) == b"\n"
        assert os.read(reading, 9) == b""
        os.close(reading)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def test_descriptors_may_be_exchanged(pair: Pair, made_by: Nursery) -> None:
    """Each gets the number that it is for."""
    made = pair.made
    fds = (made.directory, *reversed(made.descriptors.values()))
    order = Order(words_of("1"), None, {}, (2, 1, 0))
    pid = made_by.obey(order, fds)
    made.pipe.feed(b"line\n")
    made.pipe.end()
    os.waitpid(pid, 0)
    assert made.out.read_bytes() == b"line\n"


def test_the_descriptors_that_services_inherit_are_inherited(
    installation: Installation, pair: Pair
) -> None:
    """Those of the supervisor that are not close-on-exec."""
    null = os.open("/dev/null", os.O_RDONLY)
    inherited = fcntl.fcntl(null, fcntl.F_DUPFD, 50)
    with nursery(installation) as other:
        pair.nursery = other
        pair.start("./main")
        settle(pair)
        assert descriptors(pair.made) == descriptors(pair.executed)
        assert inherited in descriptors(pair.made)
    os.close(inherited)
    os.close(null)


@needs_root
def test_another_user_finds_nothing_open_that_it_may_not_open(pair: Pair) -> None:
    """The user changes first: a directory of root's is not for it to log to."""
    pair.start("./main", NOBODY)
    assert [one.wait() for one in pair.each()] == [111, 111]
    assert pair.made.err.read_bytes() == pair.executed.err.read_bytes()
    assert not (pair.made.folder / "main").exists()


# ---- logutil-service


class Logutil(Pair):
    """The same, for loggers that logutil-service becomes."""

    def begin(self, directory: str = "./main", **variables: str) -> None:
        """Start both, with further variables."""
        run = f"#!/bin/sh\nexec logutil-service {directory}\n"
        (self.executed.folder / "run").write_text(run)
        given = {b"S6_SERVICE": b"foo", b"UID": b"7", b"A": b"a"}
        given |= {name.encode(): text.encode() for name, text in variables.items()}
        environment = {**self.installation.environment, **given}
        self.executed.execute(Spawner(), environment)
        words = (b"logutil-service", directory.encode())
        self.made.grow(self.nursery, Order(words, None, given, ()))


@pytest.fixture
def logutil(pair: Pair) -> Logutil:
    """Give the pair for logutil-service."""
    return Logutil(pair.installation, pair.nursery, list(pair.each()))


@needs_root
@pytest.mark.parametrize("script", ["", "n3 t", "- +l.*e s4096", "1 T"])
def test_logutil_service_shows_no_difference(script: str, logutil: Logutil) -> None:
    """The directory that it makes and the user that it becomes included."""
    logutil.begin(S6_LOGGING_SCRIPT=script)
    settle(logutil)
    made = look(logutil.made)
    assert made == look(logutil.executed)
    nobody = pwd.getpwnam(NOBODY)
    assert str(made["Uid"]).split() == [str(nobody.pw_uid)] * 4
    executed, grown = ((one.folder / "main").stat() for one in logutil.each())
    assert (grown.st_uid, grown.st_gid) == (executed.st_uid, executed.st_gid)
    assert grown.st_uid == nobody.pw_uid
    assert grown.st_mode == executed.st_mode


@needs_root
def test_logutil_service_is_the_logger_then(logutil: Logutil) -> None:
    """By its name and its words, of which the script is a part."""
    logutil.begin(S6_LOGGING_SCRIPT="n3  s100000\tt")
    settle(logutil)
    words = b"s6-log\0-b\0--\0n3\0s100000\0t\0./main"
    shown = Path(f"/proc/{logutil.made.pid}/cmdline").read_bytes()
    assert shown.rstrip(b"\0") == words
    executed = Path(f"/proc/{logutil.executed.pid}/cmdline").read_bytes()
    assert executed.endswith(words + b"\0")
    names = [Path(f"/proc/{one.pid}/comm").read_text() for one in logutil.each()]
    assert names == ["s6-log\n"] * 2


@needs_root
def test_logutil_service_leaves_little_of_the_environment(logutil: Logutil) -> None:
    """PATH and S6_SERVICE; and PWD, which a launcher sets."""
    logutil.begin(S6_LOGGING_SCRIPT="!env")
    executed, made = map(processors_environment, logutil.each())
    assert made == executed
    path = logutil.installation.environment[b"PATH"]
    assert made == {b"PATH=" + path, b"S6_SERVICE=foo", b"PWD=DIRECTORY"}


@needs_root
def test_logutil_service_forgets_the_time_zone(logutil: Logutil) -> None:
    """That of the system is the logger's."""
    logutil.begin(S6_LOGGING_SCRIPT="T", TZ="XYZ-5")
    for one in logutil.each():
        one.pipe.feed(b"line\n")
        harness.wait_until(lambda one=one: b"line" in one.logged(), "a line")  # type: ignore[misc]
    executed, made = (hour(one.logged()) for one in logutil.each())
    assert (made - executed) % 24 in (0, 1)


@needs_root
@pytest.mark.parametrize(
    ("directory", "script", "code"),
    [("./run/x", "", 111), ("./main", "x", 100), ("./run", "", 111), ("main", "", 100)],
)
def test_logutil_service_fails_in_the_same_way(
    directory: str, script: str, code: int, logutil: Logutil
) -> None:
    """At each of its steps."""
    logutil.begin(directory, S6_LOGGING_SCRIPT=script)
    assert [one.wait() for one in logutil.each()] == [code, code]
    assert logutil.made.err.read_bytes() == logutil.executed.err.read_bytes()
    assert logutil.made.err.read_bytes() != b""
