"""Steps: the same in every run, odd, and short enough for θ plus or minus one of them to be exact."""

import numpy as np
import pytest

from xcheck.oracle.engines.steps import short_numbers, step_factors


@pytest.mark.parametrize("size", [1, 7, 2000])
def test_factors_are_the_same_for_one_size(size: int) -> None:
    """From 0.7 to 1, whether they are kept or drawn again."""
    found = step_factors(size)
    np.testing.assert_array_equal(found, step_factors(size))
    assert found.shape == (size,)
    assert (found >= 0.7).all()
    assert (found < 1).all()


def test_short_numbers_add_without_rounding() -> None:
    """To numbers of 46 binary digits whose last is not below theirs."""
    random = np.random.default_rng(0)
    steps = short_numbers(random.uniform(0.5, 1, 1000)) * 2.0**-20
    theta = np.round(random.uniform(0.5, 1, 1000) * 2.0**40) / 2.0**40
    np.testing.assert_array_equal((theta + steps) - theta, steps)
