"""The measurement of a loss by its nodes, with a sample of the components of θ moved themselves as an audit."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from xcheck.errors import BackendError
from xcheck.layout import Vector
from xcheck.oracle.columns import Indices
from xcheck.oracle.engines.evaluator import chunk_for
from xcheck.oracle.engines.function import FunctionEngine
from xcheck.oracle.engines.lines import Directions, Lines
from xcheck.oracle.estimators.audit import Audit
from xcheck.oracle.estimators.even_part import quiet_noise
from xcheck.oracle.estimators.noise import measure_noise_nearby
from xcheck.oracle.estimators.one_sided import estimate_one_sided
from xcheck.oracle.estimators.sides import OneSidedGradient
from xcheck.oracle.estimators.two_step import draw_sample
from xcheck.oracle.function_estimate import quantized_roundoff
from xcheck.oracle.nodes.contraction import contract
from xcheck.oracle.nodes.engine import NodesEngine
from xcheck.oracle.options import FunctionOptions
from xcheck.seeds import Stream, generator
from xcheck.trace import Nodes, UntraceableError

# An engine of some components -> their gradient and σ of J along each; None where J is no smooth function of 64 bits.
Measure: TypeAlias = Callable[[FunctionEngine], tuple[OneSidedGradient, Vector] | None]

# Fewer components are moved themselves within a second or two: a guess.
_FEWEST = 1000
# To compile the rest behind the nodes takes a second or more: a guess. Below that, and where nodes save less than half,
# the components themselves are the more direct.
_WORTHWHILE, _SAVED = 2.0, 0.5
# Losses for each component, or node: two sides of two steps, and a half more.
_LOSSES_EACH = 6
# Components with bars that are wider than this share of the tolerance, in units of the largest of their tensor, are
# measured themselves; so many at most, a guess.
_WIDE, _MOST = 1.0, 4096
# Roundings by which the loss of the traced program may differ from that of a call: a guess.
_SAME = 2.0**-40


@dataclass(frozen=True, slots=True, eq=False)
class NodeMeasurement:
    """A gradient from nodes.

    Attributes:
        gradient: all components; None where nodes do not serve.
        noise: σ of J along each component, shape (n,).
        text: how many nodes there are, and where; or why they do not serve.
        audits: how the components that were moved themselves compare.
    """

    gradient: OneSidedGradient | None
    noise: Vector
    text: str
    audits: tuple[Audit, ...] = ()


def seconds_per_loss(engine: FunctionEngine) -> float:
    """Return how long a loss takes in a whole batch, the second time, when nothing is compiled any more."""
    count = chunk_for(engine.theta.size, engine.evaluator.data)
    points, taken = np.repeat(engine.theta[None], count, axis=0), 0.0
    # The function may look up what it knows already: no point is θ itself.
    points[:, 0] *= 1 + 2.0**-20
    for _ in range(2):
        start = time.perf_counter()
        engine.evaluator.losses(points)
        taken = time.perf_counter() - start
    return taken / count


def choose_nodes(engine: FunctionEngine) -> Nodes | str:
    """Return the nodes of a loss where they are predicted to take less time than its components, or why there are none.

    An empty text says that components are quick enough by themselves.
    """
    size = engine.layout.size
    if engine.evaluator.nodes is None or size < _FEWEST:
        return ""
    each = seconds_per_loss(engine)
    if _LOSSES_EACH * size * each < _WORTHWHILE:
        return ""
    try:
        nodes = engine.evaluator.nodes()
    except UntraceableError as error:
        return str(error)
    except BackendError as error:
        return error.text.splitlines()[0]
    alone = float(np.count_nonzero(~nodes.covered))
    if nodes.work + alone > _SAVED * size:
        return f"they would take {(nodes.work + alone) / size:.0%} of the losses of all components"
    return nodes


def measure_by_nodes(
    engine: FunctionEngine,
    nodes: Nodes,
    measure: Measure,
    options: FunctionOptions,
) -> NodeMeasurement:
    """Measure the gradient by nodes, and what they do not cover, or leave open, by moving components themselves.

    Args:
        engine: of all components.
        nodes: of its loss.
        measure: measures some components.
        options: with the tolerance that a gradient is held to, and the seed of the sample that is audited.
    """
    try:
        return _measured(engine, nodes, measure, options)
    except BackendError as error:  # that components cannot be moved either shows where they are
        return _closed(error.text.splitlines()[0])


def _measured(engine: FunctionEngine, nodes: Nodes, measure: Measure, options: FunctionOptions) -> NodeMeasurement:
    by_nodes = NodesEngine(nodes, progress=engine.progress)
    apart = float(np.abs(by_nodes.losses - engine.losses).max())
    if not apart <= _SAME * float(np.abs(engine.losses).max()):
        return _closed(f"the traced program gives another loss, off by {apart:.1g}")
    noise = _noise_along(by_nodes, options.seed)
    if noise is None:
        return _closed("the loss is a staircase along them")
    found = contract(by_nodes, estimate_one_sided(by_nodes, noise, tolerance=options.tolerance), noise, engine)
    rng = generator(options.seed, Stream.NODE_AUDIT)
    sample = np.concatenate([draw_sample(tensor, rng) for tensor in engine.layout])
    chosen = np.union1d(sample, _open(engine, found, options.tolerance))
    engine.evaluations += nodes.passes
    direct = engine.for_lines(Lines(engine.lines.whole, chosen, Directions(0, engine.theta.size)))
    measured = measure(direct)
    engine.evaluations += direct.evaluations
    if measured is None:
        return _closed("the loss is a staircase, or computed in a narrow dtype")
    own, along = measured
    audit = _audit(engine, found, own, chosen, direct.evaluations)
    if not audit.passed:
        return _closed(f"a sample of components differs by {audit.worst:.2g} of the error bars", (audit,))
    text = f"{len(nodes.values):,} values at {len(nodes.sites)} operations"
    if moved := len(chosen) - len(sample):
        text += f", and {moved:,} components themselves"
    noises = _in_tensors(engine, chosen, along)
    # How much J bends along a component is known where it was moved itself.
    found = replace(found, curvature=_in_tensors(engine, chosen, own.curvature))
    own = replace(own, measured=replace(own.measured, indices=chosen))
    return NodeMeasurement(found.put(chosen, own), noises, text, (audit,))


def _noise_along(engine: NodesEngine, seed: int) -> Vector | None:
    """Return σ of J along every node; None where J is a staircase."""
    quiet = quiet_noise(engine)
    if quiet is not None:
        return np.full(engine.layout.size, quiet)
    near, coarse = measure_noise_nearby(engine, generator(seed, Stream.NODE_NOISE), few=1)
    if quantized_roundoff(near, coarse, float(np.abs(engine.losses[0]))) > 0:
        return None
    return np.maximum(near, coarse)


def _closed(text: str, audits: tuple[Audit, ...] = ()) -> NodeMeasurement:
    return NodeMeasurement(None, np.zeros(0), text, audits)


def _open(engine: FunctionEngine, found: OneSidedGradient, tolerance: float) -> Indices:
    """Return the components that nodes do not cover, and some of those that they leave open."""
    bar, value = found.measured.bar, found.measured.value
    uncovered = np.flatnonzero(np.isnan(value))
    largest = engine.layout.largest(np.nan_to_num(np.abs(value)))
    wide = np.flatnonzero((bar > _WIDE * tolerance * largest) & np.isfinite(value))
    return np.union1d(uncovered, wide[np.argsort(-bar[wide], kind="stable")][:_MOST])


def _audit(
    engine: FunctionEngine, found: OneSidedGradient, own: OneSidedGradient, chosen: Indices, evaluations: int
) -> Audit:
    """Compare components that were moved themselves with what nodes say of them."""
    value, bar = found.measured.value[chosen], found.measured.bar[chosen]
    with np.errstate(invalid="ignore"):
        # At a kink of a component any slope within its interval will do.
        outside = np.maximum(own.measured.lower - value, value - own.measured.upper)
        allowed = bar + own.measured.bar
        known = np.isfinite(outside) & np.isfinite(allowed)
        ratio = np.divide(outside, allowed, out=np.where(outside > 0, np.inf, 0.0), where=allowed > 0)
        largest = engine.layout.largest(np.nan_to_num(np.abs(found.measured.value)))[chosen]
        decided = known & (allowed <= 1e-2 * largest)
    worst = float(np.maximum(ratio[known], 0.0).max(initial=0.0))
    return Audit("nodes", "components", int(known.sum()), int(decided.sum()), worst, evaluations)


def _in_tensors(engine: FunctionEngine, chosen: Indices, values: Vector) -> Vector:
    """Return for all components the largest value that was measured in their tensor."""
    found = np.zeros(engine.layout.size)
    found[chosen] = np.nan_to_num(values)
    return engine.layout.largest(found)
