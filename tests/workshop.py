"""Where tests get an engine and images from: made once, shared by all workers.

A folder for each run of the tests has the engine's storage. Whoever uses it holds a
lock, so that the last one cleans up, and the next run what a killed one has left.
"""

import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import rootfs
import s6log
import supervisor
from bundles import Runc
from engines import IMAGES, Engine, Unusable
from namespaces import Namespaces
from podman import Podman
from s6log.__main__ import PROGRAMS

PREFIX = "s6log-test-"
STORE = "store"
FLAGS = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
ENGINES: dict[str, Callable[[Path], Engine]] = {
    "podman": Podman,
    "runc": Runc,
    "namespaces": Namespaces,
}
CHOSEN = "S6LOG_TEST_ENGINE"  # a variable: only this one is tried


class Workshop:
    """An engine, and the images that were built with it."""

    def __init__(self, folder: Path, wanted: str) -> None:
        self._folder = folder
        self._wanted = [wanted] if wanted else list(ENGINES)
        self.engine = self._find_engine()

    def image(self, name: str) -> str:
        """Give the name of an image of fixtures/images, built if it is not yet."""
        with _turn(self._folder):
            self._build(name, IMAGES / name)
        return name

    def _build(self, name: str, context: Path) -> None:
        mark = self._folder / f"built-{name}"
        if not mark.exists():
            self.engine.build(name, context)
            mark.touch()

    def _find_engine(self) -> Engine:
        chosen, refused = self._folder / "engine", self._folder / "refused"
        with _turn(self._folder):
            if refused.exists():
                raise Unusable(refused.read_text())
            if chosen.exists():
                return ENGINES[chosen.read_text()](self._folder / STORE)
            try:
                engine = self._choose()
            except Unusable as reason:
                refused.write_text(str(reason))
                raise
            chosen.write_text(engine.name)
            self.engine = engine
            self._build_base()
        return engine

    def _choose(self) -> Engine:
        if os.geteuid() != 0:
            raise Unusable("this needs root")
        try:
            tar = rootfs.get()
        except rootfs.Unavailable as reason:
            raise Unusable(str(reason)) from reason
        store = self._folder / STORE
        store.mkdir()
        if rootfs.free_kib() > rootfs.TMPFS_KIB:
            # Twice as fast, and gone at once. If it cannot be, the disk will do.
            words = ["mount", "-t", "tmpfs", "-o", "mode=711", "tmpfs", str(store)]
            subprocess.run(words, capture_output=True, check=False)
        reasons = []
        for name in self._wanted:
            engine = ENGINES[name](self._folder / STORE)
            try:
                engine.prepare(tar)
            except Unusable as reason:
                reasons.append(str(reason))
            else:
                return engine
        raise Unusable("; ".join(reasons))

    def _build_base(self) -> None:
        """Put what is installed beside this Python into an image."""
        context = self._folder / "base"
        programs = context / "programs"
        without = shutil.ignore_patterns("__pycache__")
        for package in (s6log, supervisor):
            (source,) = package.__path__
            place = programs / "packages" / package.__name__
            shutil.copytree(source, place, ignore=without)
        (programs / "bin").mkdir()
        for name in PROGRAMS:
            shutil.copy(Path(sys.executable).with_name(name), programs / "bin")
        shutil.copy(IMAGES / "base" / "Containerfile", context)
        self._build("base", context)

    @contextlib.contextmanager
    def names(self) -> Iterator[None]:
        """Be the only one who gives names to images and containers for a while."""
        with _turn(self._folder, "names"):
            yield


@contextlib.contextmanager
def opened(wanted: str = "") -> Iterator[Workshop]:
    """Give the workshop of this run of the tests; with this engine. Raise Unusable."""
    _sweep()
    wanted = wanted or os.environ.get(CHOSEN, "")
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID") or uuid.uuid4().hex
    # Podman wants less than 50 characters for the folders that it makes in there.
    folder = Path(tempfile.gettempdir()) / f"{PREFIX}{run[:8]}{wanted[:1]}"
    users = _enter(folder)
    try:
        yield Workshop(folder, wanted)
    finally:
        _leave(folder, users)


def _enter(folder: Path) -> int:
    """Come in; give a descriptor whose lock says that somebody is there."""
    while True:
        folder.mkdir(mode=0o711, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):  # swept away in between
            users = os.open(folder / "users", FLAGS, 0o600)
            fcntl.flock(users, fcntl.LOCK_SH)
            if _belongs(users, folder):
                return users
            os.close(users)


def _leave(folder: Path, users: int) -> None:
    """Clean up, unless others are still there."""
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if _belongs(users, folder):
            _clear(folder)
    except BlockingIOError:
        pass
    finally:
        os.close(users)


def _belongs(users: int, folder: Path) -> bool:
    """Tell whether a lock is that of a folder, not of one that is gone."""
    try:
        return os.path.samestat(os.fstat(users), os.stat(folder / "users"))
    except FileNotFoundError:
        return False


def _clear(folder: Path) -> None:
    for make in ENGINES.values():
        make(folder / STORE).end()
    if os.path.ismount(folder / STORE):
        subprocess.run(["umount", "--lazy", str(folder / STORE)], check=True)
    # Whoever comes now makes a new one.
    shutil.rmtree(folder.rename(f"{folder}-old"))


def _sweep() -> None:
    """Clean up after runs of the tests that were killed."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        try:
            users = os.open(folder / "users", os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        _leave(folder, users)


@contextlib.contextmanager
def _turn(folder: Path, name: str = "turn") -> Iterator[None]:
    fd = os.open(folder / name, FLAGS, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)
