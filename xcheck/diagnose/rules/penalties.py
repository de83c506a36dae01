"""Penalties: the residual g − r is a multiple of θ itself, or of the signs of θ.

With λ the l2 and μ the l1 of the loss, the penalty's share of ∂J/∂W is (λ W + μ/2 sign W)/m; that of ∂J/∂b is zero.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from xcheck.diagnose.evidence import Evidence, Hypothesis, Share, closest, fit, multiples
from xcheck.diagnose.rules.factors import format_factor
from xcheck.findings import PENALISED_BIAS, SIGN_FOR_WEIGHT, WRONG_L1, WRONG_L2
from xcheck.layout import Tensor, Vector


def penalty(evidence: Evidence) -> Iterator[Hypothesis]:
    """Propose that g − r is c θ, c sign θ, or a sum of both."""
    # A network penalises its weights alone, so that a multiple of θ in a bias is another mistake.
    biases = [tensor for tensor in evidence.wrong_tensors if tensor.role == "bias"]
    weights = [tensor for tensor in evidence.wrong_tensors if tensor not in biases]
    yield from _multiple(evidence, biases, PENALISED_BIAS, lambda theta: theta)
    yield from _multiple(evidence, weights, WRONG_L2, lambda theta: theta)
    # Where all θ have one sign, a constant that is added looks the same.
    mixed = [t for t in weights if evidence.theta[t.span].min() < 0 < evidence.theta[t.span].max()]
    yield from _multiple(evidence, mixed, WRONG_L1, np.sign)
    yield from _whole(evidence, weights)
    for tensor in weights:
        yield from _mixed(evidence, tensor, evidence.theta[tensor.span])


def _rate(evidence: Evidence, code: str) -> float:
    """Return the factor of θ, or of sign θ, in the loss's own penalty; 0 where it has none or is not declared."""
    if evidence.problem is None:
        return 0.0
    network, m = evidence.problem.network, evidence.problem.examples
    return network.l1 / (2 * m) if code == WRONG_L1 else network.l2 / m


def _shares(evidence: Evidence) -> dict[float, str]:
    """Return well-known mistakes of c, in units of the penalty's own factor."""
    m = 1.0 if evidence.problem is None else float(evidence.problem.examples)
    # The residual is c times the penalty's share: −1 takes it away, 1 adds it once more.
    mistakes = {-1.0: "is missing", 1.0: "is counted twice", -2.0: "has the opposite sign", -0.5: "is halved"}
    return ({m - 1: "lacks its 1/m", 1 / m - 1: "is divided by m twice"} if m > 1 else {}) | mistakes


def _multiple(
    evidence: Evidence, tensors: Sequence[Tensor], code: str, base: Callable[[Vector], Vector]
) -> Iterator[Hypothesis]:
    """Propose that g = r + c base in as many of the tensors as possible."""
    shares = {
        tensor.name: Share(
            base(evidence.theta[tensor.span]), evidence.trusted[tensor.span], evidence.uncertainty[tensor.span]
        )
        for tensor in tensors
    }
    for c, group in multiples(evidence, shares):
        rate, mistakes = _rate(evidence, code), _shares(evidence)
        # Without a penalty in the loss there is nothing that c could be a multiple of.
        share = None if not rate else closest(c / rate, mistakes, evidence.close)
        value = c if share is None else share * rate
        predicted = {name: value * each.base + each.rest for name, each in group.items()}
        yield Hypothesis(
            code, _describe(code, value, rate, share, mistakes), predicted, value=value, free=int(share is None)
        )


def _describe(code: str, c: float, rate: float, share: float | None, mistakes: Mapping[float, str]) -> str:
    base = "sign θ" if code == WRONG_L1 else "θ"
    formula = f"gradient − oracle = {format_factor(c)} {base}"
    if code == PENALISED_BIAS:
        return f"the penalty is applied to a bias, too: {formula}"
    word = "L1" if code == WRONG_L1 else "L2"
    if share is not None:
        return f"the {word} penalty {mistakes[share]}: {formula}"
    if rate:
        return f"the {word} penalty is {format_factor(1 + c / rate)} x what it should be: {formula}"
    # Of a function nobody knows whether it has a penalty at all.
    return f"{formula}, as if an {word} penalty were in the gradient and not in the loss, or the other way round"


def _whole(evidence: Evidence, tensors: Sequence[Tensor]) -> Iterator[Hypothesis]:
    """Propose that g = r + c P, where the loss has both penalties."""
    if evidence.problem is None or not (evidence.problem.network.l1 and evidence.problem.network.l2):
        return
    spans = {tensor.name: tensor.span for tensor in tensors}
    shares = {
        name: Share(evidence.penalty[span], evidence.trusted[span], evidence.uncertainty[span])
        for name, span in spans.items()
    }
    for c, group in multiples(evidence, shares):
        mistakes = _shares(evidence)
        share = closest(c, mistakes, evidence.close)
        said = mistakes[share] if share is not None else f"is {format_factor(1 + c)} x what it should be"
        predicted = {name: each.rest + (c if share is None else share) * each.base for name, each in group.items()}
        yield Hypothesis(WRONG_L2, f"the penalty, L2 and L1, {said}", predicted, value=c, free=int(share is None))


def _mixed(evidence: Evidence, tensor: Tensor, theta: Vector) -> Iterator[Hypothesis]:
    """Propose that θ stands where sign θ belongs, or the other way round: g − r = a θ + b sign θ."""
    coefficients = _fit_residual(evidence, tensor, theta, np.sign(theta))
    if coefficients is None:
        return
    (a, b), l2, l1 = coefficients, _rate(evidence, WRONG_L2), _rate(evidence, WRONG_L1)
    # One of the two terms must just cancel the loss's own penalty; the other one stands in its place.
    cancels = [(l2 and abs(a / l2 + 1) <= evidence.close), (l1 and abs(b / l1 + 1) <= evidence.close)]
    if not any(cancels) or min(abs(a), abs(b)) <= evidence.close * max(abs(a), abs(b)):
        return
    text = "sign θ stands where θ belongs" if cancels[0] else "θ stands where sign θ belongs"
    predicted = evidence.trusted[tensor.span] + a * theta + b * np.sign(theta)
    formula = f"gradient − oracle = {format_factor(a)} θ + {format_factor(b)} sign θ"
    yield Hypothesis(SIGN_FOR_WEIGHT, f"{text}: {formula}", {tensor.name: predicted}, value=float(b), free=1)


def _fit_residual(evidence: Evidence, tensor: Tensor, *bases: Vector) -> Vector | None:
    span = tensor.span
    size = np.maximum(np.abs(evidence.trusted[span]), np.abs(evidence.gradient[span]))
    residual = evidence.gradient[span] - evidence.trusted[span]
    return fit(residual, *bases, weight=evidence.uncertainty[span] + evidence.fine * size)
