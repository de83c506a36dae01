"""Faults: the mistakes that people make, made on purpose in the right gradient of a declared network.

A fault needs no knowledge of the backend that reports the gradient, so that anybody can ask how good a check is on
their own model: wrap a backend in `Planted` and see whether the fault is found and named.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from xcheck.layout import Role, Vector
from xcheck.networks.problem import Problem

Gradient = dict[str, Vector]
Change = Callable[[Gradient, Problem], None]
Place = tuple[int, Role]


@dataclass(frozen=True, slots=True)
class Fault:
    """A mistake in a gradient.

    Attributes:
        name: what was done wrong.
        kind: class of mistake.
        change: makes the mistake, in place, in a copy of the named gradients.
    """

    name: str
    kind: str
    change: Change

    def plant(self, problem: Problem, gradient: Vector) -> Vector:
        """Return the faulty gradient, shape (n,)."""
        faulty = gradient.copy()
        # The named tensors are views: what is changed in them is changed in `faulty`.
        self.change(problem.layout.unflatten(faulty), problem)
        return faulty

    def touched(self, problem: Problem, gradient: Vector) -> frozenset[str]:
        """Return the names of the tensors that the fault changes; empty where it does not apply."""
        faulty = self.plant(problem, gradient)
        # nan differs from everything here, so a tensor in which nan is planted counts as touched.
        return frozenset(t.name for t in problem.layout if not np.array_equal(faulty[t.span], gradient[t.span]))


def _names(problem: Problem, role: Role) -> list[str]:
    """Return the names of all weights, or of all biases."""
    return [tensor.name for tensor in problem.layout if tensor.role == role]


def _at(problem: Problem, places: Sequence[Place]) -> list[str]:
    """Return the names of the tensors at these places, as far as the network has them; of all without places."""
    return [tensor.name for tensor in problem.layout if not places or (tensor.layer, tensor.role) in places]


def _scaled(factor: float, *places: Place) -> Change:
    """Scale the whole gradient, or some tensors of it."""

    def change(gradient: Gradient, problem: Problem) -> None:
        for name in _at(problem, places):
            gradient[name] *= factor

    return change


def _penalty(problem: Problem) -> dict[str, Vector]:
    """Return the penalty's share of ∂J/∂W: (l2 W + l1/2 sign W)/m."""
    # λ/(2m) Σ W² has the slope λ W/m, and λ/(2m) Σ |W| has λ/2 sign(W)/m, with sign(0) = 0.
    network, m = problem.network, problem.examples
    parameters = problem.layout.unflatten(problem.theta)
    weights = _names(problem, "weight")
    return {
        name: (network.l2 * W + network.l1 / 2 * np.sign(W)) / m if name in weights else np.zeros(W.shape)
        for name, W in parameters.items()
    }


def _data_scaled(factor: Callable[[Problem], float]) -> Change:
    """Scale what comes from the examples and leave the penalty."""

    def change(gradient: Gradient, problem: Problem) -> None:
        for name, share in _penalty(problem).items():
            # g = D + P becomes f D + P, which is g + (f − 1)(g − P).
            gradient[name] += (factor(problem) - 1) * (gradient[name] - share)

    return change


def _penalty_scaled(factor: Callable[[Problem], float], *places: Place) -> Change:
    """Scale the penalty's share, of all weights or of some."""

    def change(gradient: Gradient, problem: Problem) -> None:
        shares = _penalty(problem)
        for name in _at(problem, places):
            # g = D + P becomes D + f P.
            gradient[name] += (factor(problem) - 1) * shares[name]

    return change


def _sign_penalty(gradient: Gradient, problem: Problem) -> None:
    parameters = problem.layout.unflatten(problem.theta)
    for name in _names(problem, "weight"):
        W = parameters[name]
        # The share l2 W/m goes, and l2 sign(W)/m comes in its place.
        gradient[name] += problem.network.l2 / problem.examples * (np.sign(W) - W)


def _penalised_biases(gradient: Gradient, problem: Problem) -> None:
    parameters = problem.layout.unflatten(problem.theta)
    for name in _names(problem, "bias"):
        gradient[name] += problem.network.l2 / problem.examples * parameters[name]


def _biases_averaged(gradient: Gradient, problem: Problem) -> None:
    for name in _names(problem, "bias"):
        gradient[name] /= problem.examples


