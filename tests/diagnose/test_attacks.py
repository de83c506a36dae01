"""Attacks on the diagnosis that once succeeded: a cause that was not, a sentence that was untrue, a crash."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.diagnose.faults import network
from tests.diagnose.test_forward_pass import Made, spoiled_loss
from tests.fakes import Answering, numpy_answer
from xcheck import Report, check, objective, verify
from xcheck.backend import registry
from xcheck.backend.contract import Objective
from xcheck.dtypes import DtypeName
from xcheck.layout import Vector
from xcheck.networks.network import Dense, Network
from xcheck.networks.problem import Problem
from xcheck.testing import Fault, Planted

SEEDS = range(3)


def spoiled(problem: Problem, change: Callable[[Vector, np.random.Generator], Vector], **settings: Any) -> Report:
    """The report about a NumPy witness whose whole gradient is changed."""

    def spoil(gradient: dict[str, Vector], problem: Problem) -> None:
        for number, array in enumerate(gradient.values()):
            array[...] = change(array, np.random.default_rng(number))

    return verify(problem, backends=[Planted(registry.get("numpy"), Fault("some", "", spoil)), "torch"], **settings)


def causes(report: Report) -> set[str]:
    """Codes of the causes."""
    return {finding.code for finding in report.findings if finding.code.startswith("XC2")}


NOISES: dict[str, Callable[[Vector, np.random.Generator], Vector]] = {
    "in proportion": lambda g, rng: g * (1 + 1e-3 * rng.standard_normal(g.shape)),
    "a little in proportion": lambda g, rng: g * (1 + 1e-6 * rng.uniform(-1.5, 1.5, g.shape)),
    "to one side": lambda g, rng: g * (1 + 1e-3 * rng.uniform(0.5, 1.5, g.shape)),
    "a constant": lambda g, rng: g + 1e-3,
}


@pytest.mark.parametrize("name", NOISES)
@pytest.mark.parametrize("seed", SEEDS)
def test_noise_is_no_format(seed: int, name: str) -> None:
    """Whatever was done to the result was not rounded on the way."""
    assert causes(spoiled(network(seed), NOISES[name])) == {"XC200"}


@pytest.mark.parametrize("seed", SEEDS)
def test_noise_in_float32_is_no_factor(seed: int) -> None:
    """Where rounding is wide, what leaves the residual as it is explains nothing."""
    assert causes(spoiled(network(seed), NOISES["to one side"], dtype="float32")) == {"XC200"}


def test_decimals_are_told() -> None:
    """A gradient that went through a print."""
    report = spoiled(network(1), lambda g, rng: np.round(g, 3))
    assert causes(report) == {"XC251"}
    assert "rounded to 3 decimals" in report.findings[0].text


def test_a_mean_of_nothing_is_not_clipped() -> None:
    """With softmax the bias gradients of the last layer sum to zero but for rounding."""
    problem = network(3, loss="softmax_cross_entropy")

    def spoil(gradient: dict[str, Vector], problem: Problem) -> None:
        name = f"b{len(problem.network.layers)}"
        gradient[name][...] = gradient[name].mean()

    report = verify(problem, backends=[Planted(registry.get("numpy"), Fault("mean", "", spoil)), "torch"])
    assert "XC252" not in causes(report)


def test_a_constant_is_no_penalty() -> None:
    """Where all θ are positive, their signs are a constant."""
    x = np.abs(np.random.default_rng(0).standard_normal(6))
    report = check(lambda x: float((x**3).sum()), x, gradient=lambda x: 3 * x**2 + 0.1)
    assert causes(report) == {"XC200"}


def test_what_is_wrong_elsewhere_is_not_called_right() -> None:
    """What stands alone does so where everything else is right, and there is something else."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((60, 60))
    limit = float(np.median(np.abs(3 * x**2)))
    report = check(
        lambda x: float((x**3).sum()),
        x,
        gradient=lambda x: np.clip(3 * x**2, -limit, limit),
        scope="sample",
        budget=1e-3,
    )
    assert "XC233" not in causes(report)


def test_a_detached_gradient_is_not_stale() -> None:
    """Zero at every θ is zero for another reason."""
    report = check(lambda x: float((x**2).sum()), np.array([1.0, 2.0]), gradient=lambda x: 0.0 * x)
    assert [finding.code for finding in report.findings] == ["XC231"]


def test_half_the_conjugate_is_one_thing() -> None:
    """∂L/∂z of Wirtinger's calculus."""
    z = np.array([1.0 + 2.0j, -0.5 + 0.3j, 0.2 - 1.0j])
    report = check(lambda z: float(np.sum(np.abs(z) ** 2)), z, gradient=lambda z: z.conj())
    assert [finding.code for finding in report.findings] == ["XC271"]


