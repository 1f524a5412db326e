"""Figures for Prometheus: true at every moment, for each output."""

import os
import shutil
import threading
import time
from pathlib import Path

import pytest

from commands import feeding
from counted import FIGURES, Scrape, counted, read_figures, standard
from harness import Pipe, Program, Stage, finish, run, running
from inside import drive
from numbered import Reading, lines
from s6log.outputs import metrics
from s6log.unix.loop import Loop
from supervising import end_all_in
from watching import facts, settle, switches

STDOUT, STDERR = 1, 2
POLICIES = ["drop-oldest", "drop-newest"]


def drain(pipe: Pipe) -> bytes:
    """Read what is in a pipe."""
    try:
        return os.read(pipe.read, 1 << 20)
    except BlockingIOError:
        return b""


def test_file_is_there_from_the_start(ours: Program, tmp_path: Path) -> None:
    """With zeros, before there is any line; and it names the service."""
    with Pipe() as pipe:
        stage = Stage(tmp_path, pipe.read, env={"S6_SERVICE": "web"})
        script = [f"@metrics={FIGURES}", "1", "./d"]
        with running(ours, script, stage) as process:
            settle(process)
            found = Scrape(tmp_path / FIGURES)
            assert found.outputs == ["stdout", "./d"]
            assert found.services() == {"web"}
            assert found.all("input_lines_total") == {"": 0}
            assert found.all("last_line_timestamp_seconds") == {"": 0}
            pipe.end()
            assert finish(process).code == 0


def test_all_outputs_at_the_end(ours: Program, tmp_path: Path) -> None:
    """After a run of a logger with every kind of output, the figures are the truth."""
    script = ["-", "+1>", "2", "f", "1", "=status", "@pipe=cat > got", "./d"]
    data = lines(0, 1000)
    before = time.time()
    ending = run(ours, ["--", f"@metrics={FIGURES}", *script], data, Stage(tmp_path))
    assert ending.code == 0
    found = Scrape(tmp_path / FIGURES)
    assert found.all("input_lines_total") == {"": 1000}
    assert found.all("input_bytes_total") == {"": len(data)}
    assert before <= found.all("last_line_timestamp_seconds")[""] <= time.time()
    assert found.all("output_written_lines_total") == {
        "stderr": ending.err.count(b"\n"),
        "stdout": ending.out.count(b"\n"),
        "=status": 1000 - 100 - found.dropped("=status")["newer"],
        "@pipe=cat > got": (tmp_path / "got").read_bytes().count(b"\n"),
        "./d": len(Reading(tmp_path / "d").numbers),
    }
    sizes = found.all("output_written_bytes_total")
    assert sizes["stderr"] == len(ending.err)
    assert sizes["stdout"] == len(ending.out)
    assert sizes["@pipe=cat > got"] == (tmp_path / "got").stat().st_size
    assert sizes["./d"] == (tmp_path / "d/current").stat().st_size
    assert found.all("output_selected_lines_total")["stderr"] == 100
    assert found.all("output_selected_lines_total")["stdout"] == 900
    assert found.all("pipe_unread_bytes") == {"@pipe=cat > got": 0}


@pytest.mark.parametrize("policy", ["block", *POLICIES])
@pytest.mark.parametrize("directive", ["1", "2"])
def test_stuck_stream(loop: Loop, tmp_path: Path, directive: str, policy: str) -> None:
    """Blocked, then read, then closed by its reader: each line is counted once."""
    script = ["@buffer=16k", f"@full={policy}", directive]
    fd = {"1": STDOUT, "2": STDERR}[directive]
    name = {"1": "stdout", "2": "stderr"}[directive]
    with (
        Pipe(4096) as out,
        standard(fd, out.write),
        counted(loop, tmp_path, *script) as rig,
    ):
        out.end()
        found = rig.feed(lines(0, 200))
        assert found.of("written_lines_total", name) <= 64
        assert found.of("pending_lines", name) >= 100
        assert 0 < found.of("pending_bytes", name) <= 16 << 10
        assert found.of("buffer_bytes", name) == 16 << 10
        assert found.dropped(name) == {}
        if policy != "block":
            found = rig.feed(lines(200, 1000))
            assert found.dropped(name)["buffer"] > 500
        received = b""
        os.set_blocking(out.read, False)
        while rig.scrape().of("pending_lines", name):
            received += drain(out)
            rig.settle()
        received += drain(out)
        found = rig.scrape()
        marks = received.count(b" dropped (buffer full for ")
        assert found.of("written_lines_total", name) == received.count(b"\n") - marks
        assert found.of("written_bytes_total", name) == len(received)
        rig.feed(lines(1000, 1200))
        before = rig.scrape()
        out.drop_read()
        rig.settle()
        found = rig.feed(lines(1200, 1300))
        gone = before.of("pending_lines", name) + 100
        assert found.dropped(name)["closed"] == gone
        assert found.of("pending_bytes", name) == 0


