"""Moves, sums, extremes and orders along axes."""

from typing import Any

import numpy as np
import pytest
from mpmath import mp, mpf

from tests.certificates.rules.reference import along, apply, assert_encloses
from xcheck.certificates.balls import Balls, constant, in_balls
from xcheck.certificates.decisions import Decisions, NotProvedError, UnsureError
from xcheck.certificates.slopes import at_precision
from xcheck.trace import Value

RNG = np.random.default_rng(0)
A, B, VA, VB = (RNG.normal(size=(2, 3, 4)), RNG.normal(size=(2, 4, 2)), RNG.normal(size=(2, 3, 4)), np.ones((2, 4, 2)))
INT = (Value((), "int64"),)


def flags(*moving: bool) -> Balls:
    """Zeros with slope 0, some of which move."""
    zeros = np.zeros(len(moving))
    return Balls(zeros, (zeros,), np.array(moving))


def floats(array: Any) -> Any:
    """Midpoints as a list."""
    return np.asarray(array).astype(float).tolist()


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


# --- orders ---------------------------------------------------------------------------------------------------------


def test_sorting() -> None:
    """Along an axis, with what goes along."""
    keys, others = apply("sort", along(A, VA), A * 10, attributes={"axis": 1})
    order = np.argsort(A, axis=1)
    assert floats(keys.values) == np.sort(A, axis=1).tolist()
    assert floats(keys.slopes[0]) == np.take_along_axis(VA, order, 1).tolist()
    assert np.array_equal(others, np.sort(A, axis=1) * 10)


def test_sorting_equals() -> None:
    """With other slopes the side decides; with equal slopes the values are known, but not what goes along."""
    tie = along([2.0, 1.0, 1.0], [0.0, 3.0, -3.0])
    for side, slopes in ((1, [-3.0, 3.0, 0.0]), (-1, [3.0, -3.0, 0.0])):
        [found] = apply("sort", tie, decisions=Decisions(side=side), attributes={"axis": 0})
        assert floats(found.slopes[0]) == slopes
    flat = along([1.0, 1.0], 3.0)
    assert floats(apply("sort", flat, attributes={"axis": 0})[0].values) == [1.0, 1.0]
    with pytest.raises(NotProvedError):
        apply("sort", flat, np.array([0, 1]), decisions=Decisions(side=1, seconds=True), attributes={"axis": 0})
    with pytest.raises(NotProvedError, match="by what is none"):
        apply("sort", np.array([1, 0]), flat, attributes={"axis": 0})


@pytest.mark.parametrize("moving", [(True, False, False), (False, False, True), (False, True, False)])
def test_equals_in_order_move_together(moving: tuple[bool, bool, bool]) -> None:
    """Each may be in the place of any other."""
    assert apply("sort", flags(*moving), attributes={"axis": 0})[0].moving.tolist() == [True] * 3
    still = apply("sort", flags(False, False), attributes={"axis": 0})[0]
    assert still.moving.tolist() == [False, False]


def test_equals_apart_do_not_move_together() -> None:
    """What is smaller for certain stays where it is."""
    zeros = np.zeros(3)
    keys = Balls(np.array([1.0, 0.0, 0.0]), (zeros,), np.array([False, False, True]))
    assert apply("sort", keys, attributes={"axis": 0})[0].moving.tolist() == [True, True, False]


def test_the_k_largest() -> None:
    """In falling order, with their places; of equals that stay the first comes first."""
    outputs = (Value((2,), "float64"), Value((2,), "int32"))
    values, places = apply("top_k", along([1.0, 3.0, 2.0], [1.0, 2.0, 3.0]), outputs=outputs, attributes={"k": 2})
    assert (floats(values.values), floats(values.slopes[0]), places.tolist()) == ([3.0, 2.0], [2.0, 3.0], [1, 2])
    _, places = apply("top_k", constant([3.0, 1.0, 3.0]), outputs=outputs, attributes={"k": 2})
    assert places.tolist() == [0, 2]


def test_a_nan_has_no_place_in_an_order() -> None:
    """Nothing is proved of it."""
    with pytest.raises(UnsureError, match="nan"):
        apply("sort", constant([1.0, np.nan]), attributes={"axis": 0})
    with pytest.raises(UnsureError, match="nan"):
        apply("reduce_max", Balls(in_balls(np.array([np.nan, 1.0]))), attributes={"axes": (0,)})
