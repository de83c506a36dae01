"""Caveats about a network at θ: signals that vanish or explode, units that are saturated or all alike.

Source: lecture notes, "Vanishing/exploding gradients" and "Weight initialization for deep NN".
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from xcheck.caveats.layers import SATURATED, LayerState
from xcheck.caveats.point import CheckedPoint
from xcheck.findings import EQUAL_UNITS, EXPLODING, SATURATED_UNITS, VANISHING, Finding

# A thousandfold change between two layers is three digits of the loss that one layer has and the other has not. In a
# deep network the bounds are per layer: the lecture's has ten layers and changes by 1.5 or 0.5 in each of nine steps,
# to 38 or 0.002 of what it was; 1.45 and 0.55 leave a little room beside these factors.
_FACTOR = 1e3
_DEEP = 9
_GROWTH, _DECAY = 1.45, 0.55
# How far the variance of weights may be from the advised one, as a factor. A guess between what small layers vary by
# chance, and 2 and 2.25: relu with 1/n instead of 2/n, and the lecture's example.
_AS_ADVISED = 1.5
# Activations whose outputs are at most 1, however large what they are given.
_BOUNDED = ("sigmoid", "tanh")


@dataclass(frozen=True, slots=True)
class _Change:
    """The size of something in one layer, and in another."""

    what: str
    start: int
    end: int
    before: float
    after: float

    @property
    def ratio(self) -> float:
        return self.after / self.before

    @property
    def rate(self) -> float:
        """Change from each layer to the next."""
        return float(self.ratio ** (1 / max(1, abs(self.end - self.start))))

    @property
    def _deep(self) -> bool:
        return abs(self.end - self.start) >= _DEEP

    @property
    def vanishes(self) -> bool:
        return self.ratio <= 1 / _FACTOR or (self._deep and self.rate <= _DECAY)

    @property
    def explodes(self) -> bool:
        return self.ratio >= _FACTOR or (self._deep and self.rate >= _GROWTH)

    def __str__(self) -> str:
        sizes = f"from {self.before:.2g} in layer {self.start} to {self.after:.2g} in layer {self.end}"
        return f"{self.what} changes {self.ratio:.4g}-fold {sizes}, {self.rate:.2g}-fold per layer"


def vanishing(point: CheckedPoint) -> Finding | None:
    """Warn of gradients, or activations, that shrink too much on their way through the layers."""
    changes = _largest_of_each(change for change in _changes(point) if change.vanishes)
    if not changes:
        return None
    text = (
        f"vanishing: {_join(changes)}; the loss hardly depends on such layers, and their gradient is lost in its last "
        f"digits: {_advice(point)}"
    )
    return Finding(code=VANISHING, text=text, value=min(change.ratio for change in changes))


def exploding(point: CheckedPoint) -> Finding | None:
    """Warn of gradients, or activations, that grow too much on their way through the layers."""
    changes = _largest_of_each(change for change in _changes(point) if change.explodes)
    if not changes:
        return None
    text = f"exploding: {_join(changes)}; rounding grows with it, and hides what is small beside it: {_advice(point)}"
    return Finding(code=EXPLODING, text=text, value=max(change.ratio for change in changes))


def _changes(point: CheckedPoint) -> list[_Change]:
    """Return how gradients change from the last layer down, and activations from the first layer up."""
    last = point.layers[-1]
    changes = [
        _Change("∂L/∂z", last.number, layer.number, last.gradient_rms, layer.gradient_rms) for layer in point.layers
    ]
    changes += _activation_changes(point.layers)
    # What is zero, or not a number, does not change: dead units and zero gradients have warnings of their own.
    return [change for change in changes if change.before > 0 and change.after > 0]


def _activation_changes(layers: Sequence[LayerState]) -> Iterator[_Change]:
    """Yield the changes since the first layer, or since one that is bounded: what is large saturates that one."""
    start = layers[0]
    for layer in layers[1:]:
        if layer.activation in _BOUNDED:
            start = layer
        else:
            yield _Change("a", start.number, layer.number, start.activation_rms, layer.activation_rms)


def _largest_of_each(changes: Iterable[_Change]) -> list[_Change]:
    """Keep one change of each quantity: the largest."""
    # By the logarithm: a change to a thousandth is as large as one to a thousandfold.
    kept: dict[str, _Change] = {}
    for change in changes:
        rival = kept.setdefault(change.what, change)
        if abs(np.log(change.ratio)) > abs(np.log(rival.ratio)):
            kept[change.what] = change
    return list(kept.values())


def _join(changes: Iterable[_Change]) -> str:
    return ", and ".join(str(change) for change in changes)


def _advice(point: CheckedPoint) -> str:
    """Return a sentence on the weights' variance, with the one that would keep sizes as they are if that differs."""
    # The mean over the layers in logarithms: it is their product that signals are multiplied with.
    gains = [layer.gain for layer in point.layers]
    span = f"{min(gains):.3g}/n" if max(gains) <= 1.005 * min(gains) else f"{min(gains):.3g}/n to {max(gains):.3g}/n"
    advised = [layer.advised_gain for layer in point.layers]
    with np.errstate(all="ignore"):
        off = float(np.mean(np.log(np.divide(gains, advised))))
    if abs(off) < np.log(_AS_ADVISED):
        return f"the weights' variance of {span} is not to blame: take relu or tanh in hidden layers, or fewer layers"
    return f"the weights' variance is {span}: draw them with 2/n (he, for relu) or 1/n (xavier)"


