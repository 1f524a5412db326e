"""The table of a supervised service: (state, event) to (state, actions). Pure.

Total over the product of both: what is not listed below is written out as "stay,
do nothing". An action is an effect of `events` (a word, or a pair of word and
argument) or a change to the machine's own figures, one of CHANGES.
docs/explanation/service-states.md is drawn from it.
"""

from supervisor.service.events import (
    BACK_OFF,
    CONTINUE,
    CONTINUE_GROUP,
    COUNT_DEATH,
    DIED,
    DOWN,
    DRAIN,
    DRAINFINISH,
    ENDED,
    EVENTS,
    EXIT,
    FINISH,
    FINISH_STARTED,
    FINISH_TOO_LONG,
    FINISHED,
    GIVEN_UP,
    HUP,
    INT,
    KILL,
    KILL_ALL,
    KILL_DOWN,
    KILL_GROUP,
    KILL_HARD,
    KILL_RELOAD,
    LASTDOWN,
    LASTFINISH,
    LASTUP,
    LET_GO,
    LIMIT_DYING,
    LIMIT_FINISH,
    MAKE_DOWN,
    NEWLINE,
    NO_FINISH,
    NOT_STARTED,
    NOTIFY,
    ONCE,
    ONCE_AT_MOST,
    PAUSE,
    PAUSE_GROUP,
    QUIT,
    RECORD_DEATH,
    RELOAD,
    REMOVE_DOWN,
    REPORT_DEATH,
    RESTART,
    SIGNAL,
    START_FINISH,
    START_RUN,
    STARTED,
    STATES,
    STAY_DOWN,
    STAY_DOWN_LATER,
    STAY_UP,
    TERM,
    TIMER,
    UP,
    WANT_DOWN,
    WANT_UP,
    WRITE_STATUS,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    Action = str | tuple[str, int | bytes]
    Actions = tuple[Action, ...]
    Rows = Mapping[str, tuple[str, Actions]]

SIGINT, SIGKILL, SIGCONT, SIGSTOP = 2, 9, 18, 19

# Changes to the machine's figures.
WANTED = "wanted"
UNWANTED = "unwanted"
PAUSED = "paused"
RESUMED = "resumed"
ASKED = "asked"  # to end, by a command
SENT = "sent"  # the signal that was asked for
BORN = "born"
READY = "ready"
DEAD = "dead"
FINISHING = "finishing"
OVER = "over"
REST = "rest"  # until the restart is due
RETRY = "retry"  # in the time that NOT_STARTED comes with
SLEEP = "sleep"  # no deadline
KILL_AGAIN = "kill again"  # in five seconds
START_IF_WANTED = "start if wanted"

_UNWANT = (UNWANTED, WRITE_STATUS)
_WANT = (WANTED, WRITE_STATUS)
_TAKE_DOWN: "Actions" = (
    UNWANTED,
    ASKED,
    KILL_DOWN,
    (KILL, SIGCONT),  # a stopped process would not see the signal
    RESUMED,
    WRITE_STATUS,
    SLEEP,  # an earlier limit counts no more
    LIMIT_DYING,
)
_GONE: "Actions" = ((NOTIFY, b"x"),)
# Without finish both events go out in one write (s6 2.14).
_AT_ONCE: "Actions" = (OVER, WRITE_STATUS, (NOTIFY, b"dD"))
_AFTER_FINISH: "Actions" = (OVER, WRITE_STATUS, (NOTIFY, b"D"))
_FAILED_FOR_GOOD: "Actions" = (OVER, UNWANTED, WRITE_STATUS, (NOTIFY, b"OD"))
_FAILED_AT_ONCE: "Actions" = (OVER, UNWANTED, WRITE_STATUS, (NOTIFY, b"dOD"))


def _living(state: str) -> "Rows":
    """Give what UP and LASTUP share."""
    return {
        SIGNAL: (state, (SENT, KILL)),
        PAUSE: (state, ((KILL, SIGSTOP), PAUSED, WRITE_STATUS)),
        CONTINUE: (state, ((KILL, SIGCONT), RESUMED, WRITE_STATUS)),
        RESTART: (state, (ASKED, KILL_DOWN)),
        RELOAD: (state, (KILL_RELOAD,)),
        PAUSE_GROUP: (state, ((KILL_ALL, SIGSTOP), PAUSED, WRITE_STATUS)),
        CONTINUE_GROUP: (state, ((KILL_ALL, SIGCONT), RESUMED, WRITE_STATUS)),
        KILL_GROUP: (state, (ASKED, (KILL_ALL, SIGKILL))),
        ONCE: (state, _UNWANT),
        ONCE_AT_MOST: (state, _UNWANT),
        WANT_DOWN: (state, _TAKE_DOWN),
        WANT_UP: (state, _WANT),
        STAY_DOWN: (state, (MAKE_DOWN, *_TAKE_DOWN)),
        STAY_UP: (state, (REMOVE_DOWN, *_WANT)),
        STAY_DOWN_LATER: (state, (MAKE_DOWN, *_UNWANT)),
        EXIT: (LASTUP, (LET_GO,)),
        TERM: (LASTUP, _TAKE_DOWN),
        HUP: (LASTUP, (LET_GO,)),
        DRAIN: (LASTUP, (LET_GO,)),
        QUIT: (ENDED, _GONE),
        INT: (ENDED, ((KILL_ALL, SIGINT), *_GONE)),
        TIMER: (state, (KILL_HARD, KILL_AGAIN)),
        NEWLINE: (state, (READY, WRITE_STATUS, (NOTIFY, b"U"))),
        DIED: (state, (DEAD, RECORD_DEATH, START_FINISH)),
    }


def _finishing(state: str) -> "Rows":
    """Give what the three states share in which finish runs."""
    return {
        ONCE: (state, _UNWANT),
        ONCE_AT_MOST: (state, _UNWANT),
        WANT_DOWN: (state, _UNWANT),
        WANT_UP: (state, _WANT),
        STAY_DOWN: (state, (MAKE_DOWN, *_UNWANT)),
        STAY_UP: (state, (REMOVE_DOWN, *_WANT)),
        STAY_DOWN_LATER: (state, (MAKE_DOWN, *_UNWANT)),
        EXIT: (LASTFINISH, (LET_GO,)),
        TERM: (LASTFINISH, (LET_GO,)),
        HUP: (LASTFINISH, (LET_GO,)),
        QUIT: (ENDED, _GONE),
        INT: (ENDED, ((KILL_ALL, SIGINT), *_GONE)),
        TIMER: (
            state,
            (FINISH_TOO_LONG, (KILL, SIGCONT), (KILL, SIGKILL), KILL_AGAIN),
        ),
    }


_DOWN: "Rows" = {
    ONCE: (DOWN, (*_UNWANT, START_RUN)),
    ONCE_AT_MOST: (DOWN, _UNWANT),
    WANT_DOWN: (DOWN, _UNWANT),
    WANT_UP: (DOWN, (*_WANT, START_RUN)),
    STAY_DOWN: (DOWN, (MAKE_DOWN, *_UNWANT)),
    STAY_UP: (DOWN, (REMOVE_DOWN, *_WANT, START_RUN)),
    STAY_DOWN_LATER: (DOWN, (MAKE_DOWN, *_UNWANT)),
    EXIT: (ENDED, _GONE),
    TERM: (ENDED, _GONE),
    HUP: (ENDED, _GONE),
    QUIT: (ENDED, _GONE),
    INT: (ENDED, _GONE),
    DRAIN: (LASTDOWN, (START_RUN,)),
    TIMER: (DOWN, (SLEEP, START_IF_WANTED)),
    STARTED: (UP, (BORN, WRITE_STATUS, (NOTIFY, b"u"))),
    NOT_STARTED: (DOWN, (RETRY,)),
}

_LASTDOWN: "Rows" = {
    STARTED: (LASTUP, (BORN, WRITE_STATUS, (NOTIFY, b"u"), LET_GO)),
    NOT_STARTED: (ENDED, _GONE),
}

_ROWS: "Mapping[str, Rows]" = {
    DOWN: _DOWN,
    LASTDOWN: _LASTDOWN,
    UP: {
        **_living(UP),
        # Only here: what a service does while a stop is under way is nobody's worry.
        DIED: (UP, (DEAD, RECORD_DEATH, COUNT_DEATH, START_FINISH)),
        FINISH_STARTED: (
            FINISH,
            (FINISHING, WRITE_STATUS, (NOTIFY, b"d"), LIMIT_FINISH),
        ),
        NO_FINISH: (DOWN, (*_AT_ONCE, REST, BACK_OFF, REPORT_DEATH)),
        GIVEN_UP: (DOWN, (*_FAILED_AT_ONCE, REST, REPORT_DEATH)),
    },
    LASTUP: {
        **_living(LASTUP),
        FINISH_STARTED: (
            LASTFINISH,
            (FINISHING, WRITE_STATUS, (NOTIFY, b"d"), LIMIT_FINISH),
        ),
        NO_FINISH: (ENDED, (*_AT_ONCE, *_GONE)),
    },
    FINISH: {
        **_finishing(FINISH),
        DRAIN: (DRAINFINISH, ()),
        FINISHED: (DOWN, (*_AFTER_FINISH, REST, BACK_OFF, REPORT_DEATH)),
        GIVEN_UP: (DOWN, (*_FAILED_FOR_GOOD, REST, REPORT_DEATH)),
    },
    LASTFINISH: {
        **_finishing(LASTFINISH),
        # s6-supervise does nothing about a second SIGTERM.
        TERM: (LASTFINISH, ()),
        FINISHED: (ENDED, (*_AFTER_FINISH, *_GONE)),
        GIVEN_UP: (ENDED, (*_FAILED_FOR_GOOD, *_GONE)),
    },
    DRAINFINISH: {
        **_finishing(DRAINFINISH),
        FINISHED: (LASTDOWN, (*_AFTER_FINISH, START_RUN)),
        GIVEN_UP: (ENDED, (*_FAILED_FOR_GOOD, *_GONE)),
    },
    ENDED: {},
}

TABLE: "Mapping[tuple[str, str], tuple[str, Actions]]" = {
    (state, event): _ROWS[state].get(event, (state, ()))
    for state in STATES
    for event in EVENTS
}
"""What an event does in each state: the next state, and the actions in order."""
