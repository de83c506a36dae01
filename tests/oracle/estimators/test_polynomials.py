"""Fitted polynomials: their bars hold, with noise, kinks and bends of all sizes, and are narrow where J is smooth."""

from collections.abc import Callable

import numpy as np
import pytest

from xcheck.layout import Layout, Vector
from xcheck.oracle.engines.evaluator import Evaluator
from xcheck.oracle.engines.function import FunctionEngine
from xcheck.oracle.engines.lines import Lines
from xcheck.oracle.estimators.polynomials import LOSSES, fit_slopes

One = Callable[[Vector], Vector]


def engine_of(loss: One, at: float) -> FunctionEngine:
    """An engine of a function of one number."""
    evaluator = Evaluator(lambda points: loss(points[:, 0]))
    return FunctionEngine(evaluator, np.array([at]), Lines.all_of(Layout.of({"x": (1,)})))


# Each with its slope; w is a scale from 0.1 to 1e8, and the kinks are at 0.3.
FAMILIES: dict[str, tuple[Callable[[Vector, float], Vector], Callable[[float, float], float]]] = {
    "sine": (lambda x, w: np.sin(w * x), lambda x, w: float(w * np.cos(w * x))),
    "tanh": (lambda x, w: np.tanh(w * x), lambda x, w: float(w / np.cosh(w * x) ** 2)),
    "huber": (lambda x, w: np.sqrt(1 + (w * x) ** 2), lambda x, w: float(w * w * x / np.sqrt(1 + (w * x) ** 2))),
    "abs": (lambda x, w: np.abs(w * (x - 0.3)), lambda x, w: float(w * np.sign(x - 0.3))),
    "power": (
        lambda x, w: np.maximum(w * (x - 0.3), 0.0) ** 2.5,
        lambda x, w: 2.5 * w * max(w * (x - 0.3), 0.0) ** 1.5,
    ),
}


def place(name: str, w: float, rng: np.random.Generator) -> float:
    """Where the function bends."""
    if name in ("tanh", "huber"):
        return float(3 * rng.standard_normal() / w)
    if name in ("abs", "power") and rng.random() < 0.7:
        return float(0.3 + 10 ** rng.uniform(-9, 0) * rng.choice([-1, 1]))
    return float(rng.standard_normal())


@pytest.mark.parametrize("name", FAMILIES)
def test_bars_hold_wherever_a_fit_follows_the_loss(name: str) -> None:
    """With a constant up to 1e9, noise up to 1e-2 and any reach: what is left of the losses is no more than noise."""
    loss, slope = FAMILIES[name]
    rng, followed = np.random.default_rng(5), 0
    for _ in range(150):
        w, noise = 10 ** rng.uniform(-1, 8), 0.0 if rng.random() < 0.6 else 10 ** rng.uniform(-12, -2)
        constant = 10 ** rng.uniform(-3, 9) if rng.random() < 0.5 else 0.0
        at = place(name, w, rng)

        def noisy(x: Vector, w: float = w, constant: float = constant, noise: float = noise) -> Vector:
            return np.asarray(constant + loss(x, w) + noise * rng.standard_normal(len(x)))

        engine, exact = engine_of(noisy, at), slope(at, w)
        known = max(noise, 2.0**-52 * abs(float(engine.losses[0])), 2.0**-52 * abs(at * exact))
        for reach in 10 ** rng.uniform(-11, 1, 4):
            fit = fit_slopes(engine, np.array([0]), np.array([reach]))
            if fit.noise[0] <= 4 * known and reach > 200 * np.spacing(abs(at)):
                followed += 1
                assert abs(fit.value[0] - exact) <= max(fit.bar[0], 1e-9 * abs(exact)), (name, w, at, constant, reach)
    assert followed > 200


def test_a_huge_constant_leaves_a_slope() -> None:
    """Losses of 1e8 are rounded to 1e-8: differences know the slope to 1e-5, a fit to 1e-7."""
    engine = engine_of(lambda x: 1e8 + np.sin(x), 0.4)
    before = engine.evaluations
    fit = fit_slopes(engine, np.array([0]), np.array([1.5]))
    assert abs(fit.value[0] - np.cos(0.4)) <= fit.bar[0] < 3e-7
    assert fit.curvature[0] == pytest.approx(np.sin(0.4), abs=1e-3)
    assert engine.evaluations - before <= LOSSES + 2


@pytest.mark.parametrize("size", [1e-300, 1e300])
def test_a_loss_of_any_size_is_fitted(size: float) -> None:
    """Squares of its values are not finite, or zero."""
    fit = fit_slopes(engine_of(lambda x: size * np.exp(x), 0.4), np.array([0]), np.array([0.5]))
    assert abs(fit.value[0] / size - np.exp(0.4)) <= fit.bar[0] / size < 1e-12


def test_the_edge_of_a_domain_leaves_nothing() -> None:
    """A loss that is not finite on the way has no fit."""
    fit = fit_slopes(engine_of(lambda x: np.log(np.where(x > 0, x, np.nan)), 0.4), np.array([0]), np.array([0.5]))
    assert np.isinf(fit.bar[0])
