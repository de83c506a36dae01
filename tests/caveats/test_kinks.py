"""Kinks are told of with their slopes, in networks and in people's own functions, and only where there are two."""

from dataclasses import replace

import numpy as np

from tests.compare.test_comparer import LAYOUT, TRUE, estimate
from xcheck.caveats.kinks import components_at_kinks, components_on_stairs, units_at_kinks
from xcheck.compare.evaluation import Evaluation
from xcheck.layout import Layout


def upper(**places: float) -> np.ndarray:
    """TRUE, with larger slopes on one side of some components: `at3=1.0`."""
    slopes = TRUE.copy()
    for place, slope in places.items():
        slopes[int(place.removeprefix("at"))] = slope
    return slopes


def test_the_widest_interval_is_named() -> None:
    """Of two components at kinks the one whose slopes are further apart."""
    oracle = estimate(upper=upper(at3=1.0, at4=0.75))
    found = components_at_kinks(oracle, LAYOUT, [3, 4])
    assert found is not None
    assert found.text.startswith("2 components sit on a kink, where every slope between the two sides is right")
    assert found.text.endswith("; W1[1, 1]: kink, subgradient [0, 1]")
    assert (found.code, found.tensor, found.value) == ("XC404", "W1", 2.0)


def test_conventions_that_differ_are_named() -> None:
    """Both are right, and a port that chooses otherwise trains otherwise."""
    oracle = estimate(upper=upper(at3=1.0, at4=0.75))
    one, other = Evaluation("torch", 0.7, TRUE), Evaluation("jax", 0.7, upper(at4=0.6))
    found = components_at_kinks(oracle, LAYOUT, [3, 4], [one, other])
    assert found is not None
    assert found.text.endswith("; conventions differ at 1 of them: b1[0] is torch 0.5, jax 0.6")
    alike = components_at_kinks(oracle, LAYOUT, [3, 4], [one, replace(one, name="jax")])
    assert alike is not None
    assert "conventions differ" not in alike.text


def test_an_interval_without_width_is_no_kink() -> None:
    """Two slopes that are equal within their error bars are parted by noise, or by bad conditioning."""
    oracle = estimate(upper=upper(at3=1e-3), error_bar=np.full(6, 1e-3))
    assert components_at_kinks(oracle, LAYOUT, [3]) is None
    assert components_at_kinks(estimate(), LAYOUT, [3]) is None


def test_units_of_a_network_are_counted_and_a_component_is_named() -> None:
    """The sentence is that of functions, with the count of units; without an interval no component is named."""
    found = units_at_kinks(estimate(ties=2, upper=upper(at4=1.0)), LAYOUT)
    assert found is not None
    assert found.text.startswith("2 units sit on a kink, to rounding (z = 0, or W = 0 under l1; summed over examples)")
    assert found.text.endswith("; b1[0]: kink, subgradient [0.5, 1]")
    plain = units_at_kinks(estimate(ties=1), LAYOUT)
    assert plain is not None
    assert plain.text.endswith("frameworks choose by convention")
    assert units_at_kinks(estimate(), LAYOUT) is None


def test_stairs_are_named_with_the_widest() -> None:
    """Of a loss without stairs, and of components that lie on none, nothing is said."""
    layout = Layout.of({"w": (3,)})
    assert components_on_stairs(None, layout) is None
    assert components_on_stairs(np.zeros(3), layout) is None
    sampled = components_on_stairs(np.array([1e-4, 0.0, 3e-3]), layout, 50)
    assert sampled is not None
    assert "along 2 components of 3 that were measured: within" in sampled.text
    said = components_on_stairs(np.array([1e-4, 0.0, 3e-3]), layout)
    assert said is not None
    assert "along 2 components: within 3e-03 of θ it does not change with w[2]" in said.text
