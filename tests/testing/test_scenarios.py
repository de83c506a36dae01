"""No false alarm: a hundred random networks over all activations, losses, penalties and dropout."""

import pytest

from xcheck import verify
from xcheck.networks.network import ACTIVATIONS, LOSSES
from xcheck.testing import scenario, scenarios


@pytest.mark.parametrize("number", range(100))
def test_correct_gradients_agree(number: int) -> None:
    """All three witnesses agree with the oracle and with each other, on every component."""
    report = verify(scenario(number))
    assert report.verdict == "AGREE", str(report)
    assert all(pair.wrong == 0 for pair in report.pairs)


@pytest.mark.parametrize("number", range(0, 100, 4))
def test_correct_float32_gradients_agree(number: int) -> None:
    """In float32, with float32's tolerances, nobody is blamed."""
    report = verify(scenario(number), dtype="float32")
    assert report.verdict in ("AGREE", "UNDECIDED"), str(report)
    assert all(pair.wrong == 0 for pair in report.pairs)


def test_scenarios_meet_everything() -> None:
    """The hundred contain every activation with every loss, penalties, dropout, and units on a kink."""
    problems = list(scenarios(100))
    met = {(layer.activation, problem.network.loss) for problem in problems for layer in problem.network.layers}
    assert met >= {(activation, loss) for activation in ACTIVATIONS for loss in LOSSES}
    assert {problem.network.l2 for problem in problems} == {0.0, 0.7, 1000.0}
    assert any(problem.network.l1 for problem in problems)
    assert any(mask is not None for problem in problems for mask in problem.masks[1:])
    assert any(not row.any() for problem in problems for row in problem.inputs)
