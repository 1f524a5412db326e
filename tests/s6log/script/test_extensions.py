"""The directives that s6-log does not have: what they mean, what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s6log.script.directives import DIRECTIVES, ScriptError, parse
from s6log.script.explain import explain
from s6log.script.extensions import EVERY, EXTENSIONS
from s6log.script.model import (
    BLOCK,
    BUFFER_BYTES,
    DROP_NEWEST,
    DROP_OLDEST,
    Action,
    Alert,
    Logdir,
    Pipe,
    Status,
    Stdout,
)
from s6log.script.options import Options

NAMES = "@tag @json @time @tz @join @rate @buffer @full @pipe @metrics"


def words_of(script: str) -> list[bytes]:
    """Split a script at blanks."""
    return [word.encode() for word in script.split(" ")]


def actions(script: str) -> list[Action]:
    """Give all actions of a script in their order."""
    return [action for _, action in parse(words_of(script)).actions]


def fail(words: list[bytes]) -> ScriptError:
    """Parse a script that is not valid; give the error."""
    with pytest.raises(ScriptError) as caught:
        parse(words)
    return caught.value


def explained(script: str) -> str:
    """Explain a script."""
    words = words_of(script)
    return explain(parse(words), Options(), words)


def flat(text: str) -> str:
    """Undo the setting: one blank between words."""
    return " ".join(text.split())


# ---- the table


def test_every_extension_has_a_row() -> None:
    """Under its name, and none takes the place of what s6-log has."""
    assert " ".join(name.decode() for name in EXTENSIONS) == NAMES
    assert {name: row.letter for name, row in EXTENSIONS.items()} == {
        name: name for name in EXTENSIONS
    }
    assert list(EVERY) == [*DIRECTIVES, *EXTENSIONS]


@pytest.mark.parametrize(
    "word", ["@", "@=x", "@zstd", "@tags", "@TAG", "@ tag", "@tag x"]
)
def test_a_name_must_be_one_of_these(word: str) -> None:
    """The hint lists them."""
    error = fail([b"1", word.encode()])
    assert error.text == b"unrecognized directive: " + word.encode()
    hint = f'directive 2, "{word}": no directive has this name; there are {NAMES}'
    assert error.hints == (hint.encode(),)
    assert error.position == 2


FORMS = {
    "@tag": "a name, or nothing for the service's own",
    "@json": "nothing after it",
    "@time": "rfc3339, rfc3339ms, us, ns, unix or a format with %",
    "@tz": "the name of a time zone, such as UTC or Europe/Paris",
    "@join": "python, java, go, indent or start:RE",
    "@rate": "a number of lines and a period: 100/s, 5000/10m",
    "@buffer": "a number of bytes, 1 or more, or of k, M or G",
    "@full": "block, drop-oldest or drop-newest",
    "@pipe": "a command for /bin/sh",
    "@metrics": "the name of a file",
}
BADLY_FORMED = [
    *("@tag=", "@json=", "@json=1", "@time=", "@tz=", "@join"),
    *("@join=", "@rate", "@rate=", "@buffer", "@buffer=", "@full", "@full="),
    *("@pipe", "@pipe=", "@metrics", "@metrics="),
]
WRONG = [
    *("@join=perl", "@join=Python", "@join=java:x", "@join=start", "@join=start:"),
    *("@rate=100", "@rate=100/", "@rate=/s", "@rate=100/x", "@rate=100/5", "@rate=x/s"),
    *("@rate=0/s", "@rate=1/0s", "@rate=4294967296/s", "@rate=1/s/s", "@rate=-1/s"),
    *("@rate=1/4294967296s", "@rate=1.5/s", "@rate=1/S", "@rate=1/1h30m"),
    *("@buffer=0", "@buffer=0k", "@buffer=k", "@buffer=1kk", "@buffer=1x"),
    *("@buffer=-1", "@buffer=1.5M", "@buffer=1T", "@buffer=k1", "@buffer=1MB"),
    *("@buffer=18446744073709551616", "@full=drop", "@full=BLOCK", "@full=newest"),
]


@pytest.mark.parametrize(
    ("word", "what"),
    [
        *((word, "syntax error at directive: ") for word in BADLY_FORMED),
        *((word, "unrecognized directive: ") for word in WRONG),
    ],
)
def test_what_is_refused_is_said_with_what_is_valid(word: str, what: str) -> None:
    """As for the other directives: a form that cannot be, then a wrong value."""
    name = word.partition("=")[0]
    meaning = EXTENSIONS[name.encode()].meaning
    error = fail([b"1", word.encode(), b"1"])
    assert error.text.decode() == f"{what}{word}"
    hint = f'directive 2, "{word}": {name} takes {FORMS[name]}: {meaning}'
    assert error.hints == (hint.encode(),)
    assert error.position == 2


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        (b"@tag=a\tb", "a name is printable UTF-8: it stands before every line"),
        (b"@tag=\xff", "a name is printable UTF-8: it stands before every line"),
        (b"@tag=a\nb", "a name is printable UTF-8: it stands before every line"),
        (b"@time=iso", "no time has this name: there are rfc3339, rfc3339ms, "),
        (b"@time=%Q", "a time has no %Q"),
        (b"@time=%H%", "nothing to convert behind the last %"),
        (b"@join=start:a[", "bad pattern at byte "),
    ],
)
def test_values_that_are_wrong_in_a_way_of_their_own(word: bytes, hint: str) -> None:
    """The hint says in which."""
    error = fail([word, b"1"])
    assert error.text == b"unrecognized directive: " + word
    assert error.hints[0].startswith(b'directive 1, "')
    assert f'": {hint}'.encode() in error.hints[0]
    assert b"\n" not in error.hints[0]


def test_an_alert_is_no_object() -> None:
    """`@json` is refused where the alert is."""
    error = fail(words_of("@json 1 @json 2"))
    assert (error.text, error.position) == (b"unrecognized directive: 2", 4)
    hint = b'directive 4, "2": an alert is text: @json is not for it'
    assert error.hints == (hint,)


@pytest.mark.parametrize(
    ("script", "position"),
    [
        ("1 @buffer=1M 1", 3),
        ("@full=drop-oldest 1 @full=drop-newest 1", 4),
        ("2 @buffer=1k ./d 2", 4),
        ("@full=drop-oldest 2 1 ./d @full=block 1", 6),
    ],
)
def test_one_stream_has_one_limit(script: str, position: int) -> None:
    """All its actions go through one buffer."""
    error = fail(words_of(script))
    word = script.split(" ")[position - 1]
    assert error.text == b"unrecognized directive: " + word.encode()
    hint = "all actions of this kind share one buffer: @buffer and @full differ"
    assert error.hints == (f'directive {position}, "{word}": {hint}'.encode(),)
    assert error.position == position


@pytest.mark.parametrize(
    "script",
    [
        "@buffer=1M 1 @buffer=1024k 1 @buffer=1048576 1",
        "@full=drop-oldest 1 @full=block 2 @full=drop-oldest 1",
        "@buffer=1k ./a @buffer=2k ./b @buffer=16M 1 1 2",
        "@buffer=1k @pipe=a @buffer=2k @pipe=a",
    ],
)
def test_equal_limits_are_one(script: str) -> None:
    """However they are written; and other outputs have their own."""
    assert len(actions(script)) >= 2


def test_there_is_one_file_of_figures() -> None:
    """It is for the logger as a whole, wherever in the script it stands."""
    assert parse(words_of("1 @metrics=/run/m ./d")).metrics == b"/run/m"
    assert parse(words_of("1")).metrics == b""
    error = fail(words_of("@metrics=a 1 @metrics=a"))
    assert (error.text, error.position) == (b"unrecognized directive: @metrics=a", 3)
    hint = b'directive 3, "@metrics=a": there is one file of metrics for a logger'
    assert error.hints == (hint,)


def test_a_pipe_is_an_action_and_other_extensions_are_not() -> None:
    """A script needs one; what comes behind the last one is extraneous."""
    assert fail([b"@metrics=m", b"@json"]).text == b"no action directive specified"
    assert b" or @pipe=COMMAND" in fail([b"@tag"]).hints[0]
    assert parse([b"@pipe=cat", b"+x"]).extraneous
    assert not parse([b"@pipe=cat", b"@json"]).extraneous


def test_forms_are_looked_at_before_values() -> None:
    """Also where ours and those of s6-log are mixed."""
    assert fail(words_of("@rate=x 1 @nope")).text == b"unrecognized directive: @nope"
    assert fail(words_of("nfoo 1 @json=")).text.startswith(b"syntax error at ")
    error = fail(words_of("./a @full=never ./b"))
    assert [logdir.path for logdir in error.logdirs] == [b"./a"]


# ---- what they mean


@pytest.mark.parametrize(
    ("word", "tag"), [("@tag", ""), ("@tag=web", "web"), ("@tag=a=b é", "a=b é")]
)
def test_tags(word: str, tag: str) -> None:
    """The service's own name, or any other."""
    ((_, action),) = parse([word.encode(), b"1"]).actions
    assert action.format.tag == tag.encode()
    assert action.format.formed


