"""xcheck: tells whether a gradient is right, names the component that is wrong, and proves it.

The names below are loaded when they are first used: `import xcheck` imports no framework.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from xcheck.version import __version__

if TYPE_CHECKING:
    from xcheck.cases import Case, case
    from xcheck.checking import GradientMismatch, assert_gradients, check
    from xcheck.closeup import explain
    from xcheck.errors import BackendError, Complaint, DefinitionError, DeviceError, XcheckError
    from xcheck.explanation import Explanation
    from xcheck.function import objective
    from xcheck.mutation import SelfTest
    from xcheck.network import Dense, Network
    from xcheck.pipeline import verify
    from xcheck.problem import Problem
    from xcheck.report.model import Report
    from xcheck.training import TrainingReport, train
    from xcheck.trial import selftest
    from xcheck.verdict import Verdict

__all__ = [
    "BackendError",
    "Case",
    "Complaint",
    "DefinitionError",
    "Dense",
    "DeviceError",
    "Explanation",
    "GradientMismatch",
    "Network",
    "Problem",
    "Report",
    "SelfTest",
    "TrainingReport",
    "Verdict",
    "XcheckError",
    "__version__",
    "assert_gradients",
    "case",
    "check",
    "explain",
    "objective",
    "selftest",
    "train",
    "verify",
]

_HOMES = {
    "BackendError": "xcheck.errors",
    "Case": "xcheck.cases",
    "Complaint": "xcheck.errors",
    "DefinitionError": "xcheck.errors",
    "Dense": "xcheck.network",
    "DeviceError": "xcheck.errors",
    "Explanation": "xcheck.explanation",
    "GradientMismatch": "xcheck.checking",
    "Network": "xcheck.network",
    "Problem": "xcheck.problem",
    "Report": "xcheck.report.model",
    "SelfTest": "xcheck.mutation",
    "TrainingReport": "xcheck.training",
    "Verdict": "xcheck.verdict",
    "XcheckError": "xcheck.errors",
    "assert_gradients": "xcheck.checking",
    "case": "xcheck.cases",
    "check": "xcheck.checking",
    "explain": "xcheck.closeup",
    "objective": "xcheck.function",
    "selftest": "xcheck.trial",
    "train": "xcheck.training",
    "verify": "xcheck.pipeline",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'xcheck' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
