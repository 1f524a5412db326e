"""The inner loop of making records of lines, in C. Optional."""

def render(
    data: bytes | bytearray,
    end: int,
    text_head: bytes,
    text_tail: bytes,
    members: tuple[tuple[bytes, bytes], ...],
    escape: bool,
    /,
) -> bytearray:
    """Do what objects.py describes; the result is nothing but the records.

    Raises ValueError unless data[:end] is whole lines and not empty.
    """
