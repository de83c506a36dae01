"""The complementary error function in any precision that NumPy has, for gelu."""

import numpy as np
from numpy.typing import NDArray

# Below, the series of erf has its terms fall at once; above, the continued fraction of erfc does.
_SWITCH = 1.5


def erfc(x: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return 2/√π ∫ₓ^∞ e^(−t²) dt in the precision of `x`.

    Near zero by the series erf(x) = 2/√π e^(−x²) Σ 2ⁿ x²ⁿ⁺¹/(2n+1)!!, whose terms are all positive; beyond by the
    continued fraction √π e^(x²) erfc(x) = 1/(x + (1/2)/(x + (2/2)/(x + (3/2)/(x + ...)))), whose N-th approximant is
    off by about e^(−2x√(2N)).

    Source: Abramowitz & Stegun, "Handbook of Mathematical Functions", 1964, 7.1.6 and 7.1.14.

    >>> erfc(np.array([0.0, 1.0, -1.0, 3.0])).round(12).tolist()
    [1.0, 0.15729920705, 1.84270079295, 2.2090497e-05]
    """
    distance = np.abs(x)
    root_pi = np.sqrt(np.arctan(x.dtype.type(1)) * 4)
    near, far = np.minimum(distance, _SWITCH), np.maximum(distance, _SWITCH)
    terms = 250 if np.finfo(x.dtype).eps < 1e-18 else 120
    term, series = near, near
    for n in range(1, 60):
        term = term * 2 * near**2 / (2 * n + 1)
        series = series + term
    fraction = far
    for k in range(terms, 0, -1):
        fraction = far + (x.dtype.type(k) / 2) / fraction
    inside = 1 - 2 / root_pi * np.exp(-(near**2)) * series
    outside = np.exp(-(far**2)) / (root_pi * fraction)
    positive = np.where(distance <= _SWITCH, inside, outside)
    return np.asarray(np.where(x < 0, 2 - positive, positive))
