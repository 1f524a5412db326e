"""Names of archives: recognised, ordered, and a new one after all others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s6log.outputs.archive_names import Archives, is_archive, next_name
from s6log.unix.tai64n import label

NOW_NS = 1_700_000_000_123_456_789
SECOND_NS = 1_000_000_000

SECONDS = st.one_of(
    st.integers((1 << 62) - 100, (1 << 62) + 100),
    st.integers((1 << 62) + 1_700_000_030, (1 << 62) + 1_700_000_040),
    st.integers(0, (1 << 64) - 2),
)
NANOSECONDS = st.one_of(
    st.integers(0, 0xFFFFFFFF), st.sampled_from([0, 999_999_998, 999_999_999])
)
NAMES = st.builds(
    lambda second, nanosecond, suffix, upper: (
        (
            f"@{second:016X}{nanosecond:08X}"
            if upper
            else f"@{second:016x}{nanosecond:08x}"
        )
        + suffix
    ),
    SECONDS,
    NANOSECONDS,
    st.sampled_from([".s", ".u"]),
    st.booleans(),
)
OTHERS = st.sampled_from(["lock", "current", "state", "previous", "@", "@x.s", ""])
TIMES = st.one_of(st.just(NOW_NS), st.integers(0, 1 << 62))


@pytest.mark.parametrize(
    "name",
    [
        "@4000000065527c0a075bcd15.s",
        "@4000000065527c0a075bcd15.u",
        "@4000000065527C0A075BCD15.s",
        "@ffffffffffffffffffffffff.u",
    ],
)
def test_an_archive_is_recognised(name: str) -> None:
    """Digits of either case, both endings."""
    assert is_archive(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "current",
        "4000000065527c0a075bcd15.s",
        "@4000000065527c0a075bcd15",
        "@4000000065527c0a075bcd15.t",
        "@4000000065527c0a075bcd15.S",
        "@4000000065527c0a075bcd15.s.gz",
        "@4000000065527c0a075bcd1.s",
        "@4000000065527c0a075bcd150.s",
        "@4000000065527g0a075bcd15.s",
        "@4000000065527c0a 75bcd15.s",
        "@+000000065527c0a075bcd15.s",
        "@4000000065527c0a_75bcd15.s",
        "#4000000065527c0a075bcd15.s",
        "@4000000065527c0a075bcd15,s",
    ],
)
def test_anything_else_is_not(name: str) -> None:
    """It is somebody else's, and never touched."""
    assert not is_archive(name)


@given(st.lists(st.lists(st.one_of(NAMES, OTHERS), max_size=8), max_size=5))
def test_archives_are_listed_oldest_first(listings: list[list[str]]) -> None:
    """In the order of bytes, whatever the directory held when last looked at."""
    archives = Archives()
    for entries in listings:
        listed = archives.among(entries)
        assert listed == sorted({entry for entry in entries if is_archive(entry)})
        listed.append("the list is the caller's")


@given(TIMES, st.lists(NAMES, max_size=6), st.sampled_from("su"))
def test_a_new_name_comes_after_all_others(
    now_ns: int, names: list[str], suffix: str
) -> None:
    """Also after the clock went back; it is a valid stamp, and not of the past."""
    existing = sorted(names)
    new = next_name(now_ns, existing, suffix)
    assert is_archive(new)
    assert new[25:] == "." + suffix
    assert all(new[:25] > name[:25] for name in existing)
    assert int(new[17:25], 16) < SECOND_NS
    assert new[:25] >= label(now_ns).decode()
    if all(label(now_ns).decode() > name[:25].lower() for name in existing):
        assert new[:25] == label(now_ns).decode()


@given(TIMES, st.integers(1, 20))
def test_archives_of_one_moment_have_different_names(now_ns: int, count: int) -> None:
    """As many as a stopped clock may see."""
    names: list[str] = []
    for _ in range(count):
        names.append(next_name(now_ns, names, "s"))
    assert names == sorted(set(names))
    assert len(names) == count


def test_the_nanosecond_after_the_last_is_a_second_later() -> None:
    """Nine digits, not eight of hexadecimal, are what a second has."""
    last = label(NOW_NS - NOW_NS % SECOND_NS + 999_999_999).decode()
    following = label(NOW_NS - NOW_NS % SECOND_NS + SECOND_NS).decode()
    assert next_name(NOW_NS, [last + ".s"], "u") == following + ".u"


def test_a_name_beyond_the_last_second_does_not_stop_the_others() -> None:
    """Nothing comes after it; so the clock alone decides."""
    end = "@ffffffffffffffff00000000.s"
    assert next_name(NOW_NS, [end], "s") == label(NOW_NS).decode() + ".s"
