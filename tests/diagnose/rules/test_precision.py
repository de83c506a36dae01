"""Gradients that are right but for how their numbers are stored."""

import numpy as np
import pytest

from tests.diagnose.rules.conftest import W, evidence_of, explaining, texts
from xcheck.diagnose.rules.precision import clipping, conjugation, rounding, underflow
from xcheck.layout import Vector

MANY = np.random.default_rng(2).standard_normal(400)


@pytest.mark.parametrize(
    ("gradient", "text"),
    [
        (W.astype(np.float16).astype(np.float64), "rounded to float16 (11 bits)"),
        (np.round(W, 3), "rounded to 3 decimals"),
    ],
)
def test_what_is_stored_in_few_digits_is_rounded(gradient: Vector, text: str) -> None:
    """With the format, or the number of decimals."""
    evidence = evidence_of({"W": gradient}, {"W": W})
    assert texts(evidence, rounding(evidence)) == [text]


def test_rounding_on_the_way_has_the_size_of_a_format_and_no_structure() -> None:
    """Random residuals of 2⁻⁸ of the terms are those of bfloat16; the same with one sign only are none."""
    scale = np.abs(MANY).max() * 2.0**-8 / np.sqrt(3)
    noise = scale * np.random.default_rng(3).uniform(-1, 1, 400)
    evidence = evidence_of({"w": MANY + noise}, {"w": MANY}, {"w": MANY[::-1].copy()})
    (said,) = texts(evidence, rounding(evidence))
    assert said.startswith("rounding to bfloat16 somewhere on the way")
    biased = evidence_of({"w": MANY + np.abs(noise)}, {"w": MANY})
    assert texts(biased, rounding(biased)) == []


def test_a_limit_is_clipped() -> None:
    """Several components at one limit."""
    evidence = evidence_of({"W": np.clip(W, -0.5, 0.5)}, {"W": W})
    assert "clipped at ±0.5" in texts(evidence, clipping(evidence))


def test_small_numbers_are_flushed_to_zero() -> None:
    """And all others right."""
    evidence = evidence_of({"W": np.where(np.abs(W) < 0.3, 0.0, W)}, {"W": W})
    (found,) = explaining(evidence, underflow(evidence))
    assert (found.code, found.text.partition(" (")[0]) == ("XC253", "zero wherever it should be small")


@pytest.mark.parametrize(("factor", "value"), [(1.0, -1.0), (0.5, -0.5)])
def test_a_conjugated_gradient_has_the_opposite_imaginary_part(factor: float, value: float) -> None:
    """And ∂L/∂z is half of it."""
    trusted = {"z.real": MANY[:5], "z.imag": MANY[5:10]}
    gradient = {"z.real": factor * MANY[:5], "z.imag": -factor * MANY[5:10]}
    evidence = evidence_of(gradient, trusted)
    assert [found.value for found in explaining(evidence, conjugation(evidence))] == [value]
