"""What begins and ends in a scan directory, decided on paper."""

import pytest

from paperscan import SECOND_MS, Paper
from supervisor.scan import orders
from supervisor.scan.options import Limits

FOO, BAR, LOG, OTHER_LOG = (1, 1), (1, 2), (1, 3), (1, 4)
AFTER_A_STOP = [orders.SCAN, orders.PRUNE_ALL, orders.PRUNE]


def begun(**directory: tuple[tuple[int, int], tuple[int, int] | None]) -> Paper:
    """Begin with these services, all of them running."""
    paper = Paper()
    paper.directory = {name.encode(): ids for name, ids in directory.items()}
    paper.scan()
    paper.wait()
    return paper


def test_what_a_scan_finds_is_begun() -> None:
    """The pipe is there before one of its ends is needed."""
    paper = begun(foo=(FOO, LOG), bar=(BAR, None))
    assert paper.log == ["make pipe foo", "begin bar", "begin foo", "begin foo/log"]


def test_a_second_scan_changes_nothing() -> None:
    """Neither does a rename, nor a second link: identity is not the name."""
    paper = begun(foo=(FOO, LOG))
    assert paper.scan() == []
    paper.directory = {b"new": (FOO, LOG), b"newer": (FOO, LOG)}
    assert paper.scan() == []
    assert paper.names() == ["newer", "newer/log"]


def test_what_ends_is_begun_a_second_after_its_last_begin() -> None:
    """At once, when that was long ago."""
    paper = begun(foo=(FOO, None))
    paper.now_ns += 300_000_000
    paper.end("foo")
    assert paper.wait(SECOND_MS - 301) == []
    assert paper.wait(1) == ["begin foo"]
    paper.now_ns += SECOND_MS * 2_000_000
    paper.end("foo")
    assert paper.wait() == ["begin foo"]


def test_what_cannot_be_begun_is_tried_less_and_less_often() -> None:
    """After 1, 2, 4 ... 30 seconds; the reason is told once."""
    paper = Paper()
    paper.directory = {b"foo": (FOO, None)}
    paper.broken = {FOO}
    paper.scan()
    assert paper.wait() == ["not begun foo"]
    for seconds in (1, 2, 4, 8, 16, 30, 30):
        assert paper.wait(seconds * 1000 - 1) == []
        assert paper.machine.due(paper.now_ns) == []
        assert paper.machine.due(paper.now_ns + 1_000_000) != []
        assert paper.wait(1) == []


def test_a_new_reason_is_told() -> None:
    """One warning for each distinct reason, and again after a success."""
    paper = Paper()
    paper.directory = {b"foo": (FOO, None)}
    paper.scan()
    (side,) = paper.machine.due(0)
    told = [paper.machine.failed(side, reason, 0) for reason in (b"a", b"a", b"b")]
    assert told == [[("not begun", side)], [], [("not begun", side)]]
    paper.machine.begun(side, 0)
    paper.machine.ended(side, False, 0)
    assert paper.machine.failed(side, b"b", 0) == [("not begun", side)]


def test_a_scan_tries_at_once_what_could_not_be_begun() -> None:
    """Whoever mends a directory does not have to wait."""
    paper = Paper()
    paper.directory = {b"foo": (FOO, None)}
    paper.broken = {FOO}
    paper.scan()
    for seconds in (0, 1, 2):
        paper.wait(seconds * 1000)
    paper.broken = set()
    assert paper.wait(1000) == []
    paper.scan()
    assert paper.wait() == ["begin foo"]


def test_a_scan_does_not_shorten_the_restart_delay() -> None:
    """That second is for what did begin."""
    paper = begun(foo=(FOO, None))
    paper.end("foo")
    paper.scan()
    assert paper.wait() == []


def test_what_is_not_found_any_more_is_not_begun_again() -> None:
    """But it runs on until then."""
    paper = begun(foo=(FOO, None))
    paper.directory = {}
    assert paper.scan() == []
    assert paper.names() == ["foo"]
    paper.end("foo")
    assert paper.wait(60_000) == []
    assert not paper.machine.entries


