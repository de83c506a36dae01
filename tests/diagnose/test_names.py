"""Tensors of a declared network are known by layer and role: their names are for people, and change nothing."""

import copy
from dataclasses import replace

import numpy as np
import pytest

from tests.diagnose.faults import MISTAKES, Mistake, network
from xcheck.caveats import CheckedPoint, caveats_at
from xcheck.caveats.layers import layers_of
from xcheck.compare.comparer import Comparer
from xcheck.compare.coverage import tensor_coverage
from xcheck.compare.evaluation import Evaluation
from xcheck.compare.tolerance import Tolerance
from xcheck.diagnose import diagnosis_of
from xcheck.layout import Layout, Tensor
from xcheck.networks.problem import Problem
from xcheck.oracle import Estimate, OracleOptions, numerical_gradient
from xcheck.testing import FAULTS, Fault


def renamed(problem: Problem) -> Problem:
    """Return the same network with other names for its tensors."""
    other = copy.copy(problem)
    object.__setattr__(other, "layout", Layout(tuple(replace(t, name=new_name(t)) for t in problem.layout)))
    return other


def new_name(tensor: Tensor) -> str:
    """Return a name without a number, such as "Weights of c"."""
    return f"{'Weights' if tensor.role == 'weight' else 'shifts'} of {'abcdef'[tensor.layer or 0]}"


def messages(problem: Problem, estimate: Estimate, faulty: np.ndarray) -> list[str]:
    """Return what is said about a gradient, with the names that the tensors have in a network."""
    comparer = Comparer(estimate, problem.layout, Tolerance())
    evaluation = Evaluation("numpy", estimate.loss, faulty)
    pairs = [comparer.with_oracle(evaluation)]
    found = diagnosis_of([evaluation], pairs, comparer, theta=problem.theta, problem=problem)
    point = CheckedPoint(
        problem=problem,
        estimate=estimate,
        layers=layers_of(problem, estimate),
        tensors=tensor_coverage(problem.layout, estimate, comparer.settled([evaluation])),
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


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_is_planted_in_the_same_components_whatever_the_names(fault: Fault) -> None:
    """The faulty gradient is the same to the last bit."""
    problem = network(3, depth=2)
    gradient = np.random.default_rng(0).standard_normal(problem.layout.size)
    assert np.array_equal(fault.plant(renamed(problem), gradient), fault.plant(problem, gradient), equal_nan=True)
