"""Where things are in a container: the paths of s6-overlay 3, and older names."""

RUN = b"/run"
VAR_RUN = b"/var/run"
S6 = b"/run/s6"
SCANDIR = b"/run/service"
ETC = S6 + b"/etc"  # the image's files, by links or copies
SERVICES = S6 + b"/legacy-services"  # copies of services.d
COMMANDS = S6 + b"/basedir/bin"
STAGE3 = S6 + b"/env-stage3"  # where scripts for v2 leave an exit code
CMD_PID = S6 + b"/cmdpid"
RESULTS = b"/run/s6-linux-init-container-results"
EXIT_CODE = RESULTS + b"/exitcode"
STAGE2_EXITED = b"S6_STAGE2_EXITED"
UNCAUGHT = b"/run/uncaught-logs"
OLD_UNCAUGHT = b"/var/log/s6-uncaught-logs"

OLD_NAMES = ((S6 + b"/services", SCANDIR),)
"""Links for those who know the paths of s6-overlay 1 and 2, below /var/run/s6."""

STOP_COMMANDS = (b"halt", b"poweroff", b"reboot", b"shutdown")
