"""What the machine of a scan directory asks of the shell, by name. Pure.

An effect is a pair: a word, and the side that it is about; None for the tree.
"""

# About one side.
MAKE_PIPE = "make pipe"  # between a service and its new logger
CLOSE_WRITING = "close writing"  # our writing end of that pipe
CLOSE_READING = "close reading"
REPLUG = "replug"  # from its next start on, where the service's output goes
TERMINATE = "terminate"
DRAIN = "drain"  # end when all has been read
FORGET = "forget"  # it is gone, and so is its logger
TOO_MANY = "too many"  # warnings
LOG_MOVED = "log moved"
NOT_BEGUN = "not begun"

# About the whole tree.
REAP = "reap"
SCAN = "scan"
SCAN_SOON = "scan soon"  # once for all who ask in this turn
SILENCE = "silence"  # the catch-all logger is the last: write to it no more
LEAVE = "leave"  # everything has ended
ABORT = "abort"  # leave without waiting
