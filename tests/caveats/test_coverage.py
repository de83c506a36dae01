"""Tensors that agree and of which nothing is verified, in networks and in people's own functions alike."""

import numpy as np

from tests.compare.test_comparer import LAYOUT, TRUE, estimate
from xcheck import check
from xcheck.caveats.coverage import below_noise, stationary, zero_gradient
from xcheck.compare.coverage import TensorCoverage


def coverage(name: str, *, zero: int = 0, noise: bool = False) -> TensorCoverage:
    """A tensor of two components."""
    return TensorCoverage(name=name, of=2, verified=2 - zero, zero=zero, below_noise=noise)


def test_only_tensors_that_are_zero_everywhere_are_named() -> None:
    """One component that nothing depends on is no reason to speak."""
    found = zero_gradient([coverage("W1", zero=1), coverage("b1", zero=2)])
    assert found is not None
    assert found.text.startswith(
        "zero gradient: the loss does not change with any component of b1, and a wrong backward pass"
    )
    assert zero_gradient([coverage("W1", zero=1)]) is None


def test_a_gradient_below_the_noise_comes_with_its_size() -> None:
    """The largest value of the tensor, and how well the best known component is known."""
    found = below_noise([coverage("W1"), coverage("b1", noise=True)], estimate(error_bar=np.full(6, 0.2)), LAYOUT)
    assert found is not None
    assert found.text.startswith("gradient below the noise: b1 (at most 5.0e-01, known to 2e-01)")
    assert below_noise([coverage("b1")], estimate(), LAYOUT) is None


def test_a_gradient_that_cancels_comes_with_its_terms() -> None:
    """Zero to 1e-12 where the terms are 1; not said of a tensor with one slope that is known to 1 %."""
    slope = np.array([0.0, 0.0, 0.0, 0.0, 0.5, 0.25])
    cancelled = estimate(value=slope, lower=slope, upper=slope, terms=np.ones(6))
    found = stationary([coverage("W1"), coverage("b1")], cancelled, LAYOUT)
    assert found is not None
    assert found.text.startswith("stationary: the gradient cancels in W1 (zero to 1e-12, 1e-12 of 1.0e+00), the size")
    assert (found.code, found.tensor, found.value) == ("XC433", "W1", 1.0)
    assert stationary([coverage("W1"), coverage("b1")], estimate(), LAYOUT) is None


def test_functions_are_told_in_the_same_words() -> None:
    """A parameter that the loss multiplies by zero."""
    report = check(lambda p: (p["a"] ** 2).sum() + 0.0 * p["b"].sum(), {"a": TRUE, "b": TRUE}, gradient=gradient)
    (warning,) = [one for one in report.warnings if one.code == "XC408"]
    assert warning.text.startswith(
        "zero gradient: the loss does not change with any component of b, and a wrong backward pass"
    )


def gradient(p: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The gradient of Σ a²."""
    return {"a": 2 * p["a"], "b": np.zeros_like(p["b"])}
