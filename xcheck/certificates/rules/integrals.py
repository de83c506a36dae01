"""Exponential, error and elliptic integrals, element by element: FLINT's values, and derivatives in closed form.

Numbers in brackets are equations of the NIST Digital Library of Mathematical Functions, https://dlmf.nist.gov. Names
and arguments are SciPy's (`scipy.special`): the elliptic integrals take the parameter m = k².
"""

from typing import Any

from flint import acb, arb

from xcheck.certificates.rules.functions import of_one
from xcheck.certificates.rules.registry import elementwise

# E1' = -exp(-x) / x, of which there are no real values for x < 0, and Ei' = exp(x) / x (6.2.1, 6.2.5).
elementwise("exp1", of_one(lambda x: x.expint(1), lambda x, y: -(-x).exp() / x))
elementwise("expi", of_one(arb.ei, lambda x, y: x.exp() / x))

# erfi(x) = -i erf(i x); Dawson's F = √π/2 exp(-x²) erfi(x) has F' = 1 - 2 x F (7.5.1, 7.2.5).
elementwise("erfi", of_one(arb.erfi, lambda x, y: 2 / arb.pi().sqrt() * (x * x).exp()))
elementwise("dawsn", of_one(lambda x: arb.pi().sqrt() / 2 * (-x * x).exp() * x.erfi(), lambda x, y: 1 - 2 * x * y))


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
