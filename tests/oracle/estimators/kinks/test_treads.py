"""Treads: where a staircase is constant around θ."""

import numpy as np

from xcheck.layout import Layout, Vector
from xcheck.oracle.engines.evaluator import Evaluator
from xcheck.oracle.engines.function import FunctionEngine
from xcheck.oracle.engines.lines import Lines
from xcheck.oracle.estimators.kinks.treads import find_treads, leave_open_on_treads, settle_on_treads
from xcheck.oracle.estimators.one_sided import estimate_one_sided

THETA = np.array([0.1234, 0.5678, 1.91])


def engine_of(loss: object) -> FunctionEngine:
    """The engine of a loss of many θ at once."""
    layout = Layout.of({"x": (3,)})
    return FunctionEngine(Evaluator(loss), THETA, Lines.all_of(layout))  # type: ignore[arg-type] # a loss


def rounded(thetas: Vector) -> Vector:
    """Of three parameters two are rounded, to a hundredth and to a thousandth."""
    return np.asarray(np.round(thetas[:, 0], 2) + np.round(thetas[:, 1], 3) + np.sin(thetas[:, 2]))


def test_a_tread_is_found_where_there_is_one() -> None:
    """It ends before the next jump: 0.1234 lies 0.0016 from 0.125, and 0.5678 lies 0.0003 from 0.5675."""
    within = find_treads(engine_of(rounded))
    assert 0 < within[0] < 0.0016
    assert 0 < within[1] < 0.0003
    assert within[2] == 0


def test_what_moves_smoothly_has_no_treads() -> None:
    """However flat it is, as long as rounding leaves anything of it; nor has a jump at θ itself."""
    assert not find_treads(engine_of(lambda thetas: 1.0 + 1e-3 * thetas.sum(axis=1))).any()
    assert not find_treads(engine_of(lambda thetas: (thetas > THETA).sum(axis=1).astype(float))).any()


def test_on_a_tread_the_slope_is_zero_or_left_open() -> None:
    """The others are left as they are."""
    engine = engine_of(rounded)
    gradient = estimate_one_sided(engine, np.full(3, 1e-16), tolerance=1e-7)
    within = find_treads(engine)
    settled = settle_on_treads(engine, gradient, within).measured
    assert settled.value[:2].tolist() == [0, 0]
    assert settled.bar[:2].max() < 1e-9
    assert settled.value[2] == gradient.measured.value[2]
    left = leave_open_on_treads(gradient, within)
    assert np.isnan(left.measured.value[:2]).all()
    assert left.steep.tolist() == [True, True, False]
