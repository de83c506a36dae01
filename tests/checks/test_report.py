"""The report as a value: its headline stands alone, and it counts what was proved."""

import numpy as np

import xcheck
from tests.checks.functions.layer import B
from xcheck.networks.problem import Problem


def test_a_passing_headline_says_on_how_much(problem: Problem) -> None:
    """All parameters, or how many of them."""
    report = xcheck.verify(problem, backends=["numpy"])
    assert report.headline == f"numpy agrees with the oracle on all {problem.layout.size} parameters"
    assert report.verified == report.components == problem.layout.size
    assert report.idle == ()


def test_a_failing_headline_names_the_worst_component() -> None:
    """Who, which component, by how much, how many."""
    report = xcheck.check(lambda p: (p**3).sum(), B, gradient=lambda p: 3 * p**2 * np.array([1.0, 1.5, 1.0]))
    assert report.headline == "numpy disagrees: p[1] is 1.5 x the oracle (1 of 3 wrong)"
    assert repr(report) == f"<Report DISAGREE function: {report.headline}>"


def test_what_proves_nothing_is_said() -> None:
    """A tensor that the loss does not move with agrees, and nothing of it is proved."""
    report = xcheck.check(
        lambda p: float((p["a"] ** 3).sum()),
        {"a": B, "b": np.ones(2)},
        gradient=lambda p: {"a": 3 * p["a"] ** 2, "b": np.zeros(2)},
    )
    assert report.ok
    assert (
        report.headline == "numpy agrees with the oracle on 3 of 5 parameters; b proves nothing: its gradient is zero"
    )
    assert [tensor.name for tensor in report.idle] == ["b"]


def test_a_loss_that_differs_comes_before_gradients(problem: Problem) -> None:
    """The headline is about the losses, although the gradients differ as well."""
    report = xcheck.check(
        {
            "a": xcheck.objective(lambda p: (p**2).sum(), "numpy", gradient=lambda p: 2 * p),
            "b": xcheck.objective(lambda p: (p**4).sum(), "numpy", gradient=lambda p: 4 * p**3),
        },
        B,
    )
    assert "different losses" in report.headline or "another loss" in report.headline
