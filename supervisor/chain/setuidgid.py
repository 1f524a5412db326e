"""s6-setuidgid: become a program as another user, given by name."""

from s6log.unix.messages import DONE, Fatal
from supervisor.chain import accounts, applyuidgid, envuidgid
from supervisor.chain.execute import environment_with, execute
from supervisor.manual import Manual

MANUAL = Manual(
    "s6-setuidgid",
    "account prog...",
    (
        ("account", "a user's name, or uid:gid as numbers, or '' for no change"),
        ("prog...", "what to become"),
    ),
    "Become prog... with an account's user, group and supplementary groups.\n"
    "Only for root, unless account is empty.",
)


def main(arguments: list[bytes]) -> int:
    """Run the program; the exit code if it does not become another."""
    if MANUAL.answered(arguments):
        return DONE
    if not arguments[1:]:
        return MANUAL.usage()
    account, *program = arguments
    if not account:
        execute(program)
    try:
        if b":" in account:
            return by_number(account, program)
        return by_name(account, program)
    except Fatal as failure:
        # In s6 it is this program that a command line ends up in.
        return applyuidgid.MANUAL.messages.fatal(failure)


def by_number(account: bytes, program: list[bytes]) -> int:
    """Become the program with the numbers of uid:gid and no other groups."""
    uid, _, gid = account.partition(b":")
    words = [b"-u", uid, b"-g", gid, b"-G", b"", b"--", *program]
    return applyuidgid.main(words)


def by_name(account: bytes, program: list[bytes]) -> int:
    """Become the program as a user that is known here, with all groups."""
    ids = accounts.account(account)
    if ids is None:
        unknown = envuidgid.unknown(envuidgid.USER, account)
        return envuidgid.MANUAL.messages.fatal(unknown)
    applyuidgid.become(ids.uid, ids.gid, ids.gids)
    return execute(program, environment_with(applyuidgid.UNSET))
