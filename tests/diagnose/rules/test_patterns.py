"""Gradients that are another function of the right one: moved, reversed, made symmetric, by another parameter."""

from collections.abc import Callable

import numpy as np
import pytest

from tests.diagnose.rules.conftest import V, W, evidence_of, explaining, texts
from xcheck.diagnose.rules.patterns import other_parameter, reversal, shift, symmetry
from xcheck.layout import Vector

RNG = np.random.default_rng(0)
K = RNG.standard_normal((3, 2, 5, 4))
RULES = (other_parameter, reversal, shift, symmetry)


def moved(array: Vector, axis: int, step: int, edge: Vector | float = 0.0) -> Vector:
    """Move along an axis, with other numbers at the edge."""
    after = np.roll(array, step, axis=axis)
    at = np.arange(array.shape[axis])
    outside = (at < step) | (at >= array.shape[axis] + step)
    return np.where(np.expand_dims(outside, [a for a in range(array.ndim) if a != axis]), edge, after)


@pytest.mark.parametrize(("axis", "step"), [(2, 1), (2, -2), (3, 1), (0, -1)])
def test_a_step_along_an_axis_is_found(axis: int, step: int) -> None:
    """With zeros at the edge, or with other numbers."""
    places = f"{abs(step)} place{'s' * (abs(step) > 1)} {'forward' if step > 0 else 'back'}"
    for edge, what in ((0.0, "zeros"), (RNG.standard_normal(K.shape), "other numbers")):
        evidence = evidence_of({"K": moved(K, axis, step, edge)}, {"K": K})
        (said,) = texts(evidence, shift(evidence))
        assert said.startswith(f"moved along axis {axis} by {places}, with {what} at the edge")


def test_a_step_along_two_axes_is_found() -> None:
    """A padding that is not cut off."""
    evidence = evidence_of({"K": moved(moved(K, 2, 1), 3, 1)}, {"K": K})
    assert [said.partition(",")[0] for said in texts(evidence, shift(evidence))] == [
        "moved along axes 2 and 3 by 1 place forward"
    ]


def test_a_short_axis_that_is_reversed_is_not_moved() -> None:
    """The first of three becomes the last: by two of three places, which is mostly edge."""
    kernel = K[..., :3]
    evidence = evidence_of({"K": np.flip(kernel, 3)}, {"K": kernel})
    assert texts(evidence, shift(evidence)) == []


def test_a_kernel_that_is_reversed_is_found() -> None:
    """Along its two axes, and not along those of the channels."""
    evidence = evidence_of({"K": np.flip(K, (2, 3))}, {"K": K})
    (said,) = texts(evidence, reversal(evidence))
    assert said == "reversed along axes 2 and 3: convolution stands for correlation, or the other way round"


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda r: (r + r.T) / 2, "it is made symmetric, (r + rᵀ)/2 of what it should be"),
        (lambda r: r + r.T, "it is r + rᵀ of what it should be"),
        (lambda r: r + r.T - np.diag(np.diag(r)), "it is r + rᵀ of what it should be, with the diagonal once"),
        (np.tril, "only its lower triangle is there"),
        (lambda r: np.triu(r + np.tril(r, -1).T), "its upper triangle is there, and has the other one's share"),
        (lambda r: np.tril(r) + np.tril(r, -1).T, "the lower triangle stands in both"),
    ],
)
def test_a_convention_of_symmetry_is_named(change: Callable[[Vector], Vector], text: str) -> None:
    """Each with its formula, and none in a matrix that is not square."""
    evidence = evidence_of({"W": change(W)}, {"W": W})
    assert texts(evidence, symmetry(evidence)) == [text]
    wide = evidence_of({"V": 2 * V}, {"V": V})
    assert list(symmetry(wide)) == []


@pytest.mark.parametrize(
    ("factor", "text"),
    [
        (lambda t: t, "multiplied by W, as if it were by log W"),
        (np.exp, "multiplied by exp(W), as if it were by the exponential of W"),
        (lambda t: np.exp(-t), "divided by exp(W): the chain rule through exp(W) is missing"),
        (lambda t: (1 + np.exp(-t)) ** 2 * np.exp(t), "divided by sigmoid'(W): the chain rule through sigmoid(W)"),
        (lambda t: 2 * t, "multiplied by 2 W, as if it were by the root of W"),
    ],
)
def test_another_parameter_is_named(factor: Callable[[Vector], Vector], text: str) -> None:
    """And none where all components of θ are alike."""
    theta = RNG.standard_normal(W.shape)
    evidence = evidence_of({"W": factor(theta) * W}, {"W": W}, {"W": theta})
    (said,) = texts(evidence, other_parameter(evidence))
    assert said.startswith(text)
    alike = evidence_of({"W": 2 * W}, {"W": W}, {"W": 0 * theta + 2})
    assert list(other_parameter(alike)) == []


@pytest.mark.parametrize("seed", range(30))
def test_a_random_error_is_none_of_these(seed: int) -> None:
    """Of any size, in tensors of any shape; nor is a factor, or another order of the rows."""
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(2, 6, rng.integers(1, 5)))
    r = rng.standard_normal(shape)
    changes = [
        r + 10.0 ** rng.integers(-5, 1) * rng.standard_normal(shape),
        r * 3,
        rng.permuted(r),
        r * (rng.random(shape) < 0.5),
    ]
    for gradient in changes:
        evidence = evidence_of({"x": gradient}, {"x": r}, {"x": rng.standard_normal(shape)})
        said = [each.text for rule in RULES for each in explaining(evidence, rule(evidence))]
        assert said == []
