"""Everything that xcheck raises on purpose.

```
XcheckError
├── DefinitionError     the definition, its data or its weights cannot be used     exit status 2
│   └── DeviceError     the device that was asked for is not there                 exit status 2
└── BackendError        a backend is missing, broken, or failed while computing    exit status 4
```

A disagreement between gradients is not an error: it is a result, and is found in the report. Only
`xcheck.assert_gradients` raises it, as `GradientMismatch`, which is an AssertionError.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

# The keys, and the numbers of list entries, that lead to a place in a definition.
KeyPath = tuple[str | int, ...]


def dotted(path: KeyPath) -> str:
    """Write a key path the way a person would.

    >>> dotted(("network", "layers", 0, "units"))
    'network.layers[0].units'
    """
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            # A key of TOML may hold anything, line ends included: those are shown escaped.
            text += f".{part}" if part.isprintable() else f".{part!r}"
    return text.removeprefix(".")


def quote(error: BaseException) -> str:
    """Return the type and the words of an exception; there are exceptions without words, as of a bare `assert`.

    >>> quote(ValueError("too long")), quote(AssertionError())
    ('ValueError: too long', 'AssertionError without a message')
    """
    try:
        words = str(error).strip()
    except Exception:  # noqa: BLE001 - an exception of a person's own class may fail to say anything
        words = ""
    return f"{type(error).__name__}: {words}" if words else f"{type(error).__name__} without a message"


@dataclass(frozen=True, slots=True)
class Complaint:
    """One mistake, with the place where a person can mend it.

    Attributes:
        text: what is wrong and what to do.
        key: path of the key in the definition; empty when the mistake is not at a key.
        file: the file it stands in, as the person would name it.
        line: line in that file, from 1.
        column: column in that line, from 1.
    """

    text: str
    key: KeyPath = ()
    file: str | None = None
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        place = [str(part) for part in (self.file, self.line, self.column) if part is not None]
        return ": ".join(part for part in (":".join(place), dotted(self.key), self.text) if part)

    def under(self, *prefix: str | int) -> "Complaint":
        """Return the same complaint with its key below `prefix`."""
        return replace(self, key=prefix + self.key)


class XcheckError(Exception):
    """Base of all errors that xcheck raises on purpose."""


class DefinitionError(XcheckError):
    """The definition, its data or its weights cannot be used; all mistakes are in `complaints`."""

    def __init__(self, complaints: Complaint | Iterable[Complaint]) -> None:
        # Most errors are a single complaint.
        if isinstance(complaints, Complaint):
            complaints = (complaints,)
        self.complaints = tuple(complaints)
        super().__init__("\n".join(str(complaint) for complaint in self.complaints))


class DeviceError(DefinitionError):
    """The device that was asked for is not there."""


class BackendError(XcheckError):
    """A backend is missing, broken, or failed while computing; the cause is chained.

    Attributes:
        backend: the backend's name.
        text: what happened, without the name.
    """

    def __init__(self, backend: str, text: str) -> None:
        self.backend = backend
        self.text = text
        super().__init__(f"{backend}: {text}")
