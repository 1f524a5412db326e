"""Signal names as s6 reads and prints them. Pure; the numbers are Linux's (signal(7)).

s6 2.15 prints SIGIOT, SIGCLD and SIGIO for 6, 17 and 29, by an accident of its
table; these are the names that 2.11 prints.
"""

NAMES = (
    b"HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT "
    b"CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH POLL PWR SYS"
).split()
ALIASES = {b"IOT": 6, b"CLD": 17, b"IO": 29}
UNKNOWN = b"SIG???"
LAST = 64  # SIGRTMAX


def name(number: int) -> bytes:
    """Give the name with SIG in front; SIG??? for numbers without a name."""
    return b"SIG" + NAMES[number - 1] if 0 < number <= len(NAMES) else UNKNOWN


def number(text: bytes) -> int | None:
    """Read a name in any case or a decimal number, each with SIG or without."""
    word = text.upper().removeprefix(b"SIG")
    if word.isdigit():
        # Cut, since int() refuses thousands of digits.
        value = int(word.lstrip(b"0")[:4] or b"0")
        return value if 0 < value <= LAST else None
    if word in NAMES:
        return NAMES.index(word) + 1
    return ALIASES.get(word)