def test_what_is_found_again_goes_on() -> None:
    """Even when it was pruned in between, but has not ended yet."""
    paper = begun(foo=(FOO, LOG))
    gone, paper.directory = paper.directory, {}
    paper.scan()
    paper.order(orders.PRUNE)
    paper.directory = gone
    assert paper.scan() == []
    paper.end("foo")
    assert paper.wait(SECOND_MS) == ["begin foo"]


def test_what_waits_to_be_begun_and_is_gone_is_forgotten() -> None:
    """Nothing is left that could be begun."""
    paper = begun(foo=(FOO, None))
    paper.end("foo")
    paper.directory = {}
    paper.scan()
    assert not paper.machine.entries


@pytest.mark.parametrize(
    ("order", "to_logger"), [(orders.PRUNE, "drain"), (orders.PRUNE_ALL, "terminate")]
)
def test_pruning_ends_what_is_not_found(order: str, to_logger: str) -> None:
    """Services are terminated; loggers end when they have read all, unless with N."""
    paper = begun(foo=(FOO, LOG), bar=(BAR, None))
    del paper.directory[b"foo"]
    paper.scan()
    assert paper.order(order) == ["terminate foo", f"{to_logger} foo/log"]
    assert paper.end("foo") == ["close writing foo"]
    assert paper.end("foo/log") == ["close reading foo", "forget foo"]
    assert paper.names() == ["bar"]


def test_a_half_dead_pair_is_not_used_again() -> None:
    """The survivor has a pipe that is closed on the other side: begin anew after it."""
    paper = begun(foo=(FOO, LOG))
    gone, paper.directory = paper.directory, {}
    paper.scan()
    paper.end("foo")
    paper.directory = gone
    assert paper.scan() == []
    assert paper.wait(60_000) == []
    assert paper.end("foo/log") == [
        "close reading foo",
        "forget foo",
        "scan soon",
        "make pipe foo",
    ]
    assert paper.wait() == ["begin foo", "begin foo/log"]


def test_what_was_back_only_for_a_while_is_not_waited_for() -> None:
    """The last scan decides."""
    paper = begun(foo=(FOO, LOG))
    gone, paper.directory = paper.directory, {}
    paper.scan()
    paper.end("foo")
    paper.directory = gone
    paper.scan()
    paper.directory = {}
    paper.scan()
    assert paper.end("foo/log") == ["close reading foo", "forget foo"]


def test_a_name_that_cannot_be_looked_at_stays_as_it_is() -> None:
    """A failed stat says nothing about what runs under that name."""
    paper = begun(foo=(FOO, None))
    paper.unclear = {b"foo"}
    paper.scan()
    paper.end("foo")
    assert paper.wait(SECOND_MS) == ["begin foo"]


def test_another_directory_under_the_same_name_is_looked_for() -> None:
    """What was begun before stays what it is; the new one is a new service."""
    paper = begun(foo=(FOO, None))
    side = paper.side("foo")
    paper.end("foo")
    paper.directory = {b"foo": (BAR, None)}
    done = paper.carry_out(paper.machine.replaced(side, paper.now_ns))
    assert done == ["scan soon"]
    assert paper.wait() == ["begin foo"]
    assert [entry.identity for entry in paper.machine.entries] == [BAR]


# ---- limits


def test_a_logger_counts_as_one_with_services_max() -> None:
    """The first ones by name are begun, the rest is told of."""
    paper = Paper(Limits(services=4))
    paper.directory = {b"%d" % n: ((2, n), (3, n)) for n in range(3)}
    assert paper.scan()[-1] == "too many 2"
    paper.wait()
    assert paper.names() == ["0", "0/log", "1", "1/log"]


def test_a_logger_does_not_count_with_maxservices() -> None:
    """That is how s6 2.11 counts."""
    paper = Paper(Limits(services=None, pairs=2))
    paper.directory = {b"%d" % n: ((2, n), (3, n)) for n in range(3)}
    assert paper.scan()[-1] == "too many 2"
    paper.wait()
    assert paper.names() == ["0", "0/log", "1", "1/log"]


def test_room_that_becomes_free_is_used() -> None:
    """At the next end, without an order."""
    paper = Paper(Limits(services=4))
    paper.directory = {b"%d" % n: ((2, n), None) for n in range(5)}
    paper.scan()
    paper.wait()
    del paper.directory[b"0"]
    paper.scan()
    assert paper.end("0") == ["forget 0", "scan soon"]
    assert paper.wait() == ["begin 4"]


