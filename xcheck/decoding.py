"""Decoding: which components of a gradient are wrong, told by ratios of few measurements.

The error e of a gradient is sparse when a few components are wrong. Along v, random numbers on a bucket of components
and 0 elsewhere, a bucket with one wrong component i shows r₀ = eᵢ vᵢ. The same direction times a digit d(i) of each
component's number, divided by the largest digit, shows r₀ d(i) / (B - 1): the ratio is the digit, and all digits are
the number. The base B is as large as the error of the measurements allows, so that one ratio names a component that is
off by much, and some more one whose error is hardly seen. What is named is measured by itself, then taken out of the
gradient. A bucket that decodes to nothing holds several, and is split; what the last part shows is what the whole does
without the others.

What measures is handed over: proved slopes (`xcheck.certificates.naming`), or differences
(`xcheck.oracle.bisection.ratios`).

Source of the idea: sparse Fourier transforms and count sketches; Charikar, Chen and Farach-Colton, "Finding frequent
items in data streams", 2002; Pawar and Ramchandran, "FFAST", IEEE Transactions on Information Theory 64, 2018.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from xcheck.layout import Vector
from xcheck.seeds import FIXED, Stream, generator

# A digit is read where the measurements may move the ratio by a quarter of a step, each of two by an eighth. They keep
# what they promise with a wide margin: a ratio that is off by half of that is that of several.
_STEP, _OFF = 8.0, 0.5
# Searches through all components at most, and splits of a bucket: two of a million are apart after 20, nearly always.
_SEARCHES, _SPLITS = 8, 24
# Parts of all components, and of a bucket that is known to hold several: two are apart in three quarters of the first,
# and in half of the second, of which one costs a measurement.
_PARTS, _HALVES = 4, 2
# The error is dense where more than three quarters of 4 x 4 buckets are wrong, which takes more than 20 components, or
# where so many buckets are wrong at a time: guesses.
_DENSE, _MANY = 0.75, 32
# Several that stay together in so many halves are asked for ratios again: they may be one that could not be told.
_UNTOLD = 4
# The last part of a bucket is not measured where its error is so many times what the measurement of the whole allows.
_CLEAR = 64.0


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


class Whole(NamedTuple):
    """What is known along a direction through all components.

    Attributes:
        values: the direction, shape (n,).
        seen: e·v along it.
        allowed: how large that may be for a right gradient.
        several: whether it is known that no single component explains it.
    """

    values: Vector
    seen: float
    allowed: float
    several: bool


class Residuals(Protocol):
    """The error e of a gradient, as it can be measured; what was confirmed is no longer part of it.

    Attributes:
        at_once: how many buckets are decoded together: many where that is cheaper, one where `finish` is free.
    """

    at_once: int

    @property
    def named(self) -> dict[int, float]:
        """Errors of the components that were confirmed, by flat indices."""

    def whole(self, values: Vector) -> Whole:
        """Return what a direction through all components shows: along `values`, shape (n,), or any that is known."""

    def along(self, rows: Sequence[Row], needs: Sequence[float]) -> tuple[Vector, Vector]:
        """Return e·v along directions, and what a right gradient may show, shape (k,) each.

        Args:
            rows: the directions.
            needs: how large the latter may be; measured no better than that where it can be had.
        """

    def confirm(self, places: Sequence[int]) -> None:
        """Measure components by themselves, and take those out that are wrong."""

    def finish(self) -> bool:
        """Name what can be told without another direction; return whether it is known that nothing is wrong then."""

    @property
    def is_exhausted(self) -> bool:
        """Whether no more is to be measured."""


def decode(size: int, residuals: Residuals) -> bool:
    """Name wrong components of a gradient, by `residuals.confirm`, and return whether that is all of its error.

    Args:
        size: n.
        residuals: measures.
    """
    for number in range(_SEARCHES):
        random = generator(FIXED, Stream.NAMING, number)
        # No two errors of one size cancel, as they would with signs alone.
        whole = residuals.whole(random.choice([-1.0, 1.0], size) * random.uniform(0.5, 1.0, size))
        if not abs(whole.seen) > whole.allowed:
            return True
        before = len(residuals.named)
        if _Search(residuals, whole, random.permutation(size)).run():
            return True
        if residuals.is_exhausted or len(residuals.named) == before:
            return False
    return False


@dataclass(frozen=True, slots=True)
class _Bucket:
    """Components start ... stop - 1 of a random order.

    Attributes:
        start: see above.
        stop: see above.
        seen: e·v along it for the gradient as it was at first.
        allowed: how large that may be for a right gradient.
        parts: how many it is split into.
        untold: how often it is halved before ratios are asked of it.
    """

    start: int
    stop: int
    seen: float
    allowed: float
    parts: int = _HALVES
    untold: int = 0

    @property
    def size(self) -> int:
        """Number of components."""
        return self.stop - self.start


class _Search:
    """One search through all components in a random order, along one direction v."""

    def __init__(self, residuals: Residuals, whole: Whole, order: NDArray[np.intp]) -> None:
        self._residuals, self._values, self._order = residuals, whole.values, order
        self._place_of = np.argsort(order)
        root = _Bucket(0, len(order), 0.0, whole.allowed, parts=_PARTS, untold=int(whole.several))
        self._root = replace(root, seen=whole.seen + self._named_in(root))

    def run(self) -> bool:
        """Name what can be named, and return whether it is known that nothing else is wrong."""
        open_buckets = [self._root]
        for _ in range(_SPLITS):
            asked = [bucket for bucket in open_buckets if not bucket.untold]
            for start in range(0, len(asked), self._residuals.at_once):
                if self._residuals.is_exhausted:
                    return False
                part = asked[start : start + self._residuals.at_once]
                if self._tell(part) and self._residuals.finish():
                    return True
            # Where a ratio tells nothing, there are several.
            open_buckets = [
                replace(bucket, untold=bucket.untold or _UNTOLD)
                for bucket in open_buckets
                if self._is_wrong(bucket) and bucket.size > 1
            ]
            if not open_buckets or self._residuals.is_exhausted:
                break
            parts = max(bucket.parts for bucket in open_buckets)
            buckets = [part for bucket in open_buckets for part in self._split(bucket)]
            open_buckets = [bucket for bucket in buckets if self._is_wrong(bucket)]
            if len(open_buckets) > (_DENSE * len(buckets) if len(buckets) == _PARTS**2 == parts**2 else _MANY):
                break
            open_buckets.sort(key=lambda bucket: abs(self._left(bucket)), reverse=True)
        return False

    # --- what is known of a bucket ------------------------------------------------------------------------------------

    def _named_in(self, bucket: _Bucket) -> float:
        """Return what the components that were named show along a bucket."""
        named = self._residuals.named.items()
        inside = [(flat, error) for flat, error in named if bucket.start <= self._place_of[flat] < bucket.stop]
        return float(sum(error * self._values[flat] for flat, error in inside))

    def _left(self, bucket: _Bucket) -> float:
        return bucket.seen - self._named_in(bucket)

    def _is_wrong(self, bucket: _Bucket) -> bool:
        # What was named is uncertain itself by about as much.
        named = any(bucket.start <= self._place_of[flat] < bucket.stop for flat in self._residuals.named)
        return abs(self._left(bucket)) > (2 if named else 1) * bucket.allowed

    def _row(self, bucket: _Bucket, factors: Vector | float = 1.0) -> Row:
        at = self._order[bucket.start : bucket.stop]
        return Row(at, self._values[at] * factors)

    # --- splitting ----------------------------------------------------------------------------------------------------

    def _split(self, bucket: _Bucket) -> list[_Bucket]:
        """Return the parts of a bucket that is wrong."""
        bounds = np.linspace(bucket.start, bucket.stop, min(bucket.parts, bucket.size) + 1).astype(int).tolist()
        parts = [_Bucket(*ends, 0.0, 0.0) for ends in pairwise(bounds)]
        derived = abs(self._left(bucket)) > _CLEAR * bucket.allowed
        measured = parts[:-1] if derived else parts
        seen, allowed = self._residuals.along([self._row(part) for part in measured], [np.inf] * len(measured))
        found = [
            replace(part, seen=one + self._named_in(part), allowed=may)
            for part, one, may in zip(measured, seen.tolist(), allowed.tolist(), strict=True)
        ]
        if derived:
            rest = bucket.seen - sum(part.seen for part in found)
            found.append(replace(parts[-1], seen=rest, allowed=bucket.allowed + float(allowed.sum())))
        wrong, into, untold = sum(self._is_wrong(part) for part in found), _HALVES, 0
        if wrong == _PARTS:  # most hold more than one
            into, untold = _PARTS, 1
        elif wrong == 1:  # as many as before
            untold = max(0, bucket.untold - 1)
        return [replace(part, parts=into, untold=untold if part.size > 1 else 0) for part in found]

    # --- ratios -------------------------------------------------------------------------------------------------------

    def _tell(self, buckets: Sequence[_Bucket]) -> bool:
        """Name components by their ratios, one in each bucket, and return whether anything was named."""
        bases = [self._base(bucket) for bucket in buckets]
        digits = [_digits(bucket.size, base) for bucket, base in zip(buckets, bases, strict=True)]
        rows = [
            self._row(bucket, one / (base - 1))
            for bucket, base, own in zip(buckets, bases, digits, strict=True)
            for one in own
        ]
        needs = [bucket.allowed for bucket, own in zip(buckets, digits, strict=True) for _ in own]
        pairs = iter(zip(*(part.tolist() for part in self._residuals.along(rows, needs)), strict=True))
        told = [
            self._place(bucket, base, [next(pairs) for _ in own])
            for bucket, base, own in zip(buckets, bases, digits, strict=True)
        ]
        before = len(self._residuals.named)
        self._residuals.confirm([place for place in told if place is not None])
        return len(self._residuals.named) > before

    def _base(self, bucket: _Bucket) -> int:
        """Return how many digits a ratio can tell apart: a bucket needs more ratios the less of its error is seen."""
        told = abs(self._left(bucket)) / max(bucket.allowed, float(np.finfo(np.float64).tiny)) / _STEP
        return int(np.clip(told, 2, max(2, bucket.size)))

    def _place(self, bucket: _Bucket, base: int, shown: Sequence[tuple[float, float]]) -> int | None:
        """Return the component that the measurements along digits tell, None where they tell none."""
        seen, number = self._left(bucket), 0
        for power, (one, allowed) in enumerate(shown):
            ratio = one / seen * (base - 1)
            off = _OFF * (allowed + bucket.allowed) / abs(seen) * (base - 1)
            # An error that is hardly seen moves a ratio further; of two digits the nearer one is tried.
            if base > 2 and abs(ratio - round(ratio)) > off:
                return None
            number += round(ratio) * base**power
        return int(self._order[bucket.start + number]) if 0 <= number < bucket.size else None


def _digits(size: int, base: int) -> list[Vector]:
    """Return the digits of 0 ... size - 1, the lowest first; none of a single number."""
    found: list[Vector] = []
    numbers = np.arange(size)
    while numbers.any():
        found.append((numbers % base).astype(np.float64))
        numbers = numbers // base
    return found
