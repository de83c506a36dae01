"""Refinement: other steps until it is sharp, contradictions kept in the bar, and values never written to."""

import numpy as np

from xcheck.layout import Layout, Vector
from xcheck.oracle.engines.evaluator import Evaluator
from xcheck.oracle.engines.function import FunctionEngine
from xcheck.oracle.engines.lines import Lines
from xcheck.oracle.estimators.central import too_wide
from xcheck.oracle.estimators.refinement import Refinement, is_still
from xcheck.oracle.estimators.sides import Sides, least_noise, measure_sides

LAYOUT = Layout.of({"theta": (4,)})
THETA = np.array([0.1, 1.0, 2.0, 1e-5])


def losses(points: Vector) -> Vector:
    """J = sin 40 θ₀ + sin θ₁ + sin θ₂ + |θ₃|: it bends at once, gently twice, and has a kink inside a step."""
    return np.asarray(np.sin(40 * points[:, 0]) + np.sin(points[:, 1:3]).sum(1) + np.abs(points[:, 3]))


def first_pass() -> tuple[FunctionEngine, Vector, Sides]:
    """An engine, the noise, and one measurement with its first step."""
    engine = FunctionEngine(Evaluator(losses), THETA, Lines.all_of(LAYOUT))
    noise = np.full(4, least_noise(engine))
    return engine, noise, measure_sides(engine, np.arange(4), engine.first_step * engine.scale, noise)


def test_it_goes_on_until_bars_are_narrow_enough() -> None:
    """The kink ends up outside the step, at a distance that is told."""
    engine, noise, sides = first_pass()
    assert too_wide(engine, sides.measured, 1e-7)[0]
    assert sides.kinked[3]
    refinement = Refinement(engine, noise, sides, np.full(4, np.nan))
    refinement.converge(np.arange(4), 1e-7)
    found = refinement.result(np.zeros(4, dtype=bool))
    exact = np.array([40 * np.cos(4.0), np.cos(1.0), np.cos(2.0), 1.0])
    assert not too_wide(engine, found.measured, 1e-7).any()
    assert (np.abs(found.measured.value - exact) <= found.measured.bar).all()
    assert 1e-5 <= found.kink[3] < 1e-2
    assert np.isnan(found.kink[:3]).all()


def test_values_are_not_written_to() -> None:
    """What was measured first is what it was, after all that came later."""
    engine, noise, sides = first_pass()
    kink = np.full(4, np.nan)
    before = [array.copy() for array in (sides.measured.value, sides.measured.bar, sides.jump, sides.irregular, kink)]
    refinement = Refinement(engine, noise, sides, kink)
    refinement.converge(np.arange(4), 1e-7)
    refinement.widen(np.array([1]), np.array([7.0]))
    assert refinement.best.bar[1] == 7.0
    for was, now in zip(
        before, (sides.measured.value, sides.measured.bar, sides.jump, sides.irregular, kink), strict=True
    ):
        np.testing.assert_array_equal(now, was)


def test_an_earlier_measurement_is_gone_on_with() -> None:
    """A gradient that was refined has nothing left to be refined."""
    engine, noise, sides = first_pass()
    refinement = Refinement(engine, noise, sides, np.full(4, np.nan))
    refinement.converge(np.arange(4), 1e-7)
    found = refinement.result(np.zeros(4, dtype=bool))
    spent = engine.evaluations
    again = Refinement.of(engine, noise, found)
    again.converge(np.arange(4), 1e-7)
    assert engine.evaluations == spent
    np.testing.assert_array_equal(again.result(found.two_step).measured.value, found.measured.value)


def test_a_staircase_stands_still() -> None:
    """Where a shorter step moves nothing that a longer one did move."""
    _, _, sides = first_pass()
    best = sides.measured
    shorter = measure_sides(
        FunctionEngine(Evaluator(lambda points: np.zeros(len(points))), THETA, Lines.all_of(LAYOUT)),
        np.arange(4),
        best.step / 4,
        np.zeros(4),
    ).measured
    assert is_still(best, shorter, np.arange(4)).all()
    assert not is_still(best, best, np.arange(4)).any()
