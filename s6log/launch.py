"""Start one program without `site`: what the launchers in `bin/` execute.

Under `-I -S` nothing but the standard library is on the path. The directory that
holds this package goes behind it, so that nothing in there can shadow a module
of Python's own. Kept tiny: a script is compiled anew at each start.
"""

import sys

if __name__ == "__main__":
    sys.path.append(__file__.rpartition("/s6log/")[0])

    from s6log.__main__ import run

    run()
