"""Noise: found with its size, and covered by the bars."""

from collections.abc import Callable

import numpy as np
import pytest

from xcheck.layout import Layout, Vector
from xcheck.oracle import LoopEngine
from xcheck.oracle.columns import Indices
from xcheck.oracle.engines.base import Spans
from xcheck.oracle.engines.evaluator import Evaluator
from xcheck.oracle.engines.function import FunctionEngine
from xcheck.oracle.engines.lines import Lines
from xcheck.oracle.estimators.central import estimate_central
from xcheck.oracle.estimators.noise import (
    measure_loss_noise,
    measure_noise_along,
    measure_noise_nearby,
    measure_noise_on_grid,
    noise_level,
    sampled_differences,
)


def test_noise_is_measured() -> None:
    """Noise of a known size, planted in a smooth function, is found within a factor of two."""
    rng = np.random.default_rng(0)
    noisy = np.exp(np.linspace(0, 1e-7, 8)) + 1e-9 * rng.standard_normal((500, 8))
    assert np.sqrt(np.mean(noise_level(noisy) ** 2)) == pytest.approx(1e-9, rel=0.1)


def test_a_noisy_loss_gets_wide_bars() -> None:
    """A loss that is only good to 1e-6 has bars that say so, and they are kept."""
    rng = np.random.default_rng(0)
    layout = Layout.of({"theta": (50,)})
    theta = rng.standard_normal(50)
    engine = LoopEngine(lambda t: float(np.sin(t).sum() + 1e-6 * rng.standard_normal()), theta, layout)
    noise = measure_loss_noise(engine, np.full(50, 2.0**-10), rng)
    measured = estimate_central(engine, noise, tolerance=1e-7)
    assert (np.abs(measured.value - np.cos(theta)) <= measured.bar).all()
    assert (measured.bar > 1e-7).all()


class Listening(LoopEngine):
    """Counts the components that differences are taken along."""

    def spans(self, indices: Indices, plus: Vector, minus: Vector) -> Spans:
        self.looked_at = len(np.unique(indices))
        return super().spans(indices, plus, minus)


@pytest.mark.parametrize("components", [1, 5, 12, 80])
def test_noise_is_measured_along_as_many_components_as_are_asked_for(components: int) -> None:
    """Or along all of a tensor that has fewer; as many differences as were announced."""
    layout = Layout.of({"theta": (50,)})
    engine = Listening(lambda theta: float(np.sin(theta).sum()), np.ones(50), layout)
    before = engine.evaluations
    measure_loss_noise(engine, np.full(50, 2.0**-10), np.random.default_rng(0), components)
    assert engine.looked_at == min(components, 50)
    assert sampled_differences(layout, components) == 8 * min(components, 50)
    assert engine.evaluations > before


def function_of_one(loss: Callable[[float], float], at: float) -> LoopEngine:
    """An engine of a function of one number."""
    return LoopEngine(lambda theta: float(loss(float(theta[0]))), np.array([at]), Layout.of({"theta": (1,)}))


def test_the_grid_shows_how_sharp_a_barrier_is() -> None:
    """b − θ is exact where θ is close to b: the noise is that of J, not that of its slope times a rounding of θ."""
    engine = function_of_one(lambda x: -np.log(3.0 - x), 3.0 - 1e-8)
    found = measure_noise_on_grid(engine, np.array([0]), np.array([1e-11]))
    assert found[0] < 1e-13
    steep = function_of_one(lambda x: np.sin(1e8 * x), 0.7)
    # Here 1e8 θ is rounded to 7e-9.
    assert 1e-9 < measure_noise_on_grid(steep, np.array([0]), np.array([1e-11]))[0] < 1e-7


def test_a_single_jump_is_no_noise() -> None:
    """sign(θ) is constant next to θ = 0.013, and −1 within the samples for float32."""
    engine = function_of_one(lambda x: 0.1 + x / np.sqrt(x**2), -0.013)
    near, coarse = measure_noise_nearby(engine, np.random.default_rng(0))
    assert max(near[0], coarse[0]) < 1e-15


def test_the_end_of_a_feature_is_no_staircase() -> None:
    """tanh(θ/1e-7) is 1 to the last bit soon after θ = 0, where it is zero."""
    engine = function_of_one(lambda x: np.tanh(x / 1e-7), 0.0)
    near, coarse = measure_noise_nearby(engine, np.random.default_rng(0))
    assert coarse[0] == 0.0
    assert near[0] < 1e-15


def test_a_steep_loss_has_noise_as_close_as_its_numbers_are() -> None:
    """Samples of sin 6.6e7 θ are taken closer together, but never so close that they are all the same."""
    omega, theta = 6.598e7, 1.176
    near, _ = measure_noise_nearby(function_of_one(lambda x: np.sin(omega * x), theta), np.random.default_rng(0))
    # ωθ is rounded by half a unit in its last place at most, evenly, and J has the slope cos ωθ = −0.07 there: 3e-10.
    expected = np.spacing(omega * theta) / np.sqrt(12) * abs(np.cos(omega * theta))
    assert expected / 2 < near[0] < 1e-6


