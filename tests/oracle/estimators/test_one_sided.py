"""Functions that nothing is known about: kinks are told from steep bends, and slopes at them are intervals."""

from collections.abc import Callable

import numpy as np
import pytest

from xcheck.layout import Layout, Vector
from xcheck.oracle import LoopEngine
from xcheck.oracle.estimators.noise import measure_noise_nearby
from xcheck.oracle.estimators.one_sided import estimate_one_sided, remeasure_disputed
from xcheck.oracle.estimators.sides import OneSidedGradient
from xcheck.testing import scenarios
from xcheck_numpy.network import NetworkObjective


def gradient_at(loss: Callable[[Vector], float], theta: Vector, layout: Layout) -> OneSidedGradient:
    """The gradient of `loss` at θ, with error bars and kinks."""
    engine = LoopEngine(loss, theta, layout)
    return estimate_one_sided(
        engine, np.max(measure_noise_nearby(engine, np.random.default_rng(0)), axis=0), tolerance=1e-7
    )


def gradient(loss: Callable[[Vector], float], *theta: float) -> OneSidedGradient:
    """The gradient of `loss` at θ."""
    return gradient_at(loss, np.array(theta), Layout.of({"theta": (len(theta),)}))


def loss_of(objective: NetworkObjective) -> Callable[[Vector], float]:
    """J alone."""
    return lambda theta: float(objective.compute(theta)[0])


def test_at_a_kink_both_slopes_are_found() -> None:
    """|θ| at 0 has all slopes between −1 and 1, and a central difference of 0 with every step."""
    found = gradient(lambda theta: float(np.abs(theta).sum()), 0.0, 1.0)
    assert found.kink[0] == 0.0
    assert np.isnan(found.kink[1])
    assert found.measured.lower == pytest.approx([-1.0, 1.0])
    assert found.measured.upper == pytest.approx([1.0, 1.0])


@pytest.mark.parametrize("distance", [1e-3, 1e-4, 1e-5, 1e-6, -1e-7, 3e-11])
def test_near_a_kink_the_slope_is_that_of_the_side(distance: float) -> None:
    """Steps shrink until the kink is outside; how near it is is told."""
    found = gradient(lambda theta: float(np.abs(theta).sum()), distance)
    assert abs(found.measured.value[0] - np.sign(distance)) <= found.measured.bar[0] < 1e-5
    assert abs(distance) < found.kink[0] < 1e4 * abs(distance)


def test_a_kink_too_near_to_be_told_apart_is_not_decided() -> None:
    """Beside 1000 no step is short enough and still above the noise: the interval and its bar hold the true slope."""
    measured = gradient(lambda theta: 1e3 + float(np.abs(theta).sum()), 3e-13).measured
    assert measured.lower[0] - measured.bar[0] <= 1.0 <= measured.upper[0] + measured.bar[0]
    assert measured.upper[0] - measured.lower[0] + measured.bar[0] > 0.1


@pytest.mark.parametrize(
    ("loss", "theta", "slopes"),
    [
        (lambda theta: max(theta[0], theta[1]), (0.3, 0.3), (0.0, 1.0)),
        (lambda theta: float(np.clip(theta[0], 0.0, 1.0)), (1.0,), (0.0, 1.0)),
        (lambda theta: max(0.0, 1.0 - theta[0]), (1.0,), (-1.0, 0.0)),
        (lambda theta: np.sin(theta[0]) + 3 * abs(theta[0] - 2), (2.0,), (np.cos(2) - 3, np.cos(2) + 3)),
    ],
    ids=["max", "clip", "hinge", "bent on both sides"],
)
def test_other_kinks(loss: Callable[[Vector], float], theta: tuple[float, ...], slopes: tuple[float, float]) -> None:
    """max of equals, clip at its end, a hinge, and a kink between two curves."""
    found = gradient(loss, *theta)
    assert found.kink[0] == 0.0
    assert (found.measured.lower[0], found.measured.upper[0]) == pytest.approx(slopes, abs=1e-3)


@pytest.mark.parametrize("steepness", [1.0, 10.0, 100.0])
def test_what_is_smooth_has_no_kink(steepness: float) -> None:
    """However steeply it bends: K shrinks with the third power of the step."""
    theta = np.random.default_rng(0).standard_normal(40)
    found = gradient(lambda theta: float(np.tanh(steepness * theta).sum()), *theta)
    exact = steepness / np.cosh(steepness * theta) ** 2
    assert np.isnan(found.kink).all()
    assert (np.abs(found.measured.value - exact) <= found.measured.bar).all()


