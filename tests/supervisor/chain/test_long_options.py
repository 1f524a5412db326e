"""Long options: what they are, among letters and values."""

import pytest

from s6log.unix.messages import Fatal
from supervisor.chain.long_options import scan_long

FLAGS = {b"a": b"all", b"b": b"both"}
VALUED = {b"n": b"number"}


@pytest.mark.parametrize(
    ("words", "pairs", "rest"),
    [
        ([], [], []),
        ([b"x", b"--all"], [], [b"x", b"--all"]),
        ([b"--all", b"x"], [(b"all", b"")], [b"x"]),
        ([b"-ab", b"x"], [(b"all", b""), (b"both", b"")], [b"x"]),
        ([b"--number=3", b"x"], [(b"number", b"3")], [b"x"]),
        ([b"--number=", b"x"], [(b"number", b"")], [b"x"]),
        ([b"--number=a=b"], [(b"number", b"a=b")], []),
        ([b"-n3", b"-n", b"4"], [(b"number", b"3"), (b"number", b"4")], []),
        ([b"-n", b"--all"], [(b"number", b"--all")], []),
        (
            [b"-a", b"--both", b"-n", b"3", b"--number=4", b"-b", b"--", b"--all"],
            [
                (b"all", b""),
                (b"both", b""),
                (b"number", b"3"),
                (b"number", b"4"),
                (b"both", b""),
            ],
            [b"--all"],
        ),
        ([b"-an"], [(b"all", b"")], []),
        ([b"-", b"--all"], [], [b"-", b"--all"]),
    ],
)
def test_options_come_out_under_their_long_names(
    words: list[bytes], pairs: list[tuple[bytes, bytes]], rest: list[bytes]
) -> None:
    """In their order, however they were written."""
    assert scan_long(words, FLAGS, VALUED) == (pairs, rest)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ([b"-Z"], b"short option: Z"),
        ([b"-aZ", b"--all"], b"short option: Z"),
        ([b"-a-"], b"short option: -"),
        ([b"--all", b"-Z"], b"short option: Z"),
        ([b"--nothing"], b"boolean option: --nothing"),
        ([b"--al"], b"boolean option: --al"),
        ([b"--number"], b"boolean option: --number"),
        ([b"--all=1"], b"option with argument: --all=1"),
        ([b"--=1"], b"option with argument: --=1"),
    ],
)
def test_an_unknown_option_is_the_users_mistake(
    words: list[bytes], text: bytes
) -> None:
    """It is named, and the kind of option it was taken for."""
    with pytest.raises(Fatal) as failed:
        scan_long(words, FLAGS, VALUED)
    assert (failed.value.code, failed.value.text) == (100, b"unrecognized " + text)
