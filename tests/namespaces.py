"""Containers without an engine: unshare(1), an overlay, chroot.

A container is a process in a PID namespace, whose mounts vanish with it.
"""

import os
import shlex
import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from engines import ROOTFS, Options, Result, Said, Unusable, stopped
from harness import DEADLINE_S, wait_until
from layers import PRIVATE, SYSTEM, Images, mounting
from watching import children, facts

LACKING = "-sys_admin,-sys_resource,-sys_ptrace,-net_admin"  # as with other engines
KILLED = "unshare: sigprocmask unblock failed: Invalid argument\n"
"""What unshare(1) says when its child was killed, before it exits 1."""

ISOLATED = (*PRIVATE, "--fork", "--kill-child=KILL", "--pid", "--uts", "--ipc", "--net")
ON_THE_WAY = ("", "unshare", "sh", "mount", "setpriv", "chroot", "env")
"""Names of a process that is going to be process 1 of a container."""


class Namespaces:
    """An engine in a folder, which may be shared with other processes."""

    name = "namespaces"

    def __init__(self, folder: Path) -> None:
        self.images = Images(folder)
        self.build = self.images.build

    def prepare(self, rootfs: Path) -> None:
        """Make the image ROOTFS, and run it. Raise Unusable."""
        self.images.unpack(rootfs)
        made = self.run(ROOTFS, ["sh", "-c", "exit 42"], Options())
        if made.returncode != 42:
            raise Unusable(f"namespaces do not work: {made.stderr.strip()}")

    def run(
        self, image: str, words: Sequence[str], options: Options, data: str = ""
    ) -> Result:
        """Run a container to its end."""
        place, argv = self._container(image, words, options)
        try:
            return subprocess.run(
                argv,
                input=data,
                capture_output=True,
                text=True,
                timeout=DEADLINE_S,
                check=False,
            )
        finally:
            shutil.rmtree(place)

    def words(self, image: str, words: Sequence[str], options: Options) -> list[str]:
        """Give a command that runs a container with a terminal."""
        del image, words, options
        pytest.skip("without an engine there is no terminal for a container")

    def start(
        self, image: str, words: Sequence[str], options: Options
    ) -> "NamespaceContainer":
        """Start a container in the background."""
        return NamespaceContainer(*self._container(image, words, options))

    def end(self) -> None:
        """Leave nothing behind: it is all in the folder."""

    def _container(
        self, image: str, words: Sequence[str], options: Options
    ) -> tuple[Path, list[str]]:
        """Give the folder of a container, and what runs it."""
        if options.init:
            pytest.skip("without an engine there is no --init")
        known = self.images.load(image)
        place = self.images.place()
        user, group = known.ids(options)
        variables = known.variables(options)
        argv = [
            *("exec", "setpriv", f"--bounding-set={LACKING}"),
            *("chroot", f"--userspec={user}:{group}", "--groups=", "merged"),
            *("env", "-i", f"--chdir={options.workdir or known.workdir}"),
            *(f"{name}={value}" for name, value in variables.items()),
            *known.argv(words, options),
        ]
        parts = (mounting(place, known), SYSTEM, _mounts(options), shlex.join(argv))
        script = place / "script"  # an argument has at most 128 KiB (execve(2))
        script.write_text("".join(parts))
        return place, [*ISOLATED, "sh", str(script)]


class NamespaceContainer:
    """A container in a folder, which has what it writes."""

    def __init__(self, place: Path, argv: Sequence[str]) -> None:
        self._place = place
        self._argv = argv
        self._killed = False
        self.start()

    def start(self) -> None:
        """Start it, also once more after it has ended."""
        with (
            (self._place / "out").open("ab") as out,
            (self._place / "err").open("ab") as err,
        ):
            self._process = subprocess.Popen(
                self._argv,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )
        wait_until(self._began, "process 1")

    def logs(self) -> Said:
        """Give what it has written so far."""
        out, err = self._place / "out", self._place / "err"
        return Said(out.read_text(), err.read_text().replace(KILLED, ""))

    def execute(self, *words: str, user: str = "") -> Result:
        """Run a program in it."""
        pid = self._pid()
        if not pid:
            return subprocess.CompletedProcess(words, 255, "", "it has ended")
        environment = Path(f"/proc/{pid}/environ").read_text().split("\0")[:-1]
        group = ["--setuid", user, "--setgid", "0"] if user else []
        return subprocess.run(
            [
                *("nsenter", f"--target={pid}", "--mount", "--uts", "--ipc", "--net"),
                *("--pid", "--root", *group),
                *("env", "-i", "--chdir=/", *environment, *words),
            ],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
            check=False,
        )

    def stop(self, patience_s: int) -> Result:
        """Send TERM, and KILL when that does not help in time."""
        return stopped(self._process, self.kill, patience_s)

    def kill(self, signal_name: str) -> None:
        """Send a signal to its process 1."""
        self._killed = signal_name == "KILL"
        pid = self._pid()
        assert pid > 1, "there is no process 1: the container has ended"
        os.kill(pid, getattr(signal, f"SIG{signal_name}"))

    def running(self) -> bool:
        """Tell whether it has not ended."""
        return self._process.poll() is None

    def exit_code(self) -> int:
        """Give the exit code of its process 1, after its end."""
        code = self._process.wait(DEADLINE_S)
        # unshare(1) cannot end as its child did, when that was killed.
        return 128 + signal.SIGKILL if self._killed else code

    def remove(self) -> None:
        """Remove it, killed if need be."""
        self._process.kill()
        self._process.wait()
        shutil.rmtree(self._place)

    def _began(self) -> bool:
        """Tell whether process 1 is what was to be run, or has ended already."""
        if self._process.poll() is not None:
            return True
        name = facts(self._pid()).get("Name", "")
        return name not in ON_THE_WAY

    def _pid(self) -> int:
        """Give the pid of process 1 as it is here."""
        found = children(self._process.pid)
        return found[0] if found else 0


def _mounts(options: Options) -> str:
    """Give the part of a script that makes a container different from its image."""
    lines = []
    for tmpfs in options.tmpfs:
        there, _, words = tmpfs.partition(":")
        lines.append(f"mount -t tmpfs -o {words or 'rw'} tmpfs merged{there}")
    for here, volume in options.volumes.items():
        kind = "-d" if here.is_dir() else "-f"
        make = "mkdir -p" if kind == "-d" else "touch"
        lines.append(f"test -e merged{volume} || {make} merged{volume}")
        lines.append(f"mount --bind {here} merged{volume}")
    if options.read_only:
        lines.append("mount -o remount,bind,ro merged")
    return "".join(f"{line}\n" for line in lines)
