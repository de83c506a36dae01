"""Gradients from increments of pre-activations: one evaluation per unit instead of one per weight.

z⁽ˡ⁾ᵢ of all m examples is moved at once (`xcheck.oracle.engines.node`), and with φₑ the loss of example e

    Dᵢₑ = (φₑ(zᵢ + h) − φₑ(zᵢ − h))/2h       ∂J/∂Wᵢⱼ = (1/m) Σₑ Dᵢₑ aⱼₑ + penalty       ∂J/∂bᵢ = (1/m) Σₑ Dᵢₑ

each D extrapolated to fourth order from h, 2h and 4h, with its truncation error tᵢₑ ≤ |R − R'|. Those of the examples
add up: the bar of Wᵢⱼ is (1/m) Σₑ tᵢₑ |aⱼₑ|, plus rounding. At a kink every example has an interval of slopes, and the
sign of aⱼₑ says which end is which.

This relies on two properties: z is linear in W, which is the definition of a layer, and examples are independent. Every
run audits it by weight perturbation (`xcheck.oracle.estimators.audit`), and measures again by weight perturbation the
components whose bars are too wide.
"""

from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from xcheck.layout import Vector
from xcheck.oracle.engines.node import NodeEngine
from xcheck.oracle.estimators.central import Measurement, error_bar, extrapolate
from xcheck.oracle.network.forward import float64_on

# h, 2h and 4h, both sides.
_SIDES = np.array([1.0, -1.0, 2.0, -2.0, 4.0, -4.0])


@dataclass(frozen=True, slots=True)
class _Nodes:
    """Slopes of every example's loss along every unit of a layer.

    Attributes:
        slopes: shape (variants, nₗ, m).
        truncation: their errors, shape (nₗ, m).
    """

    slopes: Vector
    truncation: Vector


@partial(jax.jit)
def _slopes(increments: Array, steps: Array) -> tuple[Array, Array]:
    """Return R and a bound of its error from increments of shape (6, k, m) and h of shape (k,)."""
    once, twice, thrice = (
        (increments[2 * i] - increments[2 * i + 1]) / (2 * factor * steps[:, None])
        for i, factor in enumerate((1, 2, 4))
    )
    value = extrapolate(once, twice)
    # The part that is even in the step cancels between the two sides, but its rounding does not: a few ulps of each.
    rounding = 8 * np.finfo(np.float64).eps * jnp.abs(increments[:2]).max(0) / steps[:, None]
    return value, jnp.abs(value - extrapolate(twice, thrice)) + rounding


def estimate_by_nodes(engine: NodeEngine, noise: Vector) -> Measurement:
    """Estimate all components of θ.

    Args:
        engine: evaluates the losses with pre-activations moved.
        noise: σ of J per component, shape (n,).
    """
    layout, everything = engine.layout, np.arange(engine.layout.size)
    step = engine.first_step * engine.scale
    sums = _Sums(layout.size, engine.branches.variants)
    for number in range(len(engine.parameters)):
        weights, bias = layout.tensor(number + 1, "weight").span, layout.tensor(number + 1, "bias").span
        nodes, inputs = _measured(engine, number, step[bias]), engine.trace.a[number]
        # A weight multiplies an activation, a bias the constant 1: one formula serves both.
        sums.put(weights, nodes, inputs)
        sums.put(bias, nodes, np.ones((len(inputs), 1)))
    still = np.zeros(layout.size)
    exact = engine.exact(everything, still, still)  # exact whatever the step
    magnitude = sums.magnitude + exact.magnitude
    return Measurement(
        indices=everything,
        value=(sums.lower + sums.upper) / 2 + exact.slope,
        lower=sums.lower + exact.lower,
        upper=sums.upper + exact.upper,
        conventions=sums.conventions + exact.slope,
        magnitude=magnitude,
        bar=error_bar(engine, sums.truncation, noise, step, 0.0, magnitude),
        step=step,
        evaluations=len(_SIDES) * sum(engine.problem.network.widths[1:]),
    )


def _measured(engine: NodeEngine, number: int, step: Vector) -> _Nodes:
    """Measure the slopes along all units of a layer, with steps of shape (nₗ,) in z."""
    variants, count, examples = engine.branches.variants, len(step), engine.problem.examples
    nodes = _Nodes(np.empty((variants, count, examples)), np.zeros((count, examples)))
    chunk = min(count, engine.units_at_a_time(number, len(_SIDES)))
    for start in range(0, count, chunk):
        places = np.arange(start, min(start + chunk, count))
        units = np.resize(places, chunk)  # repetitions, so that there is one compilation
        for variant in range(variants):
            increments = engine.increments(number, variant, units, _SIDES[:, None] * step[units])
            with float64_on(engine.device):
                value, error = jax.device_get(_slopes(increments, step[units]))
            nodes.slopes[variant, places] = value[: len(places)]
            # One bound for all variants: the largest.
            nodes.truncation[places] = np.maximum(nodes.truncation[places], error[: len(places)])
        engine.progress(3 * len(places))
    return nodes


class _Sums:
    """Means over the examples, component by component of θ: what `Measurement` holds, without the penalty."""

    def __init__(self, size: int, variants: int) -> None:
        self.lower, self.upper, self.magnitude, self.truncation = (np.empty(size) for _ in range(4))
        self.conventions = np.empty((variants, size))

    def put(self, span: slice, nodes: _Nodes, inputs: Vector) -> None:
        """Fill in the weights from `inputs`, shape (m, nₗ₋₁), to the units of `nodes`."""
        slopes, sizes = nodes.slopes, np.abs(inputs)
        for variant, slope in enumerate(slopes):
            self.conventions[variant, span] = _mean(slope, inputs)
        self.magnitude[span] = _mean(np.abs(slopes).max(axis=0), sizes)
        self.truncation[span] = _mean(nodes.truncation, sizes)
        if len(slopes) == 1:
            self.lower[span] = self.upper[span] = self.conventions[0, span]
        else:
            least, most = slopes.min(axis=0), slopes.max(axis=0)
            forwards, backwards = np.maximum(inputs, 0.0), np.minimum(inputs, 0.0)
            self.lower[span] = _mean(least, forwards) + _mean(most, backwards)
            self.upper[span] = _mean(most, forwards) + _mean(least, backwards)


def _mean(slopes: Vector, inputs: Vector) -> Vector:
    """Return (1/m) Σₑ slopesᵢₑ inputsₑⱼ, flat in C-order."""
    return np.asarray(slopes @ inputs / len(inputs)).ravel()
