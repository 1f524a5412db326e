"""The root file system of the images in tests/container/: Debian, as a tar file.

Made by debootstrap, once on each machine, and kept in a cache outside of the
checkout. Run as a program, it makes the file and says where it is.
"""

import contextlib
import fcntl
import hashlib
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

PACKAGES = (
    "cron",
    "execline",
    "nginx-light",
    "php-fpm",
    "procps",
    "python3",
    "rsyslog",
)
LEFT_OUT = (
    "./dev/*",
    "./proc/*",
    "./sys/*",
    "./run/*",
    "./tmp/*",
    "./usr/share/doc/*",
    "./usr/share/locale/*",
    "./usr/share/man/*",
    "./var/cache/apt/*",
    "./var/lib/apt/lists/*",
    "./var/log/*.log",
)
OPTIONS = re.compile(r"\[[^]]*\]")  # in a line of sources.list
LIMIT_S = 600
TMPFS_KIB = 1 << 21  # of free memory: then packages are unpacked there
MAKE = """\
set -e
if [ "$TMPFS" ]; then mount -t tmpfs -o mode=755 tmpfs "$1"; fi
debootstrap --variant=minbase --include="$PACKAGES" "$SUITE" "$1/root" "$MIRROR"
tar -C "$1/root" --exclude-from="$2.without" -cf "$2" .
"""
"""In a mount namespace of its own. In memory it takes half the time: dpkg syncs."""


class Unavailable(Exception):
    """There is no root file system, for the reason that it tells."""


def get() -> Path:
    """Give the tar file, made now if there is none yet. Raise Unavailable."""
    suite, mirror = _archive()
    words = "\n".join((suite, mirror, *PACKAGES, *LEFT_OUT, MAKE))
    key = hashlib.sha256(words.encode()).hexdigest()[:12]
    folder = cache()
    made = folder / f"rootfs-{key}.tar"
    if not made.exists():
        _check()
        folder.mkdir(parents=True, exist_ok=True)
        with _turn(folder / "lock"):
            if not made.exists():  # another may have made it meanwhile
                _make(made, suite, mirror)
    return made


def cache() -> Path:
    """Give the folder of what is kept from one run of the tests to the next."""
    home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(home).expanduser() / "s6log-tests"


def _check() -> None:
    if os.geteuid() != 0:
        raise Unavailable("only root can make a root file system")
    for program in ("debootstrap", "unshare"):
        if shutil.which(program) is None:
            raise Unavailable(f"{program} is not installed")


@contextlib.contextmanager
def _turn(lock: Path) -> Iterator[None]:
    fd = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def _make(made: Path, suite: str, mirror: str) -> None:
    for old in made.parent.glob("rootfs-*"):
        old.unlink()
    place, tar = made.parent / "unpacked", made.with_suffix(".new")
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    without = made.with_suffix(".new.without")
    without.write_text("".join(f"{name}\n" for name in LEFT_OUT))
    settings = {
        "PACKAGES": ",".join(PACKAGES),
        "SUITE": suite,
        "MIRROR": mirror,
        "TMPFS": "yes" if free_kib() > TMPFS_KIB else "",
    }
    words = ["unshare", "--mount", "sh", "-c", MAKE, "sh", str(place), str(tar)]
    log = made.parent / "rootfs.log"
    try:
        with log.open("wb") as output:
            subprocess.run(
                words,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, **settings},
                timeout=LIMIT_S,
                check=True,
            )
    except (OSError, subprocess.SubprocessError) as error:
        last = log.read_text(errors="replace").splitlines()[-1:]
        told = shlex.quote(" ".join(last))
        raise Unavailable(f"debootstrap failed, see {log}: {told}") from error
    finally:
        shutil.rmtree(place, ignore_errors=True)
        without.unlink()
    tar.rename(made)


def free_kib() -> int:
    """Give how much memory is there for the taking."""
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1])
    return 0


def _archive() -> tuple[str, str]:
    """Give the name of this machine's release and the archive it comes from."""
    suite = _release()
    for address, suites, components in _sources():
        if suite in suites and "main" in components:
            return suite, address
    raise Unavailable("apt's sources name no archive of this machine's release")


def _release() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/etc/os-release").read_text().splitlines():
            name, _, value = line.partition("=")
            if name == "VERSION_CODENAME":
                return value.strip('"')
    raise Unavailable("this machine does not say which release of Debian it has")


def _sources() -> Iterator[tuple[str, list[str], list[str]]]:
    """Give address, suites and components of each source (sources.list(5))."""
    folder = Path("/etc/apt")
    for path in sorted(folder.glob("sources.list.d/*.sources")):
        for stanza in path.read_text().split("\n\n"):
            fields = {
                name: value.split()
                for name, _, value in (
                    line.partition(":") for line in stanza.split("\n")
                )
            }
            for address in fields.get("URIs", ()):
                yield address, fields.get("Suites", []), fields.get("Components", [])
    for path in sorted(folder.glob("sources.list.d/*.list")):
        yield from _lines_of(path)
    if (folder / "sources.list").is_file():
        yield from _lines_of(folder / "sources.list")


def _lines_of(path: Path) -> Iterator[tuple[str, list[str], list[str]]]:
    for line in path.read_text().splitlines():
        words = OPTIONS.sub(" ", line).split()
        if len(words) > 3 and words[0] == "deb":
            yield words[1], [words[2]], words[3:]


def main() -> int:
    """Make it, and print its path; exit 111 with the reason where that fails."""
    try:
        sys.stdout.write(f"{get()}\n")
    except Unavailable as reason:
        sys.stderr.write(f"rootfs: fatal: {reason}\n")
        return 111
    return 0


if __name__ == "__main__":
    sys.exit(main())
