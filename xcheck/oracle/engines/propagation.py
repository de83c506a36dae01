"""Propagation: the increment that a step in one weight causes, carried layer by layer up to the losses.

A step h in W⁽ˡ⁾ᵢⱼ moves z⁽ˡ⁾ᵢ by δ = h aⱼ⁽ˡ⁻¹⁾, a step h in b⁽ˡ⁾ᵢ moves it by h, and no other unit of layer l moves.
With the values at θ known:

    Δaᵢ = g(zᵢ + δ) − g(zᵢ)                        one unit of layer l
    δ⁽ˡ⁺¹⁾ = Δaᵢ W⁽ˡ⁺¹⁾[:, i]                      a rank-one increment of layer l + 1
    δ⁽ˡ⁺²⁾ = W⁽ˡ⁺²⁾ Δa⁽ˡ⁺¹⁾                        the layers after that in full
    ΔL = L(a⁽ᴸ⁾ + Δa⁽ᴸ⁾) − L(a⁽ᴸ⁾)                 per example

This is the same mathematics as running the network anew for every θᵢ: whatever is left out would give the same values
again. Increments are computed without subtracting losses (`xcheck.oracle.network.increments`), so no digits are lost
however short the step is.

Each line is a compiled function of its own that depends on names and shapes only: layers of one shape share it.
Arrays have units first, examples last: (n, sides, k, m) for k perturbations with several sides (±h) each.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from xcheck.layout import Vector
from xcheck.networks.network import ActivationName, LossName
from xcheck.oracle.engines.network import NetworkEngine
from xcheck.oracle.network.forward import apply_dropout
from xcheck.oracle.network.increments import (
    ExpansionPoint,
    Increments,
    LossExpansionPoint,
    activation_increment,
    expand_at,
    expand_loss_at,
    loss_increment,
    loss_increment_of_one,
)


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer at θ on the device.

    Attributes:
        W: weights, shape (nₗ, nₗ₋₁).
        inputs: activations of the layer below, with a last row of ones for the bias, shape (nₗ₋₁ + 1, m).
        point: what its increments are computed from.
        keep: mask/keep_prob of its activations, shape (nₗ, m), None where nothing is dropped.
    """

    W: Array
    inputs: Array
    point: ExpansionPoint
    keep: Array | None


# Compiled functions take layers as arguments, so JAX must know the arrays in them.
jax.tree_util.register_dataclass(Layer, ["W", "inputs", "point", "keep"], [])


@dataclass(frozen=True, slots=True)
class Top:
    """The output layer with the loss on it.

    Attributes:
        layer: the output layer.
        loss: what increments of the loss are computed from.
        pull: Σₖ yₖ Wₖᵢ, shape (nₗ₋₁, m), where `_loss_increments` can use it; else None.
    """

    layer: Layer
    loss: LossExpansionPoint
    pull: Array | None


jax.tree_util.register_dataclass(Top, ["layer", "loss", "pull"], [])


@partial(jax.jit, static_argnames=("name", "short"))
def _unit_increments(
    name: ActivationName, layer: Layer, units: Array, columns: Array, steps: Array, *, short: bool
) -> Array:
    """Return Δa of one unit for each perturbation, shape (sides, k, m).

    Args:
        name: the activation.
        layer: the layer of the weights.
        units: their units, shape (k,).
        columns: their inputs, shape (k,).
        steps: shape (sides, k).
        short: whether all increments are short.
    """
    point = layer.point.map(lambda part: part[units])
    # δ = h aⱼ; for a bias aⱼ is the row of ones.
    moved = activation_increment(name, point, steps[..., None] * layer.inputs[columns], short=short)
    return apply_dropout(moved, None if layer.keep is None else layer.keep[units])


def _among_sides(part: Array) -> Array:
    # (n, m) beside increments of shape (n, sides, k, m).
    return part[:, None, None, :]


def _input_increments(layer: Layer, units: Array | None, moved: Array) -> Increments:
    """Return a function that gives δ of unit k of a layer, or of all units for a slice.

    Args:
        layer: the layer.
        units: the one unit below that has moved in each perturbation, shape (k,); None if all have.
        moved: its Δa, shape (sides, k, m), or that of all, shape (n, sides, k, m).
    """
    if units is None:
        product = (layer.W @ moved.reshape(len(moved), -1)).reshape(len(layer.W), *moved.shape[1:])
        return lambda k: product[k]
    # One unit has moved: a column of W times Δa, formed output by output so that it fuses with what follows.
    columns = layer.W[:, units]
    return lambda k: columns[k][..., None, :, None] * moved


def _activation_increments(name: ActivationName, layer: Layer, delta: Array, k: int | slice, *, short: bool) -> Array:
    """Return Δa of unit k of a layer, or of all its units for a slice, from their δ."""

    def expand(part: Array) -> Array:
        return part[k] if isinstance(k, int) else _among_sides(part)

    moved = activation_increment(name, layer.point.map(expand), delta, short=short)
    return apply_dropout(moved, None if layer.keep is None else expand(layer.keep))


@partial(jax.jit, static_argnames=("name", "short"))
def _layer_increments(name: ActivationName, layer: Layer, units: Array | None, moved: Array, *, short: bool) -> Array:
    """Return Δa of all units of a layer, shape (n, sides, k, m)."""
    return _activation_increments(
        name, layer, _input_increments(layer, units, moved)(slice(None)), slice(None), short=short
    )


