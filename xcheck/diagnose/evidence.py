"""Evidence: a wrong gradient beside a right one, and everything else that tells how it went wrong.

g is what a witness says, r the trusted gradient (the oracle's), β how well r is known beside g: error bar and rounding.
A rule makes a `Hypothesis`: with this mistake g would be ĝ. It counts only if it explains the residual g − r down to
the noise, that is, if with ĝ in the place of r nothing would be wrong any more:

    |g − ĝ| ≤ β' + 2¹² u max(|g|, |ĝ|)        β' = β, its image under the guess, and 2¹² u of the tensor's largest |ĝ|

and the residual that is left of a tensor that is wrong is a tenth of what it was, or less: whatever leaves it as it is
explains nothing, however wide the noise. One that is left at the level of the tolerance is allowed, too, if it is a
hundred times smaller than before: beside its mistake a gradient may be rounded to float32. A guess with fitted numbers
needs two components more than numbers: a line through two points explains nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from xcheck.layout import Layout, Tensor, Vector
from xcheck.networks.problem import Problem
from xcheck.oracle.network.forward import Trace
from xcheck.oracle.network.penalty import Penalty

Flags = NDArray[np.bool_]

_FINE = 2.0**12
_LESS, _MUCH_LESS = 0.1, 1e-2
_MANY = 12


@dataclass(frozen=True, eq=False)
class Evidence:
    """What is known about one witness that is wrong.

    Attributes:
        witness: its name.
        layout: names and shapes of θ, or of the sample of it that was looked at.
        theta: θ, shape (n,).
        gradient: g, shape (n,).
        trusted: r, shape (n,).
        blur: β, shape (n,).
        magnitude: mean over the examples of |slope|, the yardstick of rounding, shape (n,).
        wrong: which components are wrong, shape (n,).
        tolerance: relative, as it was applied.
        roundoff: u of what the witness computes in.
        lengths: numbers that a factor may come from, with what they are: {32: "axis 0 of data[0]"}.
        problem: the declared network, if it is one.
        trace: what that computes at θ.
    """

    witness: str
    layout: Layout
    theta: Vector
    gradient: Vector
    trusted: Vector
    blur: Vector
    magnitude: Vector
    wrong: Flags
    tolerance: float
    roundoff: float
    lengths: Mapping[int, str] = field(default_factory=dict)
    problem: Problem | None = None
    trace: Trace = field(default_factory=Trace.empty)

    @property
    def fine(self) -> float:
        """What rounding of a careful witness may do, relative to the largest."""
        return _FINE * self.roundoff

    @property
    def close(self) -> float:
        """How close, relative to itself, a fitted number must come to a known one to be that."""
        return max(1e-6, 64 * self.roundoff)

    @cached_property
    def suspects(self) -> tuple[Tensor, ...]:
        """The tensors with wrong components, all of which are finite."""
        return tuple(t for t in self.layout if self.wrong[t.span].any() and np.isfinite(self.gradient[t.span]).all())

    @cached_property
    def penalty(self) -> Vector:
        """The penalty's share of the gradient, shape (n,): 0 for what is no network."""
        if self.problem is None:
            return np.zeros_like(self.theta)
        return Penalty.at(self.problem.network, self.layout, self.theta, self.problem.examples).slope


@dataclass(frozen=True, eq=False)
class Hypothesis:
    """One way in which the gradient may have gone wrong.

    Attributes:
        code: of the cause.
        text: what was done, such as "2 x what it should be"; the tensors are named by whoever reports it.
        predicted: ĝ of the tensors that it is about, flat, by name.
        blur: how well r is known where ĝ took it from, by name; β itself unless given.
        value: the number it turns on.
        free: how many numbers were fitted.
        rank: of guesses that are equal otherwise, the lower is taken.
        place: what goes before the text instead of the tensors' names, such as "layer 2".
    """

    code: str
    text: str
    predicted: Mapping[str, Vector]
    blur: Mapping[str, Vector] = field(default_factory=dict)
    value: float | None = None
    free: int = 0
    rank: int = 0
    place: str = ""

    @property
    def tensors(self) -> tuple[str, ...]:
        """Names of the tensors that it is about."""
        return tuple(self.predicted)


def explains(evidence: Evidence, guess: Hypothesis) -> bool:
    """Return whether the guess explains the residual of its tensors down to the noise; see the module."""
    told, left = 0, 0.0
    for name, predicted in guess.predicted.items():
        span = evidence.layout[name].span
        if not explained(evidence, span, predicted, guess.blur.get(name)):
            return False
        told += int((np.abs(predicted - evidence.trusted[span]) > 4 * evidence.blur[span]).sum())
        left = max(left, _left(evidence, span, predicted))
    if not guess.predicted or not guess.free:
        return bool(guess.predicted)
    # A number that was fitted to a few components leaves a tenth of the residual now and then by chance.
    return told >= guess.free + 2 and (told >= _MANY or left <= _MUCH_LESS)


