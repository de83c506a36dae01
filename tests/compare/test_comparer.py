"""Comparison of gradients: components decide, the lecture's number is shown."""

from collections.abc import Callable
from dataclasses import fields, replace
from typing import ClassVar

import numpy as np
import pytest

from xcheck.compare.comparer import Comparer
from xcheck.compare.evaluation import Evaluation
from xcheck.compare.pair import Pair
from xcheck.compare.tolerance import Tolerance
from xcheck.dtypes import FLOAT32
from xcheck.layout import Layout, Vector
from xcheck.oracle import Estimate
from xcheck.oracle.engines.lines import DIRECTIONS
from xcheck.oracle.estimators.rounding import Rounding
from xcheck.oracle.network.forward import Trace
from xcheck.verdict import Verdict

LAYOUT = Layout.of({"W1": (2, 2), "b1": (2,)})
TRUE = np.array([1.0, -2.0, 3e-3, 0.0, 0.5, 0.25])


def estimate(**changes: object) -> Estimate:
    """An oracle that knows TRUE to 1e-12."""
    known = Estimate(
        value=TRUE,
        error_bar=np.full(6, 1e-12),
        lower=TRUE,
        upper=TRUE,
        magnitude=np.abs(TRUE),
        terms=np.abs(TRUE),
        loss=0.7,
        conventions=TRUE[None],
        spread=np.zeros(6),
        near=False,
        rounding=Rounding(np.full(6, 1e-14), 1e-14),
        trace=Trace([], [], [], np.zeros(0)),
        ties=0,
        engine="batched",
        predicted={},
        audits=(),
        referred=0,
        refereed=0,
        difference="central",
        epsilon=1e-3,
        evaluations=36,
        seconds=0.0,
        compile_seconds=0.0,
    )
    return replace(known, **changes)  # type: ignore[arg-type] # fields by name


def judged(gradient: Vector, loss: float = 0.7, oracle: Estimate | None = None) -> Pair:
    """Compare a gradient with the oracle."""
    return Comparer(oracle or estimate(), LAYOUT, Tolerance()).with_oracle(Evaluation("numpy", loss, gradient))


def changed(flat: int, change: Callable[[float], float]) -> Vector:
    """TRUE with one component changed."""
    gradient = TRUE.copy()
    gradient[flat] = change(float(gradient[flat]))
    return gradient


class Watched(Estimate):
    """Counts how often a gradient is held against it."""

    looked: ClassVar[list[str]] = []

    def __getattribute__(self, name: str) -> object:
        if name == "near":  # asked once per judgement
            self.looked.append(name)
        return super().__getattribute__(name)


def test_a_gradient_is_judged_once() -> None:
    """However often it is asked about; another call is another gradient, and another oracle another judge."""
    known = estimate()
    watched = Watched(**{field.name: getattr(known, field.name) for field in fields(Estimate)})
    comparer, first = Comparer(watched, LAYOUT, Tolerance()), Evaluation("numpy", 0.7, TRUE)
    Watched.looked.clear()
    comparer.disputes(first)
    comparer.confirmed([first])
    comparer.with_oracle(first)
    comparer.each_call(first)
    assert len(Watched.looked) == 1
    comparer.with_oracle(Evaluation("numpy", 0.7, changed(0, lambda g: 2 * g)))
    assert len(Watched.looked) == 2
    assert comparer.with_estimate(watched) is comparer
    another = comparer.with_estimate(estimate(lower=TRUE + 1, upper=TRUE + 1, value=TRUE + 1))
    assert another.with_oracle(first).wrong == 6


def test_the_same_gradient_agrees() -> None:
    """Nothing is wrong with what is equal."""
    pair = judged(TRUE)
    assert (pair.verdict, pair.wrong, pair.undecided, pair.difference) == (Verdict.AGREE, 0, 0, 0.0)


@pytest.mark.parametrize("size", [1e-6, 1e-4, 1e-2, 1.0])
def test_one_wrong_component_is_named(size: float) -> None:
    """One component off by 1e-6 relative, a thousandth of its tensor's largest, is found and named."""
    pair = judged(changed(2, lambda g: g * (1 + size)))
    assert (pair.verdict, pair.wrong) == (Verdict.DISAGREE, 1)
    assert str(pair.worst[0].location) == "W1[1, 0]"
    assert [tensor.wrong for tensor in pair.tensors] == [1, 0]


def test_an_error_within_the_tolerance_agrees() -> None:
    """1e-8 relative is less than the tolerance of 1e-7."""
    assert judged(changed(0, lambda g: g * (1 + 1e-8))).verdict is Verdict.AGREE


def test_an_error_within_the_bar_agrees() -> None:
    """What the oracle cannot see it does not blame."""
    oracle = estimate(error_bar=np.full(6, 4e-7))
    gradient = changed(0, lambda g: g + 4.5e-7)
    assert judged(gradient).wrong == 1
    assert judged(gradient, oracle=oracle).wrong == 0


