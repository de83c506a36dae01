"""Treads: where a staircase is constant around θ."""

from collections.abc import Callable

import numpy as np
import pytest

from xcheck.dtypes import FLOAT32
from xcheck.layout import Layout, Vector
from xcheck.oracle.engines.evaluator import Evaluator
from xcheck.oracle.engines.function import FunctionEngine
from xcheck.oracle.engines.lines import Lines
from xcheck.oracle.estimators.kinks.treads import (
    decide_on_treads,
    find_treads,
    leave_open_on_treads,
    settle_on_treads,
)
from xcheck.oracle.estimators.one_sided import estimate_one_sided

THETA = np.array([0.1234, 0.5678, 1.91])
ALL = np.arange(3)


def engine_of(loss: Callable[[Vector], Vector], narrow: float | None = 0.0) -> FunctionEngine:
    """The engine of a loss of many θ at once."""
    layout = Layout.of({"x": (3,)})
    return FunctionEngine(Evaluator(loss, narrow=lambda: narrow), THETA, Lines.all_of(layout))


def rounded(thetas: Vector) -> Vector:
    """Of three parameters two are rounded, to a hundredth and to a thousandth."""
    return np.asarray(np.round(thetas[:, 0], 2) + np.round(thetas[:, 1], 3) + np.sin(thetas[:, 2]))


def test_a_tread_is_found_where_there_is_one() -> None:
    """It ends before the next jump: 0.1234 lies 0.0016 from 0.125, and 0.5678 lies 0.0003 from 0.5675."""
    within = find_treads(engine_of(rounded), ALL)
    assert 0 < within[0] < 0.0016
    assert 0 < within[1] < 0.0003
    assert within[2] == 0


@pytest.mark.parametrize("digits", [2, 3, 4, 5, 6, 7, 8, 9, 10])
def test_treads_are_found_however_fine(digits: int) -> None:
    """As long as they are wide beside roundings of θ; half of their width leads to the next one."""
    within = find_treads(engine_of(lambda thetas: 3.0 + np.round(thetas + 1e-12, digits).sum(axis=1)), ALL)
    assert (within > 0).all()
    assert (within <= 0.5 * 10.0**-digits).all()


def test_only_lines_that_are_asked_for_are_looked_at() -> None:
    """The others stay at zero."""
    assert (find_treads(engine_of(rounded), np.array([1])) > 0).tolist() == [False, True, False]


@pytest.mark.parametrize(
    "loss",
    [
        lambda thetas: 1.0 + 1e-3 * thetas.sum(axis=1),
        lambda thetas: (thetas > THETA).sum(axis=1).astype(float),
        lambda thetas: (thetas > THETA + 1e-5).sum(axis=1).astype(float),
        lambda thetas: np.maximum(thetas - THETA, 1e-6).sum(axis=1),
        lambda thetas: 1.0 + np.square(thetas - THETA).sum(axis=1),
        lambda thetas: 1.0 + ((thetas - THETA) ** 4).sum(axis=1),
        lambda thetas: 1.0 + ((thetas - THETA) ** 8).sum(axis=1),
        lambda thetas: np.tanh(1e5 * (thetas - THETA - 1e-3)).sum(axis=1),
        lambda thetas: np.zeros(len(thetas)),
    ],
    ids=["flat slope", "jump at θ", "jump beside θ", "kinks", "minimum", "order 4", "order 8", "saturated", "constant"],
)
def test_what_is_no_staircase_has_no_treads(loss: Callable[[Vector], Vector]) -> None:
    """However flat it is around θ: a staircase is flat again and again further away."""
    assert not find_treads(engine_of(loss), ALL).any()


def test_on_a_tread_the_slope_is_zero_or_left_open() -> None:
    """The others are left as they are."""
    engine = engine_of(rounded)
    gradient = estimate_one_sided(engine, np.full(3, 1e-16), tolerance=1e-7)
    within = find_treads(engine, ALL)
    settled = settle_on_treads(engine, gradient, within).measured
    assert settled.value[:2].tolist() == [0, 0]
    assert settled.bar[:2].max() < 1e-9
    assert settled.value[2] == gradient.measured.value[2]
    left = leave_open_on_treads(gradient, within)
    assert np.isnan(left.measured.value[:2]).all()
    assert left.steep.tolist() == [True, True, False]


@pytest.mark.parametrize(("narrow", "value"), [(0.0, 0.0), (None, np.nan)])
def test_stairs_that_are_meant_have_no_slope(narrow: float | None, value: float) -> None:
    """Where nobody knows whether they are, it is left open."""
    engine = engine_of(rounded, narrow)
    gradient = estimate_one_sided(engine, np.full(3, 1e-16), tolerance=1e-7)
    decided, within = decide_on_treads(engine, gradient, ALL, leaves_open=True)
    assert within is not None
    np.testing.assert_array_equal(decided.measured.value[:2], value)
    assert decided.measured.value[2] == gradient.measured.value[2]


@pytest.mark.parametrize(("narrow", "leaves_open"), [(FLOAT32, True), (None, False)])
def test_other_stairs_are_left_as_they_are_measured(narrow: float | None, leaves_open: bool) -> None:
    """Those of a narrow dtype are noise of the loss, and others may be."""
    engine = engine_of(rounded, narrow)
    gradient = estimate_one_sided(engine, np.full(3, 1e-16), tolerance=1e-7)
    assert decide_on_treads(engine, gradient, ALL, leaves_open=leaves_open) == (gradient, None)


def test_of_a_loss_without_stairs_nobody_is_asked() -> None:
    """It would cost a call."""

    def asked() -> float:
        raise AssertionError

    layout = Layout.of({"x": (3,)})
    engine = FunctionEngine(
        Evaluator(lambda thetas: np.sin(thetas).sum(axis=1), narrow=asked), THETA, Lines.all_of(layout)
    )
    gradient = estimate_one_sided(engine, np.full(3, 1e-16), tolerance=1e-7)
    assert decide_on_treads(engine, gradient, ALL, leaves_open=True) == (gradient, None)
