"""The penalty: its difference quotients are those of λ/2m ‖W‖² + λ₁/2m |W|, without a subtraction."""

from dataclasses import replace

import numpy as np
import pytest

from tests.oracle.conftest import wide
from xcheck.oracle.network.penalty import Penalty

PLAIN = wide(3)
NETWORK, LAYOUT = replace(PLAIN.network, l2=0.8, l1=0.3), PLAIN.layout
WEIGHTS = np.concatenate([np.full(tensor.size, tensor.name.startswith("W")) for tensor in LAYOUT])
THETA = np.random.default_rng(0).standard_normal(LAYOUT.size)


def value(theta: np.ndarray) -> float:
    """The formula, for 10 examples."""
    weights = theta[WEIGHTS]
    return float(0.8 * np.sum(weights**2) + 0.3 * np.sum(np.abs(weights))) / 20


def test_the_value_is_that_of_the_weights_alone() -> None:
    """Biases are not penalised."""
    assert Penalty.at(NETWORK, LAYOUT, THETA, 10).value == pytest.approx(value(THETA), rel=1e-14)


@pytest.mark.parametrize("sides", [(1e-3, -1e-3), (1e-3, 0.0), (2e-4, 1e-4)])
def test_quotients_are_those_of_the_value(sides: tuple[float, float]) -> None:
    """Central, forward, and on one side: as far as a subtraction can tell."""
    penalty, (plus, minus) = Penalty.at(NETWORK, LAYOUT, THETA, 10), sides
    indices = np.flatnonzero(np.abs(THETA) > 1e-2)
    steps = (np.full(len(indices), side) for side in sides)
    slope, spread, magnitude = penalty.quotients(indices, *steps)
    unit = np.eye(LAYOUT.size)[indices]
    plain = [(value(THETA + plus * e) - value(THETA + minus * e)) / (plus - minus) for e in unit]
    np.testing.assert_allclose(slope, plain, atol=1e-11)
    assert not spread.any()
    assert (magnitude >= np.abs(slope) * (1 - 1e-14)).all()


def test_at_zero_the_slope_of_l1_is_an_interval() -> None:
    """Half as wide as λ₁/m; l2 has no slope there."""
    slope, spread, _ = Penalty.at(NETWORK, LAYOUT, 0 * THETA, 10).quotients(
        np.arange(LAYOUT.size), np.zeros(LAYOUT.size), np.zeros(LAYOUT.size)
    )
    assert not slope.any()
    np.testing.assert_array_equal(spread, np.where(WEIGHTS, 0.3 / 20, 0.0))


def test_what_is_not_penalised_may_overflow() -> None:
    """0 · b² is 0 for the penalty, whatever b²."""
    theta = np.where(WEIGHTS, THETA, 1e200)
    assert Penalty.at(NETWORK, LAYOUT, theta, 10).value == pytest.approx(value(THETA), rel=1e-14)
