"""Extended regular expressions and lines to try them on, for hypothesis.

Odd syntax is meant to be there: about half of the patterns are not valid. Counts
are small and few, because regcomp(3) writes out every copy.
"""

from hypothesis import strategies as st

BYTES = [bytes([byte]) for byte in b"aaabbcx _-],=\xe9"]
ODD = [rb"\d", rb"\n", rb"\.", rb"\{", rb"\(", rb"\0", b"}", b")", b"\n", b"\\", b"()"]
SETS = [b".", rb"\w", rb"\W", rb"\s", rb"\S"]
PLACES = [b"^", b"$", rb"\b", rb"\B", rb"\<", rb"\>", rb"\`", rb"\'"]
COUNTS = [b"*", b"+", b"?", b"{2}", b"{,2}", b"{1,2}", b"{2,}", b"{0}", b"{,}"]
ODD_COUNTS = [b"{", b"{}", b"{1", b"{2,1}", b"{ 1}", rb"{1\,2}", rb"{\02}", b"{x}"]
ITEMS = [
    *(
        b"a",
        b"b-x",
        b"-",
        b"]",
        b"^",
        b"[",
        b"\\",
        b"a-",
        b"--",
        b"z-a",
        b"\n",
        b"\xe9",
    ),
    *(b"[:alpha:]", b"[:space:]", b"[:odd:]", b"[.a.]", b"[.-.]", b"[=b=]", b"[.ab.]"),
    *(b"[.", b"[:", b"[=", b"[...]", b"[==]", b"[.].]", b"\x80-\xff"),
]
COUNTED_MOST = 4


def joined(parts: st.SearchStrategy[bytes], most: int) -> st.SearchStrategy[bytes]:
    """Put up to so many parts in a row."""
    return st.lists(parts, max_size=most).map(b"".join)


def brackets() -> st.SearchStrategy[bytes]:
    """Give bracket expressions, most of them closed."""
    start = st.sampled_from([b"[", b"[", b"[^"])
    end = st.sampled_from([b"]", b"]", b"]", b""])
    return st.tuples(start, joined(st.sampled_from(ITEMS), 4), end).map(b"".join)


def _expressions(inner: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    counts = st.sampled_from([*COUNTS, *COUNTS, *ODD_COUNTS])
    pieces = st.tuples(inner, joined(counts, 2)).map(b"".join)
    branch = joined(st.one_of(pieces, pieces, inner, st.sampled_from(PLACES)), 4)
    return st.lists(branch, min_size=1, max_size=3).map(b"|".join)


def _affordable(pattern: bytes) -> bool:
    return pattern.count(b"{") <= COUNTED_MOST


def patterns() -> st.SearchStrategy[bytes]:
    """Give patterns without back-references, valid or not."""
    atoms = st.one_of(st.sampled_from([*BYTES, *SETS, *ODD]), brackets())
    nested = st.recursive(
        atoms,
        lambda inner: _expressions(inner).map(lambda e: b"(%b)" % e),
        max_leaves=8,
    )
    return _expressions(nested).filter(_affordable)


def references() -> st.SearchStrategy[bytes]:
    r"""Give patterns with `\1` and `\2`, simple enough for regexec to end."""
    atoms = st.sampled_from([b"a", b"b", b".", b"[ab]"])
    counts = st.sampled_from([b"", b"", b"", b"*", b"+", b"?", b"{2}"])
    piece = st.tuples(atoms, counts).map(b"".join)
    group = joined(piece, 2).map(lambda inside: b"(%b)" % inside)
    again = st.tuples(st.sampled_from([rb"\1", rb"\2"]), counts).map(b"".join)
    parts = st.one_of(piece, group, again, group, again, st.sampled_from([b"^", b"|"]))
    return st.tuples(group, joined(parts, 4), again, st.sampled_from([b"", b"$"])).map(
        b"".join
    )


def lines() -> st.SearchStrategy[bytes]:
    """Give short lines without NUL and LF, of bytes that patterns have too."""
    likely = st.sampled_from(sorted(set(b"aaabbcx _-],=\xe9\xff^.0\t")))
    rare = st.integers(1, 255).filter(lambda byte: byte != ord("\n"))
    return st.lists(st.one_of(likely, likely, likely, rare), max_size=10).map(bytes)
