"""Ratios of differences: wrong components are named in few losses, and no right one is."""

import numpy as np
import pytest

from xcheck.layout import Layout
from xcheck.oracle.bisection.corrected import Allowance, CorrectedGradient
from xcheck.oracle.bisection.directional import DirectionalDerivatives
from xcheck.oracle.bisection.locator import Locator
from xcheck.oracle.bisection.ratios import RatioSearch, single
from xcheck.oracle.engines.evaluator import Evaluator
from xcheck.oracle.engines.function import FunctionEngine
from xcheck.oracle.engines.lines import directions_alone


def search(errors: dict[int, float], size: int, seed: int, most: float = np.inf) -> tuple[dict[int, float], int]:
    """Return what is named of a gradient of J = Σ cᵢ sin θᵢ with errors planted, and the losses that it took."""
    layout, rng = Layout.of({"theta": (size,)}), np.random.default_rng(seed)
    c, theta = rng.uniform(0.5, 2, size), rng.standard_normal(size)
    evaluator = Evaluator(lambda points: np.array([np.sum(c * np.sin(point)) for point in points]))
    engine = FunctionEngine(evaluator, theta, directions_alone(layout, seed))
    slopes = DirectionalDerivatives(engine)
    slopes.measure_all()
    gradient = c * np.cos(theta)
    gradient[list(errors)] += list(errors.values())
    corrected = CorrectedGradient(gradient, Locator(engine, slopes).measure, Allowance(), {})
    before = engine.evaluations
    RatioSearch(slopes, corrected, lambda: engine.evaluations - before >= most).run()
    return corrected.found, engine.evaluations - before


@pytest.mark.parametrize(("wrong", "most"), [(1, 10), (2, 60), (3, 90), (6, 200)])
def test_all_are_named_with_their_errors(wrong: int, most: int) -> None:
    """One shows in the directions themselves, and takes no loss but those that measure it."""
    for seed in range(5):
        rng = np.random.default_rng([seed, wrong])
        places, sizes = rng.choice(50_000, wrong, replace=False), rng.choice([-1, 1], wrong) * rng.uniform(1, 3, wrong)
        errors = dict(zip(places.tolist(), sizes.tolist(), strict=True))
        named, losses = search(errors, 50_000, seed)
        assert named == pytest.approx(errors, rel=1e-4)
        assert losses <= most


@pytest.mark.parametrize("block", range(10))
def test_nothing_is_falsely_named(block: int) -> None:
    """In a thousand draws, some of errors that hide in the noise, some of dense ones."""
    for seed in range(100 * block, 100 * (block + 1)):
        rng = np.random.default_rng([seed, 7])
        size = int(rng.integers(1, 300))
        places = rng.choice(size, min(size, int(rng.integers(0, 12))), replace=False)
        errors = dict(zip(places.tolist(), 10.0 ** rng.uniform(-9, 1, len(places)), strict=True))
        assert set(search(errors, size, seed)[0]) <= set(errors)


def test_it_ends_when_no_more_is_to_be_measured() -> None:
    """Nothing that was begun is gone on with."""
    errors = dict.fromkeys(range(0, 1000, 100), 2.0)
    _, losses = search(errors, 1000, 0, most=30)
    assert losses < search(errors, 1000, 0)[1]


def test_one_component_is_told_by_several_directions() -> None:
    """Its own numbers are those of no other; two components are not told by it."""
    random = np.random.default_rng(0)
    rows, allowed = random.normal(size=(6, 10_000)), np.full(6, 1e-3)
    assert single(rows.__getitem__, 3 * rows[:, 1234] + 1e-4, allowed) == 1234
    assert single(rows.__getitem__, 3 * rows[:, 1234] + 2 * rows[:, 17], allowed) is None
    # A direction that tells nothing is not heard.
    allowed[2] = np.inf
    assert single(rows.__getitem__, 3 * rows[:, 1234] + np.where(np.arange(6) == 2, 9.0, 0.0), allowed) == 1234
