"""s6-softlimit: become a program with other resource limits (setrlimit(2))."""

import errno
import os
import resource

from s6log.unix.getopt import UINT64_MAX, decimal, scan
from s6log.unix.messages import DONE, REFUSED, Fatal
from supervisor.chain.execute import execute
from supervisor.manual import Manual, Misuse

INT64_MAX = 2**63 - 1

# Whether the options that follow are about the soft limit, the hard one, or both.
SOFT, HARD, BOTH = b"", b"h", b"H"

LIMITS = {
    b"a": (resource.RLIMIT_AS,),
    b"c": (resource.RLIMIT_CORE,),
    b"d": (resource.RLIMIT_DATA,),
    b"f": (resource.RLIMIT_FSIZE,),
    b"l": (resource.RLIMIT_MEMLOCK,),
    b"m": (
        resource.RLIMIT_DATA,
        resource.RLIMIT_STACK,
        resource.RLIMIT_MEMLOCK,
        resource.RLIMIT_AS,
    ),
    b"o": (resource.RLIMIT_NOFILE,),
    b"P": (resource.RLIMIT_RTPRIO,),
    b"p": (resource.RLIMIT_NPROC,),
    b"r": (resource.RLIMIT_RSS,),
    b"s": (resource.RLIMIT_STACK,),
    b"t": (resource.RLIMIT_CPU,),
}
VALUED = b"".join(LIMITS)
# Any other letter, too, is taken for an option, and does nothing, as in s6.
FLAGS = bytes(byte for byte in range(1, 256) if byte not in VALUED)

MANUAL = Manual(
    "s6-softlimit",
    "[ -H | -h ] [ -a allmem ] [ -c core ] [ -d data ] [ -f fsize ] [ -l lock ] "
    "[ -m mem ] [ -o ofiles ] [ -P prio ] [ -p proc ] [ -r res ] [ -s stack ] "
    "[ -t cpusecs ] prog...",
    (
        ("-H, -h", "what follows sets hard and soft limits, or hard ones only"),
        ("-a bytes", "all memory"),
        ("-c bytes", "core files"),
        ("-d bytes", "data segments"),
        ("-f bytes", "files that are written"),
        ("-l bytes", "locked memory"),
        ("-m bytes", "memory: the same as -d, -s, -l and -a"),
        ("-o number", "open descriptors"),
        ("-P number", "real-time priority"),
        ("-p number", "processes of the user"),
        ("-r bytes", "resident memory"),
        ("-s bytes", "the stack"),
        ("-t seconds", "processor time"),
    ),
    "Lower limits, or raise them up to the hard ones (`=`), and become prog...",
)


def main(arguments: list[bytes]) -> int:
    """Run the program; the exit code if it does not become another."""
    if MANUAL.answered(arguments):
        return DONE
    try:
        wishes, program = parse(arguments)
    except Misuse:
        return MANUAL.usage()
    # All at the end: with little memory or few descriptors little can be done.
    for wish in wishes:
        limit(*wish)
    return execute(program)


def parse(
    arguments: list[bytes],
) -> tuple[list[tuple[int, bytes, int | None]], list[bytes]]:
    """Read the command line: (resource, which limits, value or None for `=`)."""
    pairs, program = scan(arguments, FLAGS, VALUED)
    which = SOFT
    wishes = []
    for letter, text in pairs:
        if letter in (HARD, BOTH):
            which = letter
        for kind in LIMITS.get(letter, ()):
            value = decimal(text, UINT64_MAX)
            if value is None and text != b"=":
                raise Misuse
            wishes.append((kind, which, value))
    if not program:
        raise Misuse
    return wishes, program


def limit(kind: int, which: bytes, value: int | None) -> None:
    """Change one limit; None is the hard limit, or no limit where that is meant."""
    try:
        # Not setrlimit, whose errors lose their number on the way to Python.
        soft, hard = (number & UINT64_MAX for number in resource.prlimit(0, kind))
        if which != SOFT:
            hard = UINT64_MAX if value is None else value
        if which != HARD:
            soft = hard if value is None else min(value, hard)
        resource.prlimit(0, kind, (signed(soft), signed(hard)))
    except OSError as error:
        raise Fatal(REFUSED, b"unable to setrlimit", error) from error
    except ValueError as error:  # what Python makes of EINVAL: soft above hard
        invalid = OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        raise Fatal(REFUSED, b"unable to setrlimit", invalid) from error


def signed(value: int) -> int:
    """Write a 64-bit number as Python takes it, with -1 for no limit."""
    return value - 2**64 if value > INT64_MAX else value
