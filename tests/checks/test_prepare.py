"""Reading whatever can be checked: networks, cases and functions give checks that run alike."""

from typing import Any

import pytest

import xcheck
from tests.checks.functions.layer import B
from xcheck.checks.completed import CompletedCheck
from xcheck.checks.functions.check import FunctionCheck
from xcheck.checks.networks.check import NetworkCheck
from xcheck.checks.prepare import prepare
from xcheck.networks.problem import Problem


def cube(p: Any) -> Any:
    """Σ p³."""
    return (p**3).sum()


def slope(p: Any) -> Any:
    """Its gradient."""
    return 3 * p**2


def test_a_network(problem: Problem) -> None:
    """A `Problem`, by the witnesses that were named."""
    check = prepare(problem, None, (), ["numpy"], {})
    assert isinstance(check, NetworkCheck)
    done = check.run()
    assert isinstance(done, CompletedCheck)
    assert list(done.report.losses) == ["numpy"]


@pytest.mark.parametrize(
    "model",
    [xcheck.objective(cube, "numpy", gradient=slope), {"mine": xcheck.objective(cube, "numpy", gradient=slope)}],
    ids=["a function", "a dict"],
)
def test_functions(model: Any) -> None:
    """One or several, with their settings."""
    check = prepare(model, B, (), None, {"seed": 5})
    assert isinstance(check, FunctionCheck)
    done = check.run()
    assert isinstance(done, CompletedCheck)
    assert done.report.ok
    assert done.report.seed == 5


def test_a_case() -> None:
    """With settings of its own, which those that are given override."""
    case = xcheck.Case(xcheck.objective(cube, "numpy", gradient=slope), B, settings={"seed": 5, "worst": 1})
    report = prepare(case, None, (), None, {"seed": 6}).run().report
    assert report.seed == 6
    assert len(report.pairs[0].worst) == 1


def test_a_name_is_a_list_of_one(problem: Problem) -> None:
    """`backends="numpy"` means that witness."""
    assert list(prepare(problem, None, (), "numpy", {}).run().report.losses) == ["numpy"]
