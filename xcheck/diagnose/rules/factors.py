"""Factors: g is a multiple of r, or of the examples' share of r.

With P the penalty's share and D = r − P that of the examples, there are two kinds of mistakes, the same if P is zero:

    g = c r            counted twice, the wrong sign, a constant that was forgotten
    g = c D + P        1/m forgotten or taken twice, another count, a keep_prob
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product

import numpy as np

from xcheck.diagnose.evidence import Evidence, Hypothesis, Share, closest, multiples
from xcheck.findings import BIAS_SUM, CONSTANT_FACTOR, KEEP_PROB, MISCOUNTED, NOT_AVERAGED, OPPOSITE_SIGN
from xcheck.layout import Tensor
from xcheck.networks.problem import Problem

# Factors that people forget, or take twice, wherever they come from.
_COMMON = {2.0: "twice", 0.5: "half", 4.0: "4 times", 0.25: "a quarter of", 3.0: "3 times"}
# Products of more keep_probs than this are not tried: 3⁶ = 729 of them are. A guess.
_MOST_MASKS = 6
# A factor is written with so many digits that its difference from 1 shows. Below the first that is rounding; above the
# second six digits show it.
_ROUNDING, _LIKE_ONE = 1e-10, 1e-2


def constant_factor(evidence: Evidence) -> Iterator[Hypothesis]:
    """Propose that g = c r."""
    shares = {}
    for tensor in evidence.wrong_tensors:
        r = evidence.trusted[tensor.span]
        shares[tensor.name] = Share(r, np.zeros_like(r), evidence.uncertainty[tensor.span])
    # A length of 2 says less about a factor of 2 than that it is one that people forget everywhere.
    known = {**_lengths(evidence.lengths), **_COMMON, -1.0: "minus"}
    for factor, group in multiples(evidence, shares):
        c = closest(factor, known, evidence.close)
        value = factor if c is None else c
        if value == -1:
            yield _hypothesis(OPPOSITE_SIGN, "the opposite sign of what it should be", value, group)
            continue
        # "4 x what it should be (4 times)" would say it twice.
        hint = "" if c is None or c in _COMMON else f" ({known[c]})"
        text = f"{format_factor(value)} x what it should be{hint}"
        yield _hypothesis(CONSTANT_FACTOR, text, value, group, free=1 if c is None else 0, rank=1)


def data_factor(evidence: Evidence) -> Iterator[Hypothesis]:
    """Propose that g = c D + P, for declared networks."""
    problem = evidence.problem
    if problem is None:
        return
    shares = {}
    for tensor in evidence.wrong_tensors:
        penalty = evidence.penalty[tensor.span]
        shares[tensor.name] = Share(evidence.trusted[tensor.span] - penalty, penalty, evidence.uncertainty[tensor.span])
    for factor, group in multiples(evidence, shares):
        tensors = [evidence.layout[name] for name in group]
        known = _known_factors(problem, tensors)
        c = closest(factor, known, evidence.close)
        penalised = any(share.rest.any() for share in group.values())
        if c is None and not penalised:
            continue  # `constant_factor` proposes the same
        value = factor if c is None else c
        code, text = _describe(problem, tensors, value, "" if c is None else known[c], penalised=penalised)
        # Twice or half of everything has simpler reasons than a count that happens to be 2.
        common = c is not None and closest(c, _COMMON, evidence.close) is not None
        vague = 2 if common and not penalised and code in (MISCOUNTED, KEEP_PROB) else 0
        yield _hypothesis(code, text, value, group, free=1 if c is None else 0, rank=vague)


def _hypothesis(
    code: str, text: str, c: float, group: Mapping[str, Share], *, free: int = 0, rank: int = 0
) -> Hypothesis:
    predicted = {name: c * share.base + share.rest for name, share in group.items()}
    return Hypothesis(
        code, text, predicted, {name: abs(c) * share.uncertainty for name, share in group.items()}, c, free, rank
    )


def _describe(problem: Problem, tensors: Sequence[Tensor], c: float, what: str, *, penalised: bool) -> tuple[str, str]:
    """Return the code of a factor c of the examples' share, and what was done."""
    m, share = problem.examples, f"the examples' share is {format_factor(c)} x what it should be"
    # m is known exactly here: `closest` has put it in the place of the fitted number.
    if c in (m, 1 / m):
        missing = c > 1
        if all(tensor.role == "bias" for tensor in tensors):
            how = "summed over the examples and not averaged" if missing else "averaged over the examples twice"
            return BIAS_SUM, f"{how} (m = {m})"
        how = "is missing" if missing else "is taken twice"
        return NOT_AVERAGED, f"the mean over the examples {how}: {share} (m = {m})"
    if what.startswith("keep_prob"):
        return KEEP_PROB, f"{share}, which is {what}"
    penalty = ", and the penalty is right" if penalised else ""
    return MISCOUNTED, f"{share}{penalty}{f' ({what})' if what else ''}"