def test_rate_and_status(loop: Loop, tmp_path: Path) -> None:
    """What a rate does not let pass, and what newer lines take the place of."""
    script = ["@rate=10/h", "./d", "=status", "@rate=3/h", "=other"]
    with counted(loop, tmp_path, *script) as rig:
        rig.feed(lines(0, 8))
        found = rig.feed(lines(8, 100))
        assert found.dropped("./d") == {"rate": 90}
        assert found.of("written_lines_total", "./d") == 10
        assert found.dropped("=status") == {"newer": 98}
        assert found.of("written_lines_total", "=status") == 2
        assert found.dropped("=other") == {"newer": 2, "rate": 97}
        shutil.rmtree(tmp_path / "d")
        (tmp_path / "status").unlink()
        (tmp_path / "status").mkdir()
        found = rig.feed(lines(100, 110))
        assert found.dropped("=status") == {"newer": 107, "failed": 1}
        assert rig.end().of("selected_lines_total", "./d") == 110


def test_joined_lines(loop: Loop, tmp_path: Path) -> None:
    """An event is one line; what became part of it is counted apart."""
    with counted(loop, tmp_path, "@join=indent", "./d") as rig:
        found = rig.feed(b"a\n b\n c\nd\n e\nf\n")
        assert found.of("selected_lines_total", "./d") == 2
        found = rig.end()
        assert found.of("written_lines_total", "./d") == 3
        assert found.of("joined_lines_total", "./d") == 3
        assert found.all("input_lines_total") == {"": 6}


@pytest.mark.parametrize("policy", ["block", *POLICIES])
def test_rotations_and_a_processor_that_fails(
    loop: Loop, tmp_path: Path, policy: str
) -> None:
    """Runs are counted, with their time, whether they fail or not."""
    processor = "?cat;test -e ../ok"
    script = ["r20", "s4096", "n99", "@buffer=16k", f"@full={policy}", processor, "./d"]
    with counted(loop, tmp_path, *script) as rig:
        found = rig.feed(lines(0, 100))
        assert found.all("logdir_rotations_total") == {"./d": 1}
        failed = found.all("logdir_processor_failures_total")
        assert found.all("logdir_processor_seconds_count") == failed
        assert found.of("pending_lines", "./d") > 0
        if policy != "block":
            found = rig.feed(lines(100, 1000))
            assert found.dropped("./d")["buffer"] > 0

        def failed_twice() -> bool:
            return rig.scrape().all("logdir_processor_failures_total")["./d"] >= 2

        drive(loop, failed_twice, "two failures")
        (tmp_path / "ok").touch()
        found = rig.end()
    failures = found.all("logdir_processor_failures_total")["./d"]
    rotations = found.all("logdir_rotations_total")["./d"]
    assert found.all("logdir_processor_seconds_count")["./d"] == failures + rotations
    assert 0 < found.all("logdir_processor_seconds_sum")["./d"] < 30
    archives = [path for path in (tmp_path / "d").iterdir() if path.name[:1] == "@"]
    assert rotations == len(archives)
    kept = sum(
        path.read_bytes().count(b">\n") for path in (*archives, tmp_path / "d/current")
    )
    assert found.of("written_lines_total", "./d") == kept


def test_logdir_that_rotates_often(loop: Loop, tmp_path: Path) -> None:
    """Without a processor: as many rotations as archives."""
    with counted(loop, tmp_path, "s4096", "n999", "./d", "n0", "./e") as rig:
        rig.feed(lines(0, 5000))
        found = rig.end()
    archives = [path for path in (tmp_path / "d").iterdir() if path.name[:1] == "@"]
    assert found.all("logdir_rotations_total") == {
        "./d": len(archives),
        "./e": len(archives),
    }
    assert found.all("logdir_processor_seconds_count") == {}
    assert found.of("written_lines_total", "./d") == 5000


