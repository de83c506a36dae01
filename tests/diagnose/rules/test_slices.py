"""Errors that are simple in each slice: a factor, a constant, a multiple of θ; and those that only look so."""

import numpy as np
import pytest

from tests.diagnose.rules.conftest import evidence_of, explaining, texts
from xcheck.diagnose.rules.slices import constant_term, factor_by_slice, term_of_parameter
from xcheck.layout import Vector

RNG = np.random.default_rng(0)
X, G = RNG.standard_normal((4, 6, 5)), RNG.standard_normal((4, 6, 5))
SHAPES = {"axis 1": (4, 1, 5), "axes 0 and 2": (1, 6, 1), "each of 2 groups of axis 1 and axis 2": (4, 2, 1)}
RULES = (factor_by_slice, constant_term, term_of_parameter)


def spread(numbers: Vector) -> Vector:
    """One number for each slice, for all of its components."""
    groups = np.repeat(numbers, 3, axis=1) if numbers.shape == (4, 2, 1) else numbers
    return np.asarray(np.broadcast_to(groups, G.shape))


@pytest.mark.parametrize("along", SHAPES)
def test_a_factor_of_each_slice_is_found(along: str) -> None:
    """Along one axis, several, and in groups of channels; by nothing else."""
    c = spread(RNG.uniform(0.5, 2, SHAPES[along]))
    evidence = evidence_of({"x": c * G}, {"x": G}, {"x": X})
    best = min(explaining(evidence, factor_by_slice(evidence)), key=lambda each: each.free)
    assert best.text.startswith(f"along {along} it is a multiple of what it should be, with a factor for each slice")
    assert best.free == np.prod(SHAPES[along])
    assert texts(evidence, constant_term(evidence)) == texts(evidence, term_of_parameter(evidence)) == []


@pytest.mark.parametrize("power", [1, -1])
def test_the_factors_of_another_tensor_are_named(power: int) -> None:
    """γ is forgotten, or taken twice."""
    gamma = RNG.uniform(0.5, 2, 6)
    evidence = evidence_of(
        {"x": G * gamma[:, None] ** power, "gamma": gamma}, {"x": G, "gamma": gamma}, {"x": X, "gamma": gamma}
    )
    best = min(explaining(evidence, factor_by_slice(evidence)), key=lambda each: each.free)
    how = "gamma: gamma is taken once too often" if power == 1 else "1/gamma: gamma is forgotten"
    assert (best.free, best.text.endswith(f", which is {how}")) == (0, True)


@pytest.mark.parametrize("along", SHAPES)
def test_a_constant_of_each_slice_is_found(along: str) -> None:
    """That of the term of a mean, which is named where the right gradient sums to zero."""
    evidence = evidence_of({"x": G + spread(RNG.standard_normal(SHAPES[along]))}, {"x": G}, {"x": X})
    best = min(explaining(evidence, constant_term(evidence)), key=lambda each: each.free)
    assert best.text.startswith(f"gradient − oracle is the same along {along} (")
    assert texts(evidence, factor_by_slice(evidence)) == texts(evidence, term_of_parameter(evidence)) == []
    assert "sums to zero" not in best.text
    centred = G - G.mean(axis=(0, 2), keepdims=True)
    evidence = evidence_of({"x": centred + spread(RNG.standard_normal((1, 6, 1)))}, {"x": centred}, {"x": X})
    best = min(explaining(evidence, constant_term(evidence)), key=lambda each: each.free)
    assert best.text.endswith("the right gradient sums to zero along it, and this one does not: look for − mean or − Σ")


@pytest.mark.parametrize("constant", [False, True])
@pytest.mark.parametrize("along", SHAPES)
def test_a_multiple_of_the_parameter_is_found(along: str, constant: bool) -> None:
    """That of the term of a variance, with what it takes from the mean or without."""
    wrong = G + spread(RNG.standard_normal(SHAPES[along])) * X
    if constant:
        wrong = wrong + spread(RNG.standard_normal(SHAPES[along]))
    evidence = evidence_of({"x": wrong}, {"x": G}, {"x": X})
    best = min(explaining(evidence, term_of_parameter(evidence)), key=lambda each: each.free)
    what = "x and a constant" if constant else "x"
    assert best.text.startswith(f"along {along} gradient − oracle is a multiple of {what} (")
    assert texts(evidence, factor_by_slice(evidence)) == texts(evidence, constant_term(evidence)) == []


@pytest.mark.parametrize("seed", range(30))
def test_a_random_error_is_none_of_these(seed: int) -> None:
    """Of any size, in tensors of any shape, in all components, in a slice or in some."""
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(1, 7, rng.integers(1, 4)))
    r, error = rng.standard_normal(shape), 10.0 ** rng.integers(-5, 1) * rng.standard_normal(shape)
    error = error * [np.ones(shape), rng.random(shape) < 0.4, np.arange(shape[-1]) == 0][rng.integers(3)]
    evidence = evidence_of({"x": r + error}, {"x": r}, {"x": rng.standard_normal(shape)})
    assert [texts(evidence, rule(evidence)) for rule in RULES] == [[], [], []]


def test_few_components_fit_with_anything() -> None:
    """Two slices of three components, each with a number of its own, leave too little to be sure."""
    r = RNG.standard_normal((2, 3))
    evidence = evidence_of({"x": r * np.array([[2.5], [0.3]])}, {"x": r}, {"x": r + 1})
    assert texts(evidence, factor_by_slice(evidence)) == []


def test_an_error_of_delta_is_no_scale() -> None:
    """Of the gradient of one example, δ aᵀ, each row has a factor whatever δ is."""
    delta, wrong, a = RNG.standard_normal(4), RNG.standard_normal(4), RNG.standard_normal(6)
    evidence = evidence_of({"W": np.outer(wrong, a)}, {"W": np.outer(delta, a)}, {"W": RNG.standard_normal((4, 6))})
    assert texts(evidence, factor_by_slice(evidence)) == []
