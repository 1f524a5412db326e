"""`s6-init --install`: what an image needs to reach our programs."""

import os
from pathlib import Path

from harness import Stage, ours, run

FOLDER = Path(ours("s6-init").argv[0]).parent


def install(*arguments: str | Path) -> tuple[int, str]:
    """Run it; give the exit code and what it says."""
    words = ["--install", *map(str, arguments)]
    done = run(ours("s6-init"), words, b"", Stage(Path("/")))
    return done.code, done.err.decode()


def test_all_programs_are_reached(tmp_path: Path) -> None:
    """As /init, in /command, and in /usr/bin where the older s6-overlay had them."""
    assert install(tmp_path)[0] == 0
    assert os.readlink(tmp_path / "init") == str(FOLDER / "s6-init")
    for name in ("with-contenv", "s6-svc", "s6-log", "logutil-service", "s6-setuidgid"):
        for folder in ("command", "usr/bin"):
            assert os.readlink(tmp_path / folder / name) == str(FOLDER / name)
    assert not (tmp_path / "usr/bin/halt").is_symlink()
    assert (tmp_path / "command/execlineb").exists()
    assert (tmp_path / "usr/bin/s6-test").resolve().name == "eltest"
    assert (tmp_path / "usr/bin/execlineb").exists()


def test_it_can_be_done_again(tmp_path: Path) -> None:
    """Also over links that lead elsewhere by now."""
    assert install(tmp_path)[0] == 0
    (tmp_path / "init").unlink()
    (tmp_path / "init").symlink_to("/nowhere")
    before = {path: os.readlink(path) for path in (tmp_path / "command").iterdir()}
    assert install(tmp_path)[0] == 0
    assert os.readlink(tmp_path / "init") == str(FOLDER / "s6-init")
    assert {
        path: os.readlink(path) for path in (tmp_path / "command").iterdir()
    } == before


def test_what_others_have_in_usr_bin_is_theirs(tmp_path: Path) -> None:
    """Such as the programs of the distribution's s6."""
    (tmp_path / "usr/bin").mkdir(parents=True)
    (tmp_path / "usr/bin/s6-svc").write_text("theirs")
    (tmp_path / "usr/bin/s6-log").symlink_to("/opt/s6-log")
    assert install(tmp_path)[0] == 0
    assert (tmp_path / "usr/bin/s6-svc").read_text() == "theirs"
    assert os.readlink(tmp_path / "usr/bin/s6-log") == "/opt/s6-log"


def test_what_is_in_the_way(tmp_path: Path) -> None:
    """Is named."""
    (tmp_path / "init").write_text("another")
    code, said = install(tmp_path)
    assert code == 111
    assert f"s6-init: fatal: unable to install {tmp_path}/init: File exists\n" in said
    assert "remove what is there" in said
    code, said = install(tmp_path, "another")
    assert code == 100
    assert said == "s6-init: fatal: --install takes one directory at most\n"