def _known_factors(problem: Problem, tensors: Sequence[Tensor]) -> dict[float, str]:
    """Return the factors that the examples' share of these tensors may be off by, with what each is."""
    layers = [tensor.layer or 0 for tensor in tensors]
    # Backpropagation comes from above: a mask of a lower layer is not on its way.
    named = _products(problem.network.keep_probs[min(layers) :])
    if max(layers) < len(problem.network.layers) and {tensor.role for tensor in tensors} == {"weight", "bias"}:
        return named  # what is wrong in the loss would be wrong in the last layer, too
    m, outputs = float(problem.examples), float(problem.network.widths[-1])
    if m > 1:
        named |= {m / (m - 1): "m/(m − 1): one example less", (m - 1) / m: "(m − 1)/m: one example less"}
    named |= {(m + 1) / m: "(m + 1)/m", m / (m + 1): "m/(m + 1)"}
    if outputs > 1:
        named |= {outputs: f"{outputs:g} outputs", 1 / outputs: f"a mean over the {outputs:g} outputs"}
        named |= {1 / (m * outputs): "averaged over examples and outputs, again"}
    if problem.network.loss == "mean_squared_error":
        named |= {2.0: "the ½ of the squared error", 0.5: "the ½ of the squared error, twice"}
    named |= {m: "m", 1 / m: "1/m"}
    return {factor: what for factor, what in named.items() if factor != 1.0}


def _products(keep_probs: tuple[float, ...]) -> dict[float, str]:
    """Return products of some keep_probs and their inverses: of the layers whose masks the gradient came through."""
    kept = [(keep, number) for number, keep in enumerate(keep_probs) if keep != 1.0][:_MOST_MASKS]
    products: dict[float, str] = {}
    for powers in product((0, 1, -1), repeat=len(kept)):
        used = [(keep, power) for (keep, _), power in zip(kept, powers, strict=True) if power]
        if used:
            # Of several products with one value the first is kept: the one with the fewest masks of lower layers.
            value = float(np.prod([keep**power for keep, power in used]))
            words = " x ".join(f"{'' if power > 0 else '1/'}{keep:g}" for keep, power in used)
            products.setdefault(value, f"keep_prob {words}")
    return {value: words for value, words in products.items() if value != 1.0}


def _lengths(lengths: Mapping[int, str]) -> dict[float, str]:
    """Return the lengths of axes and their inverses, as factors that a sum or a mean leaves behind."""
    factors: dict[float, str] = {}
    for length, what in lengths.items():
        if length > 1:
            factors |= {float(length): f"{length} is {what}", 1 / length: f"1/{length}, and {length} is {what}"}
    return factors


def format_factor(c: float) -> str:
    """Return a factor with as many digits as it takes to tell it from 1.

    >>> format_factor(2.0), format_factor(1.0001), format_factor(1 / 3)
    ('2', '1.0001', '0.333333')
    """
    off = abs(abs(c) - 1)
    off = 0 if off < _ROUNDING else off
    digits = 6 if off > _LIKE_ONE or off == 0 else min(15, 4 - int(np.floor(np.log10(off))))
    return f"{c:.{digits}g}"
