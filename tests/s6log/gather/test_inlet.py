"""What is written to many pipes comes out: each line whole, and once."""

import os
import subprocess
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from consoles import Holder, Who, drain, from_json, from_tags, pump, shown
from harness import PYTHON, Pipe, finish
from loggers import reference
from numbered import WHOLE, lines
from watching import settle

WHOS: list[Who] = [("web", 1), ("web", 2), ("a", 1), ("database", 2)]
TEXTS = st.lists(
    st.sampled_from([b"a", b"\n", b"\0", b"\xe9", b'"', b"bb b", b"c" * 5000]),
    max_size=20,
).map(b"".join)


def lines_of(data: bytes) -> list[bytes]:
    """Divide bytes into lines, as loggers do."""
    return reference(data, 0).split(b"\n")[:-1]


@settings(max_examples=25)
@given(st.data())
def test_whatever_is_written_comes_out(data: st.DataObject) -> None:
    """Each line whole, once, in the order of its pipe, with name and stream."""
    texts = {who: data.draw(TEXTS, label=str(who)) for who in WHOS}
    order = data.draw(st.lists(st.tuples(st.sampled_from(WHOS), st.integers(1, 9000))))
    with tempfile.TemporaryDirectory() as folder, Holder(Path(folder)) as holder:
        holder.open(*WHOS)
        with holder.showing("json") as console:
            left = dict(texts)
            for who, size in order:
                # Pipes have room for everything: this waits for nobody.
                holder.pipes[who].feed(left[who][:size])
                left[who] = left[who][size:]
            for who, pipe in holder.pipes.items():
                pipe.feed(left[who])
            holder.end()
            console.end()
            ended = finish(console.process)
    assert (ended.code, ended.err) == (0, b"")
    wanted = {who: lines_of(text) for who, text in texts.items()}
    assert from_json(ended.out) == {who: some for who, some in wanted.items() if some}


def test_writers_that_sleep_over_a_line(tmp_path: Path) -> None:
    """Of several at once: what waits for room is taken, to the end of the line."""
    text = "import os; os.write(1, 300_000 * b'x' + b'\\n')"
    with Holder(tmp_path) as holder, (tmp_path / "out").open("wb") as out:
        pipes = holder.open(("a", 1), ("b", 1), ("c", 1))
        with holder.showing("tag", out.fileno()) as console:
            for pipe in pipes:
                pipe.feed(b"begun")
            settle(console.process)
            for pipe in pipes:
                # A description of its own, which blocks.
                with open(f"/proc/self/fd/{pipe.write}", "wb") as stdout:
                    command = [*PYTHON, "-c", text]
                    subprocess.run(command, stdout=stdout, check=True, timeout=30)
            holder.end()
            console.end()
            assert finish(console.process).code == 0
    log = from_tags((tmp_path / "out").read_bytes())
    long = b"begun" + 300_000 * b"x"
    assert log == {b"a": [long], b"b": [long], b"c": [long]}


def test_a_line_without_end_is_cut(tmp_path: Path) -> None:
    """At the size of a buffer, since memory has an end."""
    text = (17 << 20) * b"x"
    records = shown(tmp_path, "raw", {("a", 1): text}).splitlines()
    assert [len(record) for record in records] == [16 << 20, 1 << 20]


def test_what_cannot_be_read_is_given_up(tmp_path: Path) -> None:
    """And closed, so that it is no end that looks open; the others go on."""
    with Holder(tmp_path) as holder, Pipe() as out, Pipe() as wrong:
        (good,) = holder.open(("good", 1))
        with holder.showing("tag", out.write) as console:
            console.announce(("bad", 1), wrong.write)
            settle(console.process)
            wrong.end()
            assert os.read(wrong.read, 1) == b""
            good.feed(b"one\n")
            holder.end()
            console.end()
            seen = drain(out)
            ended = finish(console.process)
    said = b"s6-init-console: warning: unable to read from bad: Bad file descriptor\n"
    assert (ended.code, ended.err) == (0, said)
    assert from_tags(seen) == {b"good": [b"one"]}


def test_killed_and_started_again(tmp_path: Path) -> None:
    """Another one on the same pipes loses nothing, and what it repeats is whole."""
    sizes = {"a": 64, "b": 1000, "c": 3900}
    texts = {name: lines(0, 800_000 // size, size) for name, size in sizes.items()}
    seen = b""
    with Holder(tmp_path) as holder, Pipe(8192) as out:
        os.set_blocking(out.write, True)
        pipes = holder.open(*((name, 1) for name in texts))
        left = dict(zip(pipes, texts.values(), strict=True))
        for goal in (1, 50_000, 222_222, 500_001):
            with holder.showing("raw", out.write) as console:
                seen += pump(left, out.read, 3000, goal)
                assert all(left.values()), "killed too late"
                console.process.kill()
                console.process.wait()
        with holder.showing("raw", out.write) as console:
            seen += pump(left, out.read)
            holder.end()
            console.end()
            seen += drain(out)
            assert finish(console.process).code == 0
    check_all_there(seen, texts)


def check_all_there(seen: bytes, texts: dict[str, bytes]) -> None:
    """Each line that was written is there, whole, and first in its order."""
    order: dict[int, list[bytes]] = {}
    for record in seen.splitlines(keepends=True):
        assert WHOLE.fullmatch(record[:-1]), record[:80]
        order.setdefault(len(record), []).append(record)
    for text in texts.values():
        size = text.index(b"\n") + 1
        assert b"".join(dict.fromkeys(order[size])) == text
