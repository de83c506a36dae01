"""Faults that apply to any gradient change what they say, and never what they are given."""

import numpy as np
import pytest

from xcheck.testing import GENERIC_FAULTS
from xcheck.testing.generic_faults import Gradient, differ, that_matter

rng = np.random.default_rng(0)
GRADIENT: Gradient = {"W": rng.standard_normal((4, 4)), "V": rng.standard_normal((4, 4)), "b": rng.standard_normal(4)}
PARAMS: Gradient = {name: np.asarray(rng.standard_normal(array.shape)) for name, array in GRADIENT.items()}


@pytest.mark.parametrize("name", sorted(set(GENERIC_FAULTS) - {"conjugated"}))
def test_a_fault_changes_a_copy(name: str) -> None:
    """Something differs by more than rounding, and the gradient itself is as it was."""
    kept = {key: array.copy() for key, array in GRADIENT.items()}
    spoiled = GENERIC_FAULTS[name](GRADIENT, PARAMS, np.random.default_rng(1))
    assert spoiled is not None
    assert any(differ(GRADIENT[key], spoiled[key]) for key in GRADIENT)
    assert all(np.array_equal(GRADIENT[key], kept[key]) for key in GRADIENT)


@pytest.mark.parametrize("name", ["conjugated", "two tensors swapped", "transposed"])
def test_a_fault_that_would_change_nothing_does_not_apply(name: str) -> None:
    """Real numbers, one tensor, no square."""
    assert GENERIC_FAULTS[name]({"b": GRADIENT["b"]}, {"b": PARAMS["b"]}, np.random.default_rng(1)) is None


def test_rounding_matters_to_nobody() -> None:
    """A tensor far below the others, and a change far below the tensor."""
    assert that_matter({"W": GRADIENT["W"], "b": 1e-12 * GRADIENT["b"]}) == ["W"]
    assert not differ(GRADIENT["W"], GRADIENT["W"] * (1 + 1e-12))
    assert differ(GRADIENT["W"], GRADIENT["W"] * np.nan)


def test_complex_numbers_are_rounded_and_stay_complex() -> None:
    """Both parts have the digits of float32."""
    z = GRADIENT["b"] + 1j * GRADIENT["W"][0]
    spoiled = GENERIC_FAULTS["rounded to float32"]({"z": z}, {"z": z}, np.random.default_rng(1))
    assert spoiled is not None
    assert np.array_equal(spoiled["z"], z.astype(np.complex64))
    assert not np.array_equal(spoiled["z"], z)
