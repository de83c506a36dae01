"""Bias and variance: the notes' table, and what they advise."""

import pytest

from xcheck.training.bias_variance import BIAS_ADVICE, VARIANCE_ADVICE, BiasVariance


@pytest.mark.parametrize(
    ("training", "validation", "case"),
    [
        (0.01, 0.11, "low bias, high variance"),
        (0.15, 0.16, "high bias, low variance"),
        (0.15, 0.30, "high bias, high variance"),
        (0.005, 0.01, "low bias, low variance"),
    ],
)
def test_the_four_cases_of_the_notes(training: float, validation: float, case: str) -> None:
    """Train set error, validation set error, model performance."""
    assert BiasVariance(training_error=training, validation_error=validation).case == case


def test_bayes_error_is_what_bias_is_measured_from() -> None:
    """At 15 % the second model of the notes performs as well as can be."""
    assert BiasVariance(training_error=0.15, validation_error=0.16, bayes_error=0.15).case == "low bias, low variance"


def test_the_advice_fits_the_case() -> None:
    """More data do not help against bias, nor a bigger network against variance."""
    assert BiasVariance(training_error=0.15, validation_error=0.16).advice == f"against bias {BIAS_ADVICE}"
    assert BiasVariance(training_error=0.01, validation_error=0.11).advice == f"against variance {VARIANCE_ADVICE}"
    assert BiasVariance(training_error=0.005, validation_error=0.01).advice == ""
