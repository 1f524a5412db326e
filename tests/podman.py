"""podman as an engine for tests: without a registry, in a folder of its own.

Storage, locks and temporary files are in the folder, whose path must be short (podman
makes sockets in there). Elsewhere there remain a cache of 1 MiB in /var/lib/containers
and empty cgroups, which other users of podman may have a use for.
"""

import contextlib
import os
import resource
import shutil
import subprocess
import uuid
from collections.abc import Sequence
from pathlib import Path

from engines import ROOTFS, Options, Result, Said, Unusable, tag
from harness import wait_until

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
LIMIT_S = 300.0
RESOURCES = (("nofile", resource.RLIMIT_NOFILE), ("nproc", resource.RLIMIT_NPROC))
LIMIT = 4096  # the default is more than a machine without CAP_SYS_RESOURCE may set
DRIVERS = ("overlay", "vfs")
RUNTIMES = ("runc", "crun")
CONTAINERS = """\
[containers]
default_ulimits = [{limits}]
netns = "none"
log_driver = "k8s-file"
[engine]
runtime = "{runtime}"
cgroup_manager = "cgroupfs"
events_logger = "file"
lock_type = "file"
tmp_dir = "{folder}/tmp"
"""
STORAGE = """\
[storage]
driver = "{driver}"
graphroot = "{folder}/root"
runroot = "{folder}/run"
"""


class Podman:
    """An engine in a folder, which may be shared with other processes."""

    name = "podman"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._env = {
            "PATH": PATH,
            "HOME": str(folder),
            "TMPDIR": str(folder),
            "CONTAINERS_CONF": str(folder / "containers.conf"),
            "CONTAINERS_STORAGE_CONF": str(folder / "storage.conf"),
        }

    def prepare(self, rootfs: Path) -> None:
        """Make the image ROOTFS, and run it. Raise Unusable."""
        if shutil.which("podman", path=PATH) is None:
            raise Unusable("podman is not installed")
        runtime = next((r for r in RUNTIMES if shutil.which(r, path=PATH)), "")
        if not runtime:
            raise Unusable("podman has no runtime here")
        tries = []
        for driver in DRIVERS:
            self._configure(driver, runtime)
            made = self.try_("import", "--quiet", str(rootfs), ROOTFS)
            if made.returncode == 0:
                made = self.try_("run", "--rm", ROOTFS, "sh", "-c", "exit 42")
                if made.returncode == 42:
                    return
            tries.append(f"{driver}: {made.stderr.strip()}")
            self.end()
        raise Unusable(f"podman does not work: {'; '.join(tries)}")

    def build(self, name: str, context: Path, *options: str) -> None:
        """Make an image of a folder with a Containerfile."""
        words = ("--quiet", "--network=none", *options, "--tag", tag(name))
        made = self.try_("build", *words, str(context))
        assert made.returncode == 0, made.stderr

    def run(
        self, image: str, words: Sequence[str], options: Options, data: str = ""
    ) -> Result:
        """Run a container to its end."""
        flags = ["--rm", "--interactive", *_flags(options)]
        return self.try_("run", *flags, tag(image), *words, data=data)

    def words(self, image: str, words: Sequence[str], options: Options) -> list[str]:
        """Give a command that runs a container with a terminal."""
        settings = [f"{name}={value}" for name, value in self._env.items()]
        flags = ["--rm", "--interactive", "--tty", *_flags(options)]
        return ["env", "-i", *settings, "podman", "run", *flags, tag(image), *words]

    def start(
        self, image: str, words: Sequence[str], options: Options
    ) -> "PodmanContainer":
        """Start a container in the background."""
        name = uuid.uuid4().hex
        flags = ["--detach", "--name", name, *_flags(options)]
        container = PodmanContainer(self, name)
        made = self.try_("run", *flags, tag(image), *words)
        if made.returncode:
            container.remove()
        assert made.returncode == 0, made.stderr
        return container

    def call(self, *words: str) -> Result:
        """Have podman do something that must succeed."""
        made = self.try_(*words)
        assert made.returncode == 0, made.stderr
        return made

    def end(self) -> None:
        """Remove all that there is; what is left is in the folder."""
        if (self._folder / "storage.conf").exists():
            self.try_("rm", "--all", "--force", "--time=0")
            self.try_("umount", "--all")
        for place in ("root/overlay", "root"):  # bind mounts of podman's own
            with contextlib.suppress(OSError):
                if os.path.ismount(self._folder / place):
                    subprocess.run(["umount", self._folder / place], check=False)
        shutil.rmtree(self._folder / "root", ignore_errors=True)
        shutil.rmtree(self._folder / "run", ignore_errors=True)

    def try_(self, *words: str, data: str = "") -> Result:
        """Have podman do something that may fail."""
        return subprocess.run(
            ["podman", *words],
            input=data,
            capture_output=True,
            text=True,
            env=self._env,
            timeout=LIMIT_S,
            check=False,
        )

    def _configure(self, driver: str, runtime: str) -> None:
        limits = []
        for name, number in RESOURCES:
            hard = resource.getrlimit(number)[1]
            limit = LIMIT if hard == resource.RLIM_INFINITY else min(LIMIT, hard)
            limits.append(f'"{name}={limit}:{limit}"')
        folder = self._folder
        (folder / "tmp").mkdir(exist_ok=True)
        (folder / "containers.conf").write_text(
            CONTAINERS.format(limits=", ".join(limits), runtime=runtime, folder=folder)
        )
        (folder / "storage.conf").write_text(
            STORAGE.format(driver=driver, folder=folder)
        )


class PodmanContainer:
    """A container by its name."""

    def __init__(self, podman: Podman, name: str) -> None:
        self._podman = podman
        self.name = name

    def logs(self) -> Said:
        """Give what it has written so far."""
        said = self._podman.call("logs", self.name)
        return Said(said.stdout, said.stderr)

    def execute(self, *words: str, user: str = "") -> Result:
        """Run a program in it."""
        flags = ["--user", user] if user else []
        return self._podman.try_("exec", *flags, self.name, *words)

    def stop(self, patience_s: int) -> Result:
        """Send TERM, and KILL when that does not help in time."""
        return self._podman.call("stop", "--time", str(patience_s), self.name)

    def kill(self, signal: str) -> None:
        """Send a signal to its process 1."""
        self._podman.call("kill", "--signal", signal, self.name)

    def start(self) -> None:
        """Start it once more after it has ended."""
        self._podman.call("start", self.name)

    def running(self) -> bool:
        """Tell whether it has not ended."""
        return self._inspect("{{.State.Running}}") == "true"

    def exit_code(self) -> int:
        """Give the exit code of its process 1, after its end."""
        wait_until(lambda: not self.running(), "the end of the container")
        return int(self._inspect("{{.State.ExitCode}}"))

    def remove(self) -> None:
        """Remove it, killed if need be."""
        self._podman.call("rm", "--force", "--ignore", "--time=0", self.name)

    def _inspect(self, form: str) -> str:
        return self._podman.call("inspect", "--format", form, self.name).stdout.strip()


def _flags(options: Options) -> list[str]:
    flags = [f"--env={name}={value}" for name, value in options.env.items()]
    flags += [f"--volume={here}:{there}" for here, there in options.volumes.items()]
    flags += [f"--tmpfs={place}" for place in options.tmpfs]
    if options.read_only:
        flags += ["--read-only", "--read-only-tmpfs=false"]
    if options.init:
        flags.append("--init")
    for name in ("user", "workdir", "entrypoint"):
        if value := getattr(options, name):
            flags.append(f"--{name}={value}")
    return flags