def test_a_bar_too_wide_to_mean_anything_is_undecided() -> None:
    """A bar as large as the component itself proves nothing, and is said."""
    oracle = estimate(error_bar=np.full(6, 1.0))
    pair = judged(TRUE, oracle=oracle)
    assert (pair.verdict, pair.wrong, pair.undecided) == (Verdict.UNDECIDED, 0, 5)  # one is zero on both sides


def test_a_tensor_drowned_in_rounding_is_undecided() -> None:
    """When rounding alone could make a tenth of the gradient, agreement proves nothing."""
    drowned = Rounding(np.array([0, 0, 0, 0, 0.1, 0.1]), 1e-14)
    pair = judged(TRUE, oracle=estimate(rounding=drowned))
    assert [tensor.undecided for tensor in pair.tensors] == [0, 2]


def test_zero_on_both_sides_is_certain() -> None:
    """A component that nothing depends on is zero, however wide the bar."""
    oracle = estimate(value=np.zeros(6), lower=np.zeros(6), upper=np.zeros(6), magnitude=np.zeros(6))
    assert judged(np.zeros(6), oracle=oracle).verdict is Verdict.AGREE


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_a_number_that_is_not_finite_is_wrong(bad: float) -> None:
    """nan never passes a comparison by being incomparable, inf not by its infinite tolerance."""
    pair = judged(changed(4, lambda g: bad))
    assert (pair.verdict, pair.wrong, str(pair.worst[0].location)) == (Verdict.DISAGREE, 1, "b1[0]")
    assert (str(pair.difference), pair.band) == ("nan", "worry")


@pytest.mark.parametrize(
    ("g", "verdict"), [(0.0, "AGREE"), (0.5, "AGREE"), (1.0, "AGREE"), (0.3, "UNDECIDED"), (1.1, "DISAGREE")]
)
def test_at_a_kink_the_conventions_of_frameworks_are_right(g: float, verdict: str) -> None:
    """[0, 1] is the subdifferential of relu at zero: 0, ½ and 1 are in use, 0.3 is not, and 1.1 is outside."""
    lower, upper, value = TRUE.copy(), TRUE.copy(), TRUE.copy()
    lower[3], value[3], upper[3] = 0.0, 0.5, 1.0
    oracle = estimate(lower=lower, upper=upper, value=value, conventions=np.stack([lower, upper, value]))
    assert judged(changed(3, lambda _: g), oracle=oracle).verdict == verdict


def test_different_losses_disagree_even_with_equal_gradients() -> None:
    """Different functions have different gradients: the losses are compared first."""
    pair = judged(TRUE, loss=0.71)
    assert (pair.verdict, pair.losses_agree, pair.wrong) == (Verdict.DISAGREE, False, 0)


def test_a_loss_that_is_not_finite_leaves_nothing_to_judge() -> None:
    """Where the oracle's loss is inf there is no derivative, and nobody is blamed."""
    unknown = np.full(6, np.nan)
    oracle = estimate(loss=np.inf, value=unknown, lower=unknown, upper=unknown, error_bar=unknown)
    assert judged(TRUE, loss=np.inf, oracle=oracle).verdict is Verdict.UNDECIDED


def test_where_nothing_can_be_judged_witnesses_are_not_held_against_each_other() -> None:
    """What overflows first, and becomes inf or nan, is no mistake of anybody."""
    comparer = Comparer(estimate(loss=np.inf), LAYOUT, Tolerance())
    pair = comparer.between(Evaluation("a", np.inf, TRUE), Evaluation("b", np.nan, TRUE * np.nan))
    assert (pair.verdict, pair.wrong, pair.undecided, pair.overflows) == (Verdict.UNDECIDED, 0, 6, True)


@pytest.mark.parametrize(("outputs", "verdict"), [(1e20, "UNDECIDED"), (1e10, "DISAGREE")])
def test_a_dtype_that_ends_before_this_theta_decides_nothing(outputs: float, verdict: str) -> None:
    """Squares of 1e20 are more than float32 holds, and inf or nan what is to be expected; those of 1e10 are not."""
    trace = Trace(a=[np.ones((2, 1)), np.full((2, 1), outputs)], z=[], magnitude_bound=[], losses=np.ones(2))
    comparer = Comparer(estimate(trace=trace), LAYOUT, Tolerance(largest=3.4e38))
    assert comparer.with_oracle(Evaluation("a", np.inf, TRUE)).verdict == verdict
    assert comparer.with_oracle(Evaluation("a", 0.7, changed(2, lambda g: np.nan))).verdict == verdict
    assert comparer.with_oracle(Evaluation("a", 0.7, changed(2, lambda g: 2 * g))).verdict == "DISAGREE"


