"""Slices: along some axes of a tensor the gradient is off by a factor, a constant, or a multiple of θ, of each slice.

A normalisation along axes A, x̂ = (x − μ)/σ, has the gradient (u − mean u − x̂ mean(u x̂))/σ, with means over A. What is
wrong in it is simple in each slice along A:

    g = c r              a factor that belongs to the slice is forgotten: γ, 1/σ
    g − r = c            a term that is a sum over A is missing, or taken over another axis: mean u
    g − r = c θ + d      the term of the variance is missing, or not as large as it should be: x̂ mean(u x̂)

The c and d are fitted to each slice. Slices have several components each, so that hardly any other residual looks so.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from xcheck.compare.bounds import Flags
from xcheck.diagnose.evidence import Evidence, Hypothesis
from xcheck.diagnose.rules.factors import format_factor
from xcheck.findings import CONSTANT_TERM, FACTOR_BY_SLICE, TERM_OF_PARAMETER
from xcheck.layout import Tensor, Vector
from xcheck.oracle.estimate import CERTAIN

# Components beyond the fitted numbers that a fit must explain. A guess: each of them has to be met to some nine digits.
_BEYOND = 8
# Groups of an axis, as group norm has them, are looked for in tensors of up to so many components. A guess: each way to
# group costs a pass over the tensor.
_MOST_GROUPED = 20_000
# Tensors with more axes than this are not looked at: the sets of axes double with each. A guess.
_MOST_AXES = 5
# How far the cosine of two slices may be from 1 if they are parallel. A guess: their angle is then below 1e-4.
_PARALLEL = 1e-8
# How much of a slice's length a sum along it may leave and still be zero, beside the error bars. A guess.
_ZERO = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class _Cut:
    """A way to cut a tensor into slices.

    Attributes:
        tensor: the tensor.
        shape: its shape, or that with one axis cut into groups.
        along: the axes of `shape` that a slice extends along.
        name: of those axes.
    """

    tensor: Tensor
    shape: tuple[int, ...]
    along: tuple[int, ...]
    name: str

    @property
    def length(self) -> int:
        """How many components a slice has."""
        return math.prod(self.shape[axis] for axis in self.along)

    def rows(self, values: Vector) -> Vector:
        """Return the slices one below the other, shape (slices, length)."""
        last = tuple(range(len(self.shape) - len(self.along), len(self.shape)))
        moved = np.moveaxis(values.reshape(self.shape), self.along, last)
        return moved.reshape(-1, self.length)

    def flat(self, rows: Vector) -> Vector:
        """Return what `rows` was made of, shape (k,)."""
        others = [axis for axis in range(len(self.shape)) if axis not in self.along]
        moved = rows.reshape([self.shape[axis] for axis in (*others, *self.along)])
        last = tuple(range(len(others), len(self.shape)))
        return np.moveaxis(moved, last, self.along).reshape(-1)


def factor_by_slice(evidence: Evidence) -> Iterator[Hypothesis]:
    """Propose that each slice of g is a multiple of that of r, and that the factors are those of another tensor."""
    for tensor in evidence.wrong_tensors:
        span, is_product = tensor.span, _is_outer_product(evidence, tensor)
        for cut in _cuts(tensor):
            fitted = _fit(evidence, cut, evidence.gradient[span], [evidence.trusted[span]])
            if fitted is None or fitted.wrong.sum() < 2:
                continue
            factors = fitted.coefficients[0]
            c = np.where(fitted.wrong, factors, 1.0)
            predicted = cut.flat(c[:, None] * cut.rows(evidence.trusted[span]))
            uncertainty = {tensor.name: cut.flat(np.abs(c)[:, None] * cut.rows(evidence.uncertainty[span]))}
            whose = _source(evidence, cut, factors)
            if not whose and is_product:
                continue
            text = f"along {cut.name} it is a multiple of what it should be, with a factor for each slice"
            reason = (
                f", which is {whose}"
                if whose
                else f" ({_range(factors[fitted.wrong])}): look for a scale or 1/σ that has one number for each"
            )
            yield Hypothesis(
                FACTOR_BY_SLICE,
                text + reason,
                {tensor.name: predicted},
                uncertainty,
                float(factors[fitted.wrong][0]),
                free=0 if whose else fitted.free,
            )


def constant_term(evidence: Evidence) -> Iterator[Hypothesis]:
    """Propose that g − r is constant along some axes."""
    for tensor in evidence.wrong_tensors:
        span = tensor.span
        r, residual = evidence.trusted[span], evidence.gradient[span] - evidence.trusted[span]
        for cut in _cuts(tensor, whole=True):
            fitted = _fit(evidence, cut, residual, [np.ones_like(residual)])
            if fitted is None:
                continue
            c = np.where(fitted.wrong, fitted.coefficients[0], 0.0)
            predicted = r + cut.flat(np.broadcast_to(c[:, None], (len(c), cut.length)).copy())
            text = (
                f"gradient − oracle is the same along {cut.name} ({_range(c[fitted.wrong])}): a term that is summed or "
                f"averaged over it is missing, or is there and should not be{_vanishing(evidence, cut)}"
            )
            yield Hypothesis(
                CONSTANT_TERM, text, {tensor.name: predicted}, value=float(c[fitted.wrong][0]), free=fitted.free
            )


def term_of_parameter(evidence: Evidence) -> Iterator[Hypothesis]:
    """Propose that g − r is a multiple of θ in each slice, or of θ and a constant."""
    for tensor in evidence.wrong_tensors:
        span = tensor.span
        theta, residual = evidence.theta[span], evidence.gradient[span] - evidence.trusted[span]
        for cut in _cuts(tensor):
            for bases, what in (
                ([theta], tensor.name),
                ([np.ones_like(theta), theta], f"{tensor.name} and a constant"),
            ):
                fitted = _fit(evidence, cut, residual, bases)
                if fitted is None:
                    continue
                parts = [
                    np.where(fitted.wrong, c, 0.0)[:, None] * cut.rows(base)
                    for c, base in zip(fitted.coefficients, bases, strict=True)
                ]
                if np.abs(parts[-1]).max() <= evidence.close * np.abs(residual).max():
                    continue  # it is the constant alone
                c = fitted.coefficients[-1][fitted.wrong]
                text = (
                    f"along {cut.name} gradient − oracle is a multiple of {what} ({_range(c)}): where {tensor.name} is "
                    "normalised over it, the term of the variance is missing or has another factor"
                )
                predicted = evidence.trusted[span] + cut.flat(sum(parts, np.zeros_like(parts[0])))
                yield Hypothesis(TERM_OF_PARAMETER, text, {tensor.name: predicted}, value=float(c[0]), free=fitted.free)


# --- cuts and fits --------------------------------------------------------------------------------------------------


def _cuts(tensor: Tensor, *, whole: bool = False) -> Iterator[_Cut]:
    """Yield the ways to cut a tensor into slices of several components; `whole` has the one slice that is all of it."""
    shape = tensor.shape
    if tensor.places is not None or not 0 < len(shape) <= _MOST_AXES:
        return
    axes = tuple(range(len(shape)))
    for count in range(1, len(shape) + whole):
        for along in combinations(axes, count):
            yield _Cut(tensor, shape, along, _name(along))
    if tensor.size <= _MOST_GROUPED:
        for axis in axes:
            for groups in (n for n in range(2, shape[axis]) if shape[axis] % n == 0):
                yield from _cuts_in_groups(tensor, axis, groups)


def _cuts_in_groups(tensor: Tensor, axis: int, groups: int) -> Iterator[_Cut]:
    """Yield the slices along the members of a group: alone, with the axes that follow, and with all other axes."""
    shape = (*tensor.shape[:axis], groups, tensor.shape[axis] // groups, *tensor.shape[axis + 1 :])
    following, others = range(axis + 1, len(tensor.shape)), range(len(tensor.shape))
    for more in sorted({(), tuple(following), tuple(other for other in others if other != axis)}):
        along = sorted((axis + 1, *(other if other < axis else other + 1 for other in more)))
        names = [f"each of {groups} groups of axis {axis}", *(f"axis {other}" for other in more)]
        yield _Cut(tensor, shape, tuple(along), " and ".join(names))


def _name(along: Sequence[int]) -> str:
    return f"axis {along[0]}" if len(along) == 1 else "axes " + " and ".join(str(axis) for axis in along)


@dataclass(frozen=True, slots=True, eq=False)
class _Fitted:
    """Numbers that were fitted to each slice.

    Attributes:
        coefficients: of each base, shape (slices,).
        wrong: which slices have wrong components.
        free: how many numbers were fitted to those.
    """

    coefficients: list[Vector]
    wrong: Flags
    free: int


@np.errstate(all="ignore")
def _fit(evidence: Evidence, cut: _Cut, target: Vector, bases: Sequence[Vector]) -> _Fitted | None:
    """Fit the target in each slice by multiples of the bases; None where there are too few components to tell."""
    span = cut.tensor.span
    wrong = cut.rows(evidence.wrong[span].astype(np.float64)).any(axis=1)
    free = len(bases) * int(wrong.sum())
    beyond = int(wrong.sum()) * cut.length - free
    if cut.length <= len(bases) or beyond < _BEYOND:
        return None
    weight = cut.rows(1 / (evidence.uncertainty[span] + evidence.fine * np.abs(evidence.gradient[span])) ** 2)
    weight = np.where(np.isfinite(weight), weight, 0.0)
    rows, columns = cut.rows(target), [cut.rows(base) for base in bases]
    # Gram-Schmidt: the second base without its share of the first one.
    first = columns[0]
    share = _share(columns[-1], first, weight) if len(columns) > 1 else np.zeros(len(rows))
    orthogonal = columns[-1] - share[:, None] * first if len(columns) > 1 else first
    last = _share(rows, orthogonal, weight)
    coefficients = [_share(rows, first, weight) - last * share, last] if len(columns) > 1 else [last]
    if not all(np.isfinite(c[wrong]).all() for c in coefficients):
        return None
    return _Fitted(coefficients, np.asarray(wrong), free)


def _share(rows: Vector, base: Vector, weight: Vector) -> Vector:
    """Return how much of the base is in each row, in weighted least squares."""
    return np.asarray((weight * rows * base).sum(axis=1) / (weight * base**2).sum(axis=1))


def _source(evidence: Evidence, cut: _Cut, factors: Vector) -> str:
    """Return what the factors are, where they are those of another tensor or their inverses."""
    for other in evidence.layout:
        theta = evidence.theta[other.span]
        if other.name == cut.tensor.name or theta.size != factors.size or np.ptp(theta) == 0:
            continue
        for values, words in ((theta, other.name), (1 / theta, f"1/{other.name}")):
            if np.allclose(factors, values, rtol=evidence.close, atol=0):
                forgotten = "forgotten" if words.startswith("1/") else "taken once too often"
                return f"{words}: {other.name} is {forgotten}"
    return ""


def _is_outer_product(evidence: Evidence, tensor: Tensor) -> bool:
    """Return whether r is δ aᵀ along one of its axes: there any error of δ is a factor of each slice."""
    if tensor.places is not None or len(tensor.shape) < 2:
        return False
    r = evidence.trusted[tensor.span].reshape(tensor.shape)
    return any(_are_parallel(np.moveaxis(r, axis, 0).reshape(len_of, -1)) for axis, len_of in enumerate(tensor.shape))


@np.errstate(all="ignore")
def _are_parallel(rows: Vector) -> bool:
    """Return whether there are several rows, and all are multiples of one."""
    lengths = np.linalg.norm(rows, axis=1)
    first = rows[np.argmax(lengths)] / lengths.max()
    return len(rows) > 1 and bool((np.abs(rows @ first) >= (1 - _PARALLEL) * lengths).all())


def _vanishing(evidence: Evidence, cut: _Cut) -> str:
    """Return that the sums of r over the slices are zero, where they are, and those of g are not."""
    r, bar = (cut.rows(values[cut.tensor.span]) for values in (evidence.trusted, evidence.uncertainty))
    zero = np.abs(r.sum(axis=1)) <= CERTAIN * bar.sum(axis=1) + _ZERO * np.abs(r).sum(axis=1)
    if not zero.all():
        return ""
    return "; the right gradient sums to zero along it, and this one does not: look for − mean or − Σ"


def _range(c: Vector) -> str:
    if len(c) == 1:
        return format_factor(float(c[0]))
    return f"{len(c)} numbers from {format_factor(float(c.min()))} to {format_factor(float(c.max()))}"
