"""Choices, and rounding."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.backends.xcheck_numpy.following import assert_followed

V = np.array([0.5, -1.25, 2.0, 0.75, -0.3])
M = np.array([[1.5, -0.5, 0.25], [0.3, 2.0, -1.0], [-0.7, 0.4, 1.75]])
T = np.sin(np.arange(24.0)).reshape(2, 3, 4)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: np.where(x > 0, x**2, 1.0) + np.where(V > 0, x, [1.0, 2.0, 3.0, 4.0, 5.0]),
        lambda x: np.where(x > 0, x[:, None], 0),
        lambda x: np.select([x < -1, x < 0.6], [x, x**2], default=-1.0),
        lambda x: np.clip(x, None, 0.6) + np.clip(x, V - 1, V + 1) + np.clip(x, min=0.0, max=1.0),
        lambda x: np.round(x, 1) * x + np.around(x) + x.round(),
    ],
)
def test_choices_are_numpys(function: Callable[..., Any]) -> None:
    """At θ, and beside it."""
    assert_followed(function, V)
