"""The search: planted errors among a hundred thousand components are found with their sizes, in few losses."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from xcheck.layout import Layout, Vector
from xcheck.oracle.bisection.blocks import Block
from xcheck.oracle.bisection.corrected import Allowance
from xcheck.oracle.bisection.directional import DirectionalDerivatives
from xcheck.oracle.bisection.locator import Locator
from xcheck.oracle.bisection.search import MOST_LOSSES, Search, SearchResult
from xcheck.oracle.engines.evaluator import Evaluator
from xcheck.oracle.engines.function import FunctionEngine
from xcheck.oracle.engines.lines import directions_alone

LAYOUT = Layout.of({"W1": (128, 784), "b1": (128,), "W2": (10, 128), "b2": (10,)})
SEEDS = range(15)


@dataclass(frozen=True)
class Case:
    """A function of many parameters, its gradient, and the typical size of its components."""

    loss: Callable[[Vector], float]
    theta: Vector
    gradient: Vector

    @property
    def typical(self) -> float:
        return float(np.sqrt(np.mean(self.gradient**2)))


def smooth(seed: int, layout: Layout = LAYOUT) -> Case:
    """J = Σ cᵢ (θᵢ + θᵢ³/10) + (a·θ)²/2, which couples everything with everything; no BLAS, which may be busy."""
    rng = np.random.default_rng(seed)
    c, a, theta = (rng.standard_normal(layout.size) for _ in range(3))
    c, a = c / 100, a / 100

    def loss(point: Vector) -> float:
        return float(np.sum(c * point * (1 + point * point / 10)) + np.sum(a * point) ** 2 / 2)

    return Case(loss, theta, c * (1 + 0.3 * theta**2) + np.sum(a * theta) * a)


def kinked(seed: int) -> Case:
    """Ten thousand relus of ten components each, many of them with a kink somewhere near."""
    rng = np.random.default_rng(seed)
    theta, A, c = (rng.standard_normal(LAYOUT.size) for _ in range(3))
    c = c[::10] / 100

    def inputs(point: Vector) -> Vector:
        return np.asarray((A * point).reshape(-1, 10).sum(1))

    def loss(point: Vector) -> float:
        return float(np.sum(c * np.maximum(inputs(point), 0.0)))

    return Case(loss, theta, np.repeat(c * (inputs(theta) > 0), 10) * A)


@dataclass
class Found:
    """What a search found, and all losses that it took, screen included."""

    located: SearchResult
    losses: int
    errors: dict[int, float]


def search(case: Case, gradient: Vector, seed: int = 0, layout: Layout = LAYOUT) -> Found:
    """Screen a gradient, and look for what is wrong."""
    evaluator = Evaluator(lambda points: np.array([case.loss(point) for point in points]))
    engine = FunctionEngine(evaluator, case.theta, directions_alone(layout, seed))
    slopes = DirectionalDerivatives(engine)
    slopes.measure_all()
    locator = Locator(engine, slopes)
    located = Search(slopes, layout, gradient, locator.measure, Allowance()).run()
    measured = locator.measure(np.array(located.components, dtype=np.intp))
    errors = {flat: float(gradient[flat]) - one.value for flat, one in zip(located.components, measured, strict=True)}
    return Found(located, engine.evaluations, errors)


def planted(case: Case, rng: np.random.Generator, count: int, size: float = 1.0) -> tuple[Vector, dict[int, float]]:
    """Return a gradient with `count` errors, once to ten times `size` typical components large."""
    places = rng.choice(len(case.theta), count, replace=False)
    sizes = size * case.typical * 10 ** rng.uniform(0, 1, count) * rng.choice([-1, 1], count)
    gradient = case.gradient.copy()
    gradient[places] += sizes
    return gradient, dict(zip(places.tolist(), sizes.tolist(), strict=True))


def test_planted_errors_are_found_with_their_sizes() -> None:
    """One to three among 101,770, in at most 150 losses with everything, for every seed."""
    for seed in SEEDS:
        case, rng = smooth(seed), np.random.default_rng([seed, 1])
        gradient, errors = planted(case, rng, seed % 3 + 1)
        found = search(case, gradient, seed)
        assert found.errors == pytest.approx(errors, rel=1e-4)
        assert found.losses <= 150
        assert found.located.left is None
        # The screen of six directions aside.
        assert found.located.losses <= (16 if len(errors) == 1 else 100)


@pytest.mark.parametrize("size", [1e-1, 1e-2])
def test_small_errors_are_found_as_far_as_the_report_says(size: float) -> None:
    """Errors of a hundredth of a typical component are still far above what the search says it would have seen."""
    for seed in range(6):
        case, rng = smooth(seed), np.random.default_rng([seed, 2])
        gradient, errors = planted(case, rng, 2, size)
        found = search(case, gradient, seed)
        assert found.errors == pytest.approx(errors, rel=1e-2)
        assert 0 < found.located.beyond < size * case.typical


def test_kinks_shorten_the_steps() -> None:
    """Slopes are those of the side that θ is on, and the kinks cost no more than the cap."""
    for seed in range(6):
        case, rng = kinked(seed), np.random.default_rng([seed, 3])
        gradient, errors = planted(case, rng, 2)
        found = search(case, gradient, seed)
        assert found.errors == pytest.approx(errors, rel=1e-3)
        assert found.losses <= 1500


def test_a_right_gradient_needs_only_the_screen() -> None:
    """At most 40 losses, and the norm that would have been seen."""
    for seed in range(10):
        case = smooth(seed)
        found = search(case, case.gradient, seed)
        assert found.losses <= 40
        assert found.located.components == ()
        assert found.located.left is None
        assert 0 < found.located.beyond < 1e-4 * np.linalg.norm(case.gradient)


@pytest.mark.parametrize("places", [(0, 1), (0, 784), (5, 100_000), (100_352, 100_353)])
def test_equal_and_opposite_errors_do_not_cancel(places: tuple[int, int]) -> None:
    """Neither next to each other, nor in other rows or tensors."""
    for seed in range(3):
        case = smooth(seed)
        for sign in (1.0, -1.0):
            gradient = case.gradient.copy()
            gradient[list(places)] += np.array([1.0, sign]) * 3 * case.typical
            assert sorted(search(case, gradient, seed).located.components) == list(places)


@pytest.mark.parametrize(
    ("name", "block"),
    [("W1", Block(0, 100_352)), ("W1[3]", Block(3 * 784, 4 * 784)), ("b1", Block(100_352, 100_480))],
)
def test_what_is_dense_is_named_early(name: str, block: Block) -> None:
    """A whole tensor, or one row: no component is looked for but the first, and a sample is drawn there."""
    case = smooth(0)
    gradient = case.gradient.copy()
    gradient[block.start : block.stop] *= 2
    found = search(case, gradient)
    assert found.located.dense == (name,)
    assert found.located.solid
    assert found.losses < 400
    assert len(found.located.drawn) == 16
    assert all(block.start <= flat < block.stop for flat in found.located.drawn)


def test_all_tensors_that_are_dense_are_named() -> None:
    """And the one component that is wrong in a tensor of its own is found beside them."""
    case = smooth(1)
    gradient = case.gradient.copy()
    gradient[LAYOUT["W1"].span] *= 2
    gradient[LAYOUT["W2"].span] *= -1
    gradient[LAYOUT["b2"].offset + 3] += 5 * case.typical
    located = search(case, gradient).located
    assert located.dense == ("W1", "W2")
    assert LAYOUT["b2"].offset + 3 in located.components


def test_a_wrong_column_is_named() -> None:
    """As a row is, though its components are far from each other, and in few losses."""
    case = smooth(2)
    column = np.arange(128) * 784 + 17
    for error in (5 * case.typical, case.typical * np.random.default_rng(0).standard_normal(128)):
        gradient = case.gradient.copy()
        gradient[column] += error
        found = search(case, gradient)
        assert found.located.dense == ("W1[:, 17]",)
        assert found.located.solid
        assert set(found.located.components) < set(found.located.drawn) <= set(column.tolist())
        assert found.losses < 300


def test_two_wrong_columns_are_a_multitude() -> None:
    """Several components are named, and that there are more."""
    case = smooth(2)
    gradient = case.gradient.copy()
    columns = np.concatenate([np.arange(128) * 784 + 17, np.arange(128) * 784 + 400])
    gradient[columns] += 5 * case.typical
    located = search(case, gradient).located
    assert located.dense
    assert not located.solid
    assert len(located.components) >= 8
    assert set(located.components) <= set(columns.tolist())


def test_more_than_can_be_found_is_said() -> None:
    """Sixty scattered errors: the search ends within its cap, and says that something is left."""
    case, rng = smooth(3), np.random.default_rng(0)
    gradient, errors = planted(case, rng, 60)
    found = search(case, gradient)
    assert found.losses <= MOST_LOSSES + 100
    assert found.located.left is not None
    assert set(found.located.components) <= set(errors)


def test_an_error_that_is_spread_too_thin_is_not_pinned_on_anyone() -> None:
    """Where no part shows what the whole does, nobody is named wrongly, and the rest is said to be there."""
    case, rng = smooth(4), np.random.default_rng(0)
    gradient = case.gradient + 3e-8 * rng.standard_normal(LAYOUT.size) * case.typical
    located = search(case, gradient).located
    assert located.components == ()


def test_components_of_other_shapes_are_found() -> None:
    """Scalars, beside empty tensors, and in arrays of four axes."""
    layout = Layout.of({"s": (), "none": (0, 3), "kernel": (4, 3, 2, 2), "t": (1,)})
    case = smooth(5, layout)
    for flat in (0, 1, 30, 49):
        gradient = case.gradient.copy()
        gradient[flat] += 1.0
        assert search(case, gradient, layout=layout).located.components == (flat,)