@partial(jax.jit, static_argnames=("name", "loss", "short"))
def _loss_increments(
    name: ActivationName,
    loss: LossName,
    top: Top,
    units: Array | None,
    moved: Array,
    *,
    short: bool,
) -> Array:
    """Return the increment of each example's loss, shape (sides, k, m), from Δa below the output layer.

    The softmax loss does not change when all outputs move alike. Where they move by W[:, i] Δaᵢ, the `pull` of the
    targets, Σₖ yₖ Wₖᵢ, is therefore subtracted from W beforehand, once for all perturbations, instead of subtracting
    Σₖ yₖ δₖ from every increment.
    """
    if top.pull is not None and units is not None and short:
        columns, pulled = top.layer.W[:, units], top.pull[units]
        return loss_increment(
            loss, top.loss, lambda k: (columns[k][..., None, :, None] - pulled) * moved, short=True, centred=True
        )
    arriving = _input_increments(top.layer, units, moved)

    def outputs(k: int | slice) -> Array:
        return _activation_increments(name, top.layer, arriving(k), k, short=short)

    return loss_increment(loss, top.loss, outputs, short=short)


@partial(jax.jit, static_argnames=("names", "loss", "short"))
def _increment_to_the_loss(
    names: tuple[ActivationName, ActivationName],
    loss: LossName,
    layer: Layer,
    top: Top,
    units: Array,
    columns: Array,
    steps: Array,
    *,
    short: bool,
) -> Array:
    """Return the increment of each example's loss for steps in the weights of the last hidden layer.

    Its two parts are compiled together: they fuse, which saves a quarter of the time.
    """
    moved = _unit_increments(names[0], layer, units, columns, steps, short=short)
    return _loss_increments(names[1], loss, top, units, moved, short=short)


@partial(jax.jit, static_argnames=("loss", "short"))
def _loss_increments_of_output(
    loss: LossName, point: LossExpansionPoint, units: Array, moved: Array, *, short: bool
) -> Array:
    """Return the increment of each example's loss, shape (sides, k, m), when one output has moved."""
    if short:
        return loss_increment_of_one(loss, point.map(lambda part: part[units]), moved)
    # Of each perturbation one output has moved; the others get zeros.
    chosen = (jnp.arange(len(point.targets))[:, None] == units)[:, None, :, None]
    return loss_increment(loss, point, lambda k: jnp.where(chosen, moved, 0.0)[k], short=False)


@dataclass(frozen=True, slots=True)
class Propagator:
    """The layers of a network at θ on a device, for each variant of its branches.

    Attributes:
        names: activations of the layers.
        loss: name of the loss.
        layers: per layer one value for each variant.
        tops: the output layer, one value for each variant.
    """

    names: Sequence[ActivationName]
    loss: LossName
    layers: Sequence[Sequence[Layer]]
    tops: Sequence[Top]

    @classmethod
    def of(cls, engine: NetworkEngine) -> "Propagator":
        """Return the layers of an engine's network; to be called where its device is the default."""
        problem, trace = engine.problem, engine.trace
        names, loss = [layer.activation for layer in problem.network.layers], problem.network.loss
        # The bias is the weight of an input that is 1 in all examples.
        ones = np.ones((1, problem.examples))
        layers: list[list[Layer]] = []
        with np.errstate(all="ignore"):  # constants that overflow give increments that are not finite, which show
            for number, (W, _) in enumerate(engine.parameters):
                inputs, keep = np.concatenate([trace.a[number].T, ones]), _transposed(engine.keeps[number + 1])
                points = (
                    expand_at(names[number], trace.z[number].T, _transposed(branches[number]))
                    for branches in engine.branches.each
                )
                layers.append([Layer(W, inputs, point, keep) for point in points])
            point = expand_loss_at(loss, trace.a[-1].T, problem.targets.T)
            # The pull needs outputs that are linear in Δa: no activation and no dropout between.
            linear = names[-1] == "identity" and engine.keeps[-1] is None
            softmax = loss == "softmax_cross_entropy"
            pull = engine.parameters[-1][0].T @ problem.targets.T if linear and softmax else None
        # Once per engine, so that no call copies weights or activations to the device.
        on_device = jax.tree.map(jnp.asarray, layers)
        tops = [jax.tree.map(jnp.asarray, Top(layer, point, pull)) for layer in on_device[-1]]
        return cls(names, loss, on_device, tops)

    def loss_increments(self, number: int, variant: int, units: Any, columns: Any, steps: Any, *, short: bool) -> Array:
        """Return L(θ + step) − L(θ) of each example, shape (sides, k, m).

        Args:
            number: of the layer, from 0.
            variant: of the branches.
            units: i of W⁽ˡ⁾ᵢⱼ, shape (k,).
            columns: j, or nₗ₋₁ for the bias, shape (k,).
            steps: shape (sides, k).
            short: whether all increments are short; see `xcheck.oracle.engines.bounds`.
        """
        layers, top = [layer[variant] for layer in self.layers], self.tops[variant]
        names, loss, last = self.names, self.loss, len(layers) - 1
        # The last hidden layer often holds most of the weights: it gets the fused function.
        if number == last - 1:
            pair = (names[number], names[last])
            return _increment_to_the_loss(pair, loss, layers[number], top, units, columns, steps, short=short)
        moved = _unit_increments(names[number], layers[number], units, columns, steps, short=short)
        # A weight of the output layer moves one output, and there is no layer above it.
        if number == last:
            return _loss_increments_of_output(loss, top.loss, units, moved, short=short)
        # In the layer right above, one unit has moved; after that, all have.
        single: Array | None = units
        for above in range(number + 1, last):
            moved = _layer_increments(names[above], layers[above], single, moved, short=short)
            single = None
        return _loss_increments(names[last], loss, top, single, moved, short=short)


def _transposed(array: Vector | None) -> Vector | None:
    return None if array is None else array.T
