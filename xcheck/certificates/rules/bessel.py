"""Bessel functions, the Airy function, exponential, error, Fresnel's and elliptic integrals, Lambert's W, by FLINT.

Numbers in brackets are equations of the NIST Digital Library of Mathematical Functions, https://dlmf.nist.gov. Names
are SciPy's (`scipy.special`), but for `airy_ai` and `spherical_bessel_j0`, which are torch's; the elliptic
integrals take the parameter m = k².

Where a function is infinite, complex or not defined (Y and K for x ≤ 0), FLINT's value is not finite, and nothing is
proved.
"""

from collections.abc import Callable
from typing import Any

from flint import acb, arb

from xcheck.certificates.decisions import NotProvedError
from xcheck.certificates.rules.functions import of_one
from xcheck.certificates.rules.registry import elementwise, rule
from xcheck.certificates.rules.special import of_several

Cylinder = Callable[[Any, Any], Any]


def _j(order: Any, x: Any) -> Any:
    return x.bessel_j(order)


def _y(order: Any, x: Any) -> Any:
    return x.bessel_y(order)


def _i(order: Any, x: Any) -> Any:
    return x.bessel_i(order)


def _k(order: Any, x: Any) -> Any:
    return x.bessel_k(order)


def _half_difference(function: Cylinder) -> Cylinder:
    """J' = (J of order v - 1 minus J of order v + 1) / 2, and so is Y' (10.6.1)."""
    return lambda order, x: (function(order - 1, x) - function(order + 1, x)) / 2


def _half_sum(function: Cylinder, sign: int) -> Cylinder:
    """I' = (I of order v - 1 plus I of order v + 1) / 2, and K' is minus such a sum (10.29.1)."""
    return lambda order, x: sign * (function(order - 1, x) + function(order + 1, x)) / 2


def _by_order(order: Any, x: Any) -> Any:
    raise NotProvedError("no rule gives the slope of a Bessel function by its order")


# Letter -> the function, its derivative by x.
_CYLINDERS: dict[str, tuple[Cylinder, Cylinder]] = {
    "j": (_j, _half_difference(_j)),
    "y": (_y, _half_difference(_y)),
    "i": (_i, _half_sum(_i, 1)),
    "k": (_k, _half_sum(_k, -1)),
}


def _of_order(letter: str, order: int) -> tuple[Callable[[Any], Any], Callable[[Any, Any], Any]]:
    """Return a cylinder function of fixed order, and its derivative from x and y."""
    function, by_x = _CYLINDERS[letter]
    return lambda x: function(arb(order), x), lambda x, y: by_x(arb(order), x)


for _letter, (_function, _by_x) in _CYLINDERS.items():
    rule(f"{_letter}v")(of_several(_function, _by_order, _by_x))
for _name in ("j0", "j1", "y0", "y1", "k0", "k1"):
    elementwise(_name, of_one(*_of_order(_name[0], int(_name[1]))))

# exp(x) K0(x) and exp(x) K1(x), by the rule for products.
elementwise("k0e", of_one(lambda x: x.exp() * _k(0, x), lambda x, y: y - x.exp() * _k(1, x)))
elementwise("k1e", of_one(lambda x: x.exp() * _k(1, x), lambda x, y: y - x.exp() * (_k(0, x) + _k(2, x)) / 2))

elementwise("airy_ai", of_one(lambda x: x.airy_ai(), lambda x, y: x.airy_ai(derivative=1)))
# sin(x) / x (10.49.3), an even function.
elementwise("spherical_bessel_j0", of_one(arb.sinc, lambda x, y: arb(0) if x == 0 else (x.cos() - y) / x))


# --- integrals ------------------------------------------------------------------------------------------------------

# E1' = -exp(-x) / x, of which there are no real values for x < 0, and Ei' = exp(x) / x (6.2.1, 6.2.5).
elementwise("exp1", of_one(lambda x: x.expint(1), lambda x, y: -(-x).exp() / x))
elementwise("expi", of_one(arb.ei, lambda x, y: x.exp() / x))

# erfi(x) = -i erf(i x); Dawson's F = √π/2 exp(-x²) erfi(x) has F' = 1 - 2 x F (7.5.1, 7.2.5).
elementwise("erfi", of_one(arb.erfi, lambda x, y: 2 / arb.pi().sqrt() * (x * x).exp()))
elementwise("dawsn", of_one(lambda x: arb.pi().sqrt() / 2 * (-x * x).exp() * x.erfi(), lambda x, y: 1 - 2 * x * y))

# S(x) = ∫ sin(π t²/2) and C(x) = ∫ cos(π t²/2) from 0 to x (7.2.7, 7.2.8).
elementwise("fresnel_s", of_one(arb.fresnel_s, lambda x, y: (x * x / 2).sin_pi()))
elementwise("fresnel_c", of_one(arb.fresnel_c, lambda x, y: (x * x / 2).cos_pi()))

# The principal branch of W e^W = x for x > -1/e, with W' = e^-W / (1 + W) (4.13.1, 4.13.4).
elementwise("lambertw", of_one(arb.lambertw, lambda x, y: (-y).exp() / (1 + y)))


def _elliptic_k(m: Any) -> Any:
    """K is infinite at m = 1 and complex beyond."""
    return acb(m).elliptic_k().real if m < 1 else arb.nan()


def _elliptic_e(m: Any) -> Any:
    """E is complex for m > 1."""
    return acb(m).elliptic_e().real if m <= 1 else arb.nan()


def _d_elliptic_k(m: Any, k: Any) -> Any:
    """K' = (E / (1 - m) - K) / (2 m), by m (19.4.1); π/8 at 0, from the series K = π/2 (1 + m/4 + ...) (19.5.1)."""
    return arb.pi() / 8 if m == 0 else (_elliptic_e(m) / (1 - m) - k) / (2 * m)


def _d_elliptic_e(m: Any, e: Any) -> Any:
    """E' = (E - K) / (2 m), by m (19.4.2); -π/8 at 0, from the series E = π/2 (1 - m/4 - ...) (19.5.2)."""
    return -arb.pi() / 8 if m == 0 else (e - _elliptic_k(m)) / (2 * m)


elementwise("ellipk", of_one(_elliptic_k, _d_elliptic_k))
elementwise("ellipe", of_one(_elliptic_e, _d_elliptic_e))
