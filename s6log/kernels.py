"""The parts in C, which may be missing: not built, or S6LOG_KERNEL=no."""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

KERNEL_VARIABLE = b"S6LOG_KERNEL"


def scan() -> "ModuleType | None":
    """Give the inner loops of the selection, or None."""
    return _load("_scan")


def objects() -> "ModuleType | None":
    """Give what renders tagged lines and JSON, or None."""
    return _load("_objects")


def lines() -> "ModuleType | None":
    """Give what looks at blocks of lines, or None."""
    return _load("_lines")


def _load(name: str) -> "ModuleType | None":
    if os.environb.get(KERNEL_VARIABLE) == b"no":
        return None
    try:
        # importlib would cost as much time as the module.
        return __import__(f"s6log.stream.{name}", fromlist=[name])
    except ImportError:
        return None
