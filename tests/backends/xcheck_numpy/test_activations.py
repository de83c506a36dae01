"""Activations of the NumPy backend: each derivative alone, in extended precision."""

import math

import numpy as np
import pytest

from xcheck.networks.network import ACTIVATIONS as NAMES
from xcheck.networks.network import ActivationName
from xcheck_numpy.activations import ACTIVATIONS, Array, erf, sigmoid

# No point at zero: relu and leaky_relu have no derivative there.
POINTS = np.concatenate([-np.logspace(-3, 1.3, 40), np.logspace(-3, 1.3, 40)]).astype(np.longdouble)
STEP = np.longdouble(2.0**-13)


@pytest.mark.parametrize("name", NAMES)
def test_each_derivative_is_the_slope_of_its_activation(name: ActivationName) -> None:
    """g' against a fourth-order difference of g in extended precision."""
    g = ACTIVATIONS[name].value
    h = STEP * np.minimum(1, np.abs(POINTS))
    near, far = (g(POINTS + h) - g(POINTS - h)) / (2 * h), (g(POINTS + 2 * h) - g(POINTS - 2 * h)) / (4 * h)
    slope = near + (near - far) / 3
    derivative = ACTIVATIONS[name].derivative(POINTS, g(POINTS))
    np.testing.assert_allclose(derivative, slope, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.longdouble])
@pytest.mark.parametrize("name", NAMES)
def test_activations_keep_their_dtype(name: ActivationName, dtype: type) -> None:
    """What is asked for in float32 is computed in float32, and longdouble stays longdouble."""
    z: Array = POINTS.astype(dtype)
    a = ACTIVATIONS[name].value(z)
    assert (a.dtype, ACTIVATIONS[name].derivative(z, a).dtype) == (z.dtype, z.dtype)


def test_erf_is_the_error_function() -> None:
    """Against the C library, to the last digits of float64."""
    x = np.linspace(-7, 7, 501)
    np.testing.assert_allclose(erf(x), [math.erf(value) for value in x], rtol=1e-14)


def test_sigmoid_does_not_overflow() -> None:
    """It is 0 and 1 far out, without a warning."""
    assert sigmoid(np.array([-1e4, 0.0, 1e4])).tolist() == [0.0, 0.5, 1.0]
