"""Bounds of one gradient: wrong, undecided with its reason, disputed, or right."""

import numpy as np

from tests.compare.test_comparer import LAYOUT, TRUE, changed, estimate
from xcheck.compare.bounds import OracleBounds
from xcheck.compare.tolerance import Tolerance
from xcheck.layout import Layout
from xcheck.oracle.engines.lines import DIRECTIONS


def bounds(**known: object) -> OracleBounds:
    """Return the bounds that an oracle sets."""
    return OracleBounds(estimate(**known), LAYOUT, Tolerance())


def test_what_is_allowed_is_bar_rounding_and_tolerance() -> None:
    """Component by component."""
    found = bounds().of(TRUE)
    assert np.allclose(found.allowed, 1e-12 + 1e-14 + 1e-7 * np.abs(TRUE), rtol=1e-12)
    assert not found.wrong.any()


def test_a_component_that_a_narrower_bar_would_decide_is_disputed() -> None:
    """One just out of bounds is, one a million times out of bounds is not."""
    near = bounds().of(changed(0, lambda g: g * (1 + 2e-7)))
    far = bounds().of(changed(0, lambda g: 2 * g))
    assert (near.wrong[0], near.disputed[0]) == (True, True)
    assert (far.wrong[0], far.disputed[0]) == (True, False)


def test_every_undecided_component_has_one_reason() -> None:
    """Noise in the second tensor, no number in one component of the first."""
    unknown = changed(1, lambda _: np.nan)
    bars = np.array([1e-12, 1e-12, 1e-12, 1e-12, 0.1, 0.1])
    found = bounds(value=unknown, lower=unknown, upper=unknown, error_bar=bars).of(TRUE)
    reasons = {reason: np.flatnonzero(flags).tolist() for reason, flags in found.reasons.items()}
    assert reasons == {"jump": [], "not finite": [1], "kink": [], "noise": [4, 5]}


def test_where_the_loss_jumps_nothing_is_decided() -> None:
    """Infinite slopes to both sides and no value between them: a reason of its own, not a subgradient."""
    lower, upper = changed(1, lambda _: -np.inf), changed(1, lambda _: np.inf)
    found = bounds(value=changed(1, lambda _: np.nan), lower=lower, upper=upper).of(changed(1, lambda _: 50.0))
    assert not found.wrong.any()
    assert {reason: np.flatnonzero(flags).tolist() for reason, flags in found.reasons.items() if flags.any()} == {
        "jump": [1]
    }
    assert np.array_equal(sum(flags.astype(int) for flags in found.reasons.values()), found.undecided.astype(int))


def test_directions_need_not_see_as_sharply_as_components() -> None:
    """A bar of 4e-6 of the largest slope decides a direction and leaves a component undecided."""
    layout = Layout.of({"w": (3,), DIRECTIONS: (3,)})
    oracle = OracleBounds(estimate(error_bar=4e-6 * np.array([2, 2, 2, 0.5, 0.5, 0.5])), layout, Tolerance())
    assert oracle.of(TRUE).undecided.tolist() == [True, True, True, False, False, False]


def test_without_verdicts_the_distances_stay() -> None:
    """For a random loss everything is undecided, and nothing is wrong."""
    found = bounds().of(2 * TRUE)
    none = found.without_verdicts("random")
    assert (int(none.wrong.sum()), int(none.undecided.sum()), list(none.reasons)) == (0, 6, ["random"])
    assert np.array_equal(none.excess, found.excess)
    assert not found.without_verdicts().undecided.any()
