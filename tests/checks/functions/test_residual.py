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


SQUARE = np.random.default_rng(1).standard_normal((40, 40))


def pulled_back(slope: Callable[[Vector], Vector]) -> Callable[[Vector], Vector]:
    """The gradient of Σ f(zᵢ) with z = A w, by the derivative of f."""
    return lambda w: np.asarray(SQUARE.T @ slope(SQUARE @ w))


@pytest.mark.parametrize(
    ("function", "slope"),
    [
        (lambda z: np.logaddexp(0, 3 * z), lambda z: np.where(3 * z > 8, 3.0, 3 / (1 + np.exp(-3 * z)))),
        (lambda z: np.log(1 / (1 + np.exp(-z)) + 1e-4), lambda z: 1 / (1 + np.exp(z))),
        (lambda z: np.sqrt(z**2 + 1e-6), lambda z: z / np.sqrt(z**2 + 1e-7)),
        (lambda z: np.where(np.abs(z) < 1, z**2 / 2, np.abs(z) - 0.5), lambda z: np.clip(z, -1.001, 1.001)),
        (np.tanh, lambda z: 1 - np.tanh(1.0003 * z) ** 2),
    ],
    ids=["threshold of softplus", "epsilon of a logarithm", "epsilon of a root", "huber", "temperature"],
)
@pytest.mark.parametrize("seed", [10, 11])
def test_small_mistakes_of_formulas_are_not_called_rounding(
    function: Callable[[Vector], Vector], slope: Callable[[Vector], Vector], seed: int
) -> None:
    """Products with random numbers leave no structure in the residual, as rounding does not: it moves along with w."""
    w = 0.3 * np.random.default_rng(seed).standard_normal(40)
    report = xcheck.check(lambda w: float(function(SQUARE @ w).sum()), w, gradient=pulled_back(slope))
    assert report.verdict == "DISAGREE"
    assert "XC251" not in codes(report)


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


# --- solvers that stop early ----------------------------------------------------------------------------------------

ROOTS = np.array([0.7, 1.9, 3.0])


def bisected(a: Vector, tol: float) -> Vector:
    """x with x³ + x = a, to a tolerance; the bracket is [0, 1 + a], so that x has a slope of its own between jumps."""
    low, high = np.zeros_like(a), 1 + a
    while (high - low).max() > tol:
        middle = (low + high) / 2
        above = middle**3 + middle > a
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return np.asarray((low + high) / 2)


def fixed_point(a: Vector, tol: float, max_iter: int) -> Vector:
    """x = cos(a x)/2 + 0.3, to a tolerance or a number of iterations."""
    x = np.zeros_like(a)
    for _ in range(max_iter):
        before, x = x, np.cos(a * x) / 2 + 0.3
        if np.abs(x - before).max() < tol:
            break
    return x


def implicit(a: Vector, tol: float = 1e-7, max_iter: int = 1000, factor: float = 1.0) -> Vector:
    """The gradient of Σ x² by implicit differentiation."""
    x = fixed_point(a, tol, max_iter)
    s = -np.sin(a * x) / 2
    return factor * 2 * x * s * x / (1 - s * a)


@pytest.mark.parametrize("tol", [1e-7, 1e-9])
def test_a_bisection_that_stops_early(tol: float) -> None:
    """Its own slope between its jumps is another than that of the exact solution, and that is not called unknown."""

    def loss(a: Vector) -> float:
        return float((bisected(a, tol) ** 2).sum())

    def gradient(a: Vector) -> Vector:
        x = bisected(a, 1e-14)
        return np.asarray(2 * x / (3 * x**2 + 1))

    report = xcheck.check(loss, ROOTS, gradient=gradient)
    assert codes(report) == {"XC282"}
    assert "from place to place" in report.findings[-1].text
    # A test of the tester: a mistake beside it is none of the solver's.
    spoiled = xcheck.check(loss, ROOTS, gradient=lambda a: 1.01 * gradient(a))
    assert spoiled.verdict == "DISAGREE"
    assert "XC282" not in codes(spoiled)


@pytest.mark.parametrize(
    ("loss", "words"),
    [
        (lambda a, tol=1e-7: float((fixed_point(a, tol, 1000) ** 2).sum()), "with tol 100 times as small"),
        (lambda a, max_iter=14: float((fixed_point(a, 0, max_iter) ** 2).sum()), "with max_iter 16 times as large"),
    ],
)
def test_a_tighter_keyword_decides(loss: Callable[..., float], words: str) -> None:
    """The error shrinks with the tolerance, or with the number of iterations."""
    theta = np.array([0.7, 0.9, 1.1])
    report = xcheck.check(loss, theta, gradient=implicit)
    assert codes(report) == {"XC282"}
    assert words in report.findings[-1].text
    # A test of the tester: a factor that is off by as much does not shrink.
    spoiled = xcheck.check(loss, theta, gradient=lambda a: implicit(a, factor=1.0 + 1e-5))
    assert "XC282" not in codes(spoiled)


def test_without_a_keyword_it_is_a_possibility() -> None:
    """The error is smooth in θ, like that of a wrong constant: what to do is said."""
    report = xcheck.check(
        lambda a: float((fixed_point(a, 0, 14) ** 2).sum()), np.array([0.7, 0.9, 1.1]), gradient=implicit
    )
    assert codes(report) == {"XC200"}
    assert "give it an argument such as tol or max_iter" in report.findings[-1].text


class _Silent:
    """The sign, by what does not tell its arguments, like a ufunc before NumPy 2.4."""

    __signature__ = 0

    def __call__(self, a: Vector) -> Vector:
        return np.sign(a)


@pytest.mark.parametrize("gradient", [np.sign, _Silent()], ids=["ufunc", "silent"])
def test_a_keyword_of_something_else_explains_nothing(gradient: Callable[[Vector], Vector]) -> None:
    """A smoothing term that the gradient forgets is a mistake, though it is called a tolerance."""

    def loss(a: Vector, tol: float = 1e-3) -> float:
        return float(np.sqrt(a**2 + tol).sum() + 1e-3 * (a**3).sum())

    report = xcheck.check(loss, np.array([0.7, 0.9, 1.1]), gradient=gradient)
    assert "XC282" not in codes(report)


def test_a_loss_of_zero_has_no_jumps_to_be_relative_to() -> None:
    """Nor has a gradient of zero a size: both are wrong for another reason."""
    for claimed in (0.5, 0.0):
        report = xcheck.check(
            lambda x: float(np.sin(x).sum()), np.zeros(2), gradient=lambda x, c=claimed: np.full(2, c)
        )
        assert report.verdict == "DISAGREE"
        assert "XC282" not in codes(report)