@pytest.mark.parametrize("policy", ["block", *POLICIES])
def test_command_that_is_started_again(loop: Loop, tmp_path: Path, policy: str) -> None:
    """Restarts, and what is in the pipe, which nobody has read yet."""
    command = "echo >> starts; test -e ok || exit 1; exec cat > got"
    name = f"@pipe={command}"
    script = ["r10", "@buffer=16k", f"@full={policy}", name]
    try:
        with counted(loop, tmp_path, *script) as rig:
            assert rig.scrape().all("pipe_restarts_total") == {name: 0}
            found = rig.feed(lines(0, 1000 if policy == "block" else 9000))
            size = found.of("written_bytes_total", name)
            assert found.all("pipe_unread_bytes") == {name: size}

            def restarted() -> bool:
                return rig.scrape().all("pipe_restarts_total")[name] >= 3

            drive(loop, restarted, "restarts")
            (tmp_path / "ok").touch()
            found = rig.end()
    finally:
        end_all_in(tmp_path)
    starts = (tmp_path / "starts").read_text().count("\n")
    assert found.all("pipe_restarts_total") == {name: starts - 1}
    got = (tmp_path / "got").read_bytes()
    marks = got.count(b" dropped (buffer")
    assert found.of("written_lines_total", name) == got.count(b"\n") - marks
    assert found.of("written_bytes_total", name) == len(got)
    assert bool(found.dropped(name)) == (policy != "block")


def test_lines_given_up_at_the_end(loop: Loop, tmp_path: Path) -> None:
    """What a stuck command has not taken is counted when it is given up."""
    script = ["@pipe=exec sleep 1000"]
    try:
        with counted(loop, tmp_path, *script, last_line_timeout_ms=50) as rig:
            pending = rig.feed(lines(0, 9000)).of("pending_lines", script[0])
            assert pending > 0
            assert rig.end().dropped(script[0]) == {"exit": pending}
    finally:
        end_all_in(tmp_path)


def test_odd_names(ours: Program, tmp_path: Path) -> None:
    """Quotes, newlines, backslashes and bytes that are no text stay apart."""
    odd = [b'./"q"', b"./a\nb", b"./a\\nb", b"./\xff", b"./\\xff", "./ü".encode()]
    script = [f"@metrics={FIGURES}".encode(), *odd]
    for _ in range(2):
        script += [b"@pipe=cat > /dev/null"]
    script += [b"@pipe=cat > /dev/null #2"]
    stage = Stage(tmp_path, env={"S6_SERVICE": 'a "b" \\ ü'})
    assert run(ours, script, lines(0, 10), stage).code == 0
    found = Scrape(tmp_path / FIGURES)
    assert found.services() == {'a "b" \\ ü'}
    assert len(found.outputs) == 9
    assert set(found.outputs) >= {'./"q"', "./a\nb", "./a\\nb", "./ü"}
    assert found.all("output_written_lines_total") == dict.fromkeys(found.outputs, 10)


def test_directory_that_disappears(loop: Loop, tmp_path: Path) -> None:
    """One warning for each time that it is away; the logger goes on."""
    folder = tmp_path / "m"
    folder.mkdir()
    text = f"warning: unable to write metrics to m/{FIGURES}: No such file or directory"
    with counted(loop, tmp_path, "./d", path=f"m/{FIGURES}") as rig:
        for number in range(3):
            rig.feed(lines(number, number + 1))
            shutil.rmtree(folder)
            for _ in range(3):
                rig.metrics.write()
            assert rig.desk.said() == [text]
            folder.mkdir()
        found = rig.feed(lines(3, 4))
        assert rig.desk.said() == []
        assert found.of("written_lines_total", "./d") == 4
        folder.rename(tmp_path / "away")
        rig.pipe.end()
        drive(loop, lambda: rig.logger.done, "the end")
        assert rig.desk.said() == [text]
    assert Reading(tmp_path / "d").numbers == [0, 1, 2, 3]