@pytest.mark.parametrize(
    ("period", "period_ms"),
    [
        ("s", 1000),
        ("1s", 1000),
        ("m", 60_000),
        ("10m", 600_000),
        ("h", 3_600_000),
        ("2d", 172_800_000),
        ("007s", 7000),
    ],
)
def test_periods_of_rates(period: str, period_ms: int) -> None:
    """One or more seconds, minutes, hours or days."""
    (action,) = actions(f"@rate=100/{period} 1")
    assert action.rate is not None
    assert (action.rate.lines, action.rate.period_ms) == (100, period_ms)


@pytest.mark.parametrize(
    ("size", "size_bytes"),
    [
        ("1", 1),
        ("4096", 4096),
        ("1k", 1 << 10),
        ("2K", 2 << 10),
        ("3m", 3 << 20),
        ("4M", 4 << 20),
        ("1g", 1 << 30),
        ("5G", 5 << 30),
    ],
)
def test_sizes_of_buffers(size: str, size_bytes: int) -> None:
    """Bytes, or units that are powers of two."""
    (action,) = actions(f"@buffer={size} 1")
    assert (action.limit.buffer_bytes, action.limit.full) == (size_bytes, BLOCK)


@pytest.mark.parametrize("full", [BLOCK, DROP_NEWEST, DROP_OLDEST])
def test_policies(full: bytes) -> None:
    """The size is kept, in whatever order the two are."""
    first, second = actions(
        f"@full={full.decode()} @buffer=5k ./a @buffer=6k @full=drop-oldest ./b"
    )
    assert (first.limit.buffer_bytes, first.limit.full) == (5 << 10, full)
    assert (second.limit.buffer_bytes, second.limit.full) == (6 << 10, DROP_OLDEST)


