"""Reports are assembled alike for networks and functions: what is said first, and what decides."""

import numpy as np
import torch

import xcheck
from tests.fakes import Answering, Fake
from xcheck.backend.contract import Objective
from xcheck.dtypes import DtypeName
from xcheck.findings import BACKEND_FAILED, LOSSES_DIFFER
from xcheck.layout import Vector
from xcheck.networks.problem import Problem
from xcheck.verdict import Verdict


class Broken(Fake):
    """A witness that raises."""

    name = "broken"

    def network_objective(self, problem: Problem, *, device: str = "cpu", dtype: DtypeName = "float64") -> Objective:
        def answer(theta: Vector) -> tuple[float, Vector]:
            raise ZeroDivisionError("division by zero")

        return Answering(self.name, problem.layout.size, answer)


class Doubling(Fake):
    """A witness whose loss and gradient are twice what they should be."""

    name = "doubling"

    def network_objective(self, problem: Problem, *, device: str = "cpu", dtype: DtypeName = "float64") -> Objective:
        from tests.fakes import numpy_answer

        says = numpy_answer(problem, dtype)
        return Answering(self.name, problem.layout.size, lambda theta: tuple(2 * part for part in says(theta)))  # type: ignore[arg-type,return-value]  # two parts


def test_a_failure_comes_first_and_decides(problem: Problem) -> None:
    """Before a loss that differs, and whatever the others say: a crash never looks like a disagreement."""
    report = xcheck.verify(problem, backends=["numpy", Doubling(), Broken()])
    assert report.verdict is Verdict.ERROR
    assert [finding.code for finding in report.findings][:2] == [BACKEND_FAILED, LOSSES_DIFFER]
    assert list(report.losses) == ["numpy", "doubling"]
    assert list(report.seconds) == ["numpy", "doubling"]


def test_pairs_with_the_oracle_come_first(problem: Problem) -> None:
    """Then the witnesses among themselves."""
    report = xcheck.verify(problem, backends=["numpy", "torch", "jax"])
    oracle, others = report.pairs[:3], report.pairs[3:]
    assert [(pair.a, pair.b) for pair in oracle] == [("numpy", "oracle"), ("torch", "oracle"), ("jax", "oracle")]
    assert [(pair.a, pair.b) for pair in others] == [("numpy", "torch"), ("numpy", "jax"), ("torch", "jax")]


def test_a_rerun_may_show_a_mistake_and_no_more() -> None:
    """Functions in float32 are asked again in float64: there is a pair of it, and it is no further witness."""
    report = xcheck.check(lambda p: (p**3).sum(), torch.tensor([1.0, 2.0]))
    assert report.ok
    assert [pair.a for pair in report.pairs] == ["torch", "torch in float64"]
    assert report.odd_one_out == ()


def test_nobody_answers() -> None:
    """Is an error, and nothing is compared."""

    def raises(p: np.ndarray) -> float:
        raise ZeroDivisionError("division by zero")

    report = xcheck.check(raises, np.ones(2), gradient=raises)
    assert report.verdict is Verdict.ERROR
    assert report.pairs == ()
    assert BACKEND_FAILED in [finding.code for finding in report.findings]
