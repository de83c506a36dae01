"""The verbs: what they raise, and that settings and signatures agree."""

import numpy as np
import pytest

import xcheck
from tests.checks.functions.layer import B


def test_assert_gradients_raises_what_pytest_shows_first() -> None:
    """An AssertionError whose first line stands alone, with the report attached."""
    assert xcheck.assert_gradients(lambda p: (p**2).sum(), B, gradient=lambda p: 2 * p).ok
    with pytest.raises(xcheck.GradientMismatch) as caught:
        xcheck.assert_gradients(lambda p: (p**2).sum(), B, gradient=lambda p: 3 * p)
    assert isinstance(caught.value, AssertionError)
    assert str(caught.value).splitlines()[0].startswith("numpy disagrees: params[")
    assert caught.value.report.pairs[0].wrong == 3


def test_undecided_raises_too() -> None:
    """Nothing undecided passes silently."""
    rng = np.random.default_rng(0)
    with pytest.raises(xcheck.GradientMismatch, match="is undecided"):
        xcheck.assert_gradients(lambda p: (p**2).sum() + rng.normal(), B, gradient=lambda p: 2 * p)
