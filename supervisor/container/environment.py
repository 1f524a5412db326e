"""The variables of a container on file: one file a variable, named as it is.

What s6-init writes there, scripts of cont-init.d may add to and change. A file's
whole content is the value, but for one newline at its end; an empty file removes
the variable. Names with `=`, and those that begin with a dot, are no variables.
"""

import errno
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

CONTAINER_ENVIRONMENT = b"/run/s6/container_environment"
KEEP = b"S6_KEEP_ENV"
PATH = b"PATH"
SERVICE = b"S6_SERVICE"  # what a service is called: its supervisor's to say
DIRECTORY_MODE = 0o755
FILE_MODE = 0o644
OPEN = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC


def write(directory: bytes, environment: "Mapping[bytes, bytes]") -> list[bytes]:
    """Write variables as files; give the names that no file can have. OSError.

    Other files in the directory, which is made if need be, stay as they are.
    """
    os.makedirs(directory, exist_ok=True)
    os.chmod(directory, DIRECTORY_MODE)
    left_out = []
    for name, value in environment.items():
        if not _is_variable(name):
            left_out.append(name)
            continue
        try:
            _write_file(directory + b"/" + name, value)
        except OSError as error:
            if error.errno != errno.ENAMETOOLONG:
                raise
            left_out.append(name)
    return left_out


def read(directory: bytes) -> dict[bytes, bytes | None]:
    """Read all variables; None for those to be removed. OSError."""
    variables = {}
    for name in os.listdir(directory):
        if _is_variable(name):
            try:
                variables[name] = read_file(directory + b"/" + name)
            except FileNotFoundError:
                pass  # it has been taken away meanwhile
    return variables


def read_file(path: bytes) -> bytes | None:
    """Read one variable; None if it is to be removed. OSError.

    A NUL, which no variable can have, becomes a newline, as with s6-envdir.
    """
    with open(path, "rb", buffering=0) as file:
        content = file.readall()
    return content.removesuffix(b"\n").replace(b"\0", b"\n") if content else None


def contained(
    own: "Mapping[bytes, bytes]", directory: bytes = CONTAINER_ENVIRONMENT
) -> dict[bytes, bytes]:
    """Give the container's variables to a process that has its `own`. OSError.

    Of these there remain S6_SERVICE, and PATH where no file has another; or all,
    and nothing is read, if they say so.
    """
    if keeps(own):
        return dict(own)
    variables: dict[bytes, bytes | None] = {PATH: own.get(PATH), **read(directory)}
    if SERVICE in own:
        variables[SERVICE] = own[SERVICE]
    return {name: value for name, value in variables.items() if value is not None}


def variable(
    own: "Mapping[bytes, bytes]",
    name: bytes,
    directory: bytes = CONTAINER_ENVIRONMENT,
) -> bytes | None:
    """Give one of the variables that `contained` would, or None. OSError."""
    if keeps(own):
        return own.get(name)
    if not _is_variable(name):
        return None
    try:
        return read_file(directory + b"/" + name)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        return None


def keeps(own: "Mapping[bytes, bytes]") -> bool:
    """Tell whether processes have the container's variables anyway (S6_KEEP_ENV)."""
    number = own.get(KEEP, b"")
    return number.isdigit() and bool(number.strip(b"0"))


def _is_variable(name: bytes) -> bool:
    return name[:1] not in (b"", b".") and b"=" not in name and b"/" not in name


def _write_file(path: bytes, value: bytes) -> None:
    # The newline that reading takes away; without it an empty value is no value.
    ending = b"\n" if not value or value.endswith(b"\n") else b""
    with open(os.open(path, OPEN, FILE_MODE), "wb") as file:
        os.fchmod(file.fileno(), FILE_MODE)
        file.write(value + ending)
