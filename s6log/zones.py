"""Local time in a zone that has a name, whatever zone the process is in."""

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import tzinfo

    LocalTime = Callable[[float], time.struct_time]

UTC = (b"UTC", b"GMT", b"Z")


# What dateutil reads of the values of TZ (POSIX, Base Definitions 8.3): alone it takes
# nearly any text, and would call `Europe/Berlin1` a zone.
_CLOCK = r"(?:[01]?\d|2[0-3])(?::[0-5]\d){0,2}"
_DAY = rf",M(?:[1-9]|1[0-2])\.[1-5]\.[0-6](?:/{_CLOCK})?"
_SUMMER = rf"[A-Za-z]{{3,15}}(?:[+-]?{_CLOCK})?(?:{_DAY}{_DAY})?"
_TZ = rf"[A-Za-z]{{3,15}}[+-]?{_CLOCK}(?:{_SUMMER})?"


def localtime_of(zone: bytes) -> "LocalTime":
    """Give what time.localtime would be in a zone; b"" is that of the process.

    A zone is UTC, a name from the IANA database or, where dateutil is installed, the
    value of a TZ variable, such as `CET-1CEST,M3.5.0,M10.5.0/3`. Raises LookupError
    for all else. The function given raises OverflowError or OSError for an instant that
    has no date, as time.localtime does.
    """
    if not zone:
        return time.localtime
    if zone in UTC:
        return time.gmtime
    try:
        name = zone.decode()
    except UnicodeDecodeError:
        raise LookupError("the name of a zone is UTF-8") from None
    found = _named(name) or _described(name)
    if found is None:
        raise LookupError("no zone has this name")
    return _localtime_in(found)


def _named(name: str) -> "tzinfo | None":
    import zoneinfo

    # ValueError: a NUL, no relative path, or a file of another sort; OSError: a
    # folder, or too long.
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _described(name: str) -> "tzinfo | None":
    import re

    if re.fullmatch(_TZ, name, re.ASCII) is None:
        return None
    try:
        from dateutil import tz  # type: ignore[import-untyped]  # it has no types
    except ImportError:
        return None
    # Not tz.gettz: that looks for files first. The sign is that of POSIX, whatever
    # the letters are (UTC+3 is west of Greenwich).
    try:
        zone: tzinfo = tz.tzstr(name, posix_offset=True)
    except ValueError:
        return None
    return zone


def _localtime_in(zone: "tzinfo") -> "LocalTime":
    from datetime import datetime

    def localtime(second: float) -> time.struct_time:
        try:
            date = datetime.fromtimestamp(second, zone)
        except ValueError as error:  # the year, and time.localtime says so
            raise OverflowError(str(error)) from None
        offset = date.utcoffset()
        east = 0 if offset is None else int(offset.total_seconds())
        return time.struct_time((*date.timetuple()[:9], date.tzname(), east))

    return localtime
