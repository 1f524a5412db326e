"""Lines as tagged text or as JSON objects: in C, in Python, and judged with json."""

import base64
import json
from types import ModuleType

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from s6log.stream.objects import Renderer, Shape

try:
    from s6log.stream import _objects
except ImportError:
    KERNEL: ModuleType | None = None
else:
    KERNEL = _objects

needs_kernel = pytest.mark.skipif(
    KERNEL is None, reason="the C kernel s6log.stream._objects is not built"
)
ways = pytest.mark.parametrize(
    "renderer",
    [
        pytest.param(Renderer(KERNEL), id="kernel", marks=needs_kernel),
        pytest.param(Renderer(None), id="python"),
    ],
)
MEMBERS = ((b"ts", b'"ts":"T"'), (b"service", b'"service":"web"'))
ADDED = b'"ts":"T","service":"web"'
TAGGED = Shape(b"web | ", b"", MEMBERS, escape=False)
JSON = Shape(b'{"ts":"T","service":"web","msg":"', b'"}', MEMBERS, escape=True)
SHAPES = (
    TAGGED,
    JSON,
    Shape(b"", b"", (), escape=False),
    Shape(b"<", b">", ((b"\xc3\xa4\n\"\\'", b'"":0'), (b"", b'"":1')), escape=False),
    Shape(b'"', b'"', ((b"\xf0\x9f\x98\x80", b'"e":1'), (b"a", b"")), escape=True),
)


def rendered(renderer: Renderer, block: bytes, shape: Shape) -> bytes:
    """Render a block that is the start of a buffer with more in it."""
    head, data, end = renderer.render(bytearray(block + b'{"a":'), len(block), shape)
    assert (head, data[:end]) == _again(renderer, block, shape, head)
    return head + data[:end]


def _again(
    renderer: Renderer, block: bytes, shape: Shape, head: bytes
) -> tuple[bytes, bytes]:
    """Render the same as bytes, and as long as the block is."""
    again, data, end = renderer.render(block, len(block), shape)
    assert again == head
    return again, bytes(data[:end])


def record(renderer: Renderer, line: bytes, shape: Shape = JSON) -> bytes:
    """Render one line, without its LF."""
    made = rendered(renderer, line + b"\n", shape)
    assert made.endswith(b"\n")
    assert made.count(b"\n") == 1
    return made[:-1]


# ---- the oracle: one line at a time


def refuse(constant: str) -> None:
    """NaN is not JSON, whatever json says."""
    raise ValueError(constant)


def judged(line: bytes) -> dict[str, object] | None:
    """Read an object with json; None: it is none."""
    try:
        value = json.loads(
            line.decode(), parse_constant=refuse, parse_int=str, parse_float=str
        )
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def expected(line: bytes, shape: Shape) -> bytes:
    """Make the record of a line without LF, character by character."""
    found = judged(line)
    if found is None:
        body = _escaped(line) if shape.escape else line.replace(b"\0", rb"\n")
        return shape.text_head + body + shape.text_tail
    names = [name.encode(errors="surrogatepass") for name in found]
    added = [member for key, member in shape.members if key not in names]
    added += [b""] if added and found else []
    brace = line.index(b"{") + 1
    return line[:brace] + b",".join(added) + line[brace:]


def _escaped(line: bytes) -> bytes:
    exact = line.replace(b"\0", b"\n")
    text = exact.decode(errors="surrogateescape")
    shown = "".join("\ufffd" if "\udc80" <= char <= "\udcff" else char for char in text)
    body = json.dumps(shown, ensure_ascii=False)[1:-1].encode()
    if shown != text:
        body += b'","msg_base64":"' + base64.b64encode(exact)
    return body


# ---- objects

