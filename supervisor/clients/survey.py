"""Looks at everything in a scan directory: reports of services and their loggers.

It only reads files of the service directories, so those that s6 supervises are as
good as ours, and no supervisor has to answer. Locks are looked at by `asking`.
"""

import os

from s6log.unix.messages import REFUSED, Fatal, reason
from s6log.unix.spawn import DIRECTORY
from supervisor.clients import asking
from supervisor.clients.reports import Report
from supervisor.clients.viewing import view
from supervisor.service.definition import Definition
from supervisor.service.directory import Directory
from supervisor.service.tally import DEFAULT_MOST, RECORD_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

CONTROL = b"/.s6-svscan"


def is_scan_directory(directory: bytes) -> bool:
    """Tell a scan directory from a service directory, neither of which may be run.

    s6-svscan leaves `.s6-svscan` in the one, the other has a file `run`, or
    s6-supervise has left a file `supervise/lock`; a directory that holds such
    directories is taken for a scan directory too.
    """
    if os.path.isdir(directory + CONTROL):
        return True
    if _is_service(directory) or not os.path.isdir(directory):
        return False
    return any(_is_service(path) for path in _entries(directory))


def _is_service(directory: bytes) -> bool:
    # Files, since a service may be called run or supervise.
    return any(
        os.path.isfile(directory + name) for name in (b"/run", b"/supervise/lock")
    )


def look(directories: "Sequence[bytes]", now_ns: int) -> list[Report]:
    """Report on each service of scan directories, and on each service directory.

    In order, those of a scan directory by name. They are called by the path that
    leads to them, those of a single scan directory by their names. Raises Fatal.
    """
    found = []
    for directory in directories:
        if not is_scan_directory(directory):
            found.append(report(directory, directory, now_ns))
            continue
        for path in _entries(directory):
            name = path if len(directories) > 1 else os.path.basename(path)
            found.append(report(path, name, now_ns))
    return found


def abandoned(directories: "Sequence[bytes]") -> list[bytes]:
    """List the scan directories that had an s6-svscan which is gone."""
    return [directory for directory in directories if not _scanned(directory)]


def _scanned(directory: bytes) -> bool:
    lock = directory + CONTROL + b"/lock"
    try:
        os.stat(lock)
        return asking.locked(lock)
    except OSError:
        return True  # never had one, or one may not know


def _entries(directory: bytes) -> list[bytes]:
    """List what s6-svscan takes for services: directories, links to such."""
    try:
        with os.scandir(directory) as found:
            names = [entry.name for entry in found if _counts(entry)]
    except OSError as error:
        raise Fatal(REFUSED, b"unable to read " + directory, error) from error
    return [directory + b"/" + name for name in sorted(names)]


def _counts(entry: "os.DirEntry[bytes]") -> bool:
    return not entry.name.startswith(b".") and entry.is_dir()


def report(directory: bytes, name: bytes, now_ns: int) -> Report:
    """Report on one service and its logger, whatever may be wrong with them."""
    service = _report(directory, name, now_ns)
    log = directory + b"/log"
    if os.path.isdir(log):
        service.logger = _report(log, name + b"/log", now_ns)
    return service


def _report(directory: bytes, name: bytes, now_ns: int) -> Report:
    try:
        service = Report(name, view(directory, now_ns))
    except Fatal as failure:
        error = failure.error
        why = f"unknown: {reason(error).decode()}" if error else "not supervised"
        return Report(name, None, why)
    _add_details(service, directory)
    return service


def _add_details(service: Report, directory: bytes) -> None:
    """Find out what is not in the status; what cannot be read is left out."""
    try:
        fd = os.open(directory, DIRECTORY)
    except OSError:
        return  # it has gone away since
    try:
        files = Definition(Directory(fd), _ignore)
        most = files.number("max-death-tally")
        service.notifies = files.has("notification-fd")
    finally:
        os.close(fd)
    service.most = DEFAULT_MOST if most is None else most
    service.deaths = _deaths(directory)


def _deaths(directory: bytes) -> int:
    try:
        size = os.stat(directory + b"/supervise/death_tally").st_size
    except OSError:
        return 0
    return size // RECORD_BYTES if size % RECORD_BYTES == 0 else 0


def _ignore(_text: bytes, _error: OSError | None) -> None:
    """Leave warnings of malformed files to the supervisor."""
