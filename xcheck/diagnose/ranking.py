"""Ranking: which of all hypotheses explain a wrong gradient, and in which order they are believed.

Of all hypotheses that explain the residual down to the noise, the one is taken that explains most tensors; of equals
the one with fewer fitted numbers, then the more specific rule. The other tensors are explained in the same way. Of
tensors that no hypothesis explains, the finding says that the cause is unknown.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from xcheck.diagnose.evidence import Evidence, Hypothesis, explains
from xcheck.diagnose.rules import (
    approximations,
    factors,
    logits,
    order,
    patterns,
    penalties,
    places,
    precision,
    slices,
)
from xcheck.diagnose.rules.networks import backward_pass, masks
from xcheck.diagnose.rules.steps.search import mistaken_step
from xcheck.findings import CAUSE_UNKNOWN, Finding
from xcheck.text import joined

Rule = Callable[[Evidence], Iterable[Hypothesis]]

# The more specific first.
RULES: tuple[Rule, ...] = (
    approximations.implicit_sampling,
    order.detachment,
    precision.conjugation,
    factors.data_factor,
    factors.constant_factor,
    penalties.penalty,
    order.transposition,
    order.swapped_tensors,
    order.reordering,
    patterns.reversal,
    order.missing_part,
    precision.underflow,
    order.scaled_part,
    precision.clipping,
)
# These run a backward pass, or a part of it, once for each hypothesis.
EXPENSIVE: tuple[Rule, ...] = (backward_pass.wrong_steps, masks.redrawn_mask, logits.mistaken_loss)
# These fit a number to each slice, or have many ways to fit: they are asked after those that know the mistake itself.
PATTERNS: tuple[Rule, ...] = (
    patterns.symmetry,
    patterns.other_parameter,
    patterns.shift,
    slices.constant_term,
    slices.factor_by_slice,
    slices.term_of_parameter,
)
# This carries out the backward pass of a function, once for each of many mistakes: it is asked where no other knows.
STEPS: tuple[Rule, ...] = (mistaken_step,)
# These describe a gradient and would fit almost any: they are asked about what nothing else explains.
LAST: tuple[Rule, ...] = (
    approximations.solver_tolerance,
    precision.rounding,
    order.few_components,
    places.wrong_part,
    places.wrong_tensors,
)

# Other causes that are named beside the one that is taken. A guess: a third one would not help anybody.
_MOST_ALTERNATIVES = 2
# Tensors that are named. A guess: what fits on a line or two.
MOST_NAMES = 8


# A residual of less than this part of the gradient may come from a solver that stops early. A guess: to four digits.
_SMALL = 1e-4


STAGES: tuple[tuple[Rule, ...], ...] = (RULES, EXPENSIVE, PATTERNS, STEPS, LAST)


def explain_residual(evidence: Evidence, stages: Sequence[Sequence[Rule]] = STAGES) -> list[Finding]:
    """Return the causes of a wrong gradient, each explaining some of its tensors; or that they are unknown.

    Args:
        evidence: the gradient, beside a right one.
        stages: the rules; later ones are asked about what earlier ones leave unexplained.
    """
    unexplained = {tensor.name for tensor in evidence.wrong_tensors}
    findings: list[Finding] = []
    hypotheses: list[Hypothesis] = []
    for stage in stages:
        proposed = (hypothesis for rule in stage for hypothesis in rule(evidence))
        hypotheses += _merge_equal(hypothesis for hypothesis in proposed if explains(evidence, hypothesis))
        waiting = stage is RULES or (stage is PATTERNS and STEPS in stages)
        if waiting and not any(unexplained <= set(hypothesis.tensors) for hypothesis in hypotheses):
            continue  # one mistake that explains all may be among the expensive ones
        explanations = list(_choose(hypotheses, unexplained))
        # Hypotheses of earlier stages stay: what did not explain all may explain what is left.
        findings += _findings(evidence, explanations)
        unexplained -= {name for explanation in explanations for name in explanation.explains}
        if not unexplained:
            break
    if unexplained:
        findings.append(_cause_unknown(evidence, unexplained))
    return findings


def _merge_equal(hypotheses: Iterable[Hypothesis]) -> list[Hypothesis]:
    """Merge hypotheses that say the same of several tensors into one."""
    merged: dict[tuple[str, str, str], Hypothesis] = {}
    for hypothesis in hypotheses:
        key = (hypothesis.code, hypothesis.text, hypothesis.place)
        first = merged.get(key, hypothesis)
        merged[key] = replace(first, predicted={**first.predicted, **hypothesis.predicted})
    return list(merged.values())


@dataclass(frozen=True, slots=True)
class _Explanation:
    """A hypothesis that was taken.

    Attributes:
        hypothesis: the hypothesis.
        explains: names of the tensors that nothing else has explained before.
        alternatives: hypotheses with other causes that explain the same tensors.
    """

    hypothesis: Hypothesis
    explains: frozenset[str]
    alternatives: tuple[Hypothesis, ...]


def _choose(hypotheses: Sequence[Hypothesis], unexplained: AbstractSet[str]) -> Iterator[_Explanation]:
    """Yield the best hypotheses, one after the other, until none explains any other tensor."""
    left = frozenset(unexplained)
    while useful := [hypothesis for hypothesis in hypotheses if left & set(hypothesis.tensors)]:
        best = min(useful, key=lambda each: (-len(left & set(each.tensors)), each.free, each.rank))
        explained = left & set(best.tensors)
        alternatives = (each for each in useful if each.code != best.code and explained <= set(each.tensors))
        # With more numbers to fit an explanation is the weaker one.
        yield _Explanation(best, explained, tuple(each for each in alternatives if each.free <= best.free + 1))
        left -= explained


def _findings(evidence: Evidence, explanations: Iterable[_Explanation]) -> Iterator[Finding]:
    """Yield one finding for each code, with a part of its text for each explanation."""
    by_code: dict[str, list[_Explanation]] = {}
    for explanation in explanations:
        by_code.setdefault(explanation.hypothesis.code, []).append(explanation)
    for code, group in by_code.items():
        text = "; ".join(_describe(evidence, explanation) for explanation in group)
        first = group[0].hypothesis
        yield Finding(code=code, text=f"{evidence.witness}: {text}", tensor=first.tensors[0], value=first.value)


def _describe(evidence: Evidence, explanation: _Explanation) -> str:
    """Return what was done to which tensors, and what would explain them equally well."""
    hypothesis = explanation.hypothesis
    names = joined([tensor.name for tensor in evidence.layout if tensor.name in explanation.explains], MOST_NAMES)
    placed = f"{hypothesis.place}: {hypothesis.text}; this explains {names}"
    text = placed if hypothesis.place else f"{names}: {hypothesis.text}"
    by_code = {other.code: f"{other.code} ({other.text})" for other in reversed(explanation.alternatives)}
    also = ", ".join(list(by_code.values())[:_MOST_ALTERNATIVES])
    return f"{text}; explained equally well by {also}" if also else text


def _cause_unknown(evidence: Evidence, names: AbstractSet[str]) -> Finding:
    ordered = [tensor.name for tensor in evidence.layout if tensor.name in names]
    text = f"{evidence.witness}: no known mistake explains the error in {joined(ordered, MOST_NAMES)}"
    tensors = [evidence.layout[name] for name in ordered]
    # It was proposed as the last cause, and refused.
    if precision.like_rounding(evidence, tensors) is not None:
        text += "; it is as small as rounding, but moves smoothly with θ: look for a constant or a formula that is off"
    if evidence.problem is None and approximations.relative_residual(evidence) <= _SMALL:
        text += (
            "; where the loss stops at a tolerance or after some iterations, give it an argument such as tol or "
            "max_iter, and the check asks with a tighter one whether that is the cause"
        )
    return Finding(code=CAUSE_UNKNOWN, text=text, tensor=ordered[0])