@pytest.mark.parametrize(
    ("loss", "at", "slope"),
    [
        (np.sin, 1e8, np.cos(1e8)),
        (np.sin, 1e12, np.cos(1e12)),
        (lambda x: 1 / x, 1e-12, -1e24),
        (lambda x: np.log(x) if x > 0 else np.nan, 1e-9, 1e9),
        (lambda x: np.sqrt(x) if x > 0 else np.nan, 1e-9, 0.5 / np.sqrt(1e-9)),
        (lambda x: np.sin(2 * np.pi * 1024 * x), 0.0, 2 * np.pi * 1024),
        (lambda x: x**2 + 1e-3 * np.tanh((x - 1) / 1e-6), 1.0, 1002.0),
        (lambda x: abs(x - 1e-4) - abs(x + 3e-4), 0.0, -2.0),
        (lambda x: np.exp(50 * x), 1.0, 50 * np.exp(50)),
        (lambda x: 1e200 * x**2, 3.0, 6e200),
        (lambda x: 1e-200 * x**2, 3.0, 6e-200),
        (lambda x: x * np.log(x) if x > 0 else np.nan, 1e-300, np.log(1e-300) + 1),
        (lambda x: np.sqrt(x * x + 1e-134), 1e-67, np.sqrt(0.5)),
        (lambda x: np.log1p(np.exp(-1e-21 / (x * 300.0))), 1.4e-23, None),
    ],
    ids=[
        *("sin 1e8", "sin 1e12", "pole", "log", "root", "aliased", "step", "two kinks", "steep", "huge", "tiny"),
        *("entropy", "norm", "Boltzmann"),
    ],
)
def test_scales_that_nobody_could_guess(loss: Callable[[float], float], at: float, slope: float | None) -> None:
    """The true slope is inside the bar, and the bar is narrow: steps adapt over many powers of ten."""
    if slope is None:
        ratio = 1e-21 / (at * 300.0)
        slope = ratio / at / (1 + np.exp(ratio))
    measured = gradient(lambda theta: float(loss(float(theta[0]))), at).measured
    assert abs(measured.value[0] - slope) <= measured.bar[0] <= 1e-2 * abs(slope)


def test_a_feature_inside_the_step_is_seen_before_anybody_is_blamed() -> None:
    """A bump 1e-7 wide is not seen by the first steps; when a gradient that knows it is in dispute, it is."""
    theta = np.array([0.3])

    def loss(theta: Vector) -> float:
        return float(
            theta[0] ** 2 + 1e-7 * np.tanh((theta[0] - 0.3) / 1e-7) * np.exp(-(((theta[0] - 0.3) / 1e-6) ** 2))
        )

    engine = LoopEngine(loss, theta, Layout.of({"theta": (1,)}))
    noise = np.max(measure_noise_nearby(engine, np.random.default_rng(0)), axis=0)
    found = estimate_one_sided(engine, noise, tolerance=1e-7)
    assert abs(found.measured.value[0] - 0.6) < 1e-3
    again = remeasure_disputed(engine, noise, found, np.array([0]), np.array([1.6]), tolerance=1e-7)
    assert abs(again.measured.value[0] - 1.6) <= again.measured.bar[0] < 0.1
    stands = remeasure_disputed(engine, noise, found, np.array([0]), np.array([0.9]), tolerance=1e-7)
    assert abs(stands.measured.value[0] - 0.9) > stands.measured.bar[0]


def test_relu_networks_as_black_boxes() -> None:
    """The branches are not known: no correct gradient is out of bounds, with hundreds of kinks inside first steps."""
    compared, kinks = 0, 0
    for problem in (*scenarios(40), *scenarios(8, start=120)):
        if not any(layer.activation == "relu" for layer in problem.network.layers):
            continue
        objective = NetworkObjective(problem, np.float64)
        exact = objective.loss_and_gradient(problem.theta)[1]
        found = gradient_at(loss_of(objective), problem.theta, problem.layout)
        measured = found.measured
        outside = np.maximum(np.maximum(measured.lower - exact, exact - measured.upper), 0.0)
        assert (outside <= measured.bar + 1e-12 * measured.magnitude).all(), problem.name
        compared, kinks = compared + len(exact), kinks + int(np.isfinite(found.kink).sum())
    assert compared > 1000
    assert kinks > 40


def test_two_steps_that_agree_by_coincidence_are_not_believed_in_a_dispute() -> None:
    """sin ωθ with ωh close to a multiple of π shows the slope of an alias at h, 2h, 4h, until somebody disputes it."""
    step = float(2.0**-10 * LoopEngine(lambda theta: 0.0, np.ones(1), Layout.of({"theta": (1,)})).scale[0])
    omega = (320 * np.pi + 1e-3) / step
    engine = LoopEngine(lambda theta: float(np.sin(omega * theta[0])), np.array([0.3]), Layout.of({"theta": (1,)}))
    noise, true = np.full(1, 1e-11), omega * np.cos(0.3 * omega)
    found = estimate_one_sided(engine, noise, tolerance=1e-7)
    again = remeasure_disputed(engine, noise, found, np.array([0]), np.array([true]), tolerance=1e-7).measured
    assert abs(again.value[0] - true) <= again.bar[0] < 1e-6 * abs(true)


def test_what_looks_like_a_kink_at_one_step_alone_is_not_called_one() -> None:
    """With this noise no shorter step would show whether the jump stays: nothing is known, and nothing is wrong."""
    engine = LoopEngine(lambda theta: float(abs(theta[0] - 1e-4)), np.zeros(1), Layout.of({"theta": (1,)}))
    measured = estimate_one_sided(engine, np.full(1, 1e-5), tolerance=1e-7).measured
    assert np.isinf(measured.bar[0])
    # Without noise the kink is seen to lie beside θ.
    assert abs(gradient(lambda theta: float(abs(theta[0] - 1e-4)), 0.0).measured.value[0] + 1.0) < 1e-6