def _detached_below(gradient: Gradient, problem: Problem) -> None:
    """Leave the layers below the last one nothing but the penalty."""
    for name, share in _penalty(problem).items():
        if (problem.layout[name].layer or 0) < len(problem.network.layers):
            # Written into the view; another array under this name would leave θ's gradient as it is.
            gradient[name][...] = share


def _not_rescaled(gradient: Gradient, problem: Problem) -> None:
    """Scale what comes down through dropout as if the units had been masked, and not divided by keep_prob."""
    keep = problem.network.keep_probs
    # The masks of all layers above are on the way; that of the layer's own inputs is in the forward pass.
    for name, share in _penalty(problem).items():
        gradient[name] += (np.prod(keep[problem.layout[name].layer :]) - 1) * (gradient[name] - share)


def _transposed(gradient: Gradient, problem: Problem) -> None:
    for name in _names(problem, "weight"):
        rows, columns = gradient[name].shape
        # Only a square matrix has room for its own transpose.
        if rows == columns > 1:
            gradient[name][:] = gradient[name].T.copy()


def _reordered(order: Callable[[Vector], Vector]) -> Change:
    """Put the components of the first layer's weights into another order."""

    def change(gradient: Gradient, problem: Problem) -> None:
        weights = gradient[problem.layout.tensor(1, "weight").name]
        # A copy, for an order such as W[::-1] is a view of what is being written to.
        weights[:] = order(weights).copy()

    return change


def _swapped_tensors(gradient: Gradient, problem: Problem) -> None:
    names = _names(problem, "weight")
    # Neighbours only: that is where one index too many leads.
    for first, second in pairwise(names):
        if gradient[first].shape == gradient[second].shape:
            kept = gradient[first].copy()
            gradient[first][:], gradient[second][:] = gradient[second], kept
            # One pair swapped is one mistake.
            return


# Components below this part of their tensor's largest are known to few digits: a fault there may rightly be undecided.
_MATTERS = 1e-3


def _smallest_that_matters(gradient: Vector) -> tuple[int, ...]:
    """Return the index of the smallest component that is at least a thousandth of the largest."""
    size = np.abs(gradient)
    # Of those that matter, an error in the smallest is the hardest to see.
    size = np.where(size >= _MATTERS * size.max(), size, np.inf)
    return tuple(int(i) for i in np.unravel_index(np.argmin(size), size.shape))


def _one_component(change: Callable[[float], float], role: Role = "weight") -> Change:
    """Change one component of the first layer's weights or biases."""

    def apply(gradient: Gradient, problem: Problem) -> None:
        tensor = gradient[problem.layout.tensor(1, role).name]
        index = _smallest_that_matters(tensor)
        tensor[index] = change(float(tensor[index]))

    return apply


def _row(change: Callable[[Vector], Vector], row: int = 0) -> Change:
    """Change the incoming weights of one unit of the first layer."""

    def apply(gradient: Gradient, problem: Problem) -> None:
        weights = gradient[problem.layout.tensor(1, "weight").name]
        weights[row] = change(weights[row])

    return apply


def _everywhere(change: Callable[[Vector], Vector]) -> Change:
    def apply(gradient: Gradient, problem: Problem) -> None:
        for name in gradient:
            gradient[name][:] = change(gradient[name])

    return apply


def _bfloat16(gradient: Vector) -> Vector:
    """Keep the upper 16 bits of float32."""
    bits = gradient.astype(np.float32).view(np.uint32)
    # Cut off, not rounded to nearest: conversions by bit operations do that.
    return (bits & np.uint32(0xFFFF0000)).view(np.float32).astype(np.float64)


def _tf32(gradient: Vector) -> Vector:
    """Keep 10 bits of the mantissa, as a tensor core does."""
    mantissa, exponent = np.frexp(gradient)
    # frexp gives mantissas from 1/2 to 1: times 2¹¹ they have the leading bit and 10 more before the point.
    return np.asarray(np.ldexp(np.round(mantissa * 2.0**11) / 2.0**11, exponent))


def _underflow(gradient: Vector) -> Vector:
    """Flush to zero what is below a hundredth of the largest: as formats do, only more visibly."""
    return np.where(np.abs(gradient) < 1e-2 * np.abs(gradient).max(), 0.0, gradient)


