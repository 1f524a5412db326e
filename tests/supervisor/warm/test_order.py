"""An order arrives as it was given."""

from hypothesis import given
from hypothesis import strategies as st

from supervisor.warm.order import Order, decode, encode

BYTES = st.binary(max_size=20)


@given(
    words=st.lists(BYTES, max_size=5),
    user=st.none() | BYTES,
    variables=st.dictionaries(BYTES, BYTES, max_size=5),
    numbers=st.lists(st.integers(0, 1 << 20), max_size=5),
)
def test_an_order_is_what_it_was(
    words: list[bytes],
    user: bytes | None,
    variables: dict[bytes, bytes],
    numbers: list[int],
) -> None:
    """Whatever bytes it is made of."""
    order = decode(encode(Order(words, user, variables, numbers)))
    assert (order.words, order.user) == (words, user)
    assert (order.variables, order.numbers) == (variables, numbers)