def test_a_logger_for_which_there_is_no_room_is_told_of() -> None:
    """Its service runs on without it."""
    paper = Paper(Limits(services=4))
    paper.directory = {b"%d" % n: ((2, n), None) for n in range(4)}
    paper.scan()
    paper.wait()
    paper.directory[b"0"] = ((2, 0), LOG)
    assert paper.scan() == ["too many 0/log"]


def test_the_room_of_a_lost_logger_is_used() -> None:
    """It counts until it has ended."""
    paper = Paper(Limits(services=4))
    paper.directory = {b"%d" % n: ((2, n), None) for n in range(4)}
    paper.directory[b"0"] = ((2, 0), LOG)
    assert paper.scan()[-1] == "too many 3"
    paper.wait()
    paper.directory[b"0"] = ((2, 0), None)
    paper.scan()
    assert paper.wait() == []
    paper.order(orders.PRUNE)
    assert paper.end("0/log") == ["close reading 0", "scan soon"]
    assert paper.wait() == ["begin 3"]


# ---- loggers that come, go and change


def test_a_logger_that_is_added_later_is_begun_at_once() -> None:
    """The service writes to it from its next start on."""
    paper = begun(foo=(FOO, None))
    paper.directory = {b"foo": (FOO, LOG)}
    assert paper.scan() == ["make pipe foo"]
    assert paper.wait() == ["begin foo/log"]


def test_a_logger_that_is_removed_is_told_of_once() -> None:
    """Pruned, it ends when the service writes to it no more."""
    paper = begun(foo=(FOO, LOG))
    paper.directory = {b"foo": (FOO, None)}
    assert paper.scan() == ["log moved foo/log", "replug foo"]
    assert paper.scan() == []
    assert paper.order(orders.PRUNE) == ["close writing foo", "drain foo/log"]
    assert paper.end("foo/log") == ["close reading foo"]
    assert paper.names() == ["foo"]


def test_a_removed_logger_that_comes_back_is_plugged_in_again() -> None:
    """As if nothing had been."""
    paper = begun(foo=(FOO, LOG))
    paper.directory = {b"foo": (FOO, None)}
    paper.scan()
    paper.directory = {b"foo": (FOO, LOG)}
    assert paper.scan() == ["replug foo"]
    paper.end("foo/log")
    assert paper.wait(SECOND_MS) == ["begin foo/log"]


def test_a_logger_that_is_replaced_is_followed_by_the_other() -> None:
    """On the same pipe, so that no line is lost."""
    paper = begun(foo=(FOO, LOG))
    paper.directory = {b"foo": (FOO, OTHER_LOG)}
    assert paper.scan() == ["log moved foo/log", "replug foo"]
    assert paper.order(orders.PRUNE) == ["terminate foo/log"]
    assert paper.end("foo/log", lines_left=True) == ["replug foo"]
    assert paper.wait() == ["begin foo/log"]
    assert paper.side("foo/log").identity == OTHER_LOG


def test_a_logger_that_comes_back_after_it_was_pruned_gets_a_new_pipe() -> None:
    """The old one cannot be written to any more."""
    paper = begun(foo=(FOO, LOG))
    paper.directory = {b"foo": (FOO, None)}
    paper.scan()
    paper.order(orders.PRUNE)
    paper.directory = {b"foo": (FOO, LOG)}
    assert paper.scan() == []
    assert paper.end("foo/log") == ["close reading foo", "scan soon", "make pipe foo"]
    assert paper.wait(SECOND_MS) == ["begin foo/log"]


def test_a_logger_that_waits_becomes_the_one_that_is_found() -> None:
    """Nothing runs there yet, so nothing has to end first."""
    paper = begun(foo=(FOO, LOG))
    paper.end("foo/log")
    paper.directory = {b"foo": (FOO, OTHER_LOG)}
    assert paper.scan() == []
    assert paper.wait(SECOND_MS) == ["begin foo/log"]
    assert paper.side("foo/log").identity == OTHER_LOG


# ---- the end


