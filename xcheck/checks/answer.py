"""Answer: what came of calling one witness at θ, be it a backend's network or a person's own function.

A witness is called at least twice at the same θ: only what repeats itself is a function of θ, and only a function has a
gradient. What differs is kept beside the first call, and judged by `xcheck.diagnose.determinism`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

from xcheck.backend.contract import Objective
from xcheck.compare.evaluation import Evaluation
from xcheck.errors import BackendError
from xcheck.findings import BACKEND_FAILED, Finding
from xcheck.layout import Vector
from xcheck.verdict import Verdict

Called = TypeVar("Called", bound=Objective)


@dataclass(slots=True)
class Answer(Generic[Called]):
    """What came of calling one witness.

    Attributes:
        name: of the witness.
        objective: what was called; None where it could not even be set up.
        evaluation: its loss and gradient at θ; None where it fails, or was not asked because it is not installed.
        findings: why the check cannot pass.
        warnings: what else was noticed.
        versions: of its framework.
        seconds: wall time.
        refuted: whether its gradient is known to be wrong whatever its components say: it is kept from the first call,
            or it claims a slope along a direction that the loss does not have.
        crashes: whether it fails in some calls, though it answers at θ.
        overwrites: whether it writes into its arguments, so that whatever is computed next is another function.
    """

    name: str
    objective: Called | None = None
    evaluation: Evaluation | None = None
    findings: list[Finding] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)
    versions: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    refuted: bool = False
    crashes: bool = False
    overwrites: bool = False

    @property
    def failed(self) -> bool:
        """Whether it was asked and has not answered."""
        return self.evaluation is None and bool(self.findings)

    @property
    def verdict(self) -> Verdict:
        """What can be said of the witness whatever its gradient is: AGREE stands for nothing."""
        # ERROR before everything else: a crash must never look like a disagreement.
        if self.failed or self.crashes:
            return Verdict.ERROR
        if self.refuted:
            return Verdict.DISAGREE
        # Nothing is wrong with the numbers themselves, but what is computed after them cannot be trusted.
        return Verdict.UNDECIDED if self.overwrites else Verdict.AGREE

    def fail(self, text: str, trace: str | None = None) -> None:
        """Note that the witness has failed, and how."""
        self.findings.append(failure(self.name, text, trace))


def failure(name: str, text: str, trace: str | None = None) -> Finding:
    """Return the finding that a witness, or the oracle on its function, has failed."""
    return Finding(code=BACKEND_FAILED, text=f"{name}: {text}", trace=trace)


def evaluate(name: str, objective: Objective, theta: Vector) -> Evaluation:
    """Return loss and gradient of one call.

    Raises:
        BackendError: the call fails.
    """
    loss, gradient = objective.loss_and_gradient(theta)
    return Evaluation(name, loss, gradient.copy())  # the next call may write into the same buffer


def evaluate_twice(name: str, objective: Objective, theta: Vector) -> Evaluation:
    """Return loss and gradient of a call, and beside it a second call at the same θ if that is not bitwise the same.

    Raises:
        BackendError: one of the calls fails.
    """
    first = evaluate(name, objective, theta)
    try:
        again = evaluate(name, objective, theta)
    except BackendError as error:
        text = f"a second call at the same θ fails: {error.text}"
        raise BackendError(name, text) from error.__cause__ or error
    # Bitwise: any difference is kept, and how much of one matters is decided where the error bars are known.
    return first if again.repeats(first) else replace(first, again=again)
