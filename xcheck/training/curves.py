"""Curves: loss and error of the training and the validation part along the way, dropout off.

"At test time you do not want your output to be random." The error is a fraction: of examples (or outputs) that are
classified wrongly, or of the variance that is not explained.

Source: lecture notes, "Dropout implementation" and "Early stopping".
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from xcheck.layout import Vector
from xcheck.networks.data import Dataset, Parts
from xcheck.networks.definition import Training
from xcheck.networks.initializers import network_layout
from xcheck.networks.network import LossName, Network
from xcheck.oracle.engines.network import tensors_of
from xcheck.oracle.network.forward import Trace, trace
from xcheck.oracle.network.penalty import Penalty
from xcheck.training.bias_variance import BiasVariance

# A guess, chosen so that a curve has more points than a page has columns, and costs little beside the training.
_POINTS = 200


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


@dataclass(slots=True, eq=False, kw_only=True)
class LossCurve:
    """The points of one training, each computed when it is asked for first.

    Attributes:
        network: as it is trained.
        parts: of the data.
    """

    network: Network
    parts: Parts
    _points: dict[int, LossPoint] = field(default_factory=dict)

    def at(self, step: int, theta: Vector) -> LossPoint:
        """Return the point after so many steps, which led to θ."""
        if step not in self._points:
            self._points[step] = measure_losses(self.network, theta, self.parts, step)
        return self._points[step]

    @property
    def points(self) -> Sequence[LossPoint]:
        """The points so far, in the order of their steps."""
        return [self._points[step] for step in sorted(self._points)]


@dataclass(slots=True, eq=False, kw_only=True)
class EarlyStopping:
    """Tells when the validation loss has not improved for too many steps.

    Attributes:
        patience: how many steps those are; None never stops.
        best_step: the step of the least validation loss so far.
        best_theta: θ after that step, at first θ₀.
    """

    patience: int | None
    best_theta: Vector
    best_step: int = 0
    _best_loss: float | None = None

    def observe(self, step: int, theta: Vector, validation_loss: float) -> bool:
        """Take note of a validation loss, and return whether it is time to stop."""
        if self._best_loss is None or validation_loss < self._best_loss:
            self.best_step, self.best_theta, self._best_loss = step, theta, validation_loss
        return self.patience is not None and step - self.best_step >= self.patience


def steps_between_points(plan: Training) -> int:
    """Return how many steps lie between two points: 200 points in all, more where patience is shorter than ten."""
    usual = max(1, -(-plan.steps // _POINTS))
    return usual if plan.early_stopping is None else min(usual, max(1, plan.early_stopping.patience // 10))


@np.errstate(all="ignore")  # a θ that runs away overflows here, and is seen in the losses
def measure_losses(network: Network, theta: Vector, parts: Parts, step: int) -> LossPoint:
    """Return losses and errors at θ, dropout off.

    Args:
        network: as it is trained.
        theta: θ, shape (n,).
        parts: of the data.
        step: number of steps taken.
    """
    network = network.without_dropout()
    penalty = Penalty.at(network, network_layout(network), theta, len(parts.training.inputs)).value
    training, validation = (predict(network, theta, part) for part in (parts.training, parts.validation))
    # Augmented copies are trained on, but errors are those of the rows in the file.
    originals = slice(parts.originals)
    return LossPoint(
        step=step,
        cost=float(np.mean(training.losses)) + penalty,
        training_loss=float(np.mean(training.losses[originals])),
        validation_loss=float(np.mean(validation.losses)),
        training_error=error_of(network, training.a[-1][originals], parts.training.targets[originals]),
        validation_error=error_of(network, validation.a[-1], parts.validation.targets),
    )


def predict(network: Network, theta: Vector, data: Dataset) -> Trace:
    """Return what the network computes from the inputs of some data, dropout off."""
    parameters = tensors_of(network_layout(network), theta)
    return trace(network, parameters, data.inputs, data.targets, [None] * (len(network.layers) + 1))


def error_of(network: Network, outputs: Vector, targets: Vector) -> float:
    """Return the fraction that is wrong, or not explained, between 0 and 1."""
    if network.loss == "softmax_cross_entropy":
        return float(np.mean(outputs.argmax(axis=1) != targets.argmax(axis=1)))
    if network.loss == "binary_cross_entropy":
        # Outputs are logits: a probability above ½ is a logit above 0.
        return float(np.mean((outputs > 0) != (targets > 0.5)))
    with np.errstate(all="ignore"):
        variance = float(np.mean((targets - targets.mean(axis=0)) ** 2))
        unexplained = float(np.mean((outputs - targets) ** 2))
        return float(np.clip(unexplained / variance, 0.0, 1.0)) if variance else float(unexplained > 0)


def bias_variance_at(loss: LossName, point: LossPoint, parts: Parts, bayes_error: float) -> BiasVariance:
    """Return bias and variance at a point of the curve, and on how many answers they were counted."""
    # Classes that exclude each other are one answer per example, whatever the number of outputs.
    outputs = 1 if loss == "softmax_cross_entropy" else parts.training.targets.shape[1]
    counted = len(parts.fitted.inputs) * outputs, len(parts.validation.inputs) * outputs
    return BiasVariance(
        training_error=point.training_error,
        validation_error=point.validation_error,
        bayes_error=bayes_error,
        counted=None if loss == "mean_squared_error" else counted,
    )


def test_error_at(network: Network, theta: Vector, parts: Parts) -> float | None:
    """Return the error of the test part, if there is one."""
    test = parts.test
    return None if test is None else error_of(network, predict(network, theta, test).a[-1], test.targets)
