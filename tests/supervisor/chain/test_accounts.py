"""Users, groups, and numbers that stand for them."""

import grp
import os
import pwd

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.chain import accounts


def test_an_account_has_the_numbers_of_the_databases() -> None:
    """The groups are those that name the user, its own group need not be one."""
    for entry in pwd.getpwall():
        ids = accounts.account(os.fsencode(entry.pw_name))
        assert ids is not None
        assert (ids.uid, ids.gid) == (entry.pw_uid, entry.pw_gid)
        groups = [g.gr_gid for g in grp.getgrall() if entry.pw_name in g.gr_mem]
        assert ids.gids == groups
        assert accounts.user(os.fsencode(entry.pw_name)) == entry.pw_uid


def test_groups_are_found_by_name() -> None:
    """As in the database."""
    for entry in grp.getgrall():
        assert accounts.group(os.fsencode(entry.gr_name)) == entry.gr_gid


@pytest.mark.parametrize("name", [b"", b"no such name", b"\xff\xfe", b"0"])
def test_a_name_that_is_unknown_is_none(name: bytes) -> None:
    """Whatever bytes it is made of."""
    assert accounts.account(name) is None
    assert accounts.user(name) is None
    assert accounts.group(name) is None


@given(
    st.lists(st.integers(0, 2**32 - 1)),
    st.lists(st.sampled_from([b",", b":", b"; ", b" \t\r\n"]), min_size=1),
)
def test_a_list_of_numbers_is_read_back(
    values: list[int], separators: list[bytes]
) -> None:
    """Whatever separates them."""
    text = b"".join(
        b"%d%b" % (value, separators[place % len(separators)])
        for place, value in enumerate(values)
    )
    assert accounts.numbers(text) == values


@pytest.mark.parametrize("text", [b"x", b"1,x", b"1,2x", b"-1", b"4294967296", b"1,+2"])
def test_what_is_no_number_makes_no_list(text: bytes) -> None:
    """Half a list is worse than none when it is about privileges."""
    assert accounts.numbers(text) is None
