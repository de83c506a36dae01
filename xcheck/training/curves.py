"""Curve: loss and error of the training and the validation part along the way, dropout off.

"At test time you do not want your output to be random." The error is a fraction: of examples (or outputs) that are
classified wrongly, or of the variance that is not explained.

Source: lecture notes, "Dropout implementation" and "Early stopping".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from xcheck.findings import LOSS_ROSE, Finding
from xcheck.layout import Vector
from xcheck.networks.data import Dataset, Parts
from xcheck.networks.definition import Training
from xcheck.networks.initializers import network_layout
from xcheck.networks.network import LossName, Network
from xcheck.oracle.engines.network import tensors_of
from xcheck.oracle.network.forward import Trace, trace
from xcheck.oracle.network.penalty import Penalty
from xcheck.training.bias_variance import BiasVariance

# A step of gradient descent that is short enough goes downhill; what rounding does to J is far less than this.
_ROSE, _ROUNDINGS = 1e-10, 64
_LOOKS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class LossPoint:
    """Losses and errors after so many steps.

    Attributes:
        step: number of steps taken.
        cost: J of the training part, penalty and augmented copies included.
        training_loss: mean loss of its examples, those of the file.
        validation_loss: mean loss of the validation part.
        training_error: in [0, 1].
        validation_error: in [0, 1].
    """

    step: int
    cost: float
    training_loss: float
    validation_loss: float
    training_error: float
    validation_error: float


def every(plan: Training) -> int:
    """Return how many steps lie between two looks: 200 of them in all, more where patience is shorter than ten."""
    usual = max(1, -(-plan.steps // _LOOKS))
    return usual if plan.early_stopping is None else min(usual, max(1, plan.early_stopping.patience // 10))


@np.errstate(all="ignore")  # θ that runs away is seen in the losses
def look_at(network: Network, theta: Vector, parts: Parts, step: int) -> LossPoint:
    """Return losses and errors at θ, dropout off.

    Args:
        network: as it is trained.
        theta: θ, shape (n,).
        parts: of the data.
        step: number of steps taken.
    """
    network = network.without_dropout()
    penalty = Penalty.at(network, network_layout(network), theta, len(parts.training.inputs)).value
    training, validation = (predicted(network, theta, part) for part in (parts.training, parts.validation))
    own = slice(parts.originals)
    return LossPoint(
        step=step,
        cost=float(np.mean(training.losses)) + penalty,
        training_loss=float(np.mean(training.losses[own])),
        validation_loss=float(np.mean(validation.losses)),
        training_error=error_of(network, training.a[-1][own], parts.training.targets[own]),
        validation_error=error_of(network, validation.a[-1], parts.validation.targets),
    )


def predicted(network: Network, theta: Vector, data: Dataset) -> Trace:
    """Return what the network computes of some data, dropout off."""
    parameters = tensors_of(network_layout(network), theta)
    return trace(network, parameters, data.inputs, data.targets, [None] * (len(network.layers) + 1))


def error_of(network: Network, outputs: Vector, targets: Vector) -> float:
    """Return the fraction that is wrong, or not explained, between 0 and 1."""
    if network.loss == "softmax_cross_entropy":
        return float(np.mean(outputs.argmax(axis=1) != targets.argmax(axis=1)))
    if network.loss == "binary_cross_entropy":
        return float(np.mean((outputs > 0) != (targets > 0.5)))
    with np.errstate(all="ignore"):
        spread = float(np.mean((targets - targets.mean(axis=0)) ** 2))
        unexplained = float(np.mean((outputs - targets) ** 2))
        return float(np.clip(unexplained / spread, 0.0, 1.0)) if spread else float(unexplained > 0)


def recipe_of(loss: LossName, look: LossPoint, parts: Parts, bayes_error: float) -> BiasVariance:
    """Return bias and variance at a look, and on how many answers they were counted."""
    outputs = 1 if loss == "softmax_cross_entropy" else parts.training.targets.shape[1]
    counted = len(parts.fitted.inputs) * outputs, len(parts.validation.inputs) * outputs
    return BiasVariance(
        training_error=look.training_error,
        validation_error=look.validation_error,
        bayes_error=bayes_error,
        counted=None if loss == "mean_squared_error" else counted,
    )


def test_error_at(network: Network, theta: Vector, parts: Parts) -> float | None:
    """Return the error of the test part, if there is one."""
    test = parts.test
    return None if test is None else error_of(network, predicted(network, theta, test).a[-1], test.targets)


def rises(looks: Sequence[LossPoint], *, roundoff: float, chatter: float) -> list[Finding]:
    """Warn where J rises although every step should lead downhill: the full batch, dropout off.

    Args:
        looks: in order.
        roundoff: of what the gradients are computed in: near a minimum they are nothing but rounding.
        chatter: by how much J may rise because steps go to and fro over kinks.
    """
    blur = max(_ROSE, _ROUNDINGS * roundoff)
    floor = chatter + _ROUNDINGS * roundoff * looks[0].cost
    found = [later for earlier, later in pairwise(looks) if later.cost > earlier.cost * (1 + blur) + floor]
    if not found:
        return []
    first = found[0]
    before = next(look for look in reversed(looks) if look.step < first.step)
    more = f" ({len(found)} times in all)" if len(found) > 1 else ""
    text = (
        f"J rises at step {first.step}, from {before.cost:.6g} to {first.cost:.6g}{more}: on the "
        "full batch, without dropout, every step should go downhill: the learning rate is too large, or the gradient "
        "is wrong"
    )
    return [Finding(code=LOSS_ROSE, text=text, value=float(first.step))]


def chatter_of(network: Network, learning_rate: float, examples: int, every: int) -> float:
    """Return by how much J may rise from one look to the next because weights go to and fro over |w| = 0.

    With s = l1/2m, the slope of the penalty, a step past zero moves a weight by at most α s beyond it more than it
    should, and J by α s² per weight and step, at first order.
    """
    weights = sum(layer.units * inputs for layer, inputs in zip(network.layers, network.widths, strict=False))
    slope = network.l1 / (2 * examples)
    return 2 * every * learning_rate * slope**2 * weights
