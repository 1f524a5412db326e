"""What may come of asking for a warm logger, but for the logger."""


class NotReady(Exception):
    """The nursery is being started: ask again soon."""


class Refused(Exception):
    """Not this one, or not now: execute the run file."""
