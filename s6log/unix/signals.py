"""The module `signal`, without the enums that the standard one wraps it in.

Those enums cost 5 ms of CPU at each start, most of what a program may spend; the
functions and numbers in `_signal` are the same ones, and built in.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
else:
    import _signal as signal

__all__ = ["signal"]