def test_a_coincidence_is_mentioned() -> None:
    """m/(m + 1) is 0.9 with nine examples, and 0.9 is a factor, too."""
    layers = (Dense(units=4, activation="tanh"), Dense(units=2))
    rng = np.random.default_rng(0)
    plain = Network(inputs=3, layers=layers, loss="mean_squared_error")
    problem = Problem.create(plain, rng.standard_normal((9, 3)), rng.standard_normal((9, 2)))
    (finding,) = [one for one in spoiled(problem, lambda g, rng: 0.9 * g).findings if one.code.startswith("XC2")]
    assert "equally well: XC201 (0.9 x" in finding.text
    assert "the penalty is right" not in finding.text


# --- sentences ------------------------------------------------------------------------------------------------------


def test_a_witness_asked_again_in_float64_is_no_other() -> None:
    """One function, whose own float32 answer is wrong as well: nobody is united with it."""
    wrong = check(lambda x: (x**3).sum(), np.array([1, 2, 3], "float32"), gradient=lambda x: 6 * x**2)
    assert wrong.odd_one_out == ()
    assert [finding.code for finding in wrong.findings] == ["XC201"]


@pytest.mark.parametrize("good", [1, 0])
def test_nan_is_no_agreement(good: int) -> None:
    """Two that are nan share nothing, and do not put the oracle on trial."""
    cube = lambda x: float((x**3).sum())  # noqa: E731 - one function for three witnesses
    nan = [objective(cube, "numpy", gradient=lambda x: np.nan * x) for _ in range(3 - good)]
    right = [objective(cube, "numpy", gradient=lambda x: 3 * x**2) for _ in range(good)]
    report = check({str(i): one for i, one in enumerate([*nan, *right])}, np.array([1.0, 2.0, 3.0]))
    codes = {finding.code for finding in report.findings}
    assert "XC103" in codes
    assert not codes & {"XC106", "XC111"}
    assert "oracle" not in report.odd_one_out


def test_the_last_layers_own_derivative_is_suspected() -> None:
    """Where it has one."""
    layers = (Dense(units=4, activation="tanh"), Dense(units=2, activation="tanh"))
    rng = np.random.default_rng(0)
    curved = Network(inputs=3, layers=layers, loss="mean_squared_error")
    problem = Problem.create(curved, rng.standard_normal((9, 3)), rng.standard_normal((9, 2)))
    starts = spoiled(problem, lambda g, rng: g * rng.uniform(0.5, 1.5, g.shape)).starts["numpy"]
    assert "that of its own activation" in starts


# --- crashes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1e300, 1e-310, 0.0, float("nan"), float("inf")])
def test_any_number_may_come(size: float) -> None:
    """No warning, no exception; the report can be written."""
    report = spoiled(network(0), lambda g, rng: g * size)
    assert report.to_json()
    assert str(report)


def test_a_loss_that_is_nan_can_be_written() -> None:
    """As a string in JSON."""
    assert check(lambda x: float("nan"), np.ones(3), gradient=lambda x: x).to_json()


def test_a_jacobian_of_one_number_is_its_gradient() -> None:
    """A scalar loss has one output."""
    report = check(lambda x: float((x**3).sum()), np.array([1.0, 2.0]), gradient=lambda x: 3 * x**2, scope="jacobian")
    assert report.ok


RUBBISH: list[Any] = [["a", "b"], 3, [np.zeros(2)], "words"]


@pytest.mark.parametrize("shown", RUBBISH, ids=str)
def test_rubbish_for_activations_hurts_nobody(shown: Any, problem: Problem) -> None:
    """The formula of the loss is told all the same."""

    def make(problem: Problem, dtype: DtypeName) -> Objective:
        answer = numpy_answer(problem, dtype)

        class Showing(Answering):
            def activations(self, theta: Vector) -> Any:
                return shown

        return Showing("mine", problem.layout.size, lambda theta: (2 * answer(theta)[0], answer(theta)[1]))

    report = verify(problem, backends=[Made(make), "torch"])
    assert "XC101" in {finding.code for finding in report.findings}


def test_nothing_to_show_is_no_failure(problem: Problem) -> None:
    """A witness without activations."""
    report = verify(problem, backends=[spoiled_loss(lambda data, penalty, m: data), "torch"])
    assert {"XC101", "XC262"} <= {finding.code for finding in report.findings}
