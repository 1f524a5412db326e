"""The C kernel for objects takes no nonsense: bad arguments raise, nothing crashes."""

import random
from types import ModuleType

import pytest

from s6log.stream.objects import Renderer, Shape

try:
    from s6log.stream import _objects
except ImportError:
    KERNEL: ModuleType | None = None
else:
    KERNEL = _objects

pytestmark = pytest.mark.skipif(
    KERNEL is None, reason="the C kernel s6log.stream._objects is not built"
)

BLOCK = b'{"a":1}\ntext\n'
MEMBERS = ((b"a", b'"a":0'), (b"b", b'"b":2'))
GOOD: tuple[object, ...] = (BLOCK, len(BLOCK), b"<", b">", MEMBERS, False)


def render(*arguments: object) -> object:
    """Call the kernel."""
    assert KERNEL is not None
    return KERNEL.render(*arguments)


def test_renders_a_block() -> None:
    """The arguments are right to begin with."""
    assert render(*GOOD) == b'{"b":2,"a":1}\n<text>\n'


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (0, "text\n"),
        (0, None),
        (1, "13"),
        (1, 13.0),
        (2, "<"),
        (2, None),
        (2, bytearray(b"<")),
        (3, None),
        (4, None),
        (4, [(b"a", b"b")]),
        (4, (b"ab",)),
        (4, ([b"a", b"b"],)),
        (4, ((b"a",),)),
        (4, ((b"a", b"b", b"c"),)),
        (4, ((b"a", None),)),
        (4, (("a", b"b"),)),
        (4, (*MEMBERS, None)),
    ],
)
def test_refuses_wrong_types(place: int, value: object) -> None:
    """Whichever argument it is."""
    with pytest.raises(TypeError):
        render(*GOOD[:place], value, *GOOD[place + 1 :])


@pytest.mark.parametrize("count", [0, 1, 5, 7])
def test_refuses_wrong_numbers_of_arguments(count: int) -> None:
    """None is left out, none is too many."""
    with pytest.raises(TypeError):
        render(*(*GOOD, 1)[:count])


@pytest.mark.parametrize(
    ("block", "end"),
    [
        (b"", 0),
        (BLOCK, 0),
        (BLOCK, -1),
        (BLOCK, -len(BLOCK)),
        (BLOCK, len(BLOCK) - 1),
        (BLOCK, len(BLOCK) + 1),
        (BLOCK, (1 << 63) - 1),
        (b"text", 4),
        (b'{"a":"', 6),
    ],
)
def test_refuses_what_is_no_block(block: bytes, end: int) -> None:
    """It ends in the buffer, with an LF."""
    with pytest.raises(ValueError, match="whole lines"):
        render(block, end, *GOOD[2:])


def test_refuses_numbers_that_are_none() -> None:
    """An end that no buffer can have."""
    with pytest.raises(OverflowError):
        render(BLOCK, 1 << 64, *GOOD[2:])


def test_what_asks_for_truth_may_raise() -> None:
    """The buffer is given back then, too."""

    class Neither:
        def __bool__(self) -> bool:
            raise ZeroDivisionError

    block = bytearray(BLOCK)
    with pytest.raises(ZeroDivisionError):
        render(block, *GOOD[1:5], Neither())
    with pytest.raises(ValueError, match="whole lines"):
        render(block, 1, *GOOD[2:])
    block.clear()


def test_the_block_is_not_touched() -> None:
    """Nor is it kept."""
    block = bytearray(BLOCK)
    made = render(block, *GOOD[1:])
    assert block == BLOCK
    block.clear()
    assert made == b'{"b":2,"a":1}\n<text>\n'


@pytest.mark.parametrize("count", [0, 1, 300])
def test_any_number_of_members(count: int) -> None:
    """Each is looked for, and put in only where it is missing."""
    members = tuple((b"%d" % n, b'"%d":%d' % (n, n)) for n in range(count))
    wanted = b",".join(member for _, member in members)
    assert render(b"{}\n", 3, b"", b"", members, True) == b"{" + wanted + b"}\n"
    line = b"{" + (wanted or b'"x":1') + b"}\n"
    assert render(line, len(line), b"", b"", members, False) == line


def test_keys_may_be_anything() -> None:
    """One that is no UTF-8 is in no object; one with a NUL may be."""
    for key, line in (
        (b"\xff", rb'{"\u00ff":1}'),
        (b"\xed\xa0\x80\xed\xb0\x80", rb'{"\ud800\udc00":1}'),
        (b"", rb'{"\u0000":1}'),
        (b"a" * 1000, b'{"a\\u0061":1}'),
    ):
        made = render(line + b"\n", len(line) + 1, b"", b"", ((key, b"0"),), False)
        assert made == b"{0," + line[1:] + b"\n"
    line = b'{"\\u0000":1}\n'
    assert render(line, len(line), b"", b"", ((b"\0", b"0"),), False) == line


@pytest.mark.parametrize("size", [1, 100, 70_000])
def test_records_may_be_much_longer_than_lines(size: int) -> None:
    """Heads, tails, members and escapes of any size find room."""
    members = ((b"m", b"m" * size),)
    block = b"\n{}\n\x01\xff\n" * 10
    made = render(block, len(block), b"h" * size, b"t" * size, members, True)
    head, tail = b"h" * size, b"t" * size + b"\n"
    bad = b'\\u0001\xef\xbf\xbd","msg_base64":"Af8='
    one = head + tail + b"{" + b"m" * size + b"}\n" + head + bad + tail
    assert made == one * 10


@pytest.mark.parametrize("line", [b"", b"{", b'{"', b'{"\\', b'{"a":"\\u12', b'{"a":-'])
def test_stops_at_the_end_of_the_block(line: bytes) -> None:
    """What lies behind would have been a good end."""
    for behind in (b'":1}\n', b'1"}\n', b"}\n", b"1}\n", b'34":1}\n'):
        made = render(line + b"\n" + behind, len(line) + 1, *GOOD[2:])
        assert made == b"<" + line + b">\n"


def test_random_lines_are_rendered_as_in_python() -> None:
    """Made of what the grammar is made of, and spoilt."""
    rng = random.Random(1)
    tokens = rb'{ } [ ] , : " \ \u0061 \ud800 "a":1 "b":"" 0 -1.5e3 01 true nul'.split()
    tokens += [b" ", b"\t", b"\r", b"\n", b"\0", b"\x1f", b"\xc3\xa4", b"\xff"]
    tokens += [b'{"a":[', b"]}", b'{"b":{', b"}}", b'{"a\\u0062":"', b'"}\n']
    for number in range(3000):
        block = b"".join(rng.choices(tokens, k=rng.randrange(40))) + b"\n"
        shape = Shape(b"<", b">", MEMBERS, escape=number % 2 == 1)
        records = []
        for renderer in (Renderer(None), Renderer(KERNEL)):
            head, data, end = renderer.render(block, len(block), shape)
            records.append(head + data[:end])
        assert records[0] == records[1]
