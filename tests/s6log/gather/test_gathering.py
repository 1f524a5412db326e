"""Many pipes, and one standard output that may be slow, shared, stuck or closed."""

import os
from collections import Counter
from pathlib import Path

import pytest

from consoles import NAME, Holder, drain, from_json, from_tags, pump, wakes
from harness import Pipe, Program, Stage, finish, running, wait_until
from numbered import line, lines
from watching import resident_bytes, settle


def numbered(count: int, size_bytes: int) -> bytes:
    """Make numbered lines, of some size and of a long one."""
    return lines(0, count, size_bytes) + line(count, 100_000)


@pytest.mark.parametrize("capacity", [4096, 65536])
def test_a_slow_reader_gets_everything(tmp_path: Path, capacity: int) -> None:
    """Nothing is dropped, torn or mixed, however long the lines."""
    sizes = {"a": 40, "service": 700, "other": 5000, "another": 70_000}
    texts = {name: numbered(200_000 // size, size) for name, size in sizes.items()}
    with Holder(tmp_path) as holder, Pipe(capacity) as out:
        os.set_blocking(out.write, True)
        pipes = holder.open(*((name, 1) for name in texts))
        with holder.showing("tag", out.write) as console:
            seen = pump(dict(zip(pipes, texts.values(), strict=True)), out.read, 1500)
            holder.end()
            console.end()
            seen += drain(out)
            assert finish(console.process).code == 0
    log = from_tags(seen)
    assert {name.decode(): b"\n".join(some) + b"\n" for name, some in log.items()} == (
        texts
    )


def test_other_loggers_write_to_the_same(ours: Program, tmp_path: Path) -> None:
    """They take turns: the long lines of both stay whole."""
    size, count = 100_000, 20
    text = lines(0, count, size)
    with Holder(tmp_path) as holder, Pipe() as out, Pipe() as own:
        os.set_blocking(out.write, True)
        pipes = holder.open(("a", 1), ("b", 2))
        stage = Stage(tmp_path, own.read, out.write)
        with (
            holder.showing("tag", out.write) as console,
            running(ours, ["-l0", "@tag=logger", "1"], stage) as logger,
        ):
            seen = pump(dict.fromkeys([*pipes, own], text), out.read)
            holder.end()
            console.end()
            own.end()
            seen += drain(out)
            assert finish(console.process).code == 0
            assert finish(logger).code == 0
    log = from_tags(seen)
    wanted = [line(number, size)[:-1] for number in range(count)]
    assert log == dict.fromkeys((b"a", b"b", b"logger"), wanted)


def test_nobody_keeps_the_others_from_being_heard(tmp_path: Path) -> None:
    """With a slow reader, services take turns; however much each has to say."""
    # With so long a name a logger takes 64 KiB at once, and there is much more.
    names = ["a" * 250, "b" * 250, "c" * 250]
    count = 10_000
    with Holder(tmp_path) as holder, Pipe(4096) as out:
        os.set_blocking(out.write, True)
        for name in names:
            holder.pipes[name, 1] = pipe = Pipe(1 << 20)
            pipe.feed(lines(0, count, 100))
        (quiet,) = holder.open(("quiet", 1))
        quiet.feed(b"here\n")
        with holder.showing("tag", out.write) as console:
            holder.end()
            console.end()
            records = drain(out).splitlines()
            assert finish(console.process).code == 0
    order = [record[:1].decode() for record in records]
    assert Counter(order) == {"a": count, "b": count, "c": count, "q": 1}
    half = Counter(order[: len(order) // 2])
    assert min(half[name[0]] for name in names) > count // 3
    assert order.index("q") < count


def test_a_stuck_reader_stops_the_reading(tmp_path: Path) -> None:
    """Services wait, then, as if they wrote there themselves; it takes no memory."""
    with Holder(tmp_path) as holder, Pipe(4096) as out:
        os.set_blocking(out.write, True)
        everybody = [(f"s{number}", 1) for number in range(20)]
        pipes = holder.open(*everybody)
        with holder.showing("json", out.write) as console:
            settle(console.process)
            base_bytes = resident_bytes(console.process.pid)
            pieces = dict.fromkeys(pipes, 0)
            for pipe in pipes * 2:
                while pipe.room():
                    pieces[pipe] += pipe.offer(lines(0, 64))
                settle(console.process)
            # One block may have been taken out of one of them for good.
            assert sum(pieces.values()) <= (len(pipes) + 2) * 65536
            assert resident_bytes(console.process.pid) - base_bytes < 2 << 20
            assert wakes(console.process.pid) == 0
            console.end()
            holder.end()
            log = from_json(drain(out))
            assert finish(console.process).code == 0
    assert set(log) == set(everybody)


def test_a_closed_stdout_is_told_and_the_rest_dropped(tmp_path: Path) -> None:
    """As s6-log does: services are not stopped by it."""
    with Holder(tmp_path) as holder, Pipe() as out:
        (pipe,) = holder.open(("web", 1))
        with holder.showing("raw", out.write) as console:
            out.drop_read()
            out.end()
            pipe.feed(lines(0, 10_000))
            wait_until(lambda: pipe.waiting() == 0, "the rest to be read")
            holder.end()
            console.end()
            ended = finish(console.process)
    what = b"unable to write to stdout, closing the stream - error was: Broken pipe"
    assert ended.err == NAME.encode() + b": warning: " + what + b"\n"
    assert ended.code == 0


def test_messages_stay_out_of_lines(tmp_path: Path) -> None:
    """Where standard error is the same pipe."""
    with Holder(tmp_path) as holder, Pipe(4096) as out:
        os.set_blocking(out.write, True)
        (pipe,) = holder.open(("web", 1))
        text = lines(0, 3, 20_000)
        with holder.showing("raw", out.write, out.write) as console:
            pipe.feed(text)
            settle(console.process)
            console.send(b"0")
            settle(console.process)
            holder.end()
            console.end()
            seen = drain(out)
            assert finish(console.process).code == 0
    said = [each for each in seen.splitlines(keepends=True) if each[:1] != b"<"]
    assert [each.partition(b": ")[0] for each in said] == [NAME.encode()]
    assert seen.replace(said[0], b"") == text


def test_a_file_takes_everything(tmp_path: Path) -> None:
    """Behind what others have written to it."""
    with Holder(tmp_path) as holder, (tmp_path / "out").open("wb") as file:
        file.write(b"first\n")
        file.flush()
        (pipe,) = holder.open(("web", 1))
        with holder.showing("raw", file.fileno()) as console:
            pipe.feed(lines(0, 5000))
            holder.end()
            console.end()
            assert finish(console.process).code == 0
    assert (tmp_path / "out").read_bytes() == b"first\n" + lines(0, 5000)
