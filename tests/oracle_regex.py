"""What the C library says about a pattern and a line: regcomp(3), regexec(3).

The logger promises the verdict of glibc in the C locale, so the tests ask it.
"""

from __future__ import annotations

import contextlib
import ctypes
import platform

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

REG_EXTENDED, REG_NEWLINE, REG_NOSUB = 1, 4, 8  # <regex.h> of glibc
REG_NOMATCH = 1
LC_ALL_MASK = 0x1FBF  # <locale.h> of glibc
FLAGS = REG_EXTENDED | REG_NOSUB | REG_NEWLINE

REGEX_T_BYTES = 256  # sizeof(regex_t) is 64; room for other builds


class InvalidPattern(ValueError):
    """regcomp refused the pattern; the text is regerror's."""


def available() -> bool:
    """Tell whether this C library is glibc, whose rules we follow."""
    return platform.libc_ver()[0] == "glibc"


def _library() -> ctypes.CDLL:
    library = ctypes.CDLL(None)
    library.regcomp.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int]
    library.regexec.argtypes = [
        ctypes.c_void_p,
        ctypes.c_char_p,
        ctypes.c_size_t,
        ctypes.c_void_p,
        ctypes.c_int,
    ]
    library.regfree.argtypes = [ctypes.c_void_p]
    library.regfree.restype = None
    library.newlocale.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p]
    library.newlocale.restype = ctypes.c_void_p
    library.uselocale.argtypes = [ctypes.c_void_p]
    library.uselocale.restype = ctypes.c_void_p
    library.regerror.argtypes = [
        ctypes.c_int,
        ctypes.c_void_p,
        ctypes.c_char_p,
        ctypes.c_size_t,
    ]
    library.regerror.restype = ctypes.c_size_t
    return library


LIBRARY = _library()
C_LOCALE = LIBRARY.newlocale(LC_ALL_MASK, b"C", None)


@contextlib.contextmanager
def c_locale() -> Iterator[None]:
    """Switch this thread to the C locale: Python itself starts in C.UTF-8."""
    before = LIBRARY.uselocale(C_LOCALE)
    try:
        yield
    finally:
        LIBRARY.uselocale(before)


class Compiled:
    """One compiled pattern; free it by leaving the `with` block.

    Neither pattern nor line may contain NUL, which ends a C string.
    """

    def __init__(self, pattern: bytes) -> None:
        assert b"\0" not in pattern, pattern
        self._regex = ctypes.create_string_buffer(REGEX_T_BYTES)
        with c_locale():
            code = LIBRARY.regcomp(self._regex, pattern, FLAGS)
        if code:
            raise InvalidPattern(self._reason(code))

    def _reason(self, code: int) -> str:
        text = ctypes.create_string_buffer(128)
        LIBRARY.regerror(code, self._regex, text, len(text))
        return text.value.decode()

    def matches(self, line: bytes) -> bool:
        """Tell whether the pattern is found in a line (without its LF)."""
        assert b"\0" not in line, line
        assert b"\n" not in line, line
        with c_locale():
            code: int = LIBRARY.regexec(self._regex, line, 0, None, 0)
        if code not in (0, REG_NOMATCH):
            raise MemoryError(self._reason(code))
        return code == 0

    def __enter__(self) -> Compiled:
        return self

    def __exit__(self, *_: object) -> None:
        LIBRARY.regfree(self._regex)


def matches(pattern: bytes, line: bytes) -> bool:
    """Give regexec's verdict; raise InvalidPattern where regcomp refuses."""
    with Compiled(pattern) as compiled:
        return compiled.matches(line)
