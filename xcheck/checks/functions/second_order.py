"""Second order: Hessian-vector products, against central differences of the gradient.

Where the gradient g is right, H v = lim (g(θ + t v) − g(θ − t v))/2t. Each component of H v is extrapolated from three
steps as in `xcheck.oracle.estimators.central`, and has an error bar. The vectors are Gaussian: an error E of the
Hessian shows in E v with certainty but for coincidence, and the component of E v that is wrong names the row.

Source: Pearlmutter, "Fast exact multiplication by the Hessian", 1994.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from xcheck.checks.answer import failure
from xcheck.checks.functions.answers import Answers, FunctionCheckOptions
from xcheck.checks.functions.implementations import Implementation
from xcheck.checks.functions.jacobian.outputs import output_name
from xcheck.checks.functions.purity import trace_of
from xcheck.compare.comparer import Comparer
from xcheck.compare.evaluation import Evaluation
from xcheck.compare.pair import Pair
from xcheck.compare.tolerance import tolerance_for
from xcheck.dtypes import FLOAT64
from xcheck.errors import BackendError
from xcheck.findings import BACKEND_FAILED, NO_SECOND_ORDER, Finding
from xcheck.functions.arguments import Arguments, Numbers
from xcheck.layout import Layout, Vector
from xcheck.oracle.hessian import hessian_estimate
from xcheck.seeds import Stream, generator
from xcheck.verdict import Verdict

# Vectors v: an error E of the Hessian hides from one only if E v = 0, which for a Gaussian v has probability 0; three
# guard against an error too small beside the noise along one of them.
_VECTORS = 3


@dataclass(slots=True)
class SecondOrder:
    """What came of checking second derivatives.

    Attributes:
        pairs: each witness's H v against differences of its gradient.
        findings: why it could not be checked.
        warnings: what was not checked.
        asked: whether second derivatives were asked for.
    """

    pairs: list[Pair] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)
    asked: bool = False

    @property
    def verdict(self) -> Verdict:
        """The worst of the pairs; ERROR where one could not be computed, UNDECIDED where none was looked at."""
        failed = [Verdict.ERROR] if any(finding.code == BACKEND_FAILED for finding in self.findings) else []
        unseen = [Verdict.UNDECIDED] if self.asked and not self.pairs else []
        return Verdict.worst([*failed, *unseen, *(pair.verdict for pair in self.pairs)])


def check_second_order(
    implementations: Sequence[Implementation],
    found: Answers,
    arguments: Arguments,
    options: FunctionCheckOptions,
    *,
    agreed: bool,
) -> SecondOrder:
    """Check H v of every function that its framework can differentiate twice; of a Jacobian, for every output.

    Args:
        implementations: the functions.
        found: what they say of the first derivatives.
        arguments: θ and the data.
        options: how to check.
        agreed: whether the first derivatives agree; where they do not, the second are not looked at.
    """
    result = SecondOrder(asked=True)
    # Differences of a wrong gradient are no measure of anything.
    if not agreed:
        text = "second derivatives were not checked, because the first do not agree"
        result.warnings.append(Finding(code=NO_SECOND_ORDER, text=text))
        return result
    rng = generator(options.differences.seed, Stream.SECOND_ORDER)
    vectors = rng.standard_normal((_VECTORS, arguments.layout.size))
    outputs = [(output_name(part.cotangent), part.cotangent) for part in found.outputs] or [("", found.cotangent)]
    for implementation in implementations:
        if implementation.function.hand_written and not implementation.function.curved:
            text = (
                f"{implementation.label}: a hand-written gradient has no second derivative to check: give hvp= or "
                "hessian="
            )
            result.warnings.append(Finding(code=NO_SECOND_ORDER, text=text))
            continue
        try:
            result.pairs += [
                _pair(implementation, cotangent, arguments, options, vectors, of=name) for name, cotangent in outputs
            ]
        except BackendError as error:
            text = f"the second derivative fails: {error.text}"
            result.findings.append(failure(implementation.label, text, trace_of(error)))
    if not result.pairs and not result.findings:
        # What was asked for and not looked at is no agreement.
        text = (
            "second derivatives were asked for, and none was checked: a hand-written gradient has none to check; give "
            "hvp= or hessian="
        )
        result.findings.append(Finding(code=NO_SECOND_ORDER, text=text))
        result.warnings.clear()
    return result


def _pair(
    implementation: Implementation,
    cotangent: Numbers | None,
    arguments: Arguments,
    options: FunctionCheckOptions,
    vectors: Vector,
    *,
    of: str,
) -> Pair:
    """Compare H v with differences, all vectors in one long gradient; `of` names the output if there are several."""
    # In float64: differences of float32 gradients have three digits at best.
    objective = implementation.objective(arguments, device=options.device, wide=True, cotangent=cotangent)
    # Hundreds of gradients follow, of what two calls have shown to be a function.
    objective.settle()
    analytic = np.concatenate([objective.hessian_product(arguments.theta, v) for v in vectors])
    estimate = hessian_estimate(lambda theta: objective.loss_and_gradient(theta)[1], arguments.theta, vectors)
    layout = _layout(arguments.layout, len(vectors))
    tolerance = tolerance_for(options.differences.tolerance, FLOAT64, extrapolates=True)
    comparer = Comparer(estimate, layout, tolerance, worst=options.worst, despite_losses=False)
    name = f"{implementation.label}, second order{f' of {of}' if of else ''}"
    return comparer.with_oracle(Evaluation(name, estimate.loss, analytic))


def _layout(layout: Layout, count: int) -> Layout:
    shapes = {f"(H v{k}) {tensor.name}": tensor.shape for k in range(1, count + 1) for tensor in layout}
    return Layout.of(shapes)
