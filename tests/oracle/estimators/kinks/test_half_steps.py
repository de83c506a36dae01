"""Estimates from one side: the side that leads away from a kink is the one that counts."""

from dataclasses import replace

import numpy as np
import pytest

from xcheck.layout import Layout, Vector
from xcheck.oracle.engines.evaluator import Evaluator
from xcheck.oracle.engines.function import FunctionEngine
from xcheck.oracle.engines.lines import Lines
from xcheck.oracle.estimators.central import Measurement
from xcheck.oracle.estimators.kinks.half_steps import improve_from_one_side
from xcheck.oracle.estimators.sides import measure_sides

NEAR = 1e-9


def improved(sign: float, bar: float = 1e-3) -> tuple[Measurement, float]:
    """J = sin θ + |θ| at ±1e-9, of which a central difference knew the slope to a thousandth; and the true slope."""

    def losses(points: Vector) -> Vector:
        return np.asarray(np.sin(points[:, 0]) + np.abs(points[:, 0]))

    engine = FunctionEngine(Evaluator(losses), np.array([sign * NEAR]), Lines.all_of(Layout.of({"theta": (1,)})))
    true = float(np.cos(NEAR) + sign)
    short = measure_sides(engine, np.arange(1), np.full(1, NEAR / 8), np.full(1, 1e-16)).measured
    known = np.full(1, true + bar / 2)
    best = replace(short, value=known, lower=known, upper=known, bar=np.full(1, bar))
    return improve_from_one_side(engine, np.full(1, 1e-16), best, np.arange(1))[0], true


@pytest.mark.parametrize("sign", [1.0, -1.0], ids=["kink to the left", "kink to the right"])
def test_the_free_side_is_taken(sign: float) -> None:
    """To ten digits, and within the bar."""
    found, true = improved(sign)
    assert abs(found.value[0] - true) <= found.bar[0] <= 1e-9
    assert (found.lower, found.upper) == (found.value, found.value)


def test_what_fits_neither_side_is_left() -> None:
    """A central value that both sides contradict is kept with its bar."""

    def losses(points: Vector) -> Vector:
        return np.asarray(np.abs(points[:, 0] - NEAR) + np.abs(points[:, 0] + NEAR))

    engine = FunctionEngine(Evaluator(losses), np.zeros(1), Lines.all_of(Layout.of({"theta": (1,)})))
    best = replace(
        measure_sides(engine, np.arange(1), np.full(1, NEAR / 8), np.full(1, 1e-16)).measured, bar=np.full(1, 1e-2)
    )
    found, places = improve_from_one_side(engine, np.full(1, 1e-16), best, np.arange(1))
    assert not len(places)
    assert (found.value[0], found.bar[0]) == (best.value[0], 1e-2)


def test_where_both_sides_fit_they_are_one() -> None:
    """A second derivative that jumps: central differences converge slowly, both sides quickly."""

    def losses(points: Vector) -> Vector:
        return np.asarray(np.maximum(points[:, 0], 0) ** 2 + 2 * points[:, 0])

    engine = FunctionEngine(Evaluator(losses), np.zeros(1), Lines.all_of(Layout.of({"theta": (1,)})))
    best = measure_sides(engine, np.arange(1), np.full(1, 2.0**-10), np.full(1, 1e-16)).measured
    assert best.bar[0] > 1e-5
    found, _ = improve_from_one_side(engine, np.full(1, 1e-16), best, np.arange(1))
    assert abs(found.value[0] - 2.0) <= found.bar[0] <= 1e-9
