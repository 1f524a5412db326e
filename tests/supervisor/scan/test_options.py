"""The command line of s6-svscan."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.scan.options import BadOption, Misused, Options, parse


def read(*words: str) -> Options:
    """Parse words."""
    return parse([word.encode() for word in words])


def test_nothing_is_needed() -> None:
    """Without arguments: the current directory, the limits of s6, no rescans."""
    options = read()
    assert options.directory == b"."
    assert (options.limits.services, options.limits.pairs) == (1000, None)
    assert options.limits.name == 251
    assert (options.timeout_ms, options.watch, options.warm) == (0, False, True)
    assert options.notification_fd is None
    assert options.console_fd is None


@pytest.mark.parametrize(
    "words",
    [
        ["-C40", "-L", "99", "-t", "500", "-d", "3", "-X4"],
        [
            *("--services-max=40", "--name-max=99", "--timeout=500"),
            *("--notification-fd=3", "--console-holder=4"),
        ],
    ],
)
def test_short_and_long_options_mean_the_same(words: list[str]) -> None:
    """Each option of s6 2.15 has both forms."""
    options = read(*words, "--", "-dir")
    limits = options.limits
    assert (limits.services, limits.name, options.timeout_ms) == (40, 99, 500)
    assert (options.notification_fd, options.console_fd) == (3, 4)
    assert options.directory == b"-dir"


def test_the_limit_of_s6_2_11_counts_pairs() -> None:
    """With -c alone there is no limit on single supervisions."""
    assert (read("-c", "7").limits.pairs, read("-c", "7").limits.services) == (7, None)


@pytest.mark.parametrize(
    ("words", "figure"),
    [(["-C1"], 4), (["-C999999"], 160_000), (["-C", "0004"], 4), (["-C", "77"], 77)],
)
def test_the_number_of_services_is_clamped(words: list[str], figure: int) -> None:
    """As in s6, what is too small or too large is brought into the range."""
    assert read(*words).limits.services == figure


@pytest.mark.parametrize(
    ("words", "figures"),
    [(["-c1", "-L5"], (2, 11)), (["-c100000", "-L5000"], (90_000, 1019))],
)
def test_other_limits_are_clamped(words: list[str], figures: tuple[int, int]) -> None:
    """The ranges are those of both versions of s6."""
    limits = read(*words).limits
    assert (limits.pairs, limits.name) == figures


def test_our_own_options_take_no_value() -> None:
    """They may stand anywhere among the others."""
    options = read("-t1", "--watch", "--no-warm", "-t2", "d", "ignored")
    assert (options.watch, options.warm, options.timeout_ms) == (True, False, 2)
    assert options.directory == b"d"


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["-Z"], "unrecognized short option: Z"),
        (["-z5"], "unrecognized short option: z"),
        (["--frob"], "unrecognized boolean option: --frob"),
        (["--frob=1"], "unrecognized option with argument: --frob=1"),
        (["--timeout"], "unrecognized boolean option: --timeout"),
        (["--watch=1"], "unrecognized option with argument: --watch=1"),
        (["-t", "x"], "timeout must be an unsigned integer"),
        (["-C-1"], "services_max must be an unsigned integer"),
        (["-L", ""], "name_max must be an unsigned integer"),
        (["-d", "2"], "notif must be 3 or more"),
        (["-X", "0"], "consoleholder must be 3 or more"),
        (["-c", "9e9"], "maxservices must be an unsigned integer"),
    ],
)
def test_mistakes_are_told_as_in_s6(words: list[str], text: str) -> None:
    """In the words of s6 2.15."""
    with pytest.raises(BadOption) as caught:
        read(*words)
    assert caught.value.text == text.encode()


def test_a_missing_value_is_misuse() -> None:
    """The usage line says what is needed."""
    with pytest.raises(Misused):
        read("-t")


@given(st.lists(st.binary(max_size=6), max_size=6))
def test_any_words_are_understood_or_refused(words: list[bytes]) -> None:
    """No command line is a bug."""
    try:
        options = parse(words)
    except (BadOption, Misused):
        return
    assert options.directory in {b".", *words}
