"""Caveats of a training: a loss that rises, a θ that runs away, and dropout that the notes would choose otherwise.

"The best practice here is to reduce the keep-prob where you have layers with high number of parameters and increase it
for the small layers"; on the inputs "try to keep it as high as possible, for example 0.9".

Source: lecture notes, "Why does dropout work?".
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from xcheck.findings import KEEP_PROBS, LOSS_ROSE, NOT_FINITE, Finding
from xcheck.layout import Vector
from xcheck.networks.definition import Training
from xcheck.networks.network import Network
from xcheck.training.curves import LossPoint, steps_between_points

# A guess: so many times its largest component at the start, or 1, θ has no minimum near, and numbers will overflow.
_FAR = 1e6
# A guess: a J that falls no more changes by its rounding, at most 64 roundoffs of sums over the examples; below 1e-10
# of J a rise teaches nothing. test_rounding_of_a_small_loss_is_no_rise holds it for float32.
_ROSE, _ROUNDINGS = 1e-10, 64
# The notes' "for example 0.9".
_KEEP_OF_INPUTS = 0.9


def training_caveats(
    network: Network, plan: Training, points: Sequence[LossPoint], *, examples: int, roundoff: float
) -> Iterator[Finding]:
    """Yield what the notes would do otherwise, and where J rises although it should fall.

    Args:
        network: as it is trained.
        plan: number of steps, learning rate and size of a batch.
        points: of the loss curve, in order.
        examples: of the training part.
        roundoff: of the dtype that gradients are computed in.
    """
    advice = keep_prob_advice(network)
    if advice is not None:
        yield advice
    if not network.drops and plan.takes_all_of(examples):
        rise = rise_over_kinks(network, plan.learning_rate, examples, steps_between_points(plan))
        yield from rises(points, roundoff=roundoff, explained=rise)


# --- θ and J --------------------------------------------------------------------------------------------------------


def is_far(start: Vector, theta: Vector) -> bool:
    """Return whether θ has run away from θ₀."""
    return bool(np.abs(theta).max() > _FAR * max(1.0, float(np.abs(start).max())))


def not_finite(stopped: str, driver: str, learning_rate: float, start: Vector, end: Vector) -> Finding:
    """Say why θ is not finite: it has run away, or the gradient at an ordinary θ was not finite.

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
    text = f"{stopped}; before that, its largest component was {size:.2g}: {why}"
    return Finding(code=NOT_FINITE, text=text, value=learning_rate)


def rises(points: Sequence[LossPoint], *, roundoff: float, explained: float) -> list[Finding]:
    """Warn where J rises although every step should lead downhill: the full batch, dropout off.

    Args:
        points: of the loss curve, in order.
        roundoff: of the dtype that gradients are computed in: near a minimum they are nothing but rounding.
        explained: by how much J may rise because steps go to and fro over kinks.
    """
    relative = max(_ROSE, _ROUNDINGS * roundoff)
    absolute = explained + _ROUNDINGS * roundoff * points[0].cost
    risen = [
        (before, after) for before, after in pairwise(points) if after.cost > before.cost * (1 + relative) + absolute
    ]
    if not risen:
        return []
    before, after = risen[0]
    more = f" ({len(risen)} times in all)" if len(risen) > 1 else ""
    text = (
        f"J rises at step {after.step}, from {before.cost:.6g} to {after.cost:.6g}{more}: on the "
        "full batch, without dropout, every step should go downhill: the learning rate is too large, or the gradient "
        "is wrong"
    )
    return [Finding(code=LOSS_ROSE, text=text, value=float(after.step))]


def rise_over_kinks(network: Network, learning_rate: float, examples: int, steps: int) -> float:
    """Return by how much J may rise in so many steps because weights go to and fro over |w| = 0.

    With s = l1/2m, the slope of the penalty, and d, the slope of the data's share there, |d| < s: a step from just
    above w = 0 leads to −α (s + d), which raises J by α (s² − d²) ≤ α s². Doubled, since this is of first order only.
    """
    weights = sum(layer.units * inputs for layer, inputs in zip(network.layers, network.widths, strict=False))
    slope = network.l1 / (2 * examples)
    return 2 * steps * learning_rate * slope**2 * weights


# --- dropout --------------------------------------------------------------------------------------------------------


def keep_prob_advice(network: Network) -> Finding | None:
    """Return what the notes would choose otherwise about keep_prob; None if nothing."""
    advice = [*_input_advice(network), *_layer_advice(network)]
    if not advice:
        return None
    return Finding(code=KEEP_PROBS, text=f"keep_prob: {'; '.join(advice)}", value=min(network.keep_probs))


def _input_advice(network: Network) -> Iterator[str]:
    if network.input_keep_prob < _KEEP_OF_INPUTS:
        yield (
            f"the inputs are kept with probability {network.input_keep_prob:g}, and what is dropped there is lost to "
            f"all layers: use {_KEEP_OF_INPUTS:g} or more"
        )


def _layer_advice(network: Network) -> Iterator[str]:
    """Advise on the first layer that drops more of its units than a larger layer that drops some, too."""
    sizes = [layer.units * inputs for layer, inputs in zip(network.layers, network.widths, strict=False)]
    layers = list(enumerate(zip(sizes, network.keep_probs[1:], strict=True), start=1))
    for small, (size, keep) in layers:
        for large, (larger, more) in layers:
            if size < larger and keep < more < 1:
                yield (
                    f"layer {small} with {size} weights keeps {keep:g}, layer {large} with {larger} keeps {more:g}: "
                    "drop more where there are more parameters"
                )
                return
