"""Evidence to propose hypotheses from: a wrong gradient beside a right one, of people's functions and of networks."""

import copy
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from tests.diagnose.faults import network
from xcheck import Report, verify
from xcheck.backend import registry
from xcheck.compare.comparer import Comparer
from xcheck.compare.evaluation import Evaluation
from xcheck.compare.tolerance import Tolerance
from xcheck.diagnose import Evidence, Hypothesis, explains
from xcheck.layout import Layout, Tensor, Vector
from xcheck.networks.problem import Problem
from xcheck.oracle import OracleOptions, numerical_gradient
from xcheck.testing import Fault, Planted

Arrays = dict[str, Vector]


def evidence_of(gradient: Arrays, trusted: Arrays, theta: Arrays | None = None, **known: object) -> Evidence:
    """Return the evidence against a gradient of a person's function that is known to 1e-12."""
    layout = Layout.of({name: array.shape for name, array in trusted.items()})
    g, r = layout.flatten(gradient), layout.flatten(trusted)
    return Evidence(
        witness="numpy",
        layout=layout,
        theta=np.ones(layout.size) if theta is None else layout.flatten(theta),
        gradient=g,
        trusted=r,
        uncertainty=np.full(layout.size, 1e-12),
        magnitude=np.abs(r),
        wrong=~(np.abs(g - r) <= 1e-7 * np.abs(r) + 1e-12),
        tolerance=1e-7,
        roundoff=2.0**-53,
        **known,  # type: ignore[arg-type] # fields by name
    )


def evidence_in_network(change: Callable[[Arrays, Problem], None], number: int = 0, **needs: Any) -> Evidence:
    """Return the evidence against a gradient of a declared network, in which something was changed in place."""
    problem = network(number, **needs)
    estimate = numerical_gradient(problem, OracleOptions(engine="loop"))
    gradient = problem.layout.unflatten(estimate.value.copy())
    change(gradient, problem)
    comparer = Comparer(estimate, problem.layout, Tolerance())
    evaluation = Evaluation("numpy", estimate.loss, problem.layout.flatten(gradient))
    return Evidence.against(evaluation, comparer, theta=problem.theta, problem=problem)


def explaining(evidence: Evidence, hypotheses: Iterable[Hypothesis]) -> list[Hypothesis]:
    """Return the hypotheses that explain the residual of all wrong tensors."""
    names = {tensor.name for tensor in evidence.wrong_tensors}
    return [each for each in hypotheses if explains(evidence, each) and names <= set(each.tensors)]


def texts(evidence: Evidence, hypotheses: Iterable[Hypothesis]) -> list[str]:
    """Return what these say."""
    return [each.text for each in explaining(evidence, hypotheses)]


rng = np.random.default_rng(0)
W, V, K = rng.standard_normal((4, 4)), rng.standard_normal((3, 4)), rng.standard_normal((3, 5, 2))


def spoiled(problem: Problem, change: Callable[[Vector, np.random.Generator], Vector], **settings: Any) -> Report:
    """The report about a NumPy witness whose whole gradient is changed."""

    def spoil(gradient: dict[str, Vector], problem: Problem) -> None:
        for number, array in enumerate(gradient.values()):
            array[...] = change(array, np.random.default_rng(number))

    return verify(problem, backends=[Planted(registry.get("numpy"), Fault("some", "", spoil)), "torch"], **settings)


def causes(report: Report) -> set[str]:
    """Codes of the causes."""
    return {finding.code for finding in report.findings if finding.code.startswith("XC2")}


def renamed(problem: Problem) -> Problem:
    """Return the same network with other names for its tensors."""
    other = copy.copy(problem)
    object.__setattr__(other, "layout", Layout(tuple(replace(t, name=new_name(t)) for t in problem.layout)))
    return other


def new_name(tensor: Tensor) -> str:
    """Return a name without a number, such as "Weights of c"."""
    return f"{'Weights' if tensor.role == 'weight' else 'shifts'} of {'abcdef'[tensor.layer or 0]}"
