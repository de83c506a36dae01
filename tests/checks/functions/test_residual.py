"""The residual of a gradient beside θ: that of a formula moves along, that of rounding jumps."""

from collections.abc import Callable

import numpy as np
import pytest

import xcheck
from tests.checks.functions.layer import codes
from xcheck.layout import Vector

RNG = np.random.default_rng(0)
A, B = RNG.standard_normal((30, 16)), RNG.standard_normal(16)
X, W = RNG.standard_normal((50, 6)), RNG.standard_normal((6, 6))


def loss(w: Vector) -> float:
    """A layer of tanh."""
    return float(np.mean(np.tanh(X @ w) ** 2))


def rounded(dtype: str) -> Callable[[Vector], Vector]:
    """Its gradient, with the first product in a narrow dtype."""

    def gradient(w: Vector) -> Vector:
        a = np.tanh((X.astype(dtype) @ w.astype(dtype)).astype(np.float64))
        return np.asarray(X.T @ (2 * a * (1 - a**2)) / a.size)

    return gradient


def smooth_absolute_value(w: Vector) -> float:
    """Of sixteen features, on average."""
    return float(np.mean(np.sqrt((A @ w) ** 2 + 1e-5)))


def misplaced_epsilon(w: Vector) -> Vector:
    """The ε outside of the root: off by a little everywhere, without any structure."""
    z = A @ w
    return np.asarray(A.T @ (z / (np.abs(z) + 1e-5)) / len(A))


def cause(loss: Callable[[Vector], float], theta: Vector, gradient: Callable[[Vector], Vector]) -> tuple[set[str], str]:
    """The codes of a check, and the text of its last finding."""
    report = xcheck.check(loss, theta, gradient=gradient)
    return codes(report), report.findings[-1].text


def test_a_formula_is_not_called_rounding() -> None:
    """Its residual has the size of a rounding to TF32, and moves smoothly with θ."""
    found, text = cause(smooth_absolute_value, B, misplaced_epsilon)
    assert found == {"XC200"}
    assert "moves smoothly with θ: look for a constant or a formula that is off" in text


@pytest.mark.parametrize(("dtype", "name"), [("float32", "float32"), ("float16", "TF32 or float16")])
def test_rounding_is_still_called_so(dtype: str, name: str) -> None:
    """Its residual is another one as soon as θ moves."""
    found, text = cause(loss, W, rounded(dtype))
    assert found == {"XC251"}
    assert f"the numbers are rounded to {name} on the way" in text


def test_a_function_that_fails_beside_theta_is_judged_at_theta() -> None:
    """Then the size of the residual is all there is to go by."""

    def only_here(w: Vector) -> Vector:
        if np.abs(w - B).max() > 1e-5:
            raise ValueError("not here")
        return misplaced_epsilon(w)

    found, _ = cause(smooth_absolute_value, B, only_here)
    assert "XC251" in found
