"""What a passing check has proved, component by component."""

import numpy as np

from tests.compare.test_comparer import LAYOUT, estimate
from xcheck import Dense, Network, Problem, Report, verify
from xcheck.compare.coverage import TensorCoverage, tensor_coverage
from xcheck.layout import Vector

rng = np.random.default_rng(0)
X, Y = rng.standard_normal((20, 4)), rng.standard_normal((20, 2))


def checked(inputs: Vector = X, theta: Vector | None = None, *, l2: float = 0.0, targets: Vector = Y) -> Report:
    """The report on a 4-3-2 network with tanh."""
    layers = (Dense(units=3, activation="tanh"), Dense(units=2))
    network = Network(inputs=4, layers=layers, loss="mean_squared_error", l2=l2)
    return verify(Problem.create(network, inputs, targets, theta=theta), backends=["numpy", "jax"])


def counts(report: Report) -> dict[str, int]:
    """Verified components by tensor."""
    return {tensor.name: tensor.verified for tensor in report.tensors}


def test_an_ordinary_network_is_verified_whole() -> None:
    """Every component counts, and the headline says all."""
    report = checked()
    assert (report.verdict, report.verified) == ("AGREE", report.parameters)
    assert report.headline == "numpy, jax agree with the oracle on all 23 parameters"


def test_weights_of_a_blank_input_are_not_verified() -> None:
    """Nothing depends on them: zero on both sides is no evidence."""
    blank = X * [1, 0, 1, 1]
    report = checked(blank)
    assert report.verdict == "AGREE"
    assert report.tensors[0] == TensorCoverage(name="W1", of=12, verified=9, zero=3, below_noise=False)
    assert report.headline.endswith("on 20 of 23 parameters; no loss depends on the other 3")


def test_a_penalty_on_them_is_verified() -> None:
    """With an L2 penalty these weights have a gradient, and it can be wrong."""
    assert checked(X * [1, 0, 1, 1], l2=0.7).verified == 23


def test_a_tensor_without_a_gradient_proves_nothing() -> None:
    """Behind a W2 of zeros, W1 and b1 may have any backward pass; the verdict is not a plain AGREE."""
    theta = np.concatenate([rng.standard_normal(15), np.zeros(6), rng.standard_normal(2)])
    report = checked(theta=theta)
    assert (report.verdict, counts(report)) == ("AGREE", {"W1": 0, "b1": 0, "W2": 6, "b2": 2})
    assert report.headline.endswith("on 8 of 23 parameters; W1, b1 prove nothing: their gradients are zero")


def test_a_gradient_that_cancels_is_verified_by_its_terms() -> None:
    """Targets that cancel over the examples: each loss moves with b2, their mean does not."""
    targets = np.concatenate([Y[:10], -Y[:10]])
    report = checked(np.zeros((20, 4)), np.zeros(23), targets=targets)
    assert report.verdict == "AGREE"
    assert report.tensors[3] == TensorCoverage(name="b2", of=2, verified=2, zero=0, below_noise=False)
    assert [warning.code for warning in report.warnings if warning.tensor == "b2"] == ["XC433"]


def test_terms_below_the_noise_verify_nothing() -> None:
    """Neither a slope nor its terms are known to 1 %."""
    zero = np.full(6, 1e-12)
    known = estimate(value=zero, lower=zero, upper=zero, terms=np.full(6, 1e-11))
    coverage = tensor_coverage(LAYOUT, known, np.ones(6, dtype=bool))
    assert [(tensor.verified, tensor.below_noise) for tensor in coverage] == [(0, True), (0, True)]
    known = estimate(value=zero, lower=zero, upper=zero, terms=np.ones(6))
    coverage = tensor_coverage(LAYOUT, known, np.ones(6, dtype=bool))
    assert [(tensor.verified, tensor.below_noise) for tensor in coverage] == [(3, False), (2, False)]


def test_wrong_and_undecided_components_are_not_verified() -> None:
    """What one witness gets wrong is verified in none."""
    from xcheck.backend import registry
    from xcheck.testing import FAULTS, Planted

    doubled = next(fault for fault in FAULTS if fault.name == "W2 x 2")
    layers = (Dense(units=3, activation="tanh"), Dense(units=2))
    problem = Problem.create(Network(inputs=4, layers=layers, loss="mean_squared_error"), X, Y)
    report = verify(problem, backends=[Planted(registry.get("numpy"), doubled), "jax"])
    assert (report.verdict, counts(report)) == ("DISAGREE", {"W1": 12, "b1": 3, "W2": 0, "b2": 2})


def test_a_loss_that_is_not_finite_verifies_nothing() -> None:
    """There is no gradient to verify."""
    assert checked(targets=np.full((20, 2), 1e200)).verified == 0
