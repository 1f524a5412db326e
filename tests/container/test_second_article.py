"""nginx and php-fpm in one container, with /init; both from Debian, both logged."""

from pathlib import Path

from boxes import BOOT, FINISH, SERVICES, Box, Boxes, stages
from engines import Options

TRANSCRIPT = [
    *BOOT,
    "[fix-attrs.d] applying ownership & permissions fixes...",
    "[fix-attrs.d] done.",
    "[cont-init.d] executing container initialization scripts...",
    "[cont-init.d] done.",
    *SERVICES,
    "[cont-finish.d] executing container finish scripts...",
    "[cont-finish.d] done.",
    *FINISH,
]
FETCH = """
import http.client, socket, sys
page = http.client.HTTPConnection("localhost")
page.sock = socket.socket(socket.AF_UNIX)
page.sock.connect("/run/nginx.sock")
page.request("GET", "/index.php")
answer = page.getresponse()
text = answer.read().decode()
print(answer.status, "PHP Version" in text, "FPM/FastCGI" in text)
"""
FETCHED = "200 True True"
NOBODY = "nobody"


def page_comes(box: Box) -> None:
    """Wait until phpinfo's page comes, through nginx and php-fpm."""
    fetch = f'test "$(python3 -c \'{FETCH}\')" = "{FETCHED}"'
    box.wait_until("sh", "-c", fetch)


def test_both_services_from_boot_to_stop(boxes: Boxes) -> None:
    """A page is served, either may be killed, all is logged, the lines are known."""
    box = boxes.start("second-article")
    page_comes(box)
    for service in ("nginx", "php-fpm"):
        killed = box.pid(service)
        box.do("kill", "-9", str(killed))
        box.wait_up(service, old=killed)
        page_comes(box)
    box.wait_for("GET /index.php", times=3)
    assert box.do("stat", "-c", "%U", "/var/log/s6/nginx/current").strip() == NOBODY
    logged = box.do("cat", "/var/log/s6/nginx/current")
    assert logged.count("GET /index.php") >= 3
    logged = box.do("cat", "/var/log/s6/php-fpm/current")
    assert logged.count("fpm is running") == 2
    assert box.stop() == 0
    assert box.err == []
    assert stages(box.out) == TRANSCRIPT
    farewell = [line for line in box.out if "bye-bye" in line]
    assert len(farewell) == 1
    assert box.out.index(farewell[0]) > box.out.index(SERVICES[1])


def test_an_essential_service_takes_the_container_along(
    boxes: Boxes, tmp_path: Path
) -> None:
    """As configured: the end of nginx is the end of all, the other is restarted."""
    essential = tmp_path / "essential"
    essential.touch()
    there = "/etc/services.d/nginx/essential"
    box = boxes.start("second-article", options=Options(volumes={essential: there}))
    page_comes(box)
    killed = box.pid("php-fpm")
    box.do("kill", "-9", str(killed))
    box.wait_up("php-fpm", old=killed)
    page_comes(box)
    assert box.running()
    box.do("kill", "-9", str(box.pid("nginx")))
    assert box.exit_code() == 137
    assert stages(box.out) == TRANSCRIPT
    assert "nginx" in box.err[0]
    assert "GET /index.php" in box.err[-1]
