"""xcheck: tells whether a gradient is right, names the component that is wrong, and proves it.

The names below are loaded when they are first used: `import xcheck` imports no framework.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xcheck.errors import BackendError, Complaint, DefinitionError, DeviceError, XcheckError
    from xcheck.network import Dense, Network
    from xcheck.pipeline import verify
    from xcheck.problem import Problem
    from xcheck.report.model import Report
    from xcheck.verdict import Verdict

__version__ = "0.1.0"

__all__ = [
    "BackendError",
    "Complaint",
    "DefinitionError",
    "Dense",
    "DeviceError",
    "Network",
    "Problem",
    "Report",
    "Verdict",
    "XcheckError",
    "verify",
]

_HOMES = {
    "BackendError": "xcheck.errors",
    "Complaint": "xcheck.errors",
    "DefinitionError": "xcheck.errors",
    "Dense": "xcheck.network",
    "DeviceError": "xcheck.errors",
    "Network": "xcheck.network",
    "Problem": "xcheck.problem",
    "Report": "xcheck.report.model",
    "Verdict": "xcheck.verdict",
    "XcheckError": "xcheck.errors",
    "verify": "xcheck.pipeline",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'xcheck' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
