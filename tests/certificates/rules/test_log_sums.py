"""log Σ exp along axes: right, wide of overflow, and without a kink where elements are equal."""

import math

import numpy as np
import pytest

from xcheck.certificates.slopes import Slopes, prove_slopes
from xcheck.trace import Operation, Trace, Value


def proved(x: np.ndarray, axes: tuple[int, ...], direction: np.ndarray) -> Slopes:
    """The slope of the sum of log Σ exp over axes."""
    given = Value(x.shape, "float64")
    rest = tuple(length for axis, length in enumerate(x.shape) if axis not in axes)
    between, loss = Value(rest, "float64"), Value((), "float64")
    operations = (
        Operation(name="logsumexp", inputs=(given,), outputs=(between,), run=lambda *_: (), attributes={"axes": axes}),
        Operation(
            name="sum",
            inputs=(between,),
            outputs=(loss,),
            run=lambda *_: (),
            attributes={"axes": tuple(range(len(rest)))},
        ),
    )
    return prove_slopes(Trace(inputs=(given,), outputs=(loss,), operations=operations), [x], [[direction]])


@pytest.mark.parametrize("axes", [(0,), (1,), (0, 1)])
def test_values_and_slopes(axes: tuple[int, ...]) -> None:
    """The slope is the mean of the direction, weighted by softmax."""
    rng = np.random.default_rng(0)
    x, direction = rng.standard_normal((2, 3)), rng.standard_normal((2, 3))
    found = proved(x, axes, direction)
    weights = np.exp(x) / np.exp(x).sum(axes, keepdims=True)
    assert float(found.value) == pytest.approx(np.log(np.exp(x).sum(axes)).sum(), rel=1e-14)
    assert float(found.slopes[0]) == pytest.approx((weights * direction).sum(), rel=1e-13)


def test_equal_elements_are_no_kink() -> None:
    """Whatever their slopes are."""
    found = proved(np.zeros(2), (0,), np.array([1.0, -3.0]))
    assert (float(found.value), float(found.slopes[0])) == (math.log(2), -1.0)
    assert (found.left, found.kinks) == (None, ())


def test_large_numbers_and_infinities() -> None:
    """Neither overflows, and -∞ counts for nothing."""
    found = proved(np.array([1e300, -1e300, -np.inf]), (0,), np.array([2.0, 3.0, 5.0]))
    assert (float(found.value), float(found.slopes[0])) == (1e300, 2.0)
