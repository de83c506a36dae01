"""Faults of layers: the mistakes that people make in the backward pass of a convolution or a norm, made on purpose.

They are those that can be made in the gradient alone, and need no more than the network's shapes. Mistakes on the way
down, such as a max pool that spreads its slope, are planted in the operations themselves, in the tests of xcheck.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np

from xcheck.networks.layers import BatchNorm, Convolution, Layer, LayeredNetwork, LayerNorm, Placed, Residual, RmsNorm
from xcheck.testing.generic_faults import GenericFault, Gradient, Spoil, changed

# Takes a placed layer and all gradients by name; returns those that the mistake would give instead.
Mistake = Callable[[Placed, Gradient], Gradient]


def layer_faults(network: LayeredNetwork) -> tuple[GenericFault, ...]:
    """Return the faults of the layers of a network; each is made in all layers of its kind."""
    return tuple(
        GenericFault(name, "layers", _in_layers(network, kinds, mistake)) for name, kinds, mistake in _CATALOGUE
    )


def _in_layers(network: LayeredNetwork, kinds: Sequence[type[Layer]], mistake: Mistake) -> Spoil:
    """Return the fault of making a mistake in all layers of some kinds; it does not apply where there are none."""
    layers = [placed for placed in network.walk() if isinstance(placed.layer, tuple(kinds))]

    def fault(gradient: Gradient, params: Gradient, rng: np.random.Generator) -> Gradient | None:
        mistakes = [mistake(placed, gradient) for placed in layers]
        return changed(gradient, {**gradient, **{name: array for made in mistakes for name, array in made.items()}})

    return fault


def _turned(placed: Placed, gradient: Gradient) -> Gradient:
    """The gradient of a convolution that turns its kernel, beside a cross-correlation that does not."""
    name = f"W{placed.number}"
    return {name: np.flip(gradient[name], tuple(range(2, gradient[name].ndim)))}


def _mirrored(placed: Placed, gradient: Gradient) -> Gradient:
    """Height and width of the kernel in each other's place, where they are of one length."""
    name = f"W{placed.number}"
    *channels, height, width = gradient[name].shape
    # The kernel of a signal has one axis behind its two of channels.
    return {name: np.swapaxes(gradient[name], -1, -2)} if len(channels) == 2 and height == width else {}


def _exchanged(placed: Placed, gradient: Gradient) -> Gradient:
    """Input and output channels in each other's place, where there are as many."""
    name = f"W{placed.number}"
    outputs, inputs, *_ = gradient[name].shape
    return {name: np.swapaxes(gradient[name], 0, 1)} if outputs == inputs else {}


def _averaged(placed: Placed, gradient: Gradient) -> Gradient:
    """A mean over the places of a kernel: it is used at all of them, so that its gradient is a sum."""
    places = math.prod(placed.outputs[1:])
    return {name: gradient[name] / places for name in map(placed.named, placed.parameters)}


def _without_normal(placed: Placed, gradient: Gradient) -> Gradient:
    """The gradient of the gain without x̂, which is that of the bias; an RMS norm has none."""
    bias = gradient.get(f"beta{placed.number}")
    return {} if bias is None else {f"gamma{placed.number}": bias}


def _constant(placed: Placed, gradient: Gradient) -> Gradient:
    """A gain that is taken for a constant."""
    name = f"gamma{placed.number}"
    return {name: 0 * gradient[name]}


def _not_entered(placed: Placed, gradient: Gradient) -> Gradient:
    """Nothing comes down to the layers inside a residual."""
    inside = (below for one in placed.inside for below in one.walk())
    return {name: 0 * gradient[name] for one in inside for name in map(one.named, one.parameters)}


_NORMS = (LayerNorm, RmsNorm, BatchNorm)
_CATALOGUE: tuple[tuple[str, Sequence[type[Layer]], Mistake], ...] = (
    ("kernels turned", (Convolution,), _turned),
    ("height and width of kernels swapped", (Convolution,), _mirrored),
    ("input and output channels swapped", (Convolution,), _exchanged),
    ("mean over the places of a kernel", (Convolution,), _averaged),
    ("gain without x̂", _NORMS, _without_normal),
    ("gain taken for a constant", _NORMS, _constant),
    ("residual not entered", (Residual,), _not_entered),
)
