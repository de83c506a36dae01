"""A perturbation climbs the network: what is below it stays, what it touches moves, layer after layer, to the losses.

W⁽ˡ⁾ᵢⱼ + h moves z⁽ˡ⁾ᵢ by δ = h aⱼ⁽ˡ⁻¹⁾ and no other unit of layer l; b⁽ˡ⁾ᵢ + h moves it by h. With all at θ known:

    Δaᵢ = g(zᵢ + δ) − g(zᵢ)                        one unit of layer l
    δ⁽ˡ⁺¹⁾ = Δaᵢ W⁽ˡ⁺¹⁾[:, i]                      a rank-one move of layer l + 1
    δ⁽ˡ⁺²⁾ = W⁽ˡ⁺²⁾ Δa⁽ˡ⁺¹⁾                        the layers after that in full
    ΔL = L(a⁽ᴸ⁾ + Δa⁽ᴸ⁾) − L(a⁽ᴸ⁾)                 per example

This is the same mathematics as running the network anew for every θᵢ; what is left out would come out the same. Moves
are carried (`xcheck.oracle.engines.increments`), losses are not subtracted, and a step may be as short as one likes.

Each arrow is a compiled function of its own that depends on names and shapes only: layers of one shape share it.
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
from xcheck.oracle.engines.elementary import SHORT
from xcheck.oracle.engines.increments import (
    ExpansionPoint,
    LossAnchor,
    Moves,
    activation_moved,
    expand_at,
    loss_anchored,
    loss_moved,
    loss_moved_by_one,
)
from xcheck.oracle.engines.network import NetworkEngine
from xcheck.oracle.network.forward import STEEPEST, dropped


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer at θ on the device: W (nₗ, nₗ₋₁), inputs (nₗ₋₁ + 1, m) with a last row of ones, anchor, mask."""

    W: Array
    inputs: Array
    anchor: ExpansionPoint
    keep: Array | None


jax.tree_util.register_dataclass(Layer, ["W", "inputs", "anchor", "keep"], [])


@dataclass(frozen=True, slots=True)
class Top:
    """The output layer with the loss on it; `pull` (nₗ₋₁, m) is Σₖ yₖ Wₖᵢ where it can be used, see `_arrived`."""

    layer: Layer
    loss: LossAnchor
    pull: Array | None


jax.tree_util.register_dataclass(Top, ["layer", "loss", "pull"], [])


@partial(jax.jit, static_argnames=("name", "short"))
def _entered(name: ActivationName, layer: Layer, units: Array, columns: Array, steps: Array, *, short: bool) -> Array:
    """Return Δa of one unit each, shape (sides, k, m), for `steps` (sides, k) of the weights from `columns`."""
    anchor = layer.anchor.at(lambda part: part[units])
    moved = activation_moved(name, anchor, steps[..., None] * layer.inputs[columns], short=short)
    return dropped(moved, None if layer.keep is None else layer.keep[units])


def _among_sides(part: Array) -> Array:
    return part[:, None, None, :]


def _arriving(layer: Layer, units: Array | None, moved: Array) -> Moves:
    """Return δ of unit k of a layer, or of all for a slice, from Δa of one unit below (`units`) or of all (None)."""
    if units is None:
        product = (layer.W @ moved.reshape(len(moved), -1)).reshape(len(layer.W), *moved.shape[1:])
        return lambda k: product[k]
    columns = layer.W[:, units]
    return lambda k: columns[k][..., None, :, None] * moved


def _passed(name: ActivationName, layer: Layer, delta: Array, k: int | slice, *, short: bool) -> Array:
    """Return Δa of unit k, or of all for a slice, from its δ."""

    def expand(part: Array) -> Array:
        return part[k] if isinstance(k, int) else _among_sides(part)

    moved = activation_moved(name, layer.anchor.at(expand), delta, short=short)
    return dropped(moved, None if layer.keep is None else expand(layer.keep))


@partial(jax.jit, static_argnames=("name", "short"))
def _climbed(name: ActivationName, layer: Layer, units: Array | None, moved: Array, *, short: bool) -> Array:
    """Return Δa of all units of a layer, shape (n, sides, k, m)."""
    return _passed(name, layer, _arriving(layer, units, moved)(slice(None)), slice(None), short=short)


@partial(jax.jit, static_argnames=("name", "loss", "short"))
def _arrived(
    name: ActivationName,
    loss: LossName,
    top: Top,
    units: Array | None,
    moved: Array,
    *,
    short: bool,
) -> Array:
    """Return the move of each example's loss, shape (sides, k, m), from Δa below the output layer.

    The softmax loss does not change when all outputs move alike. Where they move with W[:, i] Δaᵢ, the `pull` of the
    targets, Σₖ yₖ Wₖᵢ, is therefore taken out of W beforehand, once for all perturbations, and not out of every move.
    """
    if top.pull is not None and units is not None and short:
        columns, pulled = top.layer.W[:, units], top.pull[units]
        return loss_moved(
            loss, top.loss, lambda k: (columns[k][..., None, :, None] - pulled) * moved, short=True, centred=True
        )
    arriving = _arriving(top.layer, units, moved)

    def outputs(k: int | slice) -> Array:
        return _passed(name, top.layer, arriving(k), k, short=short)

    return loss_moved(loss, top.loss, outputs, short=short)


