"""The run of a check of a network: progress, and the fixed step of the lecture."""

import pytest

from tests.checks.networks.test_check import DEFINITION
from xcheck import verify


@pytest.mark.parametrize("engine", ["auto", "loop", "batched", "structured", "node"])
def test_progress_reaches_its_end(engine: str) -> None:
    """The last call says that all is done, also where units are perturbed and not weights."""
    calls: list[tuple[int, int]] = []
    network = {"layers": [{"units": 30, "activation": "tanh"}, {"units": 3}], "loss": "softmax_cross_entropy"}
    definition = {"data": {"synthetic": {"inputs": 20, "examples": 16}}, "network": network}
    verify(definition, backends=["numpy"], engine=engine, progress=lambda *call: calls.append(call))
    assert calls[-1][0] == calls[-1][1]
    assert [done for done, _ in calls] == sorted(done for done, _ in calls)


@pytest.mark.parametrize("epsilon", [1e-7, 1e-4])
@pytest.mark.parametrize("difference", ["central", "forward"])
def test_the_lectures_fixed_step_agrees_too(epsilon: float, difference: str) -> None:
    """ε = 1e-7 and plain differences: wider bars, the same verdict."""
    assert verify(DEFINITION, epsilon=epsilon, difference=difference).ok
