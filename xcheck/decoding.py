"""Decoding: which components of a gradient are wrong, told by ratios of few measurements.

The error e of a gradient is sparse when a few components are wrong. Along v, random numbers on a bucket of components
and 0 elsewhere, a bucket with one wrong component i shows r₀ = eᵢ vᵢ. The same direction times a digit d(i) of each
component's number, divided by the largest digit, shows r₀ d(i) / (B - 1): the ratio is the digit, and all digits are
the number. The base B is as large as the error of the measurements allows, so that one ratio names a component that is
off by much, and some more one whose error is hardly seen. What is named is measured by itself, then taken out of the
gradient. A bucket that decodes to nothing holds several: in the next round it is split into four.

What measures is handed over, such as proved slopes (`xcheck.certificates.naming`).

Source of the idea: sparse Fourier transforms and count sketches; Charikar, Chen and Farach-Colton, "Finding frequent
items in data streams", 2002; Pawar and Ramchandran, "FFAST", IEEE Transactions on Information Theory 64, 2018.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from xcheck.layout import Vector
from xcheck.seeds import FIXED, Stream, generator

# A digit is read where the measurements move the ratio by an eighth of a step at most; two of them are in a ratio.
_STEP, _OFF = 8.0, 0.25
# Rounds at most, and buckets at most: 64 wrong components are many enough to be called dense.
_ROUNDS, _BUCKETS = 8, 64
# Parts that a bucket with several wrong components is split into.
_SPLIT = 4
# From so many buckets, and from such a share of them that are wrong, the error is dense: three quarters of 16 buckets
# hold a wrong component when there are more than 20.
_DENSE_BUCKETS, _DENSE = 16, 0.75


class Row(NamedTuple):
    """A direction that is 0 but at few places.

    Attributes:
        at: the places, shape (k,).
        values: there, shape (k,).
    """

    at: NDArray[np.intp]
    values: Vector

    def dense(self, size: int) -> Vector:
        """Return the direction, shape (size,)."""
        row = np.zeros(size)
        row[self.at] = self.values
        return row


class Residuals(Protocol):
    """The error of a gradient, as it can be measured; what was confirmed is no longer part of it."""

    def along(self, rows: Sequence[Row], needs: Sequence[float]) -> tuple[Vector, Vector]:
        """Return e·v along directions, and what a right gradient may show, shape (k,) each.

        Args:
            rows: the directions.
            needs: how large the latter may be; measured no better than that where it can be had.
        """

    def confirm(self, places: Sequence[int]) -> dict[int, float]:
        """Measure components by themselves, and return the errors of those that are wrong; they are taken out."""

    @property
    def is_explained(self) -> bool:
        """Whether nothing is wrong any more, as far as that is known without a measurement."""

    @property
    def is_exhausted(self) -> bool:
        """Whether no more is to be measured."""


@dataclass(frozen=True, slots=True, eq=False)
class _Bucket:
    """Some components with random numbers, what is seen along these, and what would be allowed there."""

    row: Row
    seen: float
    allowed: float

    @property
    def is_wrong(self) -> bool:
        return abs(self.seen) > self.allowed

    @property
    def base(self) -> int:
        """How many digits a ratio can tell apart; each bucket needs as many ratios as its own error makes necessary."""
        told = abs(self.seen) / max(self.allowed, float(np.finfo(np.float64).tiny)) / _STEP
        return int(np.clip(told, 2, max(2, len(self.row.at))))

    @property
    def digits(self) -> list[Row]:
        """The directions whose ratios are the digits of a component's number, the lowest digit first."""
        found: list[Row] = []
        numbers = np.arange(len(self.row.at))
        while numbers.any():
            found.append(Row(self.row.at, self.row.values * (numbers % self.base) / (self.base - 1)))
            numbers = numbers // self.base
        return found

    def place(self, shown: Sequence[float]) -> int | None:
        """Return the component that the measurements along `digits` tell, None where they tell none."""
        ratios = [one / self.seen * (self.base - 1) for one in shown]
        # An error that is hardly seen moves a ratio further; of two digits the nearer one is tried.
        if self.base > 2 and any(abs(ratio - round(ratio)) > _OFF for ratio in ratios):
            return None
        number = sum(round(ratio) * self.base**power for power, ratio in enumerate(ratios))
        return int(self.row.at[number]) if 0 <= number < len(self.row.at) else None

    def is_explained(self, errors: dict[int, float]) -> bool:
        """Whether one component with its error is all that this bucket shows."""
        shown = (errors[flat] * self.row.values[self.row.at == flat].sum() for flat in errors)
        return any(abs(self.seen - one) <= 2 * self.allowed for one in shown)


def decode(size: int, residuals: Residuals, first: int) -> bool:
    """Name wrong components of a gradient, by `residuals.confirm`, and return whether that is all of its error.

    Args:
        size: n.
        residuals: measures.
        first: buckets of the first round; one where a single wrong component is likely.
    """
    everything = np.arange(size)
    places, buckets = everything, first
    for number in range(_ROUNDS):
        wrong, left = _one_round(places, residuals, buckets, number)
        if residuals.is_explained or (not wrong and len(places) == size):
            return True
        if _is_dense(buckets, len(left)) or residuals.is_exhausted:
            return False
        # What is in no bucket that is wrong is looked at again when these are explained.
        places = np.concatenate([bucket.row.at for bucket in left]) if left else everything
        buckets = min(_BUCKETS, _SPLIT * len(left)) if left else min(buckets, _DENSE_BUCKETS)
    return False


def _is_dense(buckets: int, wrong: int) -> bool:
    return buckets >= _DENSE_BUCKETS and wrong >= _DENSE * buckets


def _one_round(
    places: NDArray[np.intp], residuals: Residuals, count: int, number: int
) -> tuple[list[_Bucket], list[_Bucket]]:
    """Name what one round tells; return the buckets that are wrong, and those that more is wrong in than was named."""
    random = generator(FIXED, Stream.NAMING, number)
    # No two errors of one size cancel, as they would with signs alone.
    values = random.choice([-1.0, 1.0], len(places)) * random.uniform(0.5, 1.0, len(places))
    parts = np.array_split(random.permutation(len(places)), min(count, len(places)))
    rows = [Row(places[part], values[part]) for part in parts]
    seen, allowed = residuals.along(rows, [np.inf] * len(rows))
    buckets = [_Bucket(row, *pair) for row, *pair in zip(rows, seen.tolist(), allowed.tolist(), strict=True)]
    wrong = [bucket for bucket in buckets if bucket.is_wrong]
    # Where all of several are wrong, most hold more than one component.
    crowded = 1 < len(wrong) == len(parts) < len(places) or _is_dense(count, len(wrong))
    if not wrong or crowded:
        return wrong, wrong
    digits = [(row, bucket.allowed) for bucket in wrong for row in bucket.digits]
    shown = iter(residuals.along([row for row, _ in digits], [need for _, need in digits])[0].tolist())
    told = [bucket.place([next(shown) for _ in bucket.digits]) for bucket in wrong]
    errors = residuals.confirm([place for place in told if place is not None])
    return wrong, [bucket for bucket in wrong if not bucket.is_explained(errors)]
