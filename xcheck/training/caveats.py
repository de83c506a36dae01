"""Remarks: what is noticed about a training as a whole."""

from collections.abc import Iterator, Sequence

import numpy as np

from xcheck.findings import NOT_FINITE, Finding
from xcheck.layout import Vector
from xcheck.networks.definition import Training
from xcheck.networks.network import Network
from xcheck.training.curves import LossPoint, chatter_of, every, rises
from xcheck.training.dropout import advice_on

# So many times as large as it was at the start, or 1, θ has run away.
_FAR = 1e6


def is_far(start: Vector, here: Vector) -> bool:
    """Return whether θ has run away from θ₀."""
    return bool(np.abs(here).max() > _FAR * max(1.0, float(np.abs(start).max())))


def training_caveats(
    network: Network, plan: Training, looks: Sequence[LossPoint], *, examples: int, roundoff: float
) -> Iterator[Finding]:
    """Yield what the notes would do otherwise, and where J rises although it should fall.

    Args:
        network: as it is trained.
        plan: how.
        looks: in order.
        examples: of the training part.
        roundoff: of the dtype that gradients are computed in.
    """
    advice = advice_on(network)
    if advice is not None:
        yield advice
    if not network.drops and plan.takes_all_of(examples):
        chatter = chatter_of(network, plan.learning_rate, examples, every(plan))
        yield from rises(looks, roundoff=roundoff, chatter=chatter)


def not_finite(stopped: str, driver: str, learning_rate: float, start: Vector, end: Vector) -> Finding:
    """Say whether θ has run away, or went from an ordinary place into nothing.

    Args:
        stopped: when, in words.
        driver: name of the driving witness.
        learning_rate: α.
        start: θ₀.
        end: the last θ that was finite.
    """
    size, why = float(np.abs(end).max()), f"the learning rate {learning_rate:g} is too large"
    if not is_far(start, end):
        why = f"the gradient of {driver} is not finite there, or {why}"
    text = f"{stopped}, where its largest component was {size:.2g}: {why}"
    return Finding(code=NOT_FINITE, text=text, value=learning_rate)
