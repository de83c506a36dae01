"""The noise read off the losses that slopes are measured with: what is smooth and quiet needs no samples of its own."""

from collections.abc import Callable

import numpy as np
import pytest

from xcheck.layout import Layout, Vector
from xcheck.oracle.engines.function import LoopEngine
from xcheck.oracle.estimators.even_part import quiet_noise
from xcheck.oracle.estimators.one_sided import estimate_one_sided


def engine_of(loss: Callable[[Vector], float], theta: Vector) -> LoopEngine:
    """One tensor x."""
    return LoopEngine(loss, theta, Layout.of({"x": theta.shape}))


def test_a_smooth_function_takes_six_losses_a_component_and_one() -> None:
    """Noise and slopes share them."""
    theta = np.linspace(0.1, 1.0, 10)
    engine = engine_of(lambda x: float(np.exp(x).sum()), theta)
    noise = quiet_noise(engine)
    assert noise is not None
    # The rounding of a sum of ten numbers, and a factor of two.
    assert noise < 16 * 2.0**-53 * float(engine.losses[0])
    before = engine.evaluations
    estimate_one_sided(engine, np.full(10, noise), tolerance=1e-7)
    assert (before, engine.evaluations) == (62, 62)  # and one for the least noise


@pytest.mark.parametrize(
    "loss",
    [
        lambda x: float(np.abs(x - 0.5).sum() + 10),
        lambda x: float(np.float32(np.exp(x).sum())),
        lambda x: float(np.round(x, 3).sum()),
        lambda x: float(np.exp(x[1:]).sum()),
        lambda x: float(np.sin(400 * x).sum()),
        lambda x: float(np.log(x - 0.4999).sum()),
        lambda x: float((np.exp(x).sum() - 8.2) * 1e-9 + 1e4 - 1e4),
    ],
    ids=["a kink", "float32", "stairs", "a component without effect", "steps too long", "a pole", "cancellation"],
)
def test_of_anything_else_nothing_is_said(loss: Callable[[Vector], float]) -> None:
    """The noise is then measured by samples of its own."""
    with np.errstate(all="ignore"):
        assert quiet_noise(engine_of(loss, np.full(5, 0.5))) is None


def test_two_components_say_too_little() -> None:
    """Two numbers may both be small by chance."""
    assert quiet_noise(engine_of(lambda x: float(np.exp(x).sum()), np.ones(2))) is None


@pytest.mark.parametrize("components", [3, 4, 5, 12])
def test_the_slopes_of_a_noisy_function_are_within_their_bars(components: int) -> None:
    """With noise of up to eight roundings of J: 300 functions, 1,000 to 4,000 slopes, and none is outside."""
    rng, said, outside = np.random.default_rng(components), 0, 0
    for number in range(300):
        theta, sigma = rng.standard_normal(components), 2.0**-53 * 2.0 ** (number % 4)

        def loss(x: Vector, sigma: float = sigma) -> float:
            exact = float(np.cosh(x).sum())
            return exact * (1 + sigma * rng.standard_normal())

        engine = engine_of(loss, theta)
        noise = quiet_noise(engine)
        if noise is None:
            continue
        said += 1
        found = estimate_one_sided(engine, np.full(components, noise), tolerance=1e-7).measured
        outside += int((np.abs(found.value - np.sinh(theta)) > found.bar).sum())
    assert said > 250
    assert outside == 0