def test_tolerances_do_not_grow_with_the_number_of_parameters() -> None:
    """An error found among 4 components is found among 40,000."""
    n = 40_000
    layout = Layout.of({"W1": (n,)})
    ones = np.ones(n)
    oracle = estimate(
        value=ones,
        lower=ones,
        upper=ones,
        conventions=ones[None],
        spread=np.zeros(n),
        magnitude=ones,
        terms=ones,
        error_bar=1e-12 * ones,
        rounding=Rounding(1e-14 * ones, 1e-14),
    )
    gradient = ones.copy()
    gradient[12_345] += 1e-6
    pair = Comparer(oracle, layout, Tolerance()).with_oracle(Evaluation("numpy", 0.7, gradient))
    assert (pair.wrong, str(pair.worst[0].location)) == (1, "W1[12345]")


def test_witnesses_are_compared_without_the_oracles_bar() -> None:
    """Between witnesses there is only rounding: a wide bar hides nothing."""
    comparer = Comparer(estimate(error_bar=np.full(6, 1.0)), LAYOUT, Tolerance())
    pair = comparer.between(Evaluation("numpy", 0.7, TRUE), Evaluation("torch", 0.7, changed(0, lambda g: g + 1e-6)))
    assert (pair.verdict, pair.wrong) == (Verdict.DISAGREE, 1)


def test_witnesses_may_differ_at_a_kink() -> None:
    """PyTorch takes 0.01 and JAX 1 for leaky_relu'(0): no fault of either."""
    upper = TRUE.copy()
    upper[3] = 1.0
    oracle = estimate(upper=upper)
    comparer = Comparer(oracle, LAYOUT, Tolerance())
    pair = comparer.between(Evaluation("torch", 0.7, TRUE), Evaluation("jax", 0.7, changed(3, lambda _: 1.0)))
    assert pair.verdict is Verdict.AGREE


def test_a_comparer_for_another_estimate_keeps_every_setting() -> None:
    """How many components are kept, and whether gradients of different losses are compared at all."""
    comparer = Comparer(estimate(), LAYOUT, Tolerance(), worst=1, despite_losses=False)
    pair = comparer.with_estimate(estimate(loss=0.9)).with_oracle(Evaluation("numpy", 0.7, 2 * TRUE))
    assert (pair.losses_agree, pair.wrong, len(pair.worst)) == (False, 0, 1)


def test_how_uncertain_a_component_may_be_is_a_share_of_its_tensors_largest() -> None:
    """The resolution of the tolerance; the largest magnitude counts, and not the value."""
    tolerance = Tolerance()
    magnitude = np.array([1.0, 2.0, 3e-3, 8.0, 0.5, 0.0])
    comparer = Comparer(estimate(magnitude=magnitude), LAYOUT, tolerance)
    np.testing.assert_allclose(comparer.widest, tolerance.resolution * np.array([8.0] * 4 + [0.5] * 2), rtol=1e-12)


def test_a_random_direction_may_be_ten_times_as_uncertain() -> None:
    """1e-5 of the largest slope along any; where components may be more uncertain than that, so may directions."""
    layout = Layout.of({"W1": (2, 2), DIRECTIONS: (2,)})
    sharp, blunt = Tolerance(), Tolerance(roundoff=FLOAT32, resolution=1e-3)
    np.testing.assert_allclose(Comparer(estimate(), layout, sharp).widest[4:], 1e-5 * 0.5, rtol=1e-12)
    np.testing.assert_allclose(Comparer(estimate(), layout, blunt).widest[4:], 1e-3 * 0.5, rtol=1e-12)


def test_at_the_widest_bar_a_component_is_decided_and_just_beyond_it_is_not() -> None:
    """What rounding may do to the witness is a part of the bar."""
    floor, widest = 1e-14, Comparer(estimate(), LAYOUT, Tolerance()).widest
    bars = np.array([0.99, 1.01, 0.99, 1.01, 0.99, 1.01]) * widest - floor
    comparer = Comparer(estimate(error_bar=bars), LAYOUT, Tolerance())
    # The fourth is zero on both sides, where nothing moves: that is certain, however wide its bar.
    np.testing.assert_array_equal(comparer.undecided(Evaluation("numpy", 0.7, TRUE)), [1, 5])


def test_a_wrong_component_is_not_undecided() -> None:
    """Though its bar is too wide: it is further off than that."""
    bars = np.where(np.arange(6) < 2, 1e-3, 1e-12)
    comparer = Comparer(estimate(error_bar=bars), LAYOUT, Tolerance())
    call = Evaluation("numpy", 0.7, changed(0, lambda g: g + 0.5))
    np.testing.assert_array_equal(comparer.undecided(call), [1])
    np.testing.assert_array_equal(comparer.wrong(call), [0])


def test_of_a_random_loss_no_component_is_undecided() -> None:
    """All of it is, which is said once: no component is worth another measurement."""
    bars = np.full(6, 1.0)
    comparer = Comparer(estimate(error_bar=bars), LAYOUT, Tolerance())
    steady = Evaluation("numpy", 0.7, TRUE)
    random = replace(steady, again=Evaluation("numpy", 0.9, TRUE))
    assert len(comparer.undecided(steady)) == 5
    assert len(comparer.undecided(random)) == 0
