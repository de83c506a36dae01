"""Discrete Fourier transforms, along the last axis, of real and imaginary parts."""

from collections.abc import Callable
from typing import Any

import numpy as np
from flint import acb

from xcheck.certificates.balls import Array, Balls, in_balls, second
from xcheck.certificates.rules.registry import Surroundings, rule
from xcheck.trace.model import Operation


@rule("dft")
def _transform(surroundings: Surroundings, operation: Operation, re: Balls, im: Balls) -> list[Balls]:
    """X_k = Σ x_j e^(-2πi jk/n), or with +; linear, so that slopes are transformed as values are.

    FLINT encloses the roots of unity and every sum (https://flintlib.org/doc/acb_dft.html). With +, it is the transform
    of i x̄, x with its parts exchanged, with its parts exchanged.
    """
    inverse = operation.attributes["inverse"]

    def slope(one: Balls, number: int) -> Array:
        return np.zeros(one.shape) if one.slopes is None else one.slopes[number]

    def along(part: Callable[[Balls, int], Array]) -> list[tuple[Array, ...]]:
        pairs = [_rows(part(re, number), part(im, number), inverse=inverse) for number in range(directions)]
        return list(zip(*pairs, strict=True))

    values = _rows(re.values, im.values, inverse=inverse)
    directions = max(re.directions, im.directions)
    if not directions:
        return [Balls(part) for part in values]
    moving = None
    if re.moving is not None or im.moving is not None:
        rows = (re.where_moving() | im.where_moving()).any(axis=-1, keepdims=True)
        moving = np.broadcast_to(rows, re.shape)
    slopes = along(slope)
    if re.seconds is None and im.seconds is None:
        return [Balls(values[part], slopes[part], moving) for part in (0, 1)]
    seconds = along(second)
    return [Balls(values[part], slopes[part], moving, seconds[part]) for part in (0, 1)]


def _rows(re: Array, im: Array, *, inverse: bool) -> tuple[Array, Array]:
    """Return the parts of the transform of each row."""
    first, other = (im, re) if inverse else (re, im)
    found = (np.empty(re.shape, object), np.empty(re.shape, object))
    for at, (x, y) in enumerate(zip(in_balls(first), in_balls(other), strict=True)):
        transformed: list[Any] = acb.dft(map(acb, x, y))
        found[0][at] = [z.real for z in transformed]
        found[1][at] = [z.imag for z in transformed]
    return (found[1], found[0]) if inverse else found