def test_file_is_replaced(loop: Loop, tmp_path: Path) -> None:
    """Whoever has it open keeps what was in there; nothing else is left behind."""
    with counted(loop, tmp_path, "./d") as rig:
        rig.feed(lines(0, 1))
        with (tmp_path / FIGURES).open("rb") as opened:
            rig.feed(lines(1, 50))
            old = opened.read()
        assert old.count(b"\n") == (tmp_path / FIGURES).read_bytes().count(b"\n")
        assert old != (tmp_path / FIGURES).read_bytes()
        names = {path.name for path in tmp_path.iterdir()}
        assert names == {"d", FIGURES}


def test_reader_never_sees_a_part(loop: Loop, tmp_path: Path) -> None:
    """However often it looks, the file is there, and whole."""
    sizes: set[int] = set()
    ended = threading.Event()

    def look() -> None:
        while not ended.is_set():
            text = (tmp_path / FIGURES).read_bytes()
            sizes.add(len(text.splitlines()))

    with counted(loop, tmp_path, "./d", "@pipe=exec cat > got") as rig:
        rig.feed(lines(0, 1))
        reader = threading.Thread(target=look)
        reader.start()
        for _ in range(500):
            rig.metrics.write()
        ended.set()
        reader.join()
        assert len(sizes) == 1


# ---- when it is written


def test_traffic_writes_it_once_a_period(
    loop: Loop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some time after the first line; and after that, without lines, never again."""
    monkeypatch.setattr(metrics, "EVERY_MS", 50)
    path = tmp_path / FIGURES
    with counted(loop, tmp_path, "./d", "=status") as rig:
        for count in (1, 2):
            rig.pipe.feed(lines(count - 1, count))

            def written(count: int = count) -> bool:
                return Scrape(path).all("input_lines_total") == {"": count}

            drive(loop, written, "the figures")
        turns = 0
        over: list[bool] = []
        loop.after(300, lambda: over.append(True))
        while not over:
            loop.turn()
            turns += 1
        assert turns == 1


def test_lines_that_wait_are_followed(
    loop: Loop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until they are written, though no other line comes; and then no more."""
    monkeypatch.setattr(metrics, "EVERY_MS", 50)
    path = tmp_path / FIGURES
    with (
        Pipe(4096) as out,
        standard(STDOUT, out.write),
        counted(loop, tmp_path, "1") as rig,
    ):
        out.end()
        rig.pipe.feed(lines(0, 200))

        def waiting() -> bool:
            return Scrape(path).of("pending_lines", "stdout") > 0

        drive(loop, waiting, "figures with lines that wait")
        os.set_blocking(out.read, False)

        def written() -> bool:
            drain(out)
            return Scrape(path).of("written_lines_total", "stdout") == 200

        drive(loop, written, "figures without")
        assert not rig.metrics._figures.unsettled


OBSERVED_S = 1.0


def test_idle_logger_never_wakes(ours: Program, tmp_path: Path) -> None:
    """With figures and a command, before the first line and after some."""
    script = [f"@metrics={FIGURES}", "@pipe=exec cat > got", "@json", "./d", "=status"]
    with feeding(ours, tmp_path, *script) as fed:
        fed.command("cat")
        for data in (b"", lines(0, 10)):
            fed.feed(data)
            fed.settle()
            before = switches(facts(fed.process.pid))
            # Not synchronisation: it is the time in which nothing must happen.
            time.sleep(OBSERVED_S)
            assert switches(facts(fed.process.pid)) == before
        assert fed.end() == 0


def test_figures_cannot_stop_a_logger(ours: Program, tmp_path: Path) -> None:
    """A directory or a FIFO in place of the file is warned of, and that is all."""
    for name in ("dir", "fifo"):
        (tmp_path / name).mkdir()
    os.mkfifo(tmp_path / "fifo/f.new")
    (tmp_path / "dir/f").mkdir()
    for path in ("dir/f", "fifo/f"):
        ending = run(ours, [f"@metrics={path}", "1"], b"line\n", Stage(tmp_path))
        assert (ending.code, ending.out) == (0, b"line\n")
        assert ending.err.startswith(b"s6-log: warning: unable to write metrics to ")
        assert ending.err.count(b"\n") == 1


def test_parser_would_notice(tmp_path: Path) -> None:
    """A file that is not valid is refused: the other tests rest on it."""
    (tmp_path / "x").write_text("# TYPE a counter\na_total{b=} 1 x\n")
    with pytest.raises(ValueError, match="float"):
        read_figures(tmp_path / "x")
