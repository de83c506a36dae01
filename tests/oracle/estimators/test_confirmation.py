"""Confirmation: a fit shows that a right gradient is right, calls none wrong, and says nothing of a wrong one."""

from collections.abc import Callable

import numpy as np
import pytest

from benchmarks.suites.scales import check_case, drawn
from xcheck.layout import Layout, Vector
from xcheck.oracle.engines.evaluator import Evaluator
from xcheck.oracle.engines.function import FunctionEngine
from xcheck.oracle.engines.lines import Lines
from xcheck.oracle.estimators.confirmation import Claim, confirm_slopes
from xcheck.oracle.estimators.one_sided import estimate_one_sided
from xcheck.oracle.estimators.sides import OneSidedGradient


def measured(loss: Callable[[Vector], Vector], theta: Vector) -> tuple[FunctionEngine, Vector, OneSidedGradient]:
    """What differences know of Σ loss(θᵢ)."""
    evaluator = Evaluator(lambda points: loss(points).sum(axis=1))
    engine = FunctionEngine(evaluator, theta, Lines.all_of(Layout.of({"x": theta.shape})))
    noise = np.full(len(theta), 2.0**-53 * float(np.abs(engine.losses[0])))
    with np.errstate(all="ignore"):
        return engine, noise, estimate_one_sided(engine, noise, tolerance=1e-7)


THETA = np.array([0.3, -0.9, 1.2])
EVERYTHING = np.arange(3)


def test_what_differences_leave_open_is_confirmed() -> None:
    """With a constant of 1e7 the bars are 1e-6 and more; those of fits are less, and what they confirm is marked."""
    engine, noise, found = measured(lambda x: 1e7 + np.sin(x), THETA)
    assert (found.measured.bar > 1e-6).any()
    claim = Claim(np.cos(THETA), 1e-7, np.full(3, 1e-6), 1e-6)
    confirmed = confirm_slopes(engine, noise, found, EVERYTHING, claim)
    assert confirmed.fitted.all()
    assert (np.abs(confirmed.measured.value - np.cos(THETA)) <= confirmed.measured.bar).all()
    assert (confirmed.measured.bar < 1e-6).all()


@pytest.mark.parametrize("error", [3e-6, 1e-3, 1.0])
def test_a_wrong_claim_leaves_everything_as_it_was(error: float) -> None:
    """Neither value nor bar is changed where a fit does not confirm."""
    engine, noise, found = measured(lambda x: 1e7 + np.sin(x), THETA)
    claim = Claim(np.cos(THETA) + error, 1e-7, np.full(3, 1e-6), 1e-6)
    assert confirm_slopes(engine, noise, found, EVERYTHING, claim) is found


def test_a_slope_that_does_not_matter_is_not_confirmed_by_what_contradicts_it() -> None:
    """Beside a slope of 1e12 one of 1e3 is negligible; a fit beyond its feature says 0, and is not believed."""
    engine, noise, found = measured(lambda x: np.tanh(1e3 * x), np.array([1e-4, 2e-4]))
    claim = Claim(np.zeros(2), 1e-7, np.full(2, 1e6), 1e-6)
    confirmed = confirm_slopes(engine, noise, found, np.arange(2), claim)
    assert not confirmed.fitted.any()


# Kinds of which a fifth to a half was undecided, and poles of which some were called wrong; each with one such seed.
MENDED = [
    ("large constant", 2),
    ("large constant", 5),
    ("fast sine", 0),
    ("fast sine", 9),
    ("log barrier", 4),
    ("log barrier", 10),
    ("raising", 2001),
    ("between edges", 3),
    ("between edges", 8),
    ("poles", 1),
    ("poles", 7),
    ("poles", 8),
    ("poles", 13),
    ("before overflow", 2003),
    ("inside the circle", 2004),
]


@pytest.mark.parametrize(("kind", "seed"), MENDED)
def test_right_gradients_of_hard_scales_agree(kind: str, seed: int) -> None:
    """Noise, the edge of a domain and the size of the loss left them open, or steps that were too long."""
    case = drawn(kind, seed)
    report = check_case(case, "numpy", np.zeros_like(case.theta))
    assert report.verdict == "AGREE", str(report)
    # Three in a million of what cancels there are more than a check resolves.
    worst = np.where(case.terms == case.terms.max(), 1e-5 * case.terms, 0.0)
    assert check_case(case, "numpy", worst).verdict != "AGREE"
