"""assert_gradients: a check for tests, which raises where it does not pass."""

import pickle

import numpy as np
import pytest

import xcheck

X = np.array([1.0, 2.0])


def test_what_agrees_is_returned() -> None:
    """A test may look at the report."""
    report = xcheck.assert_gradients(lambda x: (x**3).sum(), X, gradient=lambda x: 3 * x**2)
    assert report.verified == 2


def test_what_disagrees_raises_with_the_report() -> None:
    """The first line says it; the exception survives being sent to another process."""
    with pytest.raises(xcheck.GradientMismatch, match=r"1\.5 x the oracle") as caught:
        xcheck.assert_gradients(lambda x: (x**2).sum(), X, jacobian=lambda x: 3 * x)
    again = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 - our own bytes
    assert again.headline == caught.value.headline
    assert again.report.verdict is caught.value.report.verdict
