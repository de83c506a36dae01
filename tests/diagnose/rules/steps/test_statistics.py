"""Means, variances and sums of a softmax whose share in what goes back is missing, or over another axis."""

import numpy as np

from tests.diagnose.rules.steps.programs import program_of, texts_of
from xcheck.diagnose.rules.steps.statistics import mistaken_statistics

RNG = np.random.default_rng(3)
X, D = RNG.standard_normal((5, 3)), RNG.standard_normal((5, 3))


def norm(p: dict[str, np.ndarray]) -> float:
    """D weighs the columns of x, normalised."""
    centred = p["x"] - p["x"].mean(axis=0)
    return float(np.sum(D * centred / np.sqrt((centred**2).mean(axis=0) + 0.01)))


SIGMA = np.sqrt(X.var(0) + 0.01)
NORMAL = (X - X.mean(0)) / SIGMA


def test_the_mean_over_the_wrong_axis() -> None:
    """Before it is divided by σ, as people write it."""
    wrong = (D - D.mean(1, keepdims=True) - NORMAL * (D * NORMAL).mean(0)) / SIGMA
    texts = texts_of(mistaken_statistics, program_of(norm, {"x": X}), {"x": wrong})
    assert any(
        "is averaged over axis 1, and should be over axis 0 (before it is divided by `np.sqrt`" in t for t in texts
    )


def test_the_mean_of_the_variance_over_the_wrong_axis() -> None:
    """The other one of the two terms."""
    wrong = (D - D.mean(0) - NORMAL * (D * NORMAL).mean(1, keepdims=True)) / SIGMA
    assert texts_of(mistaken_statistics, program_of(norm, {"x": X}), {"x": wrong})


def test_a_variance_that_is_taken_for_a_constant() -> None:
    """Its share is missing."""
    texts = texts_of(mistaken_statistics, program_of(norm, {"x": X}), {"x": (D - D.mean(0)) / SIGMA})
    assert any(text.endswith("is missing, as if it were a constant") for text in texts)


def test_the_sum_of_a_softmax_over_the_wrong_axis() -> None:
    """The maximum that is subtracted first plays no part."""

    def loss(p: dict[str, np.ndarray]) -> float:
        e = np.exp(p["x"] - p["x"].max(axis=1, keepdims=True))
        return float(np.sum(D * e / e.sum(axis=1, keepdims=True)))

    q = np.exp(X) / np.exp(X).sum(1, keepdims=True)
    program, wrong = program_of(loss, {"x": X}), q * (D - (D * q).sum(0))
    found = [change.text for change in mistaken_statistics(program) if _is(program, change, wrong)]
    assert any("is summed over axis 0, and should be over axis 1" in text for text in found)


def _is(program: object, change: object, wrong: np.ndarray) -> bool:
    steps = {**program.silent, **change.steps}  # type: ignore[attr-defined]
    return np.allclose(program.tape.gradient(steps), wrong.ravel())  # type: ignore[attr-defined]


def test_the_right_gradient_is_no_mistake() -> None:
    """Every change makes another gradient."""
    right = (D - D.mean(0) - NORMAL * (D * NORMAL).mean(0)) / SIGMA
    program = program_of(norm, {"x": X})
    np.testing.assert_allclose(program.tape.gradient(), right.ravel(), rtol=1e-12)
    assert not texts_of(mistaken_statistics, program, {"x": right})