OBJECTS = [
    b"{}",
    b"{ }",
    b" \t\r{\t\r }\r",
    b'{"a":1}',
    b'{"a":1}\r',
    b' { "a" : [ ] , "b" : { } } ',
    b'\t{\t"a"\t:\t[\t1\t,\t2\t]\t}\t',
    b'{"a":-0,"b":0.0,"c":-1.5e+3,"d":1E-0,"e":10E00,"f":0e5}',
    b'{"a":[true,false,null,[],{},[[]],[{}],{"b":[]}]}',
    b'{"\\"\\\\\\/\\b\\f\\n\\r\\t":"\\"\\\\\\/\\b\\f\\n\\r\\t"}',
    b'{"a":"\\u00e4\\uD83D\\uDE00\\ud83d\\ude00"}',
    b'{"a":"\\ud800","b":"\\udc00\\ud800","\\udfff":1}',
    b'{"a":"\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf"}',
    b'{"a":"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\xef\xbb\xbf"}',
    b'{"a":' + b"7" * 5000 + b',"b":-0.' + b"0" * 5000 + b"e" + b"9" * 5000 + b"}",
    b'{"a":1,"a":2}',
    b'{"":""}',
    b'{"nested":{"service":1,"ts":2},"c":["service","ts"],"d":"service"}',
    b'{"Service":1,"servic":2,"services":3,"ervice":4,"service ":5}',
    b'{"\\u0073ervic\\u0045":1}',
]


@ways
@pytest.mark.parametrize("line", OBJECTS)
@pytest.mark.parametrize("shape", [JSON, TAGGED])
def test_an_object_gains_members_and_stays_as_it_is(
    renderer: Renderer, line: bytes, shape: Shape
) -> None:
    """Behind its brace; a comma follows unless the object was empty."""
    before, _, after = line.partition(b"{")
    comma = b"" if after.strip(b" \t\r") == b"}" else b","
    assert record(renderer, line, shape) == before + b"{" + ADDED + comma + after


@ways
@pytest.mark.parametrize(
    ("line", "added"),
    [
        (b'{"service":1,"ts":2}', b""),
        (b'{"ts":1,"ts":2,"service":3}', b""),
        (b'{"service":{"a":[{"ts":1}]}}', b'"ts":"T",'),
        (b'{"a":{"service":1},"ts":null}', b'"service":"web",'),
        (b'{"\\u0073ervice":1}', b'"ts":"T",'),
        (b'{"\\u0073\\u0065\\u0072\\u0076\\u0069\\u0063\\u0065":1}', b'"ts":"T",'),
        (b'{ "a":"b" , "ts" : 1 }', b'"service":"web",'),
        (b'{"ser\\u0000vice":1,"t\\u0073\\ud800":1}', ADDED + b","),
    ],
)
def test_an_object_keeps_the_keys_it_has(
    renderer: Renderer, line: bytes, added: bytes
) -> None:
    """Those at its top, compared as what they mean."""
    assert record(renderer, line) == b"{" + added + line[1:]


@ways
@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("\u00e4", rb"\u00E4"),
        ("\u20ac", rb"\u20aC"),
        ("\U0001f600", rb"\ud83d\uDE00"),
        ('"\\/\b\f\n\r\t', rb"\"\\\/\b\f\n\r\t"),
        ("\x00\x7f", rb"\u0000\u007f"),
        ("", b""),
    ],
)
def test_keys_are_compared_decoded(
    renderer: Renderer, name: str, written: bytes
) -> None:
    """However they are written."""
    shape = Shape(b"", b"", ((name.encode(), b'"new":1'),), escape=False)
    line = b'{"' + written + b'":0}'
    assert record(renderer, line, shape) == line
    for other in (b"\\u0041" + written, written + b"a", written + rb"\ud800"):
        line = b'{"' + other + b'":0}'
        assert record(renderer, line, shape) == b'{"new":1,' + line[1:]


@ways
@pytest.mark.parametrize(
    "written",
    [
        rb"\u0041\udc00",
        rb"\udc41\udc00",
        rb"\ud841\u0000",
        rb"\ud841\ndc00",
        rb"\ud841",
    ],
)
def test_halves_of_no_pair_are_no_character(renderer: Renderer, written: bytes) -> None:
    """A pair is a high surrogate, then a low one."""
    members = tuple((key.encode(), b"0") for key in ("\U00020400", "\U00020000", "A"))
    shape = Shape(b"", b"", members, escape=False)
    line = b'{"' + written + b'":1}'
    assert record(renderer, line, shape) == b"{0,0,0," + line[1:]


