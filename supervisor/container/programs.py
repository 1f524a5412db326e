"""Where the programs of this package are, for those who look for them by name."""

import os

PROBE = b"/s6-log"


def folder() -> bytes:
    """Give the folder of our launchers, without a slash at its end.

    PREFIX/bin of PREFIX/lib/python3.X/site-packages/s6log, as launchers find their
    library; that of the package itself where it was not installed.
    """
    import s6log

    package = os.path.dirname(os.fsencode(s6log.__file__))
    installed = os.path.normpath(package + b"/../../../../bin")
    if os.path.exists(installed + PROBE):
        return installed
    return package + b"/bin"
