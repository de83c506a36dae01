"""Small functions of the jobs suite."""

import numpy as np
import pytest

from benchmarks.suites.job_cases import KINDS, small_checks


@pytest.mark.parametrize("number", range(len(KINDS)), ids=list(KINDS))
def test_the_gradients_by_hand_are_right(number: int) -> None:
    """Against jax.grad of the same function at the same point, which all frameworks draw alike."""
    import jax

    made = list(small_checks("numpy", len(KINDS), 3))[number]
    twin = list(small_checks("jax", len(KINDS), 3))[number]
    assert made.gradient is not None
    with jax.enable_x64(True):
        expected = jax.grad(twin.loss)(twin.params, *twin.data)
    for name, found in made.gradient(made.params, *made.data).items():
        np.testing.assert_allclose(found, np.asarray(expected[name]), rtol=1e-10, atol=1e-13)


def test_torch_computes_the_same_losses() -> None:
    """One function, three frameworks."""
    for ours, theirs in zip(small_checks("numpy", 10, 0), small_checks("torch", 10, 0), strict=True):
        assert ours.loss(ours.params, *ours.data) == pytest.approx(float(theirs.loss(theirs.params, *theirs.data)))


def test_functions_are_small() -> None:
    """3 to 40 parameters, as the module says."""
    sizes = {made.size for made in small_checks("numpy", 200, 0)}
    assert min(sizes) == 3
    assert max(sizes) <= 40
