"""Memory of a process: how much it holds, and the most it has held.

On Linux the kernel keeps both (`VmRSS` and `VmHWM`), and lets a process set its high-water mark back. Elsewhere there
is `getrusage`, whose peak includes everything since the process began.
"""

import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_KIB = 1 << 10


def _status(process: str, key: str) -> int | None:
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * _KIB for line in lines if line.startswith(f"{key}:")), None)


def peak(process: str = "self") -> int:
    """Return the most bytes that a process has held so far, 0 if it is gone."""
    found = _status(process, "VmHWM")
    if found is not None or process != "self":
        return found or 0
    unit = 1 if sys.platform == "darwin" else _KIB
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def held() -> int:
    """Return the bytes that this process holds now (where that is not known: its peak)."""
    return _status("self", "VmRSS") or peak()


def forget_peak() -> None:
    """Let the peak begin anew from what is held now, where the kernel can do that."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


@dataclass(slots=True)
class Growth:
    """Bytes that some of the work of this process takes, whatever other work is done in between.

    Attributes:
        kept: by how much the process grew while that work was done, and did not shrink again.
        most: the most that the work has held, beside what other work keeps.
    """

    kept: int = 0
    most: int = 0

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Count what the body takes."""
        forget_peak()
        before = held()
        yield
        self.most = max(self.most, self.kept + peak() - before)
        self.kept += held() - before
