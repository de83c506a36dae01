"""Moves, sums and running values along axes; log Σ exp, without a kink where elements are equal."""

import math
from typing import Any

import numpy as np
import pytest
from mpmath import mp, mpf

from tests.certificates.rules.reference import along, apply, assert_encloses, floats
from xcheck.certificates.balls import Balls, constant
from xcheck.certificates.slopes import Slopes, at_precision, prove_slopes
from xcheck.trace import Operation, Trace, Value

RNG = np.random.default_rng(0)
A, B, VA, VB = (RNG.normal(size=(2, 3, 4)), RNG.normal(size=(2, 4, 2)), RNG.normal(size=(2, 3, 4)), np.ones((2, 4, 2)))
INT = (Value((), "int64"),)


def test_moves_take_slopes_along() -> None:
    """A framework's operation moves the numbers of the elements; 0 stands for what is filled in."""

    def shift(x: Any, y: Any) -> Any:
        return (np.concatenate([[0], x, y]),)

    [found] = apply("move", along([1.0, 2.0], 3.0), constant([5.0]), run=shift, attributes={"fill": -np.inf})
    assert found.values.tolist() == [-np.inf, 1.0, 2.0, 5.0]
    assert found.slopes[0].tolist() == [0.0, 3.0, 3.0, 0.0]
    assert found.moving.tolist() == [False, True, True, False]
    [integers] = apply("move", np.array([1, 2]), run=lambda x: (x[::-1],))
    assert integers.tolist() == [2, 1]


def test_a_move_by_integers() -> None:
    """Which are handed over as they are."""
    [found] = apply("move", along([1.0, 2.0], 3.0), np.array([1, 1, 0]), run=lambda x, i: (x[i],))
    assert found.values.tolist() == [2.0, 2.0, 1.0]


def test_sums_and_products_are_enclosed() -> None:
    """Along axes; of matrices as mpmath has them."""
    a, b = along(A, VA), along(B, VB)
    with at_precision(256), mp.workdps(150):
        rows = apply("sum", a, attributes={"axes": (0, 2)})
        product = apply("dot", a, b)
        factors = apply("prod", a, attributes={"axes": (1,)})
        for row in range(3):
            assert_encloses(rows.values[row], sum((mpf(x) for x in A[:, row].ravel()), mpf(0)))
            assert_encloses(rows.slopes[0][row], sum((mpf(x) for x in VA[:, row].ravel()), mpf(0)))
        for at in np.ndindex(2, 3, 2):
            n, i, j = at
            terms = range(4)
            assert_encloses(product.values[at], sum((mpf(A[n, i, k]) * mpf(B[n, k, j]) for k in terms), mpf(0)))
            slope = sum(
                (mpf(VA[n, i, k]) * mpf(B[n, k, j]) + mpf(A[n, i, k]) * mpf(VB[n, k, j]) for k in terms), mpf(0)
            )
            assert_encloses(product.slopes[0][at], slope)
        for at in np.ndindex(2, 4):
            x, v = ([mpf(y) for y in one[at[0], :, at[1]]] for one in (A, VA))
            assert_encloses(factors.values[at], x[0] * x[1] * x[2])
            assert_encloses(factors.slopes[0][at], v[0] * x[1] * x[2] + x[0] * v[1] * x[2] + x[0] * x[1] * v[2])


def test_sums_of_nothing() -> None:
    """0 and 1."""
    nothing = along(np.zeros((2, 0)), np.zeros((2, 0)))
    assert floats(apply("sum", nothing, attributes={"axes": (1,)}).values) == [0.0, 0.0]
    assert floats(apply("prod", nothing, attributes={"axes": (1,)}).values) == [1.0, 1.0]


