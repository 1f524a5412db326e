"""What is said of a scan directory, and how often."""

from s6log.unix.messages import Messages
from supervisor.scan.complaints import Complaints


def complain(*scans: str) -> list[str]:
    """Complain in each scan of what its letters stand for; give what was said."""
    said: list[bytes] = []
    messages = Messages(b"s6-svscan")
    messages.write = said.append
    complaints = Complaints(messages)
    for scan in scans:
        complaints.begin()
        for letter in scan:
            complaints.add(letter.encode(), None)
    return [line.decode().rpartition(" ")[2].strip() for line in said]


def test_a_complaint_is_made_once() -> None:
    """For as long as there is reason to."""
    assert complain("a", "a", "ab", "ba") == ["a", "b"]


def test_it_is_made_again_when_it_comes_back() -> None:
    """It was all right in between."""
    assert complain("a", "", "a") == ["a", "a"]


def test_one_scan_does_not_repeat_itself() -> None:
    """Two ways to the same complaint are one."""
    assert complain("aba") == ["a", "b"]


def test_the_reason_of_the_system_is_given() -> None:
    """As in all messages."""
    said: list[bytes] = []
    messages = Messages(b"s6-svscan")
    messages.write = said.append
    complaints = Complaints(messages)
    complaints.begin()
    complaints.add(b"unable to stat foo", PermissionError(13, "no"))
    assert said == [b"s6-svscan: warning: unable to stat foo: Permission denied\n"]
