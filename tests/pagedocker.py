"""`docker` for those who follow a page: podman, without a network or a registry.

Images of pages are made from stand-ins, which have what a Containerfile would fetch.
"""

import re
import shlex

from engines import Options, Unusable, tag
from pages import CHECKOUT, Block
from podman import Podman
from workshop import Workshop

STAND_INS = {"slim": ("localhost/python:3-slim", "localhost/python:3")}
"""Images of fixtures/images, and what they stand for in a Containerfile."""

NAMED = re.compile(r"^\$ (?:.*\|\s*)?docker ", re.MULTILINE)
"""A command of a session that is for docker."""

SCRIPT = r"""
# It says nothing of ids and layers, which are not to be read; ports are for somebody
# outside.
case $1 in
build)
    shift
    {podman} build --quiet --network=none --pull=never "$@" >/dev/null ;;
run)
    shift
    detached= port=
    for word; do
        shift
        case $word$port in
        -p) port=-p ;;
        *-p) port= ;;
        -d) detached=yes; set -- "$@" -d ;;
        --read-only) set -- "$@" --read-only --read-only-tmpfs=false ;;
        *) set -- "$@" "$word" ;;
        esac
    done
    if [ "$detached" ]; then exec >/dev/null; fi
    {podman} run --label={label} "$@" ;;
*) {podman} "$@" ;;
esac
"""

GIT = """
# git clone PLACE FOLDER: of this project, what is looked for in an image.
[ "$#" = 3 ] && [ "$1" = clone ] && [ "$2" = "$HOME/s6log" ] && mkdir "$3" &&
    cp {project} "$3"
"""


class Docker:
    """The engine of this run of the tests, as pages know it."""

    def __init__(self, workshop: Workshop) -> None:
        """Make the stand-ins. Raise Unusable."""
        if not isinstance(workshop.engine, Podman):
            raise Unusable(f"{workshop.engine.name} does not take docker's commands")
        self._engine = workshop.engine
        self.names = workshop.names
        for name, known in STAND_INS.items():
            workshop.image(name)
            self._engine.call("tag", tag(name), *known)

    def script(self, label: str) -> str:
        """Give a program for sh; the containers that it starts have a label."""
        words = self._engine.words("", (), Options())
        podman = words[: words.index("podman") + 1]
        return SCRIPT.format(podman=shlex.join(podman), label=label)

    def remove(self, label: str) -> None:
        """Remove the containers with a label."""
        asked = self._engine.call("ps", "--all", "--quiet", f"--filter=label={label}")
        for container in asked.stdout.split():
            self._engine.call("rm", "--force", "--time=0", container)


def git() -> str:
    """Give a program for sh, by which this project gets into the folder of an image."""
    return GIT.format(project=shlex.quote(str(CHECKOUT / "pyproject.toml")))


def is_for_docker(block: Block) -> bool:
    """Tell whether a block has a command for docker."""
    return block.language == "console" and NAMED.search(block.text) is not None
