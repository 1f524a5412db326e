"""Containers in a test: started, looked at, waited for, and removed."""

import re
from pathlib import Path

from engines import Container, Engine, Options, Result
from harness import Program, wait_until
from supervising import make_service
from workshop import Workshop

PATIENCE_S = 30
PLAIN = Options()
STAGES = re.compile(
    r"\[(s6-init|fix-attrs\.d|cont-init\.d|services\.d|cmd|cont-finish\.d|s6-finish)\] "
)
BOOT = (
    "[s6-init] making user provided files available at /var/run/s6/etc...exited 0.",
    "[s6-init] ensuring user provided files have correct perms...exited 0.",
)
SERVICES = ("[services.d] starting services", "[services.d] done.")
FINISH = (
    "[s6-finish] waiting for services.",
    "[s6-finish] sending all processes the TERM signal.",
    "[s6-finish] sending all processes the KILL signal and exiting.",
)


class Box:
    """A container in the background; what it does comes with a deadline."""

    def __init__(self, container: Container) -> None:
        self._container = container
        self.kill = container.kill
        self.start = container.start
        self.running = container.running
        self.exit_code = container.exit_code
        self.remove = container.remove

    @property
    def out(self) -> list[str]:
        """What is in its log, but for standard error."""
        return self._container.logs().out.splitlines()

    @property
    def err(self) -> list[str]:
        """What it has written to standard error."""
        return self._container.logs().err.splitlines()

    def wait_for(self, text: str, times: int = 1) -> None:
        """Wait until lines with this text are in its log."""

        def there() -> bool:
            said = self._container.logs()
            return (said.out + said.err).count(text) >= times

        wait_until(there, f"{text!r} in {self._container.logs()}")

    def try_(self, *words: str, user: str = "") -> Result:
        """Run a program in it, whatever comes of that."""
        return self._container.execute(*words, user=user)

    def do(self, *words: str, user: str = "") -> str:
        """Run a program in it, which must succeed; give what it says."""
        done = self.try_(*words, user=user)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def wait_until(self, *words: str) -> None:
        """Wait until a program in it succeeds."""
        wait_until(lambda: self.try_(*words).returncode == 0, " ".join(words))

    def stop(self) -> int:
        """Stop it without KILL; give its exit code."""
        stopped = self._container.stop(PATIENCE_S)
        assert "SIGKILL" not in stopped.stderr
        return self.exit_code()

    def pid(self, service: str, scandir: str = "/run/service") -> int:
        """Give the pid, in the container, of a service that is up; else 0."""
        told = self.do("s6-svstat", "-o", "up,pid", f"{scandir}/{service}").split()
        return int(told[1]) if told[0] == "true" else 0

    def wait_up(self, service: str, scandir: str = "/run/service", old: int = 0) -> int:
        """Wait until a service is up; give its pid, which is not the old one."""

        def is_up() -> bool:
            asked = self.try_("s6-svstat", "-o", "pid", f"{scandir}/{service}")
            return asked.returncode == 0 and int(asked.stdout) not in (-1, old)

        wait_until(is_up, f"{service} to be up")
        return self.pid(service, scandir)


class Boxes:
    """Runs containers, and removes those that are left at the end of a test."""

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop
        self._started: list[Box] = []

    @property
    def engine(self) -> Engine:
        """The engine, for what only one of them can do."""
        return self._workshop.engine

    def run(
        self, image: str, *words: str, options: Options = PLAIN, data: str = ""
    ) -> Result:
        """Run a container to its end."""
        image = self._workshop.image(image)
        return self._workshop.engine.run(image, words, options, data)

    def terminal(self, image: str, *words: str, options: Options = PLAIN) -> Program:
        """Give what runs a container with the caller's terminal."""
        image = self._workshop.image(image)
        argv = self._workshop.engine.words(image, words, options)
        return Program(self._workshop.engine.name, tuple(argv))

    def start(self, image: str, *words: str, options: Options = PLAIN) -> Box:
        """Start a container in the background."""
        image = self._workshop.image(image)
        box = Box(self._workshop.engine.start(image, words, options))
        self._started.append(box)
        return box

    def remove(self) -> None:
        """Remove all that were started."""
        for box in self._started:
            box.remove()


def services(parent: Path, **runs: str) -> dict[Path, str]:
    """Make service directories of text for /bin/sh; give them as a volume."""
    folder = parent / "services.d"
    for name, run in runs.items():
        make_service(folder / name.replace("_", "-"), run)
    return {folder: "/etc/services.d"}


def stages(lines: list[str]) -> list[str]:
    """Give the lines that are s6-init's own."""
    return [line for line in lines if STAGES.match(line)]