def test_the_noise_of_steep_losses_is_not_missed() -> None:
    """Of sines of frequency 1e6 to 1e9: roundings of ωθ that repeat themselves from sample to sample show no noise."""
    rng, missed = np.random.default_rng(6), 0
    for _ in range(300):
        omega, theta = 10 ** rng.uniform(6, 9), rng.uniform(0.5, 4)
        engine = function_of_one(lambda x, omega=omega: np.sin(omega * x), theta)  # type: ignore[misc] # bound at once
        near, coarse = measure_noise_nearby(engine, np.random.default_rng(0))
        expected = np.spacing(omega * theta) / np.sqrt(12) * abs(np.cos(omega * theta))
        missed += bool(max(near[0], coarse[0]) < expected / 50)
    assert missed <= 6  # 2 %; with samples that are a power of two of roundings apart it is 6 %


@pytest.mark.parametrize("place", [0.3, 0.31, 0.5, 0.7, 0.9])
def test_treads_that_samples_are_a_whole_number_of_are_no_silence(place: float) -> None:
    """At 0.7 all steps of closely spaced samples are 22 roundings of float32, and there seemed to be no noise."""
    evaluator = Evaluator(lambda points: np.sin(points[:, 0]).astype(np.float32).astype(np.float64))
    engine = FunctionEngine(evaluator, np.array([place]), Lines.all_of(Layout.of({"x": (1,)})))
    _, coarse = measure_noise_nearby(engine, np.random.default_rng(0))
    rounding = 2.0**-24 * np.sin(place)
    assert 0.1 * rounding < coarse[0] < 2 * rounding


@pytest.mark.parametrize("scale", [1.0, 10.0, 100.0])
def test_a_smooth_minimum_has_no_noise_of_float32(scale: float) -> None:
    """Close samples are all the same there, and J bends between those that are far apart."""
    evaluator = Evaluator(lambda points: np.exp(points[:, 0] - scale) - points[:, 0])
    engine = FunctionEngine(evaluator, np.array([scale]), Lines.all_of(Layout.of({"x": (1,)})))
    near, coarse = measure_noise_nearby(engine, np.random.default_rng(0))
    assert max(near[0], coarse[0]) < 1e-14 * scale


def test_the_noise_of_steep_losses_is_found_with_its_size() -> None:
    """Samples at three distances: roundings of ωθ that repeat themselves over one of them show at another."""
    rng, missed = np.random.default_rng(7), 0
    for _ in range(300):
        omega, theta = 10 ** rng.uniform(7, 9), rng.uniform(0.5, 4)
        engine = function_of_one(lambda x, omega=omega: np.sin(omega * x), theta)  # type: ignore[misc] # bound at once
        near, coarse = measure_noise_nearby(engine, np.random.default_rng(0))
        expected = np.spacing(omega * theta) / np.sqrt(12) * abs(np.cos(omega * theta))
        missed += bool(max(near[0], coarse[0]) < expected / 8)
    assert missed <= 2  # at one distance alone it is 9


@pytest.mark.parametrize("power", [1, 2])
def test_the_noise_beside_a_pole_is_that_of_the_loss(power: int) -> None:
    """θ + 3 is exact beside θ = −3: samples that θ's rounding has moved by a little are not noise of J."""
    theta = -3.0 + 2e-9
    engine = function_of_one(lambda x: 1 / (x + 3.0) ** power, theta)
    near, coarse = measure_noise_nearby(engine, np.random.default_rng(0))
    assert max(near[0], coarse[0]) < 1e-14 * abs(float(engine.losses[0]))


def test_the_tail_of_a_pole_is_no_rounding_of_float32() -> None:
    """Beside 1e18 the tail of 1/θ² is as small as roundings of float32 are, and smooth."""
    engine = function_of_one(lambda x: 4e17 + 1.7 / x**2, 1.4e-9)
    _, coarse = measure_noise_nearby(engine, np.random.default_rng(0))
    assert coarse[0] == 0.0


@pytest.mark.parametrize("digits", [3, 6])
def test_stairs_of_thousandths_and_millionths_are_heard_wherever_they_are(digits: int) -> None:
    """Samples are no whole number of treads apart, whatever the random factor of the scale; one in 64 may be missed."""
    theta = np.random.default_rng(3).uniform(0.1, 1.0, 64)
    evaluator = Evaluator(lambda points: np.round(points, digits).sum(axis=1))
    engine = FunctionEngine(evaluator, theta, Lines.all_of(Layout.of({f"x{number}": (1,) for number in range(64)})))
    _, coarse = measure_noise_along(engine, np.arange(64))
    assert (coarse < 0.05 * 10.0**-digits).sum() <= 1
    assert (coarse < 2 * 10.0**-digits).all()
