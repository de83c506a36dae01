"""A check that is done: networks and functions look alike."""

import numpy as np
import pytest
import torch

import xcheck
from tests.checks.functions.layer import B
from xcheck.checks.completed import require_one_gradient
from xcheck.checks.prepare import prepare
from xcheck.errors import DefinitionError
from xcheck.networks.problem import Problem


def test_networks_and_functions_look_alike(problem: Problem) -> None:
    """Every witness has a whole gradient and a pair; the real loss can be differenced along any line."""
    function = xcheck.objective(lambda p: (p**3).sum(), "numpy", gradient=lambda p: 3 * p**2)
    for check in (prepare(problem, None, (), ["numpy", "torch"], {}), prepare(function, B, (), None, {})):
        done = check.run()
        assert [done.pair(witness).a for witness in done.witnesses] == [witness.name for witness in done.witnesses]
        assert all(witness.whole.gradient.shape == done.theta.shape for witness in done.witnesses)
        assert done.engine is not None
        slope = done.engine().both_sides(np.array([0]), [np.array([1e-4])])[0][0].slope[0]
        assert slope == pytest.approx(done.estimate.value[0], rel=1e-2, abs=1e-3)


def test_a_jacobian_has_a_gradient_for_every_output() -> None:
    """Which is why one component of "the" gradient cannot be explained."""
    done = prepare(torch.sin, torch.tensor(B), (), None, {"scope": "jacobian"}).run()
    assert done.outputs == B.size
    assert done.report.ok
    with pytest.raises(DefinitionError, match="every output has a gradient of its own"):
        require_one_gradient(done)
    with pytest.raises(DefinitionError, match="every output has a gradient of its own"):
        xcheck.selftest(torch.sin, torch.tensor(B), scope="jacobian")
