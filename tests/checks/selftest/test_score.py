"""What a self-test says of faults that change nothing, and of the smallest error that is seen."""

import numpy as np

import xcheck
from xcheck.backend import registry
from xcheck.checks.selftest.score import FaultOutcome
from xcheck.networks.network import Dense, Network
from xcheck.networks.problem import Problem
from xcheck.testing import FAULTS, Fault, Planted
from xcheck.testing.faults import Gradient


def test_what_changes_nothing_is_not_counted_as_found() -> None:
    """Without a penalty no fault of the penalty applies; without dropout none of dropout."""
    rng = np.random.default_rng(0)
    network = Network(inputs=3, layers=(Dense(units=4, activation="tanh"), Dense(units=2)), loss="mean_squared_error")
    found = xcheck.selftest(
        Problem.create(network, rng.standard_normal((5, 3)), rng.standard_normal((5, 2))), backends="numpy"
    )
    classes = {one.kind: one for one in found.classes}
    assert (classes["penalty"].applicable, classes["dropout"].applicable) == (0, 0)
    assert classes["penalty"].inapplicable == sum(fault.kind == "penalty" for fault in FAULTS)
    assert found.ok
    assert found.whole.killed == found.whole.applicable < len(FAULTS)


def test_one_example_has_no_wrong_mean() -> None:
    """With m = 1 the faults of the mean change nothing, and none of them fails."""
    network = Network(inputs=2, layers=(Dense(units=1),), loss="mean_squared_error")
    found = xcheck.selftest(Problem.create(network, [[1.0, 2.0]], [[3.0]]), backends="numpy")
    assert {one.outcome for one in found.results if one.kind == "mean and sum"} == {FaultOutcome.INAPPLICABLE}


def test_a_limit_is_where_a_check_begins_to_see(problem: Problem) -> None:
    """An error 10 % above the worst limit of a tensor is seen in that component, one 10 % below is not."""
    found = xcheck.selftest(problem, backends="numpy")
    limit = next(one for one in found.limits if one.tensor == "W2")
    row, column = (int(part) for part in limit.component.removeprefix("W2[").removesuffix("]").split(","))
    verdicts = []
    for factor in (0.9, 1.1):

        def change(gradient: Gradient, problem: Problem, off: float = factor * limit.worst) -> None:
            gradient["W2"][row, column] *= 1 + off

        spoiled = Planted(registry.get("numpy"), Fault("at the limit", "support", change))
        verdicts.append(xcheck.verify(problem, backends=[spoiled]).verdict)
    assert verdicts == ["AGREE", "DISAGREE"]


def test_a_component_that_is_zero_is_hidden() -> None:
    """A blank input: its weight has gradient zero, and no relative error."""
    network = Network(inputs=2, layers=(Dense(units=1),), loss="mean_squared_error")
    found = xcheck.selftest(Problem.create(network, [[1.0, 0.0]], [[3.0]]), backends="numpy")
    limit = found.limits[0]
    assert (limit.tensor, limit.hidden, limit.of) == ("W1", 1, 2)
    assert limit.absolute < 1e-9
    assert "hidden components are zero, at a kink" in str(found).replace("\n  ", " ")