def saturated(point: CheckedPoint) -> Finding | None:
    """Warn of layers in which at least half of the units are saturated; a few are ordinary after training."""
    # Half of the units: a layer in which most of them still move passes its gradient on.
    flat = [layer for layer in point.layers if 2 * len(layer.saturated) >= layer.units]
    if not flat:
        return None
    where = ", ".join(f"{len(layer.saturated)} of {layer.units} units of layer {layer.number}" for layer in flat)
    text = (
        f"saturated: {where} have less than {SATURATED:.0e} of their largest slope in most examples, so next to "
        "nothing passes back and a wrong derivative hardly shows: normalise the inputs, or draw smaller weights"
    )
    return Finding(code=SATURATED_UNITS, text=text, value=float(sum(len(layer.saturated) for layer in flat)))


def equal_units(point: CheckedPoint) -> Finding | None:
    """Warn of hidden units that compute the same as another: equal weights, bias and dropout mask.

    Their columns in the gradient of the next layer are equal; if the weights that lead on are equal as well, so are
    their rows in the gradient of their own layer. A backward pass that mixes such units up gives the right gradient.
    """
    problem, layout = point.problem, point.problem.layout
    parameters = layout.unflatten(problem.theta)
    parts, count = [], 0
    for number in range(1, len(problem.network.layers)):
        # Units whose masks differ are dropped in different examples, and have different gradients.
        mask = problem.masks[number]
        W, b = layout.tensor(number, "weight").name, layout.tensor(number, "bias").name
        onward = layout.tensor(number + 1, "weight").name
        incoming = [parameters[W], parameters[b][:, None], *([] if mask is None else [mask.T])]
        alike = _count_repeated(np.hstack(incoming))
        if alike:
            both = _count_repeated(np.hstack([*incoming, parameters[onward].T])) == alike
            tensors = f"{W}, {b} and {onward}" if both else onward
            parts.append(f"{alike} of {len(incoming[0])} in layer {number} (equal gradients in {tensors})")
            count += alike
    if not parts:
        return None
    text = (
        f"equal units: {', '.join(parts)} compute the same as another unit, so mixing them up does not show: draw "
        "the weights at random"
    )
    return Finding(code=EQUAL_UNITS, text=text, value=float(count))


def _count_repeated(rows: np.ndarray) -> int:
    """Return how many rows occur more than once."""
    _, counts = np.unique(rows + 0.0, axis=0, return_counts=True)  # + 0.0: −0 is 0
    return int(counts[counts > 1].sum())
