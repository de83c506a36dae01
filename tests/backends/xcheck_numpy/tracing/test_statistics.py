"""Statistics."""

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
        lambda x: np.median(x) + np.median(x, axis=1).sum() + np.median(x, axis=2, keepdims=True).sum(),
        lambda x: np.quantile(x, [0.1, 0.75]) + np.percentile(x, 33, axis=0).sum() + np.quantile(x, 1.0),
        lambda x: np.ptp(x) + np.ptp(x, axis=0),
        lambda x: np.average(x) + np.average(x, axis=1, weights=[1, 2, 3]) + np.average(T, weights=x**2),
        lambda x: np.diff(x) + np.diff(x, 2, axis=2, prepend=0.0),
        lambda x: np.diff(x, axis=0, append=x[:1]),
        lambda x: np.trace(x) + np.trace(x, axis1=1, axis2=2).sum() + x[0].trace(1),
        lambda x: np.count_nonzero(x > 0, axis=0) * x,
        lambda x: np.nansum(x) + np.nanmean(x, axis=0) + np.nanmax(x) + np.nanmin(x) + np.nanstd(x) + np.nanvar(x),
        lambda x: np.partition(x, 2, axis=None)[2],
    ],
)
def test_statistics_are_numpys(function: Callable[..., Any]) -> None:
    """At θ, and beside it."""
    assert_followed(function, T)
