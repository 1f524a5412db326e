"""The steps of a rotation, as tables. Pure.

One step per durable act, so that a retry resumes where it failed and a kill
between any two leaves a state that start-up knows (recovery.py). The names of
the files are those of s6-log.
"""


class Step:
    """What is to be done next; SETTLED is nothing.

    Not an enum.Enum: importing that costs a third of a logger's start.
    """

    SYNC = "fsync current"
    RENAME = "rename current to previous"
    CREATE = "open a new current"
    MARK = "chmod previous: its content is complete"
    ARCHIVE = "rename previous to its archive name"
    RUN = "start the processor: previous to processed, state to newstate"
    WAIT = "wait for the processor"
    SEAL = "fsync processed and newstate, chmod processed"
    DROP = "unlink previous"
    KEEP_STATE = "rename newstate to state"
    ARCHIVE_PROCESSED = "rename processed to its archive name"
    TRIM = "fsync the directory, delete archives beyond the limits"
    SETTLED = "no rotation under way"


class Result:
    """How a step went."""

    DONE = "done"
    FAILED = "failed"


PLAIN = (
    *(Step.SYNC, Step.RENAME, Step.CREATE, Step.MARK),
    *(Step.ARCHIVE, Step.TRIM),
)
PROCESSED = (
    *(Step.SYNC, Step.RENAME, Step.CREATE, Step.MARK, Step.RUN, Step.WAIT),
    *(Step.SEAL, Step.DROP, Step.KEEP_STATE),
    *(Step.ARCHIVE_PROCESSED, Step.TRIM),
)


STEPS = (*PROCESSED, Step.ARCHIVE, Step.SETTLED)
RESULTS = (Result.DONE, Result.FAILED)


def _table(order: tuple[str, ...]) -> dict[tuple[str, str], str]:
    """Chain the steps; one that failed is done again, later."""
    chain = dict(zip(order, (*order[1:], Step.SETTLED), strict=True))
    table = {(step, Result.DONE): chain.get(step, step) for step in STEPS}
    table |= {(step, Result.FAILED): step for step in STEPS}
    # A processor that failed has to run again, from the start of previous.
    table[Step.WAIT, Result.FAILED] = Step.RUN
    return table


TABLES = {False: _table(PLAIN), True: _table(PROCESSED)}
"""By whether there is a processor: (step, result) -> next step, for all of both."""
