"""Several services in one container, s6-svscan being its process 1; no overlay."""

from boxes import Boxes
from harness import wait_until

SCANDIR = "/etc/s6"


def test_services_from_start_to_stop_and_again(boxes: Boxes) -> None:
    """Supervised, restarted, stopped in order; and the container starts once more."""
    box = boxes.start("first-article")
    for service in ("app", "cron", "syslog"):
        box.wait_up(service, SCANDIR)
    assert box.do("cat", "/proc/1/comm").startswith("s6-svscan")
    assert box.try_("test", "-e", f"{SCANDIR}/.s6-svscan/supervise").returncode
    box.wait_until("logger", "--socket-errors=on", "greetings from inside")
    box.wait_until("grep", "greetings from inside", "/var/log/messages")
    killed = box.pid("cron", SCANDIR)
    box.do("kill", "-9", str(killed))
    box.wait_up("cron", SCANDIR, old=killed)
    box.wait_for("app: ready")
    assert box.stop() == 0
    assert box.out == [
        "app: ready",
        "app: has stopped",
        "app: finish 0",
        "all are down",
    ]
    box.start()
    box.wait_for("app: ready", times=2)
    assert box.stop() == 0
    assert box.out[4:] == box.out[:4]


def test_the_end_of_the_key_service_ends_the_container(boxes: Boxes) -> None:
    """With its exit code; the others are stopped in good order."""
    box = boxes.start("first-article")
    box.wait_for("app: ready")
    box.wait_up("syslog", SCANDIR)
    assert box.running()
    box.do("s6-svc", "-1", f"{SCANDIR}/app")
    assert box.exit_code() == 5
    assert box.out == ["app: ready", "app: finish 5", "all are down"]


def test_orphans_are_reaped(boxes: Boxes) -> None:
    """By process 1, whose children they become."""
    box = boxes.start("first-article")
    box.wait_up("app", SCANDIR)
    script = "(sleep 0.01 & echo $! > /orphan)"
    box.do("sh", "-c", script)
    orphan = box.do("cat", "/orphan").strip()
    wait_until(
        lambda: box.try_("test", "-e", f"/proc/{orphan}").returncode != 0, orphan
    )
    assert box.running()
