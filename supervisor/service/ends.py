"""How a process ended, as one number: that of shells. Pure."""

SIGNALED = 128  # + the signal (XCU 2.8.2)


def code_of(wait_status: int) -> int:
    """Give the exit code, or 128+n for death by signal n, of a wait status (wait(2)).

    Not os.waitstatus_to_exitcode: a pure module does without, and negative codes
    are nobody's.
    """
    signum = wait_status & 0x7F
    return SIGNALED + signum if signum else wait_status >> 8 & 0xFF