def test_all_members_there_leave_the_line_alone() -> None:
    """So a record that passes a second logger stays the same."""
    for way in (Renderer(None), Renderer(KERNEL)):
        once = record(way, b'{"a":1}')
        assert record(way, once) == once


# ---- text

NEAR_MISSES = rb"""
    plain  {  }  {a}  {'a':1}  {"a"}  {"a":}  {"a":1,}  {,"a":1}  {"a":1,,"b":2}
    {"a"::1}  {"a":1  {"a":"b  {"a":"b}  {"a  {"a":1]  {"a":[1}  {"a":[1,]}  {"a":[,]}
    {"a":[1:2]}  {"a":{"b":1}  {"a":1}}  {"a":1}{"b":2}  {"a":1},  [{"a":1}]  "{}"  1
    null  {1:2}  {true:1}  {"a":01}  {"a":-}  {"a":-01}  {"a":+1}  {"a":1.}  {"a":.5}
    {"a":1e}  {"a":1e+}  {"a":1.e1}  {"a":1e1.5}  {"a":0x1}  {"a":1_0}  {"a":NaN}
    {"a":Infinity}  {"a":-Infinity}  {"a":tru}  {"a":truE}  {"a":nulll}
    {"a":falsefalse}  {"a":"\x"}  {"a":"\"}  {"a":"\u12g4"}  {"a":"\u123"}
    {"a":"\u+123"}  {"a":"\U00e4"}  {"a":/**/1}
""".split()
TEXTS = [
    *NEAR_MISSES,
    b'say "{}" \\ /',
    b'{"a":1 "b":2}',
    b'{"a" 1}',
    b'{"a":[1 2]}',
    b'{"a":1} {"b":2}',
    b'{"a":1} x',
    b'x {"a":1}',
    b'{"a":"\\u 123"}',
    b"",
    b" ",
    b"\r",
    b'{"a":1}\x00',
    b'\x00{"a":1}',
    b'{"a":\xd9\xa1}',
    b'{"a":"\t"}',
    b'{"\x1f":1}',
    b'{"a":"\x00"}',
    b'{"a":"\\\xc3\xa4"}',
    b'{"a":"\xff"}',
    b'{"\x80":1}',
    b'{"a":"\xc0\x80"}',
    b'{"a":"\xc1\xbf"}',
    b'{"a":"\xe0\x9f\xbf"}',
    b'{"a":"\xed\xa0\x80"}',
    b'{"a":"\xed\xbf\xbf"}',
    b'{"a":"\xf0\x8f\xbf\xbf"}',
    b'{"a":"\xf4\x90\x80\x80"}',
    b'{"a":"\xf5\x80\x80\x80"}',
    b'{"a":"\xc3"}',
    b'{"a":"\xe2\x82"}',
    b'{"a":"\xf0\x9f\x98"}',
    b'{"a":"\xc3',
    b'{"a":1}\xff',
    b'\xef\xbb\xbf{"a":1}',
    b'{"a":1}\xef\xbb\xbf',
    b'{"a":\xc2\xa01}',
    b'{"a":1}\x0b',
    b'\x0c{"a":1}',
]


@ways
@pytest.mark.parametrize("line", TEXTS)
def test_any_other_line_is_text(renderer: Renderer, line: bytes) -> None:
    """Near misses, too: nothing is repaired."""
    tagged = b"web | " + line.replace(b"\0", rb"\n")
    assert record(renderer, line, TAGGED) == tagged
    assert record(renderer, line) == expected(line, JSON)
    read = json.loads(record(renderer, line))
    assert list(read)[:3] == ["ts", "service", "msg"]


@ways
def test_every_byte_comes_back(renderer: Renderer) -> None:
    """As text where it is UTF-8; otherwise its line is there in base64."""
    for byte in range(256):
        for line in (bytes((byte,)), b"ab" + bytes((byte,)) + b'"c\xc3\xa4'):
            if byte == ord("\n"):
                continue
            exact = line.replace(b"\0", b"\n")
            read = json.loads(record(renderer, line))
            if byte < 0x80:
                assert read["msg"].encode() == exact
                assert "msg_base64" not in read
            else:
                assert "\ufffd" in read["msg"]
                assert base64.b64decode(read["msg_base64"], validate=True) == exact


