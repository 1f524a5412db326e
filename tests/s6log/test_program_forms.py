"""Tagged lines, JSON and dates, as whole programs write them."""

import base64
import json
import os
import pty
import random
import re
import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest

from harness import DEADLINE_S, Pipe, Program, Stage, finish, run, running

MICROSECONDS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
MIXED = (
    b'plain "text"\n{"level":"info"}\n {"service":"me"} \n{}\n{bad}\n'
    b"caf\xe9\n\n\x1b[31mred\n"
)


def output(
    ours: Program, tmp_path: Path, *script: str, data: bytes = MIXED, service: str = "x"
) -> bytes:
    """Log some lines as a service of that name; give standard output."""
    stage = Stage(tmp_path, env={"S6_SERVICE": service})
    ended = run(ours, script, data, stage)
    assert (ended.code, ended.err) == (0, b"")
    return ended.out


def test_tag(ours: Program, tmp_path: Path) -> None:
    """Before text; as the first member of objects that have none; nothing else."""
    assert output(ours, tmp_path, "@tag", "1", service="web").splitlines() == [
        b'web | plain "text"',
        b'{"service":"web","level":"info"}',
        b' {"service":"me"} ',
        b'{"service":"web"}',
        b"web | {bad}",
        b"web | caf\xe9",
        b"web | ",
        b"web | \x1b[31mred",
    ]


def test_a_tag_is_for_the_next_action(ours: Program, tmp_path: Path) -> None:
    """Whatever that is; a stamp and a date come before it, a prefix behind."""
    script = ("pp", "t", "@time=unix", "T", "@tag=n\u00e9", "1", "./d")
    out = output(ours, tmp_path, *script, data=b"a\n").decode()
    assert re.fullmatch(r"@[0-9a-f]{24} \d{10}\.\d{9}  n\u00e9 \| p a\n", out)
    assert (tmp_path / "d" / "current").read_bytes() == b"p a\n"


def test_json(ours: Program, tmp_path: Path) -> None:
    """Each line is an object; those that were gain what they lack."""
    records = output(ours, tmp_path, "@json", "1", service='a"b').splitlines()
    objects = [json.loads(record) for record in records]
    stamps = {entry.pop("ts") for entry in objects}
    assert len(stamps) == 1
    assert MICROSECONDS.fullmatch(stamps.pop())
    own = {"service": 'a"b', "stream": "stdout"}
    assert objects == [
        {**own, "msg": 'plain "text"'},
        {**own, "level": "info"},
        {"service": "me", "stream": "stdout"},
        own,
        {**own, "msg": "{bad}"},
        {
            **own,
            "msg": "caf\ufffd",
            "msg_base64": base64.b64encode(b"caf\xe9").decode(),
        },
        {**own, "msg": ""},
        {**own, "msg": "\x1b[31mred"},
    ]
    assert list(json.loads(records[0])) == ["ts", "service", "stream", "msg"]


def test_nothing_stands_before_json(ours: Program, tmp_path: Path) -> None:
    """Stamp, date and prefix are left out; the name of a tag is the service."""
    out = output(ours, tmp_path, "pp", "t", "T", "@tag=own", "@json", "1", data=b"a\n")
    assert json.loads(out)["service"] == "own"
    assert json.loads(out)["msg"] == "a"


@pytest.mark.parametrize("kernel", ["yes", "no"])
def test_everything_comes_back(ours: Program, tmp_path: Path, kernel: str) -> None:
    """Any bytes: as text, or as base64 where they are none."""
    rng = random.Random(4)
    lines = [rng.randbytes(rng.randrange(60)) for _ in range(2000)]
    lines = [line.translate(None, b"\n\0") for line in lines]
    stage = Stage(tmp_path, env={"S6LOG_KERNEL": kernel})
    ended = run(ours, ["@json", "1"], b"".join(x + b"\n" for x in lines), stage)
    assert ended.code == 0
    for line, record in zip(lines, ended.out.splitlines(), strict=True):
        entry = json.loads(record)
        exact = entry.get("msg_base64")
        text = entry["msg"].encode() if exact is None else base64.b64decode(exact)
        assert text == line
        assert ("\ufffd" in entry["msg"]) >= (exact is not None)