@pytest.mark.parametrize("kind", [b"python", b"java", b"go", b"indent"])
def test_traces_with_a_name(kind: bytes) -> None:
    """They need no pattern."""
    (action,) = actions(f"@join={kind.decode()} 1")
    assert action.join is not None
    assert (action.join.kind, action.join.tree) == (kind, None)


def test_events_that_begin_with_a_pattern() -> None:
    """It may hold whatever a pattern may, colons too."""
    (action,) = actions("@join=start:^[0-9]+:=@ 1")
    assert action.join is not None
    assert (action.join.kind, action.join.pattern) == (b"start", b"^[0-9]+:=@")
    assert action.join.tree is not None


def test_dates() -> None:
    """Form and zone, each by itself; that there is such a zone is seen later."""
    dates = [a.format.date for a in actions("1 @time=ms 1 @tz=No/Such 1 @time=%H 1")]
    assert dates == [
        (b"", b""),
        (b"ms", b""),
        (b"ms", b"No/Such"),
        (b"%H", b"No/Such"),
    ]


def test_pipes_have_their_command_and_retry_time() -> None:
    """The word may hold whatever a shell can read."""
    words = [b"@pipe=a | b='c d'", b"r5", b"@pipe=e"]
    first, second = [action for _, action in parse(words).actions]
    assert isinstance(first, Pipe)
    assert isinstance(second, Pipe)
    assert (first.command, first.retry_ms) == (b"a | b='c d'", 2000)
    assert (second.command, second.retry_ms) == (b"e", 5)


EACH_KIND = "1 2 =st ./d @pipe=cat"


def test_some_settings_are_for_the_next_action_alone() -> None:
    """Whatever it is, and whatever was set in between."""
    for action in EACH_KIND.split(" "):
        script = f"@tag=x @join=go @rate=1/s t T pa n5 {action} {EACH_KIND}"
        first, *others = actions(script)
        assert first.format.tag == b"x"
        assert first.join is not None
        assert first.rate is not None
        assert len(others) == 5
        for other in others:
            assert (other.format.tag, other.join, other.rate) == (None, None, None)
            assert not other.format.formed
    first, *others = actions(f"@json 1 {EACH_KIND}")
    assert first.format.json
    assert not any(other.format.json for other in others)


def test_other_settings_stay_in_force() -> None:
    """For actions of all kinds."""
    script = f"@time=us @tz=UTC @buffer=1M @full=drop-oldest {EACH_KIND} {EACH_KIND}"
    found = actions(script)
    kinds = [Stdout, Alert, Status, Logdir, Pipe]
    assert [type(action) for action in found] == [*kinds, *kinds]
    for action in found:
        assert action.format.date == (b"us", b"UTC")
        assert (action.limit.buffer_bytes, action.limit.full) == (1 << 20, DROP_OLDEST)


def test_without_extensions_everything_is_as_it_was() -> None:
    """No form, nothing joined, no rate, 16 MiB, and nothing dropped."""
    for action in actions("t T pa 1 2 =st ./d"):
        assert not action.format.formed
        assert action.format.date == (b"", b"")
        assert (action.join, action.rate) == (None, None)
        assert action.limit.buffer_bytes == BUFFER_BYTES == 16 << 20
        assert action.limit.full == BLOCK


