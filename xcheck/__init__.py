"""xcheck: tells whether a gradient is right, names the component that is wrong, and proves it.

The names below are loaded when they are first used: `import xcheck` imports no framework.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from xcheck.version import __version__

# For type checkers and editors, which do not run `__getattr__`.
if TYPE_CHECKING:
    from xcheck.api import check, explain, selftest, train, verify
    from xcheck.assertions import GradientMismatch, assert_gradients
    from xcheck.checks.accuracy.accuracy import Accuracy
    from xcheck.checks.accuracy.verb import accuracy
    from xcheck.checks.case import Case, case
    from xcheck.checks.explain.explanation import Explanation
    from xcheck.checks.report import Report
    from xcheck.checks.selftest.score import SelfTest
    from xcheck.errors import BackendError, Complaint, DefinitionError, DeviceError, XcheckError
    from xcheck.functions.function import objective
    from xcheck.functions.layer import layer
    from xcheck.networks.network import Dense, Network
    from xcheck.networks.problem import Problem
    from xcheck.training import TrainingReport
    from xcheck.verdict import Verdict

__all__ = [
    "Accuracy",
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
    "accuracy",
    "assert_gradients",
    "case",
    "check",
    "explain",
    "layer",
    "objective",
    "selftest",
    "train",
    "verify",
]

# Written out: the imports above are never run, so nothing can be read off from them.
_HOMES = {
    "Accuracy": "xcheck.checks.accuracy.accuracy",
    "BackendError": "xcheck.errors",
    "Case": "xcheck.checks.case",
    "Complaint": "xcheck.errors",
    "DefinitionError": "xcheck.errors",
    "Dense": "xcheck.networks.network",
    "DeviceError": "xcheck.errors",
    "Explanation": "xcheck.checks.explain.explanation",
    "GradientMismatch": "xcheck.assertions",
    "Network": "xcheck.networks.network",
    "Problem": "xcheck.networks.problem",
    "Report": "xcheck.checks.report",
    "SelfTest": "xcheck.checks.selftest.score",
    "TrainingReport": "xcheck.training",
    "Verdict": "xcheck.verdict",
    "XcheckError": "xcheck.errors",
    "accuracy": "xcheck.checks.accuracy.verb",
    "assert_gradients": "xcheck.assertions",
    "case": "xcheck.checks.case",
    "check": "xcheck.api",
    "explain": "xcheck.api",
    "layer": "xcheck.functions.layer",
    "objective": "xcheck.functions.function",
    "selftest": "xcheck.api",
    "train": "xcheck.api",
    "verify": "xcheck.api",
}


def __getattr__(name: str) -> Any:
    # Python asks here for names that the module does not have itself (PEP 562).
    if name not in _HOMES:
        raise AttributeError(f"module 'xcheck' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    # Names that are not loaded yet are offered by completion as well.
    return sorted(__all__)