def test_a_stop_terminates_services_and_drains_loggers() -> None:
    """The pipe is closed behind each, the service's end first."""
    paper = begun(foo=(FOO, LOG), bar=(BAR, None))
    assert paper.order(orders.STOP) == [
        "terminate bar",
        "terminate foo",
        "drain foo/log",
    ]
    assert paper.end("bar") == []
    assert paper.end("foo") == ["close writing foo"]
    assert paper.end("foo/log") == ["close reading foo", "leave"]


def test_a_quit_terminates_loggers_too() -> None:
    """Also when a stop is under way."""
    paper = begun(foo=(FOO, LOG))
    paper.order(orders.STOP)
    assert paper.order(orders.STOP_ALL) == ["terminate foo/log"]
    assert paper.end("foo/log", lines_left=True) == ["close reading foo"]
    assert paper.end("foo") == ["close writing foo", "leave"]


def test_an_empty_directory_is_left_at_once() -> None:
    """There is nobody to wait for."""
    assert Paper().order(orders.STOP) == ["leave"]


@pytest.mark.parametrize("order", [orders.STOP, orders.STOP_ALL, *AFTER_A_STOP])
def test_a_tree_that_stops_may_be_told_so_again(order: str) -> None:
    """The finish script of a key service does; services are not told twice."""
    paper = begun(foo=(FOO, None))
    paper.order(orders.STOP)
    assert paper.order(order) == []


def test_a_stop_does_not_wait_for_a_scan() -> None:
    """s6 2.15 hangs for ever when a scan has failed before; here nothing waits."""
    paper = begun(foo=(FOO, None))
    paper.unclear = {b"foo", b"bar"}
    paper.scan()
    assert paper.order(orders.STOP) == ["terminate foo"]


def test_what_waits_to_be_begun_ends_with_a_stop() -> None:
    """Nothing is begun any more."""
    paper = begun(foo=(FOO, None), bar=(BAR, None))
    paper.end("bar")
    paper.end("foo")
    assert paper.order(orders.STOP) == ["leave"]


def test_a_logger_that_dies_in_a_stop_is_begun_once_more() -> None:
    """What its service still says would be lost."""
    paper = begun(foo=(FOO, LOG))
    paper.order(orders.STOP)
    assert paper.end("foo/log", lines_left=True) == []
    assert paper.wait() == ["begin foo/log", "drain foo/log"]
    assert paper.end("foo/log", lines_left=True) == ["close reading foo"]
    assert paper.end("foo") == ["close writing foo", "leave"]


def test_a_logger_that_is_just_not_there_in_a_stop_is_begun_once() -> None:
    """To read what is in its pipe."""
    paper = begun(foo=(FOO, LOG))
    paper.end("foo/log")
    assert paper.order(orders.STOP) == ["terminate foo"]
    assert paper.wait() == ["begin foo/log", "drain foo/log"]


def test_a_logger_that_cannot_be_begun_in_a_stop_does_not_hold_it_up() -> None:
    """One attempt, no second."""
    paper = begun(foo=(FOO, LOG))
    paper.end("foo/log")
    paper.broken = {LOG}
    paper.order(orders.STOP)
    assert paper.wait() == ["not begun foo/log", "close reading foo"]
    assert paper.end("foo") == ["close writing foo", "leave"]


def test_the_catch_all_logger_ends_last() -> None:
    """It hears the others to the end, then nobody writes to it any more."""
    paper = begun(**{"s6-svscan-log": (BAR, None), "foo": (FOO, None)})
    assert paper.order(orders.STOP) == ["terminate foo", "drain s6-svscan-log"]
    assert paper.end("foo") == ["silence"]
    assert paper.end("s6-svscan-log") == ["leave"]


def test_a_quit_spares_not_even_the_catch_all_logger() -> None:
    """Neither at first nor after a stop."""
    paper = begun(**{"s6-svscan-log": (BAR, None), "foo": (FOO, None)})
    paper.order(orders.STOP)
    assert paper.order(orders.STOP_ALL) == ["terminate s6-svscan-log"]


def test_an_abort_waits_for_nothing() -> None:
    """Whatever else goes on."""
    paper = begun(foo=(FOO, None))
    assert paper.order(orders.ABORT) == ["abort"]
    assert paper.order(orders.REAP) == ["reap"]
