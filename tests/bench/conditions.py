"""The machine and the programs a report was made with."""

import os
import platform
from pathlib import Path
from subprocess import run

DEBIAN_PACKAGE = ("dpkg-query", "-W", "-f", "${Package} ${Version}", "s6")


def conditions(scratch: Path, ours: tuple[str, ...]) -> str:
    """Describe both as a Markdown list, one fact a line."""
    load = " ".join(f"{value:.2f}" for value in os.getloadavg())
    facts = (
        f"CPU: {cpu_model()}, {os.cpu_count()} logical",
        f"kernel: {platform.system()} {platform.release()} {platform.machine()}",
        f"Python: {platform.python_version()} ({platform.python_compiler()})",
        f"load average at the start: {load}",
        f"files on: {filesystem(scratch)}",
        f"s6-log: {output(DEBIAN_PACKAGE)}",
        f"ours: {output((*ours, '--version'))}",
    )
    return "".join(f"- {fact}\n" for fact in facts)


def output(command: tuple[str, ...]) -> str:
    """Run a command for its output, on one line; "unknown" if there is none."""
    try:
        ended = run(command, check=False, capture_output=True, text=True)
    except FileNotFoundError:
        return "unknown"
    return "; ".join(ended.stdout.splitlines()) or "unknown"


def cpu_model() -> str:
    """Read the CPU's name as the kernel gives it, if it does."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()


def filesystem(path: Path) -> str:
    """Name the type of the filesystem that holds a path, from mountinfo."""
    best, kind = "", "unknown"
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, mountpoint, fstype, *_ = line.split()
        if path.is_relative_to(mountpoint) and len(mountpoint) >= len(best):
            best, kind = mountpoint, fstype
    return f"{kind} at {best}"
