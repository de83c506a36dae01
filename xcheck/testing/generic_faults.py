"""Faults that apply to any gradient: the mistakes that people make, made on purpose in one that is right.

They need names, shapes, θ and g, and no knowledge of the function. A fault takes the named gradients and parameters as
NumPy arrays and a generator, and returns another dict, or None where it would change nothing. What it is given is never
written to.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Gradient = dict[str, Array]
Spoil = Callable[[Gradient, Gradient, np.random.Generator], Gradient | None]
Change = Callable[[Array], Array]

SAME = 1e-9
"""A change below this part of the tensor's largest component counts as none, and a tensor below this part of the
largest gradient is left alone. A guess, a hundredth of the default tolerance: no check is asked to see less."""

# Components below this part of their tensor's largest are known to few digits: a fault there may rightly be undecided.
_MATTERS = 1e-3


@dataclass(frozen=True, slots=True)
class GenericFault:
    """A mistake in any gradient.

    Attributes:
        name: what was done wrong.
        kind: class of mistake.
        spoil: makes the mistake in named gradients, given θ and a generator.
    """

    name: str
    kind: str
    spoil: Spoil

    def __call__(self, gradient: Gradient, params: Gradient, rng: np.random.Generator) -> Gradient | None:
        """Return the faulty gradient; None where the fault changes nothing."""
        return self.spoil(gradient, params, rng)


def largest(array: Array) -> float:
    """Return the largest modulus, 0 where there is none."""
    return float(np.abs(array).max(initial=0.0))


def that_matter(gradient: Gradient) -> list[str]:
    """Return the names of the tensors whose gradient is more than rounding."""
    # By the largest of the whole gradient: a tensor of rounding errors has no right values to spoil.
    whole = max(map(largest, gradient.values()))
    return [name for name, array in gradient.items() if largest(array) > SAME * whole]


def differ(before: Array, after: Array) -> bool:
    """Return whether two arrays differ by more than rounding; nan differs from anything."""
    # Not `>=`: every comparison with nan is false, and nan has to count as different.
    return not largest(after - before) < SAME * largest(before)


def changed(before: Gradient, after: Gradient) -> Gradient | None:
    """Return `after`; None where it is the same in all tensors that matter."""
    return after if any(differ(before[name], after[name]) for name in that_matter(before)) else None


def everywhere(change: Change) -> Spoil:
    """Return the fault of changing every tensor in the same way."""
    return lambda gradient, params, rng: changed(gradient, {name: change(g) for name, g in gradient.items()})


def in_one(change: Callable[[Array, np.random.Generator], Array | None]) -> Spoil:
    """Return the fault of changing one tensor: a random one of those in which it makes a difference."""

    def fault(gradient: Gradient, params: Gradient, rng: np.random.Generator) -> Gradient | None:
        # Many faults change nothing in some tensors: a square that is symmetric, a single row.
        for name in rng.permutation(that_matter(gradient)):
            after = change(gradient[name], rng)
            if after is not None and differ(gradient[name], after):
                return {**gradient, str(name): after}
        return None

    return fault


def component(change: Callable[[float], float]) -> Spoil:
    """Return the fault of changing one component that is at least a thousandth of its tensor's largest."""

    def one(g: Array, rng: np.random.Generator) -> Array:
        after = g.copy()
        # Flat indices serve scalars and arrays of any shape alike.
        index = rng.choice(np.flatnonzero(np.abs(g) >= _MATTERS * largest(g)))
        after.flat[index] = change(after.flat[index])
        return after

    return in_one(one)


def rows(change: Callable[[Array, np.random.Generator], Array], dimensions: int = 1) -> Spoil:
    """Return the fault of changing the rows of one tensor that has at least two."""
    return in_one(lambda g, rng: change(g, rng) if g.ndim >= dimensions and len(g) > 1 else None)


def flipped(g: Array, rng: np.random.Generator) -> Array:
    """Flip the sign of one row."""
    # A row of zeros has no sign to flip.
    number = rng.choice(np.flatnonzero([largest(row) > SAME * largest(g) for row in g]))
    # The condition has one entry per row; ones in its shape spread it over all other axes.
    return np.where((np.arange(len(g)) == number).reshape(-1, *[1] * (g.ndim - 1)), -g, g)