@dataclass(frozen=True, eq=False)
class Share:
    """What part of a tensor may be multiplied by some c: g = c base + rest.

    Attributes:
        base: shape (k,).
        rest: shape (k,).
        blur: how well the base is known, shape (k,).
    """

    base: Vector
    rest: Vector
    blur: Vector


def multiples(evidence: Evidence, shares: Mapping[str, Share]) -> list[tuple[float, dict[str, Share]]]:
    """Return each c, and the tensors with g = c base + rest down to the noise; those with the most tensors first.

    A tensor of one component has a c of its own, whatever it is; it counts with the c of another tensor, if that fits.
    """
    candidates: list[float] = []
    for name, share in shares.items():
        target = evidence.gradient[evidence.layout[name].span] - share.rest
        found = fitted(target, share.base, weight=share.blur + evidence.fine * np.abs(target))
        if found is not None and np.isfinite(found[0]) and abs(found[0]) > evidence.fine:
            candidates.append(float(found[0]))
    distinct: list[float] = []
    for c in sorted(candidates, key=abs, reverse=True):
        if not any(abs(c - known) <= evidence.fine * abs(c) for known in distinct):
            distinct.append(c)
    groups = [
        (c, {name: share for name, share in shares.items() if _is_multiple(evidence, name, share, c)}) for c in distinct
    ]
    return sorted(((c, group) for c, group in groups if group), key=lambda found: -len(found[1]))


def _is_multiple(evidence: Evidence, name: str, share: Share, c: float) -> bool:
    return explained(evidence, evidence.layout[name].span, c * share.base + share.rest, abs(c) * share.blur)


@np.errstate(all="ignore")
def explained(evidence: Evidence, span: slice, predicted: Vector, image: Vector | None) -> bool:
    """Return whether ĝ explains one tensor down to the noise; `image` is how well r is known where ĝ took it from."""
    g = evidence.gradient[span]
    largest = float(np.abs(predicted).max(initial=0.0))
    blur = evidence.blur[span] + (0.0 if image is None else image) + evidence.fine * largest
    off, size = np.abs(g - predicted), np.maximum(np.abs(g), np.abs(predicted))
    left = _left(evidence, span, predicted)
    if np.all(off <= blur + evidence.fine * size):
        return left <= _LESS or not evidence.wrong[span].any()
    return bool(np.all(off <= blur + evidence.tolerance * size) and left <= _MUCH_LESS)


@np.errstate(all="ignore")
def _left(evidence: Evidence, span: slice, predicted: Vector) -> float:
    """Return what is left of the residual, ‖g − ĝ‖/‖g − r‖."""
    g, r = evidence.gradient[span], evidence.trusted[span]
    scale = max(float(np.abs(g).max(initial=0.0)), float(np.abs(predicted).max(initial=0.0)))
    if not scale:
        return 0.0
    before = float(np.linalg.norm((g - r) / scale))
    return float(np.linalg.norm((g - predicted) / scale)) / before if before else 0.0


def fitted(target: Vector, *bases: Vector, weight: Vector) -> Vector | None:
    """Return the coefficients of the weighted least-squares fit of `target` by `bases`; None without a unique one.

    Args:
        target: shape (k,).
        *bases: shape (k,) each.
        weight: how well each component of the target is known (smaller is better), shape (k,).
    """
    scale = np.where(weight > 0, weight, np.inf if not (weight > 0).any() else weight[weight > 0].min())
    scale = np.where(np.isfinite(scale), scale, 1.0)
    with np.errstate(all="ignore"):
        columns, target = np.stack(bases, axis=1) / scale[:, None], target / scale
        lengths = np.linalg.norm(columns, axis=0)
    if not (np.isfinite(lengths).all() and (lengths > 0).all() and np.isfinite(target).all()):
        return None
    found, _, rank, _ = np.linalg.lstsq(columns / lengths, target, rcond=1e-10)
    return None if rank < len(bases) else np.asarray(found / lengths)


def closest(value: float, known: Mapping[float, str], tolerance: float) -> float | None:
    """Return the known number that a fitted one is, to `tolerance` of itself.

    >>> closest(1.9999999999, {2.0: "twice"}, 1e-6), closest(1.7, {2.0: "twice"}, 1e-6)
    (2.0, None)
    """
    near: Sequence[float] = [number for number in known if abs(value - number) <= tolerance * abs(number)]
    return min(near, key=lambda number: abs(value - number)) if near else None
