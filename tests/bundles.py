"""Containers by runc, each of them a bundle: a folder with a configuration.

For machines with a runtime, but without podman. Images are layers.
"""

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from engines import ROOTFS, Options, Result, Said, Unusable, stopped
from harness import DEADLINE_S, wait_until
from layers import PATH, PRIVATE, Image, Images, mounting

ENV = {"PATH": PATH}
CAPABILITIES = [
    f"CAP_{name}"
    for name in (
        *("CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "NET_BIND_SERVICE"),
        *("SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"),
    )
]
"""Those that podman leaves to root in a container."""


class Runc:
    """An engine in a folder, which may be shared with other processes."""

    name = "runc"

    def __init__(self, folder: Path) -> None:
        self.images = Images(folder)
        self.build = self.images.build
        self._state = folder / "state"

    def prepare(self, rootfs: Path) -> None:
        """Make the image ROOTFS, and run it. Raise Unusable."""
        self.images.unpack(rootfs)
        try:
            made = self.run(ROOTFS, ["sh", "-c", "exit 42"], Options())
        except FileNotFoundError as error:
            raise Unusable("runc is not installed") from error
        if made.returncode != 42:
            raise Unusable(f"runc does not work: {made.stderr.strip()}")

    def run(
        self, image: str, words: Sequence[str], options: Options, data: str = ""
    ) -> Result:
        """Run a container to its end."""
        return subprocess.run(
            self._container(image, words, options, terminal=False)[1],
            input=data,
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
            check=False,
        )

    def words(self, image: str, words: Sequence[str], options: Options) -> list[str]:
        """Give a command that runs a container with a terminal."""
        return self._container(image, words, options, terminal=True)[1]

    def start(
        self, image: str, words: Sequence[str], options: Options
    ) -> "BundleContainer":
        """Start a container in the background."""
        place, argv = self._container(image, words, options, terminal=False)
        return BundleContainer(self, place, argv)

    def end(self) -> None:
        """Remove all that there is: containers outlive those who wait for them."""
        if self._state.is_dir():
            for name in os.listdir(self._state):
                self.call("delete", "--force", name)

    def call(self, *words: str) -> Result:
        """Have runc do something that may fail."""
        return subprocess.run(
            ["runc", "--root", str(self._state), *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env=ENV,
            timeout=DEADLINE_S,
            check=False,
        )

    def _container(
        self, image: str, words: Sequence[str], options: Options, terminal: bool
    ) -> tuple[Path, list[str]]:
        """Give the folder of a container, and what runs it."""
        if options.init:
            pytest.skip("runc has no --init")
        known = self.images.load(image)
        place = self.images.place()
        made = self.call("spec", "--bundle", str(place))
        assert made.returncode == 0, made.stderr
        configuration = place / "config.json"
        settings = json.loads(configuration.read_text())
        _configure(settings, known, words, options)
        settings["process"]["terminal"] = terminal
        configuration.write_text(json.dumps(settings))
        run = f"exec runc --root {self._state} run --bundle {place} {place.name}\n"
        return place, [*PRIVATE, "sh", "-c", mounting(place, known) + run]


class BundleContainer:
    """A container in a folder, which has what it writes."""

    def __init__(self, runc: Runc, place: Path, argv: Sequence[str]) -> None:
        self._runc = runc
        self._place = place
        self._argv = argv
        self.start()

    def start(self) -> None:
        """Start it, also once more after it has ended."""
        out, err = self._place / "out", self._place / "err"
        with out.open("ab") as stdout, err.open("ab") as stderr:
            self._process = subprocess.Popen(
                self._argv, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr
            )
        wait_until(lambda: self._began() or not self.running(), "process 1")

    def logs(self) -> Said:
        """Give what it has written so far."""
        out, err = self._place / "out", self._place / "err"
        return Said(out.read_text(), err.read_text())

    def execute(self, *words: str, user: str = "") -> Result:
        """Run a program in it."""
        flags = ["--user", user] if user else []
        return self._runc.call("exec", *flags, self._place.name, *words)

    def stop(self, patience_s: int) -> Result:
        """Send TERM, and KILL when that does not help in time."""
        return stopped(self._process, self.kill, patience_s)

    def kill(self, signal: str) -> None:
        """Send a signal to its process 1."""
        done = self._runc.call("kill", self._place.name, signal)
        assert done.returncode == 0, done.stderr

    def running(self) -> bool:
        """Tell whether it has not ended."""
        return self._process.poll() is None

    def exit_code(self) -> int:
        """Give the exit code of its process 1, after its end."""
        return self._process.wait(DEADLINE_S)

    def remove(self) -> None:
        """Remove it, killed if need be."""
        self._runc.call("delete", "--force", self._place.name)
        self._process.wait(DEADLINE_S)

    def _began(self) -> bool:
        state = self._runc.call("state", self._place.name)
        return state.returncode == 0 and json.loads(state.stdout)["status"] == "running"


def _configure(
    settings: dict[str, Any], image: Image, words: Sequence[str], options: Options
) -> None:
    """Change what `runc spec` has written (the runtime specification, config.md)."""
    uid, gid = image.ids(options)
    process = settings["process"]
    process["user"] = {"uid": uid, "gid": gid}
    process["args"] = image.argv(words, options)
    process["env"] = [f"{n}={value}" for n, value in image.variables(options).items()]
    process["cwd"] = options.workdir or image.workdir
    process["noNewPrivileges"] = False
    kept = CAPABILITIES if uid == 0 else []
    process["capabilities"] = dict.fromkeys(
        ("bounding", "effective", "permitted"), kept
    )
    settings["root"] = {"path": "merged", "readonly": options.read_only}
    for tmpfs in options.tmpfs:
        there, _, flags = tmpfs.partition(":")
        given = flags.split(",") if flags else []
        settings["mounts"].append(_mount(there, "tmpfs", "tmpfs", given))
    for here, there in options.volumes.items():
        settings["mounts"].append(_mount(there, "bind", str(here), ["bind", "rw"]))


def _mount(
    there: str, kind: str, source: str, options: Sequence[str]
) -> dict[str, Any]:
    return {"destination": there, "type": kind, "source": source, "options": options}
