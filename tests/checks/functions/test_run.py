"""The run of a check of functions: reruns in float64, and what compares them."""

import numpy as np
import torch

from xcheck.checks.functions.check import prepare_functions
from xcheck.checks.functions.run import comparers, float64_estimate, run_functions


def test_narrow_parameters_are_asked_again_in_float64() -> None:
    """Known by the function they are a rerun of, compared with the rounding of float64."""
    check = prepare_functions(lambda p: (p**3).sum(), torch.tensor([1.0, 2.0, 3.0]), (), {})
    found = run_functions(check.implementations, check.arguments, check.options)
    assert [(rerun.name, rerun.rerun_of) for rerun in found.reruns] == [("torch in float64", "torch")]
    native, float64 = comparers(found, check.options)
    assert float64.tolerance < native.tolerance
    assert (float64_estimate(found).rounding.gradient < found.estimate.rounding.gradient).all()
    assert np.allclose(found.reruns[0].gradient, [3.0, 12.0, 27.0], rtol=1e-12)


def test_float64_needs_no_rerun() -> None:
    """It is what it is."""
    check = prepare_functions(lambda p: (p**3).sum(), torch.tensor([1.0, 2.0], dtype=torch.float64), (), {})
    found = run_functions(check.implementations, check.arguments, check.options)
    assert list(found.reruns) == []
    assert len(found.evaluations) == 1


def test_a_jacobian_is_its_outputs_one_after_the_other() -> None:
    """Each with its own cotangent, and names that say which."""
    check = prepare_functions(torch.sin, torch.tensor([1.0, 2.0], dtype=torch.float64), (), {"scope": "jacobian"})
    found = run_functions(check.implementations, check.arguments, check.options)
    assert [part.cotangent.tolist() for part in found.outputs if part.cotangent is not None] == [[1, 0], [0, 1]]
    assert [tensor.name for tensor in found.layout] == ["y[0] params", "y[1] params"]
    assert np.allclose(found.evaluations[0].gradient, np.diag(np.cos([1.0, 2.0])).ravel())