@ways
def test_control_bytes_have_the_short_escape_if_there_is_one(
    renderer: Renderer,
) -> None:
    """DEL is none of them; NUL stands for a line break."""
    shape = Shape(b"", b"", (), escape=True)
    line = b"\x00\x01\x07\x08\x09\x0b\x0c\x0d\x0e\x1b\x1f\x7f"
    assert record(renderer, line, shape) == (
        rb"\n\u0001\u0007\b\t\u000b\f\r\u000e\u001b\u001f" + b"\x7f"
    )


@ways
@pytest.mark.parametrize(
    ("line", "text"),
    [
        (b"\xff\xfe", "\ufffd\ufffd"),
        (b"\xe2\x82", "\ufffd\ufffd"),
        (b"\xe2\x82a", "\ufffd\ufffda"),
        (b"\xf0\x9f\x98 \xf0\x9f\x98\x80", "\ufffd\ufffd\ufffd \U0001f600"),
        (b"\xed\xa0\x80", "\ufffd\ufffd\ufffd"),
        (b"\xef\xbf\xbd\xff", "\ufffd\ufffd"),
        (b"a\x00\xff\x00", "a\n\ufffd\n"),
    ],
)
def test_each_bad_byte_is_one_sign(renderer: Renderer, line: bytes, text: str) -> None:
    """As many as surrogateescape finds; good ones between stay."""
    read = json.loads(record(renderer, line))
    assert read["msg"] == text
    assert base64.b64decode(read["msg_base64"]) == line.replace(b"\0", b"\n")


@ways
def test_line_breaks_in_an_event_are_shown(renderer: Renderer) -> None:
    """One event, one line."""
    line = b"Traceback\0  at x\0\0end"
    assert record(renderer, line, TAGGED) == rb"web | Traceback\n  at x\n\nend"
    assert json.loads(record(renderer, line))["msg"] == "Traceback\n  at x\n\nend"


# ---- sizes


@ways
@pytest.mark.parametrize("opened", [b"[", b'{"a":', b'[ {"":[1,'])
@pytest.mark.parametrize("depth", [63, 64, 65, 1000, 100_000])
def test_nesting_has_no_limit(renderer: Renderer, opened: bytes, depth: int) -> None:
    """Nor does it cost a stack; the keys at the top are still known."""
    closed = opened[::-1].translate(bytes.maketrans(b"[{", b"]}"), b' ":,a1')
    good = b'{"\\u0074s":0,"b":' + opened * depth + b'"c"' + closed * depth + b"}"
    assert record(renderer, good) == b'{"service":"web",' + good[1:]
    for bad in (good[:-1], good + b"}", good.replace(b'"c"', b"c"), good[:-2] + b"}"):
        assert record(renderer, bad, TAGGED) == b"web | " + bad
    empty = b'{"ts":' + b"[" * depth + b" ]" * depth + b'\t,"service":1 }'
    assert record(renderer, empty) == empty


@ways
@pytest.mark.parametrize("size", [10 << 20])
def test_long_lines(renderer: Renderer, size: int) -> None:
    """Ten mebibytes: of brackets, and of one string."""
    brackets = b'{"a":' + b"[" * size
    assert record(renderer, brackets, TAGGED) == b"web | " + brackets
    string = b'{"a":"' + b"\xc3\xa4\\n" * (size // 4) + b'"}'
    assert record(renderer, string) == b"{" + ADDED + b"," + string[1:]


# ---- blocks

TOKENS = st.sampled_from(
    [
        *(b"{", b"}", b"[", b"]", b",", b":", b'"', b"\\", b" ", b"\t", b"\r", b"\0"),
        *(b'"a":', b'"ts":', b'"service":1', b'"\\u0074s":', b'"a\\b"', b"\x1b"),
        *(b"0", b"-1", b"1.5", b"2e+7", b"01", b"true", b"null", b"NaN", b"nul"),
        *(b"\xc3\xa4", b"\xff", b"\xed\xa0\x80", b"\xf0\x9f\x98\x80", b"\xe2\x82"),
        *(b'{"a":{', b"}}", b'{"a":[', b"]}", b"[[", b"long enough for words " * 3),
    ]
)
CHARACTERS = st.characters(codec="utf-8") | st.sampled_from('"\\\0\b\t\x1f\x7fä€😀')
NAMES = st.sampled_from(["ts", "service", "a", "", "ä", "😀"]) | st.text(CHARACTERS)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(CHARACTERS),
    lambda value: (
        st.lists(value, max_size=3) | st.dictionaries(NAMES, value, max_size=3)
    ),
    max_leaves=6,
)