def two_swapped(g: Array, rng: np.random.Generator) -> Array:
    """Put two rows in each other's place."""
    order = np.arange(len(g))
    i = rng.choice(np.flatnonzero([largest(row) > SAME * largest(g) for row in g]))
    # Rows that are equal can change places unnoticed, and rightly so.
    different = np.flatnonzero([largest(row - g[i]) > SAME * largest(g) for row in g])
    if len(different):
        j = rng.choice(different)
        order[[i, j]] = order[[j, i]]
    return g[order]


def transposed(g: Array, rng: np.random.Generator) -> Array | None:
    """Swap the last two axes, if they are of one length."""
    return np.swapaxes(g, -1, -2).copy() if g.ndim > 1 and g.shape[-1] == g.shape[-2] else None


def last_missing(g: Array, rng: np.random.Generator) -> Array:
    """Set the last row to zero."""
    return np.concatenate([g[:-1], np.zeros_like(g[-1:])])


def tensors_swapped(gradient: Gradient, params: Gradient, rng: np.random.Generator) -> Gradient | None:
    """Put two tensors of one shape in each other's place."""
    names = [str(name) for name in rng.permutation(that_matter(gradient))]
    for number, first in enumerate(names):
        # Each pair once.
        for second in names[:number]:
            if gradient[first].shape == gradient[second].shape and differ(gradient[first], gradient[second]):
                return {**gradient, first: gradient[second], second: gradient[first]}
    return None


def weight_decay(gradient: Gradient, params: Gradient, rng: np.random.Generator) -> Gradient | None:
    """Add a penalty that the loss does not have."""
    # 0.01 is the default of PyTorch's AdamW.
    return changed(gradient, {name: g + 0.01 * params[name] for name, g in gradient.items()})


def clipped(g: Array) -> Array:
    """Clip at half of the largest component."""
    return np.clip(g, -largest(g) / 2, largest(g) / 2)


def in_float32(g: Array) -> Array:
    """Round to float32, both parts of complex numbers."""
    return g.astype(np.complex64 if np.iscomplexobj(g) else np.float32).astype(g.dtype)


_CATALOGUE = (
    GenericFault("x 2", "constant factor", everywhere(lambda g: 2.0 * g)),
    GenericFault("x 1/2", "constant factor", everywhere(lambda g: 0.5 * g)),
    GenericFault("x -1", "constant factor", everywhere(lambda g: -1.0 * g)),
    GenericFault("x 1.001", "constant factor", everywhere(lambda g: 1.001 * g)),
    GenericFault("x 1.0001", "constant factor", everywhere(lambda g: 1.0001 * g)),
    GenericFault("one tensor x 2", "constant factor", in_one(lambda g, rng: 2.0 * g)),
    GenericFault("one component + 10 %", "support", component(lambda g: 1.1 * g)),
    GenericFault("one component + 1 %", "support", component(lambda g: 1.01 * g)),
    GenericFault("one component + 1e-4", "support", component(lambda g: (1 + 1e-4) * g)),
    GenericFault("one component + 1e-6", "support", component(lambda g: (1 + 1e-6) * g)),
    GenericFault("one component zero", "support", component(lambda g: 0.0)),
    GenericFault("one component nan", "support", component(lambda g: float("nan"))),
    GenericFault("one row's sign flipped", "support", rows(flipped)),
    GenericFault("rows rolled by one", "linear algebra", rows(lambda g, rng: np.roll(g, 1, axis=0))),
    GenericFault("two rows swapped", "linear algebra", rows(two_swapped)),
    GenericFault("transposed", "linear algebra", in_one(transposed)),
    GenericFault("last row missing", "linear algebra", rows(last_missing)),
    GenericFault("one tensor detached", "graph", in_one(lambda g, rng: np.zeros_like(g))),
    GenericFault("two tensors swapped", "linear algebra", tensors_swapped),
    GenericFault("rounded to float32", "numbers", everywhere(in_float32)),
    GenericFault("clipped", "numbers", everywhere(clipped)),
    GenericFault("weight decay", "penalty", weight_decay),
    # Of real tensors it changes nothing, and so does not apply.
    GenericFault("conjugated", "numbers", everywhere(lambda g: np.conj(g) if np.iscomplexobj(g) else g)),
)

GENERIC_FAULTS: dict[str, GenericFault] = {fault.name: fault for fault in _CATALOGUE}
"""The catalogue by name."""
