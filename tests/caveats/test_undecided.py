"""What is undecided says why: noise, a kink, or numbers that are not finite."""

from dataclasses import replace

import numpy as np

from tests.compare.test_comparer import LAYOUT, TRUE, changed, estimate
from xcheck.caveats.undecided import undecided_components
from xcheck.compare.comparer import Comparer
from xcheck.compare.evaluation import Evaluation
from xcheck.compare.pair import Pair
from xcheck.compare.tolerance import Tolerance
from xcheck.layout import Vector
from xcheck.oracle import Estimate


def held(oracle: Estimate, gradient: Vector, name: str = "numpy") -> Pair:
    """Compare a gradient with an oracle."""
    return Comparer(oracle, LAYOUT, Tolerance()).with_oracle(Evaluation(name, 0.7, gradient))


def why(*pairs: Pair) -> str:
    """Return what is said after the counts."""
    found = undecided_components(pairs)
    assert found is not None
    return found.text.partition("): ")[2].partition(". To decide them: ")[0]


def remedies(*pairs: Pair) -> str:
    """Return what is said after the reasons."""
    found = undecided_components(pairs)
    assert found is not None
    return found.text.partition(". To decide them: ")[2]


NOISY = held(estimate(error_bar=np.full(6, 1.0)), TRUE)
KINK = held(estimate(upper=changed(3, lambda _: 1.0)), changed(3, lambda _: 0.3))
UNKNOWN = held(
    estimate(
        value=changed(4, lambda _: np.nan), lower=changed(4, lambda _: np.nan), upper=changed(4, lambda _: np.nan)
    ),
    TRUE,
)


def test_each_reason_is_said_alone() -> None:
    """Where there is one reason only, no other is given."""
    assert why(NOISY) == "too small beside the noise of the loss or rounding"
    assert why(KINK) == "at a kink, with a slope that no convention gives"
    assert why(UNKNOWN) == "without a number: the loss is not finite nearby, or numbers overflow on the way"


def test_each_reason_comes_with_what_decides_it() -> None:
    """One remedy for each reason there is."""
    assert remedies(NOISY).startswith("take constants out of the loss")
    assert remedies(KINK) == "check beside the kink, at θ + 1e-3"
    assert remedies(UNKNOWN).startswith("check further from the edge of the domain")


def test_several_reasons_come_with_their_counts() -> None:
    """A wide bar in b1, and a subgradient that nobody would choose in W1."""
    bars = np.array([1e-12, 1e-12, 1e-12, 1e-12, 0.1, 0.1])
    pair = held(estimate(upper=changed(3, lambda _: 1.0), error_bar=bars), changed(3, lambda _: 0.3))
    assert pair.reasons == {"noise": 2, "kink": 1}
    assert why(pair) == (
        "2 too small beside the noise of the loss or rounding; 1 at a kink, with a slope that no convention gives"
    )


def test_what_is_right_in_float64_only_is_not_called_noise() -> None:
    """A pair whose wrong components were turned into undecided ones: none of the three reasons holds."""
    pair = replace(held(estimate(), TRUE), undecided=3)
    assert why(pair) == "off by more than rounding, and right in float64"


def test_witnesses_that_are_undecided_alike_are_named_together() -> None:
    """With the counts of each tensor; and those of whose loss two calls differ are left out."""
    found = undecided_components([NOISY, replace(NOISY, a="torch"), replace(NOISY, a="random", spread=1.0)])
    assert found is not None
    assert found.text.startswith("numpy, torch: 5 of 6 components cannot be decided (3 of 4 in W1, 2 of 2 in b1): ")
    assert (found.code, found.tensor, found.value) == ("XC405", "W1", 5.0)
    assert undecided_components([held(estimate(), TRUE)]) is None
