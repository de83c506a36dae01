"""assert_gradients: a check for tests, which raises where it does not pass."""

from typing import Any

from xcheck.api import check
from xcheck.checks.functions.implementations import Objectives
from xcheck.checks.report import Report


class GradientMismatch(AssertionError):  # noqa: N818 - the name says what it is; pytest shows it
    """Gradients do not agree, or nothing is proved; `assert_gradients` and the fixture `xcheck` in pytest raise it.

    Attributes:
        report: everything that was found.
        headline: the same in one sentence.
    """

    def __init__(self, report: Report) -> None:
        self.report = report
        # A report that agrees is raised for one reason only.
        self.headline = f"{report.headline}; allow_unproved=True lets that pass" if report.ok else report.headline
        super().__init__(f"{self.headline}\n\n{report}")

    def __reduce__(self) -> tuple[type["GradientMismatch"], tuple[Report]]:
        # An exception would be made again from its text alone.
        return type(self), (self.report,)


def assert_gradients(
    objectives: Objectives, params: Any = None, data: Any = (), *, allow_unproved: bool = False, **settings: Any
) -> Report:
    """Check gradients as `check` does, and raise if they are not plainly right.

    Args:
        objectives: as in `check`.
        params: as in `check`.
        data: as in `check`.
        allow_unproved: whether a check may pass that proves nothing: the whole gradient is zero, or below the noise, as
            where the loss does not depend on its parameters.
        **settings: as in `check`.

    Returns:
        The report, if everything agrees.

    Raises:
        GradientMismatch: something disagrees, cannot be decided, or fails, or nothing is proved; its first line says
            what.
        DefinitionError: the arguments cannot be used.
    """
    __tracebackhide__ = True  # pytest shows the line that called
    return require_proof(check(objectives, params, data, **settings), allow_unproved=allow_unproved)


def require_proof(report: Report, *, allow_unproved: bool = False) -> Report:
    """Return a report if everything agrees, and something of it is verified.

    Args:
        report: of a check.
        allow_unproved: whether it may pass with nothing verified.

    Raises:
        GradientMismatch: it does not pass.
    """
    __tracebackhide__ = True
    if not report.ok or not (report.verified or allow_unproved):
        raise GradientMismatch(report)
    return report
