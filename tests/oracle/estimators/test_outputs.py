"""Slopes of several outputs at once: those of each by itself, to the last bit."""

from collections.abc import Callable

import numpy as np
import pytest

from xcheck.layout import Layout, Vector
from xcheck.oracle.engines.evaluator import Evaluator
from xcheck.oracle.engines.function import FunctionEngine, LoopEngine
from xcheck.oracle.engines.lines import Lines
from xcheck.oracle.estimators.even_part import quiet_noise
from xcheck.oracle.estimators.one_sided import estimate_one_sided
from xcheck.oracle.estimators.outputs import estimate_outputs

TOLERANCE = 1e-7
LAYOUT = Layout.of({"w": (2, 2), "b": (3,)})
THETA = np.linspace(0.3, 1.1, 7)


def engine_of(outputs: Callable[[Vector], Vector], theta: Vector = THETA, layout: Layout = LAYOUT) -> FunctionEngine:
    """The engine of a function with several outputs."""
    evaluator = Evaluator(lambda points: np.stack([outputs(point) for point in points], axis=-1))
    return FunctionEngine(evaluator, theta, Lines.all_of(layout), outputs=len(outputs(theta)))


def outputs(x: Vector) -> Vector:
    """Three smooth outputs, one with a kink, one with stairs, a constant, one that is too steep, one that is nan."""
    smooth = np.exp(x).sum()
    odd = [np.abs(x - 0.3).sum(), np.round(x, 3).sum(), 3.0, np.sin(400 * x).sum(), np.nan]
    return np.array([smooth, 1e-6 * np.sin(x).prod(), (x**3).sum() + 1e3, *odd])


def test_what_is_settled_is_what_each_output_says_by_itself() -> None:
    """Values, bars and noise; and what is not smooth and quiet is not settled."""
    engine = engine_of(outputs)
    with np.errstate(all="ignore"):
        found = estimate_outputs(engine, tolerance=TOLERANCE)
    assert found is not None
    gradient, noise, settled = found
    assert settled.tolist() == [True, True, True, False, False, False, False, False]
    for number in range(3):
        single = LoopEngine(lambda x, number=number: float(outputs(x)[number]), THETA, LAYOUT)  # type: ignore[misc]
        quiet = quiet_noise(single)
        assert quiet == noise[number, 0]
        own = estimate_one_sided(single, np.full(7, quiet), tolerance=TOLERANCE)
        for name in ("value", "bar", "lower", "upper", "magnitude"):
            np.testing.assert_array_equal(getattr(gradient.measured, name)[number], getattr(own.measured, name))
        np.testing.assert_array_equal(gradient.curvature[number], own.curvature)
        assert engine.evaluations == single.evaluations


@pytest.mark.parametrize(
    ("size", "outputs"),
    [(2, np.exp), (100, lambda x: np.exp(x[:3]))],
    ids=["two components", "a large tensor"],
)
def test_of_too_few_components_and_of_large_tensors_nothing_is_said(
    size: int, outputs: Callable[[Vector], Vector]
) -> None:
    """Two numbers may be small by chance; of a large tensor most components are measured with two steps."""
    engine = engine_of(outputs, np.linspace(0.1, 1.0, size), Layout.of({"x": (size,)}))
    assert estimate_outputs(engine, tolerance=TOLERANCE) is None