def test_elements_take_turns(ours: Program, tmp_path: Path) -> None:
    """Lines of several actions stay in their order; one for two comes twice."""
    script = ["-", "+a", "@json", "1", "+b", "@tag=t", "1", "f", "pplain", "1"]
    out = output(ours, tmp_path, *script, data=b"a1\nb2\nc3\na4\n")
    shown = [
        json.loads(line)["msg"] if line[:1] == b"{" else line.decode()
        for line in out.splitlines()
    ]
    assert shown == ["a1", "t | a1", "t | b2", "plain c3", "a4", "t | a4"]


@pytest.mark.parametrize(
    ("script", "shape"),
    [
        (["@time=rfc3339"], r"2\d{3}-\d\d-\d\dT\d\d:\d\d:\d\dZ"),
        (["@time=rfc3339ms"], r"2\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"),
        (["@time=us"], r"2\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"),
        (["@time=ns"], r"2\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z"),
        (["@time=unix"], r"\d{10}\.\d{9}"),
        (["@time=%d/%b/%Y %f"], r"\d\d/[A-Z][a-z]{2}/2\d{3} \d{6}"),
        (["@tz=Asia/Tokyo", "@time=rfc3339"], r".*T\d\d:\d\d:\d\d\+09:00"),
        (["@tz=Asia/Tokyo"], r"2\d{3}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{9}"),
    ],
)
def test_dates(ours: Program, tmp_path: Path, script: list[str], shape: str) -> None:
    """`T` writes them in the form and the zone that are in force, for every action."""
    out = output(ours, tmp_path, *script, "T", "1", "T", "1", data=b"a\n").decode()
    assert re.fullmatch(rf"(?:{shape}  a\n){{2}}", out)


def test_a_terminal_gets_colours(ours: Program, tmp_path: Path) -> None:
    """Only what is a terminal, and not the lines themselves."""
    main, terminal = pty.openpty()
    stage = Stage(
        tmp_path, subprocess.PIPE, terminal, env={"TERM": "xterm", "S6_SERVICE": "web"}
    )
    with running(ours, ["@tag", "1", "@tag", "./d"], stage) as process:
        assert process.stdin is not None
        process.stdin.write(b"a\n")
        process.stdin.close()
        process.stdin = None
        assert finish(process).code == 0
    shown = os.read(main, 100)
    os.close(main)
    os.close(terminal)
    assert re.fullmatch(rb"\x1b\[0;\d\dmweb \|\x1b\[0m a\r\n", shown)
    assert (tmp_path / "d" / "current").read_bytes() == b"web | a\n"


def test_loggers_share_a_stdout(ours: Program, tmp_path: Path) -> None:
    """No line of one is torn by another, also one of more than PIPE_BUF bytes."""
    scripts = {"one": ["@tag", "1"], "two": ["@json", "1"], "three": ["@tag", "t", "1"]}
    sizes = [3, 90, 4090, 8000]
    expected = {
        name: [f"{name} {n} " + "x" * sizes[n % 4] for n in range(400)]
        for name in scripts
    }
    with Pipe(65536) as pipe, ExitStack() as stack:
        os.set_blocking(pipe.write, True)
        loggers = []
        for name, script in scripts.items():
            data = "".join(line + "\n" for line in expected[name])
            (tmp_path / name).write_text(data)
            file = stack.enter_context((tmp_path / name).open("rb"))
            stage = Stage(tmp_path, file.fileno(), pipe.write, env={"S6_SERVICE": name})
            loggers.append(stack.enter_context(running(ours, script, stage)))
        pipe.end()
        with open(pipe.read, "rb", closefd=False) as reader:
            out = reader.read()
        assert [logger.wait(DEADLINE_S) for logger in loggers] == [0, 0, 0]
    found: dict[str, list[str]] = {name: [] for name in scripts}
    for line in out.decode().splitlines():
        if line.startswith("{"):
            entry = json.loads(line)
            found[entry["service"]].append(entry["msg"])
        else:
            tag, _, text = line.partition(" | ")
            found[tag.split(" ")[-1]].append(text)
    assert found == expected


def test_huge_and_deep_objects(ours: Program, tmp_path: Path) -> None:
    """They gain a member like any other, whatever their size."""
    deep = b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    huge = b'{"a":"' + b"x" * (10 << 20) + b'"}'
    broken = b"[" * (1 << 20)
    stage = Stage(tmp_path, env={"S6_SERVICE": "web"})
    data = b"\n".join([deep, huge, broken, b""])
    ended = run(ours, ["-l0", "@tag", "1"], data, stage)
    assert ended.code == 0
    member = b'{"service":"web",'
    lines = [member + deep[1:], member + huge[1:], b"web | " + broken]
    assert ended.out.split(b"\n")[:-1] == lines