def test_what_depends_on_what_moves() -> None:
    """A sum moves if a term does, an element of a product if its row or column does."""
    zeros = np.zeros((1, 2, 2))
    moving = np.array([[[True, False], [False, False]]])
    a = Balls(zeros, (zeros,), moving)
    assert apply("sum", a, attributes={"axes": (2,)}).moving.tolist() == [[True, False]]
    assert apply("dot", a, constant(zeros)).moving.tolist() == [[[True, True], [False, False]]]
    assert apply("dot", constant(zeros), a).moving.tolist() == [[[True, False], [True, False]]]


# --- step by step ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "numpy"),
    [
        ("cumsum", np.cumsum),
        ("cumprod", np.cumprod),
        ("cummax", np.maximum.accumulate),
        ("cummin", np.minimum.accumulate),
        ("cumlogsumexp", np.logaddexp.accumulate),
    ],
)
@pytest.mark.parametrize("backwards", [True, False])
def test_running_values(name: str, numpy: Any, backwards: bool) -> None:
    """From either end, with slopes that differences confirm."""
    found = apply(name, along(A, VA), attributes={"axis": 1, "reverse": backwards})

    def reference(x: Any) -> Any:
        turned = np.flip(x, 1) if backwards else x
        result = numpy(turned, axis=1)
        return np.flip(result, 1) if backwards else result

    assert np.allclose(found.values.astype(float), reference(A), rtol=1e-14)
    step = 1e-6
    slope = (reference(A + step * VA) - reference(A - step * VA)) / (2 * step)
    assert np.allclose(found.slopes[0].astype(float), slope, rtol=1e-6, atol=1e-8)


def test_running_values_of_nothing() -> None:
    """Are nothing."""
    nothing = constant(np.zeros((2, 0)))
    assert apply("cumsum", nothing, attributes={"axis": 1}).shape == (2, 0)


def test_scattered_sums() -> None:
    """Updates to one place add up; those without a place are dropped; what is hit by what moves moves."""
    updates = Balls(np.array([1.0, 2.0, 4.0]), (np.array([1.0, 1.0, 0.0]),), np.array([True, True, False]))
    found = apply(
        "scatter_add",
        constant([10.0, 20.0, 30.0]),
        np.array([0, 0, 0]),
        updates,
        attributes={"positions": lambda indices: np.array([1, 1, 2])},
    )
    assert floats(found.values) == [10.0, 23.0, 34.0]
    assert floats(found.slopes[0]) == [0.0, 2.0, 0.0]
    assert found.moving.tolist() == [False, True, False]
    dropped = apply(
        "scatter_add",
        constant([10.0]),
        np.array([0]),
        constant([1.0]),
        attributes={"positions": lambda indices: np.array([-1])},
    )
    assert floats(dropped.values) == [10.0]


# --- log Σ exp --------------------------------------------------------------------------------------------------------


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
def test_log_sums_have_the_mean_slope(axes: tuple[int, ...]) -> None:
    """The slope is the mean of the direction, weighted by softmax."""
    rng = np.random.default_rng(0)
    x, direction = rng.standard_normal((2, 3)), rng.standard_normal((2, 3))
    found = proved(x, axes, direction)
    weights = np.exp(x) / np.exp(x).sum(axes, keepdims=True)
    assert float(found.value) == pytest.approx(np.log(np.exp(x).sum(axes)).sum(), rel=1e-14)
    assert float(found.slopes[0]) == pytest.approx((weights * direction).sum(), rel=1e-13)


def test_equal_elements_of_log_sums_are_no_kink() -> None:
    """Whatever their slopes are."""
    found = proved(np.zeros(2), (0,), np.array([1.0, -3.0]))
    assert (float(found.value), float(found.slopes[0])) == (math.log(2), -1.0)
    assert (found.left, found.kinks) == (None, ())


def test_log_sums_of_large_numbers_and_infinities() -> None:
    """Neither overflows, and -∞ counts for nothing."""
    found = proved(np.array([1e300, -1e300, -np.inf]), (0,), np.array([2.0, 3.0, 5.0]))
    assert (float(found.value), float(found.slopes[0])) == (1e300, 2.0)
