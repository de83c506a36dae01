"""Data that are not normalised."""

import numpy as np
import pytest

from tests.caveats.conftest import X, Y, check, codes, problem, warned
from xcheck import Dense
from xcheck.layout import Vector

# Shifted to zero and one, so that the numbers in the warnings are round.
UNIT = (X - X.mean(axis=0)) / X.std(axis=0)


def linear(inputs: Vector, examples: int = 20) -> list[str]:
    """The codes of the warnings on a linear network with these inputs."""
    return codes(check(problem(inputs=inputs[:examples], targets=Y[:examples])))


def test_features_of_different_size_are_told() -> None:
    """From 0.01 to 20: a factor of 2000."""
    report = check(problem(inputs=UNIT * [1, 0.01, 20, 1]))
    warning = warned(report, "XC415")
    told = "data not normalised: standard deviations range from 0.01 (input 1) to 20 (input 2); the gradient of W1"
    assert warning.text.startswith(told)
    assert warning.value == pytest.approx(2000)


def test_features_far_from_zero_are_told() -> None:
    """Years, or kelvins: 15 standard deviations from zero."""
    report = check(problem(Dense(units=3, activation="tanh"), inputs=UNIT + np.array([0, 0, 0, 15])))
    assert "not normalised: means are up to 15 standard deviations from zero (input 3);" in warned(report, "XC415").text


@pytest.mark.parametrize("scale", [[1, 0.01, 9, 1], [1e3, 1e3, 1e3, 1e3], [0, 1, 1, 1]])
def test_ordinary_scales_are_no_cause(scale: list[float]) -> None:
    """Within a factor of a thousand, in other units altogether, or blank."""
    assert "XC415" not in linear(UNIT * scale)


def test_constant_features_are_no_cause() -> None:
    """They have no standard deviation to compare."""
    constant = np.hstack([UNIT, np.full((20, 1), 7.0)])
    assert linear(constant) == []


def test_few_examples_say_nothing_about_scales() -> None:
    """Of two numbers, one pair in sixteen lies ten standard deviations from zero."""
    assert linear(UNIT + 100, examples=4) == []
    assert linear(UNIT + 100, examples=5) == ["XC415"]
