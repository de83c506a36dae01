"""Which components are wrong, from proved slopes along few directions.

The error e of a gradient is sparse when a few components are wrong. Along v = s∘[i in bucket], with random signs s, a
bucket with one wrong component i shows r₀ = eᵢ sᵢ. The same direction times a digit d(i) of each component's number,
divided by the largest digit, shows r₀ d(i) / (B - 1): the ratio is the digit, and all digits are the number. The base B
is as large as the rounding of the gradient allows, so that one or two directions name a component that is off by much,
and some more one whose error is hardly seen. What is named is confirmed by a direction of its own, then taken out of
the gradient. A bucket that decodes to nothing holds several: there are four times as many buckets in the next round.

Source of the idea: sparse Fourier transforms and count sketches; Charikar, Chen and Farach-Colton, "Finding frequent
items in data streams", 2002; Pawar and Ramchandran, "FFAST", IEEE Transactions on Information Theory 64, 2018.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from xcheck.certificates.claims import Named
from xcheck.layout import Vector, unit_directions
from xcheck.seeds import FIXED, Stream, generator

# Directions (k, n) -> errors g·v - s and what rounding may do to them, shape (k,) each.
Errors = Callable[[Vector, Vector], tuple[Vector, Vector]]

# A digit is read where rounding moves the ratio by an eighth of a step at most.
_STEP = 8.0
# Rounds at most, and buckets at most: 64 wrong components are many enough to be called dense.
_ROUNDS, _BUCKETS = 8, 64
# Directions that are proved at a time: each takes the memory of one more evaluation.
_AT_ONCE = 16
# From so many buckets, and from such a share of them that stay wrong, the error is dense: three quarters of 16 buckets
# hold a wrong component when there are more than 20.
_DENSE_BUCKETS, _DENSE = 16, 0.75


def name_wrong(gradient: Vector, errors: Errors) -> tuple[list[Named], bool]:
    """Return the components that are proved to be wrong, and whether that is all of the error.

    Args:
        gradient: shape (n,).
        errors: `errors(gradient, directions)`, see `Errors`.
    """
    left = gradient.copy()
    found: dict[int, Named] = {}
    buckets = 1
    for number in range(_ROUNDS):
        named, unexplained = _one_round(left, errors, buckets, number)
        for one in named:
            left[one.flat] = one.slope
            found[one.flat] = Named(one.flat, float(gradient[one.flat]), one.slope)
        if not named and not unexplained:
            return sorted(found.values(), key=lambda one: one.flat), True
        if buckets >= _DENSE_BUCKETS and unexplained >= _DENSE * buckets:
            break
        if unexplained and buckets < _BUCKETS:
            buckets *= 4
    return sorted(found.values(), key=lambda one: one.flat), False


def _one_round(gradient: Vector, errors: Errors, buckets: int, number: int) -> tuple[list[Named], int]:
    """Return what one round names, and how many buckets are wrong by more than that."""
    random = generator(FIXED, Stream.NAMING, number)
    signs = random.choice([-1.0, 1.0], gradient.size)
    members = np.array_split(random.permutation(gradient.size), min(buckets, gradient.size))
    seen, allowed = _in_batches(errors, gradient, [_row(gradient.size, part, signs[part]) for part in members])
    wrong = np.flatnonzero(np.abs(seen) > allowed).tolist()
    # The base differs from bucket to bucket: each has as many digits as its own error needs.
    bases = {index: _base(seen[index], allowed[index], members[index].size) for index in wrong}
    rows = [
        _row(gradient.size, members[index], signs[members[index]] * digits / (bases[index] - 1))
        for index in wrong
        for digits in _digits(members[index].size, bases[index])
    ]
    shown = iter(_in_batches(errors, gradient, rows)[0].tolist())
    candidates: dict[int, int] = {}
    for index in wrong:
        base, size = bases[index], members[index].size
        ratios = [next(shown) / seen[index] * (base - 1) for _ in _digits(size, base)]
        place = sum(round(ratio) * base**power for power, ratio in enumerate(ratios))
        if 0 <= place < size:
            candidates[index] = int(members[index][place])
    named = _confirm(gradient, errors, list(candidates.values()))
    explained = [
        index
        for index, flat in candidates.items()
        if flat in named
        and abs(seen[index] - signs[flat] * (named[flat].claimed - named[flat].slope)) <= 2 * allowed[index]
    ]
    return list(named.values()), len(wrong) - len(explained)


def _base(error: float, allowed: float, size: int) -> int:
    """Return how many digits a ratio can tell apart."""
    return int(np.clip(abs(error) / max(allowed, np.finfo(np.float64).tiny) / _STEP, 2, max(2, size)))


def _digits(size: int, base: int) -> list[Vector]:
    """Return the digits of 0 ... size - 1, the lowest first."""
    found: list[Vector] = []
    numbers = np.arange(size)
    while not found or numbers.any():
        found.append((numbers % base).astype(np.float64))
        numbers = numbers // base
    return found


def _row(size: int, at: NDArray[np.intp], values: Vector) -> Vector:
    row = np.zeros(size)
    row[at] = values
    return row


def _in_batches(errors: Errors, gradient: Vector, rows: list[Vector]) -> tuple[Vector, Vector]:
    starts = range(0, len(rows), _AT_ONCE)
    parts = [errors(gradient, np.stack(rows[start : start + _AT_ONCE])) for start in starts]
    empty = np.zeros(0)
    return np.concatenate([empty, *(one for one, _ in parts)]), np.concatenate([empty, *(one for _, one in parts)])


def _confirm(gradient: Vector, errors: Errors, candidates: list[int]) -> dict[int, Named]:
    """Return those of the candidates that are wrong by themselves."""
    seen, allowed = _in_batches(errors, gradient, list(unit_directions(candidates, gradient.size)))
    pairs = zip(candidates, seen.tolist(), allowed.tolist(), strict=True)
    return {
        flat: Named(flat, float(gradient[flat]), float(gradient[flat]) - error)
        for flat, error, may in pairs
        if abs(error) > may
    }
