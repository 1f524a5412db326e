"""The variables of a container: what they say, and what counts as nothing said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.container import settings
from supervisor.container.settings import NUMBERS, TEXTS, Settings, number, with_needed

NEEDED = settings.DEFAULT_PATH.split(b":")
folders = st.lists(st.sampled_from([b"/bin", b"/usr/bin", b"/command", b"/opt", b"/x"]))


@given(st.binary(), st.integers(0, 9999))
def test_a_number_is_all_digits(text: bytes, default: int) -> None:
    """Anything else is the default: signs, blanks, letters, nothing."""
    said = number(text, default)
    if text and all(byte in b"0123456789" for byte in text):
        assert said == min(int(text), settings.MOST_MS)
    else:
        assert said == default


def test_without_variables_all_have_their_defaults() -> None:
    """An empty value is none."""
    empty = {name.encode(): b"" for name in (*NUMBERS, *TEXTS)}
    for chosen in (Settings({}), Settings(empty)):
        assert chosen.numbers == NUMBERS
        assert chosen.texts == TEXTS
        assert chosen.console == b"raw"
        assert chosen.etc == b"/etc"


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_are_read(name: str) -> None:
    """Each from its own variable."""
    chosen = Settings({name.encode(): b"7"})
    others = {other: value for other, value in NUMBERS.items() if other != name}
    assert chosen.numbers == {**others, name: 7}
    assert chosen.on(name)


@pytest.mark.parametrize("name", TEXTS)
def test_texts_are_read(name: str) -> None:
    """Each from its own variable."""
    assert Settings({name.encode(): b"json"}).texts[name] == b"json"


def test_an_unknown_console_is_raw() -> None:
    """As an unknown number is the default."""
    chosen = Settings({b"S6_CONSOLE": b"colourful"})
    assert chosen.console == b"raw"
    assert chosen.mistakes == [b"S6_CONSOLE is none of raw, tag, json: colourful"]
    assert Settings({b"S6_CONSOLE": b"tag"}).mistakes == []


def test_the_words_of_the_command() -> None:
    """Those of S6_CMD_ARG0, one a line or between blanks, are in front."""
    chosen = Settings({b"S6_CMD_ARG0": b"env\n-i\n"})
    assert chosen.command([b"sh", b"-c", b"a b"]) == [
        b"env",
        b"-i",
        b"sh",
        b"-c",
        b"a b",
    ]
    chosen = Settings({b"S6_CMD_ARG0": b"nice -n 5"})
    assert chosen.command([b"a b"]) == [b"nice", b"-n", b"5", b"a b"]
    assert Settings({}).command([]) == []


def test_the_last_grace_has_a_limit() -> None:
    """As in s6-overlay 3."""
    assert Settings({b"S6_KILL_GRACETIME": b"9999999"}).kill_grace_ms == 300_000


def test_a_profile_has_files_of_its_own() -> None:
    """In the place of those in /etc."""
    profile = Settings({b"S6_RUNTIME_PROFILE": b"dev"})
    assert profile.etc == b"/etc/cont-profile.d/dev"


@pytest.mark.parametrize(
    ("variables", "scripts", "most_ms"),
    [
        ({}, 3, 0),
        ({b"S6_KILL_GRACETIME": b"3000"}, 1, 14_000),
        ({b"S6_KILL_GRACETIME": b"10"}, 0, 3510),
        ({b"S6_SERVICES_GRACETIME": b"20000"}, 0, 26_000),
    ],
)
def test_how_long_a_stop_may_take(
    variables: dict[bytes, bytes], scripts: int, most_ms: int
) -> None:
    """Of interest where somebody has chosen it."""
    assert Settings(variables).slowest_stop_ms(scripts) == most_ms


@given(folders)
def test_path_has_what_every_container_has(path: list[bytes]) -> None:
    """In front, where it is missing; the rest stays in order."""
    said = with_needed(b":".join(path)).split(b":")
    rest = [folder for folder in path if folder]
    assert set(NEEDED) <= set(said)
    if rest:
        assert said[-len(rest) :] == rest
        assert set(said[: -len(rest)]) == set(NEEDED) - set(rest)
    else:
        assert said == NEEDED


def test_path_has_our_own_folder_at_its_end() -> None:
    """So that s6-log is found, wherever it was installed."""
    assert with_needed(None, (b"/opt/venv/bin",)).endswith(b":/opt/venv/bin")
    assert with_needed(b"/usr/bin:/bin", (b"/bin",)) == b"/command:/usr/bin:/bin"


def test_what_the_catch_all_logger_takes_over() -> None:
    """Stamps, size and number; neither selections nor directories."""
    script = b"- +ERROR 1 n30 s5000000 T !gzip /var/log/x notme"
    assert settings.stamps(script) == [b"n30", b"s5000000", b"T"]