@st.composite
def objects(draw: st.DrawFn) -> bytes:
    """Give objects, written in various ways."""
    value = draw(st.dictionaries(NAMES, VALUES, max_size=4))
    separators = draw(st.sampled_from([(",", ":"), (" ,\t", "\r: ")]))
    text = json.dumps(value, ensure_ascii=draw(st.booleans()), separators=separators)
    blank = draw(st.sampled_from(["", " ", "\r", "\t "]))
    return (blank + text + blank).encode()


@st.composite
def near_objects(draw: st.DrawFn) -> bytes:
    """Give objects with something put in, left out or put in its place."""
    line = draw(objects())
    start = draw(st.integers(0, len(line)))
    end = min(len(line), start + draw(st.integers(0, 2)))
    return line[:start] + draw(TOKENS | st.binary(max_size=2)) + line[end:]


LINES = st.one_of(
    objects(),
    near_objects(),
    st.lists(TOKENS, max_size=12).map(b"".join),
    st.binary(max_size=30),
    st.sampled_from(TEXTS + OBJECTS),
).map(lambda line: line.replace(b"\n", b" "))


@given(st.lists(LINES, min_size=1, max_size=6), st.sampled_from(SHAPES))
@example([b"{", b"", b"}"], JSON)
@example([b'{"a":', b"1}"], TAGGED)
@example([b"\xff", b"{}", b'"', b"{}", b"", b""], JSON)
@example([b"\xff", b"ok\0", b"\xc3"], JSON)
def test_both_ways_do_what_the_oracle_says(lines: list[bytes], shape: Shape) -> None:
    """Line by line, whatever lines stand beside it in the block."""
    block = b"".join(line + b"\n" for line in lines)
    wanted = b"".join(expected(line, shape) + b"\n" for line in lines)
    assert rendered(Renderer(None), block, shape) == wanted
    if KERNEL is not None:
        assert rendered(Renderer(KERNEL), block, shape) == wanted


@ways
@given(lines=st.lists(LINES, min_size=1, max_size=6))
def test_each_record_can_be_read(renderer: Renderer, lines: list[bytes]) -> None:
    """As an object, with the line's own members or with the line in it."""
    block = b"".join(line + b"\n" for line in lines)
    records = rendered(renderer, block, JSON).split(b"\n")
    assert records.pop() == b""
    for line, made in zip(lines, records, strict=True):
        read = judged(made)
        assert read is not None
        assert read.keys() >= {"ts", "service"}
        was = judged(line)
        if was is not None:
            assert was.items() <= read.items()
        elif "msg_base64" in read:
            exact = base64.b64decode(str(read["msg_base64"]))
            assert exact == line.replace(b"\0", b"\n")
        else:
            assert str(read["msg"]).encode() == line.replace(b"\0", b"\n")


@ways
@given(block=st.lists(LINES, min_size=1, max_size=6), shape=st.sampled_from(SHAPES))
def test_blocks_do_not_matter(
    renderer: Renderer, block: list[bytes], shape: Shape
) -> None:
    """A block is rendered as its lines are, one by one."""
    lines = [line + b"\n" for line in block]
    single = b"".join(rendered(renderer, line, shape) for line in lines)
    assert rendered(renderer, b"".join(lines), shape) == single


def test_text_alone_is_not_put_together_twice() -> None:
    """In Python, its first head goes out beside the records."""
    head, _, end = Renderer(None).render(b"one\ntwo\n", 8, TAGGED)
    assert head == TAGGED.text_head
    assert end == len(b"one\nweb | two\n")
