"""Layer, RMS and batch norm, forward and backward."""

import numpy as np
import pytest

from tests.backends.xcheck_numpy.layers.halves import assert_halves_fit
from xcheck.networks.layers import BatchNorm, LayerNorm, RmsNorm
from xcheck_numpy.layers.normalisation import BATCH_NORM, LAYER_NORM, RMS_NORM, rescale, standardize


@pytest.mark.parametrize("axes", [None, 1, 2])
def test_norms_of_an_example(axes: int | None) -> None:
    """Over all of it, or over its last axes."""
    assert_halves_fit(LAYER_NORM, LayerNorm(epsilon=1e-5, axes=axes), (3, 2, 4))
    assert_halves_fit(RMS_NORM, RmsNorm(epsilon=1e-5, axes=axes), (3, 2, 4))


@pytest.mark.parametrize("inputs", [(3,), (3, 5), (3, 4, 2)])
def test_norm_over_the_examples(inputs: tuple[int, ...]) -> None:
    """Of vectors, signals and images."""
    assert_halves_fit(BATCH_NORM, BatchNorm(epsilon=1e-5), inputs)


def test_mean_0_and_variance_1() -> None:
    """But for ε, which is small beside this variance."""
    x = np.random.default_rng(0).normal(3, 10, size=(50, 40))
    normal, _ = standardize(x, (1,), 1e-9)
    np.testing.assert_allclose(normal.mean(axis=1), 0, atol=1e-12)
    np.testing.assert_allclose(normal.var(axis=1), 1, rtol=1e-9)


def test_mean_square_1() -> None:
    """The mean stays where it is, in proportion."""
    normal, scale = rescale(np.array([[3.0, 4.0]]), (1,), 0.0)
    np.testing.assert_allclose((normal**2).mean(), 1, rtol=1e-12)
    np.testing.assert_allclose(scale, np.sqrt(12.5), rtol=1e-12)
