"""Noise: found with its size, and covered by the bars."""

import numpy as np
import pytest

from xcheck.layout import Layout, Vector
from xcheck.oracle import LoopEngine
from xcheck.oracle.columns import Indices
from xcheck.oracle.engines.base import Spans
from xcheck.oracle.estimators.central import estimate_central
from xcheck.oracle.estimators.noise import measure_loss_noise, noise_level, sampled_differences


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
