"""What can happen to a service, by name: the words of the machine's table. Pure.

Plain words and not enum.Enum: its import alone costs as much as half a client.
"""

# States. LASTDOWN and DRAINFINISH are ours: a logger that is down when its tree
# ends starts once more while lines are left for it.
DOWN = "down"
UP = "up"
FINISH = "finish"
LASTDOWN = "last down"
LASTUP = "last up"
LASTFINISH = "last finish"
DRAINFINISH = "finish, then drain"
ENDED = "ended"
STATES = (DOWN, UP, FINISH, LASTDOWN, LASTUP, LASTFINISH, DRAINFINISH, ENDED)

# Commands, as they come through supervise/control; the letters are in commands.py.
SIGNAL = "signal"  # with its number
PAUSE = "pause"
CONTINUE = "continue"
RESTART = "restart"
RELOAD = "reload"
PAUSE_GROUP = "pause group"
CONTINUE_GROUP = "continue group"
KILL_GROUP = "kill group"
ONCE = "once"
ONCE_AT_MOST = "once at most"
WANT_DOWN = "want down"
WANT_UP = "want up"
STAY_DOWN = "stay down"  # and make ./down
STAY_UP = "stay up"  # and remove ./down
STAY_DOWN_LATER = "stay down later"  # as ONCE_AT_MOST, and make ./down
EXIT = "exit"
COMMANDS = (
    SIGNAL,
    PAUSE,
    CONTINUE,
    RESTART,
    RELOAD,
    PAUSE_GROUP,
    CONTINUE_GROUP,
    KILL_GROUP,
    ONCE,
    ONCE_AT_MOST,
    WANT_DOWN,
    WANT_UP,
    STAY_DOWN,
    STAY_UP,
    STAY_DOWN_LATER,
    EXIT,
)

# Signals to s6-supervise, or what s6-svscan means by them.
TERM = "TERM"
HUP = "HUP"
QUIT = "QUIT"
INT = "INT"
DRAIN = "drain"  # HUP to a logger for which lines are left

# What the shell reports: the answer to what the machine asked for, or a death.
TIMER = "timer"
NEWLINE = "newline"  # on the notification pipe
STARTED = "started"  # run, with its pid
NOT_STARTED = "not started"  # with the delay until the next try (ms), or 0: none
DIED = "died"  # run, with its wait status
FINISH_STARTED = "finish started"  # with its pid
NO_FINISH = "no finish"
FINISHED = "finished"  # finish, with its wait status
GIVEN_UP = "given up"  # FINISHED with exit code 125, or enough; the machine's word
REPORTS = (
    TIMER,
    NEWLINE,
    STARTED,
    NOT_STARTED,
    DIED,
    FINISH_STARTED,
    NO_FINISH,
    FINISHED,
    GIVEN_UP,
)

EVENTS = (*COMMANDS, TERM, HUP, QUIT, INT, DRAIN, *REPORTS)

# Effects: what the machine asks of the shell, with an argument or None.
START_RUN = "start run"
START_FINISH = "start finish"
KILL = "kill"  # the process, with a signal number
KILL_ALL = "kill all"  # its process group, with a signal number
KILL_DOWN = "kill with down-signal"
KILL_RELOAD = "kill with reload-signal"
KILL_HARD = "kill after timeout-kill"  # as flag-timeout-killpg says
LIMIT_DYING = "limit dying"  # read timeout-kill, answer with machine.arm
LIMIT_FINISH = "limit finish"  # read timeout-finish, answer with machine.arm
WRITE_STATUS = "write status"
NOTIFY = "notify"  # with the bytes of the event
RECORD_DEATH = "record death"
COUNT_DEATH = "count death"  # read give-up, answer with machine.count_death
BACK_OFF = "back off"  # read backoff, answer with machine.back_off
REPORT_DEATH = "report death"  # if it is one of an essential service
MAKE_DOWN = "make down"  # the file
REMOVE_DOWN = "remove down"
LET_GO = "let go"  # of stdin and stdout
FINISH_TOO_LONG = "finish too long"  # a warning
EFFECTS = (
    START_RUN,
    START_FINISH,
    KILL,
    KILL_ALL,
    KILL_DOWN,
    KILL_RELOAD,
    KILL_HARD,
    LIMIT_DYING,
    LIMIT_FINISH,
    WRITE_STATUS,
    NOTIFY,
    RECORD_DEATH,
    COUNT_DEATH,
    BACK_OFF,
    REPORT_DEATH,
    MAKE_DOWN,
    REMOVE_DOWN,
    LET_GO,
    FINISH_TOO_LONG,
)
