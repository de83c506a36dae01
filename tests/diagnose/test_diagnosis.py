"""Every mistake of people, made in random networks: the right cause is named, and no other."""

from functools import cache

import numpy as np
import pytest

from tests.diagnose.faults import MISTAKES, Mistake, network
from tests.diagnose.rules.conftest import new_name, renamed, spoiled
from xcheck import check, verify
from xcheck.backend import registry
from xcheck.caveats import CheckedPoint, caveats_at
from xcheck.caveats.layers import layers_of
from xcheck.compare.comparer import Comparer
from xcheck.compare.coverage import tensor_coverage
from xcheck.compare.evaluation import Evaluation
from xcheck.compare.tolerance import Tolerance
from xcheck.diagnose import diagnose_gradients
from xcheck.findings import CAUSE_UNKNOWN, Finding
from xcheck.layout import Vector
from xcheck.networks.problem import Problem
from xcheck.oracle import Estimate, OracleOptions, numerical_gradient
from xcheck.testing import FAULTS, Planted

NETWORKS = 4


@cache
def judged(number: int, needs: tuple[tuple[str, object], ...]) -> tuple[Problem, Comparer]:
    """A random network, and who compares with its oracle; the same for all mistakes that need the same."""
    problem = network(number, **dict(needs))  # type: ignore[arg-type] # the keywords of `network`
    estimate = numerical_gradient(problem, OracleOptions(engine="loop"))
    return problem, Comparer(estimate, problem.layout, Tolerance())


def causes(problem: Problem, comparer: Comparer, gradient: Vector) -> list[Finding]:
    """What is said about this gradient."""
    evaluation = Evaluation("numpy", comparer.estimate.loss, gradient)
    return diagnose_gradients(
        [evaluation], [comparer.with_oracle(evaluation)], comparer, theta=problem.theta, problem=problem
    ).findings


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_the_right_cause_is_named(mistake: Mistake) -> None:
    """In all random networks but one at most, and where it is not, the cause is unknown and no other is named.

    `python -m benchmarks causes` does the same with 20 networks for each mistake.
    """
    asked, named = 0, 0
    for number in range(NETWORKS):
        problem, comparer = judged(number, tuple(mistake.needs.items()))
        gradient = mistake.plant(problem)
        if gradient is None:
            continue
        asked += 1
        codes = {finding.code for finding in causes(problem, comparer, gradient)}
        assert codes, "the fault was not seen"
        assert codes <= {*mistake.codes, CAUSE_UNKNOWN}
        named += bool(codes & mistake.codes)
    assert named >= asked - 1
    assert named


@pytest.mark.parametrize("number", range(NETWORKS))
def test_a_right_gradient_has_no_cause(number: int) -> None:
    """Nothing is wrong, nothing is said."""
    problem, comparer = judged(number, ())
    assert causes(problem, comparer, comparer.estimate.value) == []


@pytest.mark.parametrize("size", [1e-6, 1e-4, 1e-2, 1.0])
@pytest.mark.parametrize("number", range(NETWORKS))
def test_what_nobody_knows_is_unknown(number: int, size: float) -> None:
    """Every component is off by a factor of its own, all to one side: no rule speaks."""
    problem, comparer = judged(number, ())
    rng = np.random.default_rng(number)
    gradient = comparer.estimate.value * (1 + size * rng.uniform(0.5, 1.5, problem.layout.size))
    found = causes(problem, comparer, gradient)
    assert [finding.code for finding in found] == [CAUSE_UNKNOWN]


def test_two_mistakes_have_two_causes() -> None:
    """The course's own exercise: dW2 x 2 and db1 x 4."""
    problem, comparer = judged(0, (("depth", 2),))
    gradient = problem.layout.unflatten(comparer.estimate.value.copy())
    gradient["W2"] *= 2
    gradient["b1"] *= 4
    found = causes(problem, comparer, problem.layout.flatten(gradient))
    assert [finding.code for finding in found] == ["XC201"]
    assert "W2: 2 x what it should be" in found[0].text
    assert "b1: 4 x what it should be" in found[0].text


@pytest.mark.parametrize(
    ("name", "code"), [("1/m missing", "XC203"), ("W2 x 2", "XC201"), ("penalty doubled", "XC211")]
)
def test_causes_in_float32(name: str, code: str) -> None:
    """Rounding is larger, and what explains the rest is named all the same."""
    fault = next(fault for fault in FAULTS if fault.name == name)
    report = verify(network(2), backends=[Planted(registry.get("numpy"), fault)], dtype="float32")
    assert [finding.code for finding in report.findings] == [code]


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


def messages(problem: Problem, estimate: Estimate, faulty: Vector) -> list[str]:
    """Return what is said about a gradient, with the names that the tensors have in a network."""
    comparer = Comparer(estimate, problem.layout, Tolerance())
    evaluation = Evaluation("numpy", estimate.loss, faulty)
    pairs = [comparer.with_oracle(evaluation)]
    found = diagnose_gradients([evaluation], pairs, comparer, theta=problem.theta, problem=problem)
    point = CheckedPoint(
        problem=problem,
        estimate=estimate,
        layers=layers_of(problem, estimate),
        tensors=tensor_coverage(problem.layout, estimate, comparer.confirmed([evaluation])),
        evaluations=[evaluation],
        dtype="float64",
        tolerance=comparer.tolerance,
    )
    said = [finding.text for finding in (*found.findings, *caveats_at(point))] + list(found.starts.values())
    for tensor in problem.layout:
        usual = f"{'W' if tensor.role == 'weight' else 'b'}{tensor.layer}"
        said = [text.replace(new_name(tensor), usual) for text in said]
    return said


@pytest.mark.parametrize("mistake", MISTAKES[::5], ids=lambda mistake: mistake.name)
def test_a_mistake_is_diagnosed_the_same_whatever_the_names(mistake: Mistake) -> None:
    """Findings, the place where the fault entered and the caveats are the same but for the names in them."""
    problem = network(1, **mistake.needs)
    faulty = mistake.plant(problem)
    if faulty is None:
        pytest.skip("the mistake cannot be made in this network")
    estimate = numerical_gradient(problem, OracleOptions(engine="loop"))
    said = messages(problem, estimate, faulty)
    assert said
    assert messages(renamed(problem), estimate, faulty) == said
