"""Formulas of activations."""

import numpy as np
import pytest

from xcheck.diagnose.parting.formulas import ACTIVATIONS, formulas_of


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("gelu by erf", 0.8413447),
        ("the tanh approximation of gelu", 0.8411920),
        ("silu", 0.7310586),
        ("softplus", 1.3132617),
    ],
)
def test_activations_are_those_that_they_are_called(name: str, value: float) -> None:
    """At 1, to seven digits."""
    assert ACTIVATIONS[name](np.array([1.0])) == pytest.approx(value, abs=1e-7)


def test_a_softmax_has_an_axis() -> None:
    """Of one axis alone it needs no name."""
    found = dict(formulas_of(np.array([[1.0, 2.0], [3.0, 5.0]])))
    np.testing.assert_allclose(found["the softmax along axis 1"].sum(1), 1.0)
    np.testing.assert_allclose(np.exp(found["the logarithm of the softmax along axis 0"]).sum(0), 1.0)
    assert not [name for name, _ in formulas_of(np.array([1.0, 2.0])) if "axis" in name]
