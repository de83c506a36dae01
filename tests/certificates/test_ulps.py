"""Slopes component by component, and errors in ulps, against numbers that are known."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flint import arb

from xcheck.certificates.decisions import NotProvedError
from xcheck.certificates.slopes import at_precision
from xcheck.certificates.ulps import ComponentSlopes, errors_in_ulps, prove_components
from xcheck_jax.trace import trace_of


def proved(loss: Any, x: Any, chunk: int) -> ComponentSlopes:
    """All slopes of a loss of one array."""
    with jax.enable_x64(True):
        trace = trace_of(jax.make_jaxpr(loss)(jnp.asarray(x)))
        return prove_components(trace, [x], list(range(x.size)), lambda number: [np.eye(x.size)[number]], chunk)


@pytest.mark.parametrize("chunk", [1, 2, 64])
def test_chunks_change_nothing(chunk: int) -> None:
    """One direction, some, or all at once."""
    found = proved(lambda x: (x**3).sum(), np.arange(1.0, 6.0), chunk)
    assert {number: float(slope) for number, slope in found.slopes.items()} == {0: 3, 1: 12, 2: 27, 3: 48, 4: 75}
    assert not found.kinks


def test_kinks_are_those_of_the_components_that_meet_them() -> None:
    """relu(x) - relu(-x) has a slope at 0, since both sides have the same."""
    found = proved(lambda x: jnp.abs(x[0]) + jax.nn.relu(x[1]) - jax.nn.relu(-x[1]) + x[2], np.zeros(3), 3)
    assert found.kinks == [0]
    assert [float(found.slopes[number]) for number in (1, 2)] == [1.0, 1.0]


def test_one_component_of_which_nothing_is_proved_is_found() -> None:
    """Along a third component both sides of a tie are equal but for t³; along a fourth they stay equal."""

    def loss(x: Any) -> Any:
        return jnp.where(x[0] > x[1] + x[2] ** 3, x[0] ** 2, x[1] ** 2) + x[2] + x[3]

    found = proved(loss, np.array([1.0, 1.0, 0.0, 2.0]), 8)
    assert found.kinks == [0, 1]
    assert float(found.slopes[3]) == 1.0
    assert list(found.unproved) == [2]
    assert "tie of equal slopes" in found.unproved[2]


def test_an_operation_without_a_rule_is_given_up_soon() -> None:
    """With its name."""
    with pytest.raises(NotProvedError, match="no rule"):
        proved(lambda x: jnp.abs(jnp.linalg.eigvals(jnp.outer(x, x))).sum(), np.ones(20), 4)


def test_errors_are_counted_in_the_last_place_of_the_slope() -> None:
    """Below a power of two numbers lie twice as dense as above it."""
    with at_precision(128):
        above, below = arb(1), arb(1) - arb(2) ** -60
    claimed = np.array([1 + 2.0**-52, 1 - 2.0**-53])
    own, of_largest = errors_in_ulps([above, below], claimed, "float64")
    assert own == pytest.approx([1.0, 1.0], abs=0.02)
    assert of_largest == pytest.approx([1.0, 0.5], abs=0.01)
    own, _ = errors_in_ulps([above], np.array([1 + 2.0**-23]), "float32")
    assert own.tolist() == [1.0]


def test_subnormal_slopes_and_zero_have_the_smallest_ulp() -> None:
    """What is not finite is infinitely far."""
    own, of_largest = errors_in_ulps([arb(0), arb(2) ** -140], np.array([2.0**-149, 2.0**-148]), "float32")
    assert own.tolist() == [1.0, 2.0**9 - 2]
    assert of_largest.tolist() == [1.0, 2.0**9 - 2]
    own, _ = errors_in_ulps([arb(0), arb(0), arb(1)], np.array([0.0, np.nan, np.inf]), "bfloat16")
    assert own.tolist() == [0.0, np.inf, np.inf]


def test_a_slope_that_may_be_zero_proves_no_error_of_zero() -> None:
    """Its enclosure holds the claim."""
    own, of_largest = errors_in_ulps([arb(0, 2.0**-600)], np.zeros(1), "float64")
    assert (own.tolist(), of_largest.tolist()) == ([0.0], [0.0])
