"""The parts in C, which may be missing: not built, or S6LOG_KERNEL=no."""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

KERNEL_VARIABLE = b"S6LOG_KERNEL"


def scanning() -> "ModuleType | None":
    """Give the inner loops of the selection, or None."""
    if _unwanted():
        return None
    try:
        from s6log.stream import _scan
    except ImportError:
        return None
    return _scan


def forming() -> "ModuleType | None":
    """Give what renders tagged lines and JSON, or None."""
    if _unwanted():
        return None
    try:
        from s6log.stream import _objects
    except ImportError:
        return None
    return _objects


def looking() -> "ModuleType | None":
    """Give what looks at blocks of lines, or None."""
    if _unwanted():
        return None
    try:
        from s6log.stream import _lines
    except ImportError:
        return None
    return _lines


def _unwanted() -> bool:
    return os.environb.get(KERNEL_VARIABLE) == b"no"
