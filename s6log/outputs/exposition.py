"""The text format in which Prometheus reads figures, version 0.0.4. Pure.

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    Labels = tuple[tuple[str, bytes], ...]
    Sample = tuple[str, Labels, float]
    """(suffix of the name, labels, value)"""

COUNTER, GAUGE, SUMMARY = "counter", "gauge", "summary"


class Family:
    """One figure with all its samples; `name` is without the suffix of a sample."""

    __slots__ = ("help", "kind", "name", "samples")

    def __init__(self, name: str, kind: str, help_: str) -> None:
        self.name = name
        self.kind = kind
        self.help = help_
        self.samples: list[Sample] = []

    def add(self, value: float, *labels: tuple[str, bytes], suffix: str = "") -> None:
        """Add a sample."""
        self.samples.append((suffix, labels, value))


def render(families: "Iterable[Family]") -> bytes:
    """Write all figures; those without a sample are left out."""
    lines: list[bytes] = []
    for family in families:
        if family.samples:
            lines.append(f"# HELP {family.name} {family.help}".encode())
            lines.append(f"# TYPE {family.name} {family.kind}".encode())
            lines += [_sample(family.name, sample) for sample in family.samples]
    return b"\n".join(lines) + b"\n"


def _sample(name: str, sample: "Sample") -> bytes:
    suffix, labels, value = sample
    written = b",".join(b'%b="%b"' % (key.encode(), _value(v)) for key, v in labels)
    number = repr(value).encode()
    return b"%b%b{%b} %b" % (name.encode(), suffix.encode(), written, number)


def _value(text: bytes) -> bytes:
    """Write a label's value, with three characters escaped."""
    escaped = shown(text).replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    return escaped.replace(b"\n", b"\\n")


def shown(text: bytes) -> bytes:
    """Make UTF-8 of a name, whatever bytes it has."""
    return text.decode(errors="backslashreplace").encode()
