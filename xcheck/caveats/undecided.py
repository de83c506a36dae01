"""Caveats about components that are neither shown to be wrong nor to be right, with the reason."""

from collections.abc import Mapping, Sequence

from xcheck.compare.bounds import Reason
from xcheck.compare.pair import ORACLE, Pair
from xcheck.findings import UNDECIDED_COMPONENTS, Finding

# What decides them, of each kind.
_REMEDIES: Mapping[Reason, str] = {
    "noise": "take constants out of the loss, compute it in float64, or check where its slopes are larger",
    "kink": "check beside the kink, at θ + 1e-3",
    "not finite": "check further from the edge of the domain, or make the loss stable there (log1p, logsumexp)",
}

# In the order in which they are named.
_REASONS: Mapping[Reason, str] = {
    "noise": "too small beside the noise of the loss or rounding",
    "kink": "at a kink, with a slope that no convention gives",
    "jump": "at a jump of the loss, or a vertical tangent, where it has no derivative: check at another θ",
    "not finite": "without a number: the loss is not finite nearby, or numbers overflow on the way",
}


def undecided_components(pairs: Sequence[Pair]) -> Finding | None:
    """Say of the witness with most undecided components which these are, and why nothing is decided there.

    A witness whose loss is random is left out: nothing about it is decided, and a warning of its own says so.
    """
    open_pairs = [pair for pair in pairs if pair.b == ORACLE and pair.undecided and not pair.spread]
    if not open_pairs:
        return None
    # One warning is enough: noise and numbers that overflow are the same for all witnesses.
    worst = max(open_pairs, key=lambda pair: pair.undecided)
    alike = [pair.a for pair in open_pairs if _counts(pair) == _counts(worst)]
    tensors = [tensor for tensor in worst.tensors if tensor.undecided]
    where = ", ".join(f"{tensor.undecided} of {tensor.of} in {tensor.name}" for tensor in tensors)
    text = (
        f"{', '.join(alike)}: {worst.undecided} of {worst.of} components cannot be decided ({where}): {_why(worst)}"
        f"{_remedies(worst)}"
    )
    tensor = tensors[0].name if tensors else None
    return Finding(code=UNDECIDED_COMPONENTS, text=text, tensor=tensor, value=float(worst.undecided))


def _counts(pair: Pair) -> tuple[Mapping[Reason, int], list[int]]:
    return pair.reasons, [tensor.undecided for tensor in pair.tensors]


def _why(pair: Pair) -> str:
    """Return the reason why nothing is decided; of several reasons each with its number of components."""
    reasons = {text: pair.reasons[reason] for reason, text in _REASONS.items() if pair.reasons.get(reason)}
    rest = pair.undecided - sum(reasons.values())
    if rest > 0:
        # Called wrong in its own dtype and right in float64; `ill_conditioned` tells of it.
        reasons["off by more than rounding, and right in float64"] = rest
    if len(reasons) == 1:
        return next(iter(reasons))
    return "; ".join(f"{count} {text}" for text, count in reasons.items())


def _remedies(pair: Pair) -> str:
    """Return what to do about each reason; nothing where `ill_conditioned` says it."""
    remedies = [text for reason, text in _REMEDIES.items() if pair.reasons.get(reason)]
    return f". To decide them: {'; '.join(remedies)}" if remedies else ""