# ---- in plain English


@pytest.mark.parametrize(
    ("script", "detail"),
    [
        ("@tag 1", "as SERVICE | LINE"),
        ("@tag=web pa 1", "as web | a LINE"),
        ("t @tag=web 2", "as s6-log: alert: @40000000663c0aad1dcd6500 web | LINE"),
        ("@json @tag=web 1", "as a JSON object with ts, service, stream and msg"),
        ("@join=java 1", "joined lines of one trace (java) become one"),
        ("@join=start:^A 1", "lines after one that matches ^A become one"),
        ("@rate=5000/10m 1", "limited to 5,000 lines in 10 min; others are dropped"),
        ("@rate=100/2h 1", "limited to 100 lines in 2 h; others are dropped"),
        ("@buffer=64k 1", "waiting at most 65,536 bytes; then reading stops"),
        ("@buffer=1M 2", "waiting at most 1,048,576 bytes (1.0 MiB); then reading"),
        ("@full=drop-oldest 1", "(16.0 MiB); then the oldest are dropped, which is"),
        ("@full=drop-newest ./d", "(16.0 MiB); then new ones are dropped, which is"),
        ("@pipe=cat 1", "-> the standard input of cat (run by /bin/sh)"),
        ("1 @metrics=/run/m", "keep figures for Prometheus in a file: /run/m"),
    ],
)
def test_details_of_actions(script: str, detail: str) -> None:
    """What is done with lines is said with the action."""
    assert detail in flat(explained(script))


@pytest.mark.parametrize("script", ["1", "@buffer=16M @full=block 1", "@metrics=m 1"])
def test_what_is_as_usual_is_not_said(script: str) -> None:
    """How much may wait, for example."""
    text = explained(script)
    assert "waiting" not in text.partition("What happens to a line")[2]
    assert "no effect" not in text


@pytest.mark.parametrize(
    ("script", "note"),
    [
        ("@tag=a @tag 1", "(no effect: directive 2 replaces it first)"),
        ("@rate=1/s @rate=2/s 1", "(no effect: directive 2 replaces it first)"),
        ("@buffer=1k @buffer=2k 1", "(no effect: directive 2 replaces it first)"),
        ("1 @json", "(no effect: no 1, =, directory or pipe follows)"),
        ("1 @tag", "(no effect: no action follows)"),
        ("1 @buffer=5", "(no effect: no 1, 2, directory or pipe follows)"),
        ("@full=drop-oldest =st", "(no effect: no 1, 2, directory or pipe follows)"),
        ("1 @time=ms", "(no effect: no action follows)"),
    ],
)
def test_what_has_no_effect_is_said(script: str, note: str) -> None:
    """As for the settings of s6-log."""
    assert note in flat(explained(script))


@pytest.mark.parametrize(
    "script",
    [
        "@json @tag 1",
        "@buffer=1k =st ./d",
        "@time=ms @tz=UTC T 1",
        "1 @metrics=m",
        "r5 @pipe=cat",
    ],
)
def test_nothing_else_is_called_idle(script: str) -> None:
    """Directives that matter carry no such note."""
    assert "no effect" not in explained(script)


WORDS = [
    *("@tag", "@tag=a-rather-long-name-of-a-service", "@time=ms", "@time=%H:%M"),
    *("@tz=America/Argentina/Buenos_Aires", "@join=python", "@join=start:^[0-9]{4}-"),
    *("@rate=1/d", "@rate=4294967295/4294967295d", "@pipe=curl -sT- http://a/b/c/d"),
    *("@pipe=cat", "./d", "=st", "+a", "-b", "f", "n5", "r5", "t", "T", "p", "E5"),
]


@given(st.lists(st.sampled_from(WORDS), max_size=20), st.booleans(), st.booleans())
def test_any_valid_script_is_explained(
    script: list[str], figures: bool, limited: bool
) -> None:
    """Each directive is in the list and each action has its way; 79 columns do."""
    first = ["@buffer=18446744073709551615G", "@full=drop-oldest"] if limited else []
    last = ["@metrics=/run/service/figures"] if figures else []
    words = [word.encode() for word in (*first, *script, "@json", "1", "2", *last)]
    parsed = parse(words)
    text = explain(parsed, Options(), words)
    assert max(len(line) for line in text.splitlines()) <= 79
    for number, word in enumerate(words, 1):
        assert f"\n{number:3}. {word.decode()}" in text
    assert text.count("\n    -> ") == len(parsed.actions)