@partial(jax.jit, static_argnames=("names", "loss", "short"))
def _entered_and_arrived(
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
    """The last hidden layer and the outputs in one: compiled together they fuse, and save a quarter of the time."""
    moved = _entered(names[0], layer, units, columns, steps, short=short)
    return _arrived(names[1], loss, top, units, moved, short=short)


@partial(jax.jit, static_argnames=("loss", "short"))
def _arrived_at_once(loss: LossName, anchor: LossAnchor, units: Array, moved: Array, *, short: bool) -> Array:
    """Return the move of each example's loss, shape (sides, k, m), when one output has moved."""
    if short:
        return loss_moved_by_one(loss, anchor.at(lambda part: part[units]), moved)
    chosen = (jnp.arange(len(anchor.targets))[:, None] == units)[:, None, :, None]
    return loss_moved(loss, anchor, lambda k: jnp.where(chosen, moved, 0.0)[k], short=False)


class Propagator:
    """The layers of a network at θ, for each variant of its pieces, on the device of an engine."""

    def __init__(
        self, names: Sequence[ActivationName], loss: LossName, layers: Sequence[Sequence[Layer]], tops: Sequence[Top]
    ) -> None:
        self._names, self._loss, self._layers, self._tops = names, loss, layers, tops

    @classmethod
    def at(cls, engine: NetworkEngine) -> "Propagator":
        """Return the network of an engine, with everything that is known at θ on its device."""
        problem, trace = engine.problem, engine.trace
        names, loss = [layer.activation for layer in problem.network.layers], problem.network.loss
        ones = np.ones((1, problem.examples))
        layers: list[list[Layer]] = []
        with np.errstate(all="ignore"):
            for number, (W, _) in enumerate(engine.parameters):
                inputs, keep = np.concatenate([trace.a[number].T, ones]), _turned(engine.keeps[number + 1])
                anchors = (
                    expand_at(names[number], trace.z[number].T, _turned(pieces[number]))
                    for pieces in engine.pieces.each
                )
                layers.append([Layer(W, inputs, anchor, keep) for anchor in anchors])
            anchor = loss_anchored(loss, trace.a[-1].T, problem.targets.T)
            linear = names[-1] == "identity" and engine.keeps[-1] is None
            pull = (
                engine.parameters[-1][0].T @ problem.targets.T if linear and loss == "softmax_cross_entropy" else None
            )
        layers = jax.tree.map(jnp.asarray, layers)
        return cls(names, loss, layers, [jax.tree.map(jnp.asarray, Top(layer, anchor, pull)) for layer in layers[-1]])

    def moved(self, number: int, variant: int, units: Any, columns: Any, steps: Any, *, short: bool) -> Array:
        """Return L(θ + step) − L(θ) of each example, shape (sides, k, m).

        Args:
            number: of the layer, from 0.
            variant: of the pieces.
            units: i of W⁽ˡ⁾ᵢⱼ, shape (k,).
            columns: j, or nₗ₋₁ for the bias, shape (k,).
            steps: shape (sides, k).
            short: whether all moves are short, as `reach` tells.
        """
        layers, top = [layer[variant] for layer in self._layers], self._tops[variant]
        names, loss, last = self._names, self._loss, len(layers) - 1
        if number == last - 1:
            pair = (names[number], names[last])
            return _entered_and_arrived(pair, loss, layers[number], top, units, columns, steps, short=short)
        moved = _entered(names[number], layers[number], units, columns, steps, short=short)
        if number == last:
            return _arrived_at_once(loss, top.loss, units, moved, short=short)
        single: Array | None = units
        for above in range(number + 1, last):
            moved = _climbed(names[above], layers[above], single, moved, short=short)
            single = None
        return _arrived(names[last], loss, top, single, moved, short=short)


def _turned(array: Vector | None) -> Vector | None:
    return None if array is None else array.T


def reach(engine: NetworkEngine) -> list[Vector]:
    """Return per layer and unit how far anything above moves, at most, when its z moves by 1; shapes (nₗ,).

    |δ⁽ˡ⁺¹⁾| ≤ maxₖ |Wₖᵢ| |Δaᵢ| and after that |δ| ≤ ‖W‖∞ |Δa|, with |Δa| ≤ 1.13 |δ| times the mask's 1/keep_prob, and
    Δa = 0 of dead units, whose weights above take no part. A step h in zᵢ is short when h · reachᵢ ≤ SHORT/2: then
    every polynomial is within its range.
    """
    network = engine.problem.network
    bounds: list[Vector] = []
    above = 2.0  # dₖ = δₖ − Σ y δ of the softmax is twice as far as the outputs move
    for number in reversed(range(len(network.layers))):
        steepness = STEEPEST / network.layers[number].keep_prob
        own = 1.0 + (
            float(np.abs(engine.trace.z[number]).max()) if network.layers[number].activation == "gelu" else 0.0
        )
        with np.errstate(over="ignore", invalid="ignore"):
            if number == len(network.layers) - 1:
                columns, rows = np.ones(network.widths[-1]), 1.0
            else:
                W = np.where(engine.dead[number], 0.0, np.abs(engine.parameters[number + 1][0]))
                columns, rows = W.max(axis=0), float(W.sum(axis=1).max())
            bounds.insert(0, np.maximum(own, steepness * columns * above))
            above = max(own, steepness * rows * above)
    return bounds


def is_short(distance: Vector) -> bool:
    """Return whether moves of up to `distance` (steps times reach) are short."""
    return bool((distance <= SHORT / 2).all())
