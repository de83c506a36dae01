"""Elementary functions of short arguments, |t| ≤ `SHORT`, to full relative precision and without a transcendental call.

Taylor polynomials, cut off where the first term left out is below half a unit in the last place:

    eᵗ − 1 = t + t²/2! + ... + t⁶/6!        error < t⁷/7! < 2⁻⁵⁴ t
    tanh t = t − t³/3 + 2t⁵/15 − 17t⁷/315   error < 62t⁹/2835 < 2⁻⁶¹ t
    log(1 + s) = 2 artanh(s/(2 + s)) = 2 (w + w³/3 + w⁵/5 + w⁷/7),  w = s/(2 + s), |s| ≤ 2 SHORT
                                            error < w⁹/9 < 2⁻⁵⁹ w

On a CPU they take a fifth to a tenth of the time of the library's functions, and fuse with what surrounds them.

Source: Abramowitz & Stegun, "Handbook of Mathematical Functions", 1964, 4.2.1, 4.5.64, 4.1.27.
"""

from jax import Array

# The longest argument for which the polynomials below keep their last bit.
SHORT = 2.0**-7


def expm1(t: Array) -> Array:
    """Return eᵗ − 1."""
    return t * (1 + t * (1 / 2 + t * (1 / 6 + t * (1 / 24 + t * (1 / 120 + t / 720)))))


def tanh(t: Array) -> Array:
    """Return tanh t."""
    square = t * t
    return t * (1 + square * (-1 / 3 + square * (2 / 15 - square * (17 / 315))))


def log1p(s: Array) -> Array:
    """Return log(1 + s)."""
    w = s / (2 + s)
    square = w * w
    return 2 * w * (1 + square * (1 / 3 + square * (1 / 5 + square / 7)))