def _clipped(gradient: Vector) -> Vector:
    """Clip half of the components, at the median of their sizes."""
    # The median, whatever the scale of the tensor: a fixed limit would cut all or nothing.
    limit = np.median(np.abs(gradient))
    return np.clip(gradient, -limit, limit)


# The course's own exercise comes first; the others are mistakes that have been made in public code.
FAULTS: tuple[Fault, ...] = (
    Fault("W2 x 2", "constant factor", _scaled(2.0, (2, "weight"))),
    Fault("b1 x 4", "constant factor", _scaled(4.0, (1, "bias"))),
    Fault("everything x 1/2", "constant factor", _scaled(0.5)),
    Fault("everything x -1", "constant factor", _scaled(-1.0)),
    Fault("everything x 1.001", "constant factor", _scaled(1.001)),
    Fault("everything x 1.0001", "constant factor", _scaled(1.0001)),
    Fault("1/m missing", "mean and sum", _data_scaled(lambda problem: problem.examples)),
    Fault("1/m twice", "mean and sum", _data_scaled(lambda problem: 1 / problem.examples)),
    Fault("mean over the outputs", "mean and sum", _data_scaled(lambda p: 1 / p.network.widths[-1])),
    # With a single example the factor is 1: nothing changes, and the fault does not apply.
    Fault("one example not counted", "mean and sum", _data_scaled(lambda p: p.examples / max(p.examples - 1, 1))),
    Fault("biases averaged twice", "mean and sum", _biases_averaged),
    Fault("penalty missing for W1", "penalty", _penalty_scaled(lambda problem: 0.0, (1, "weight"))),
    Fault("penalty missing", "penalty", _penalty_scaled(lambda problem: 0.0)),
    Fault("penalty without 1/m", "penalty", _penalty_scaled(lambda problem: problem.examples)),
    Fault("penalty doubled", "penalty", _penalty_scaled(lambda problem: 2.0)),
    Fault("penalty with a minus sign", "penalty", _penalty_scaled(lambda problem: -1.0)),
    Fault("penalty averaged again", "penalty", _penalty_scaled(lambda problem: 1 / problem.examples)),
    Fault("sign(W) for W", "penalty", _sign_penalty),
    Fault("penalty on biases", "penalty", _penalised_biases),
    Fault("square gradients transposed", "linear algebra", _transposed),
    Fault("rows of W1 swapped", "linear algebra", _reordered(lambda W: W[::-1])),
    Fault("W1 rolled by one", "linear algebra", _reordered(lambda W: np.roll(W, 1))),
    Fault("two tensors of one shape swapped", "linear algebra", _swapped_tensors),
    Fault("last row of W1 missing", "linear algebra", _row(lambda row: 0 * row, -1)),
    Fault("one component zero", "support", _one_component(lambda g: 0.0)),
    Fault("one component + 10 %", "support", _one_component(lambda g: 1.1 * g)),
    Fault("one component + 1 %", "support", _one_component(lambda g: 1.01 * g)),
    Fault("one component + 1e-4", "support", _one_component(lambda g: (1 + 1e-4) * g)),
    Fault("one component + 1e-6", "support", _one_component(lambda g: (1 + 1e-6) * g)),
    Fault("one component nan", "support", _one_component(lambda g: float("nan"))),
    Fault("one component inf", "support", _one_component(lambda g: float("inf"))),
    Fault("one bias zero", "support", _one_component(lambda g: 0.0, "bias")),
    Fault("one unit's weights sign-flipped", "support", _row(lambda row: -row)),
    Fault("first layer detached", "graph", _scaled(0.0, (1, "weight"), (1, "bias"))),
    Fault("all but the last layer detached", "graph", _detached_below),
    # What the second of two calls returns if the first is never cleared.
    Fault("accumulated over two calls", "graph", _scaled(2.0)),
    Fault("1/keep_prob missing in backward", "dropout", _not_rescaled),
    Fault("rounded to bfloat16", "numbers", _everywhere(_bfloat16)),
    Fault("rounded to float16", "numbers", _everywhere(lambda g: g.astype(np.float16).astype(np.float64))),
    Fault("rounded to TF32", "numbers", _everywhere(_tf32)),
    Fault("clipped", "numbers", _everywhere(_clipped)),
    Fault("underflow", "numbers", _everywhere(_underflow)),
)
