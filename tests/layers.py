"""Images as folders of layers, for containers without an engine that builds them.

Made from the few instructions that the Containerfiles of the tests need, each of
which is carried out in an overlay whose mounts vanish with it.
"""

import json
import re
import shlex
import subprocess
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from engines import ROOTFS, Options, tag

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
VARIABLE = re.compile(r"\$\{(\w+)\}")
CONTINUED = re.compile(r"\\\n")
PRIVATE = ("setpriv", "--pdeathsig=KILL", "unshare", "--mount", "--propagation=private")
"""Mounts are seen by nobody else; it all ends with the tests (prctl(2))."""

BUILDING = (*PRIVATE, "--fork", "--kill-child=KILL", "--pid", "--net")
OVERLAY = """\
set -e
cd {place}
mount -t overlay overlay -o lowerdir={lower},upperdir=upper,workdir=work merged
"""
SYSTEM = """\
mount -t proc proc merged/proc
mount -t tmpfs -o mode=755 tmpfs merged/dev
for name in null zero full random urandom tty; do
    : > merged/dev/$name
    mount --bind /dev/$name merged/dev/$name
done
ln -s /proc/self/fd merged/dev/fd
ln -s fd/0 merged/dev/stdin
ln -s fd/1 merged/dev/stdout
ln -s fd/2 merged/dev/stderr
"""
"""What else a root directory has when programs run in it."""


@dataclass(frozen=True)
class Image:
    """An image: its layers, the uppermost first, and how it is run."""

    layers: Sequence[str]
    env: dict[str, str] = field(default_factory=lambda: {"PATH": PATH})
    entrypoint: Sequence[str] = ()
    command: Sequence[str] = ()
    workdir: str = "/"
    user: str = "0:0"

    def argv(self, words: Sequence[str], options: Options) -> list[str]:
        """Give what process 1 is."""
        first = [options.entrypoint] if options.entrypoint else self.entrypoint
        return [*first, *(words or self.command)]

    def variables(self, options: Options) -> dict[str, str]:
        """Give the environment of process 1."""
        return {"HOME": "/root", **self.env, **options.env}

    def ids(self, options: Options) -> tuple[int, int]:
        """Give the user and the group of process 1, which have no names here."""
        user, _, group = (options.user or self.user).partition(":")
        return int(user), int(group or 0)


class Images:
    """All images in a folder, which may be shared with other processes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def unpack(self, rootfs: Path) -> None:
        """Make the image ROOTFS of a tar file."""
        layer = self._folder / "rootfs"
        if not layer.exists():
            layer.mkdir()
            subprocess.run(["tar", "-xf", rootfs, "-C", layer], check=True)
        self._save(ROOTFS, Image([str(layer)]))

    def build(self, name: str, context: Path) -> None:
        """Make an image of a folder with a Containerfile."""
        text = CONTINUED.sub("", (context / "Containerfile").read_text())
        arguments: dict[str, str] = {}
        image = Image([])
        for line in text.splitlines():
            word, _, rest = line.partition(" ")
            rest = VARIABLE.sub(lambda match: arguments[match[1]], rest.strip())
            if word == "ARG":
                key, _, value = rest.partition("=")
                arguments[key] = value
            elif word == "FROM":
                image = self.load(rest)
            elif word in ("COPY", "RUN"):
                image = self._layer(image, _script(word, rest, context))
            elif word and not word.startswith("#"):
                image = _changed(image, word, rest)
        self._save(tag(name), image)

    def load(self, image: str) -> Image:
        """Give an image by its name."""
        return Image(**json.loads(self._file(tag(image)).read_text()))

    def place(self) -> Path:
        """Make the folder of a layer, or of a container, to be mounted in."""
        place = self._folder / uuid.uuid4().hex
        for name in ("upper", "work", "merged"):
            (place / name).mkdir(parents=True)
        return place

    def _file(self, image: str) -> Path:
        return self._folder / (image.replace("/", "-") + ".json")

    def _save(self, image: str, made: Image) -> None:
        self._file(image).write_text(json.dumps(vars(made)))

    def _layer(self, image: Image, script: str) -> Image:
        """Put what a script changes in `merged` on top of an image."""
        place = self.place()
        words = [*BUILDING, "sh", "-c", mounting(place, image) + SYSTEM + script]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return replace(image, layers=[str(place / "upper"), *image.layers])


def mounting(place: Path, image: Image) -> str:
    """Give the script that mounts an image on `merged`, and goes to its folder."""
    return OVERLAY.format(place=place, lower=":".join(image.layers))


def _script(word: str, rest: str, context: Path) -> str:
    if word == "RUN":
        return f"chroot merged env -i PATH={PATH} sh -c {shlex.quote(rest)}\n"
    here, there = rest.split()
    return f"mkdir -p merged/{there}; cp -a {context}/{here}/. merged/{there}\n"


def _changed(image: Image, word: str, rest: str) -> Image:
    """Give an image as one instruction makes it that touches no files."""
    if word == "ENV":
        variables = dict(setting.split("=", 1) for setting in shlex.split(rest))
        return replace(image, env={**image.env, **variables})
    if word == "ENTRYPOINT":
        return replace(image, entrypoint=json.loads(rest), command=[])
    if word == "CMD":
        return replace(image, command=json.loads(rest))
    if word == "WORKDIR":
        return replace(image, workdir=rest)
    assert word == "USER", f"{word} is not known here"
    return replace(image, user=rest)
