"""What a framework may be able to do with a function: without an answer of its own nothing is known."""

import numpy as np
import pytest

from tests.backend.test_function_objective import made, numpy_function
from xcheck.errors import BackendError


def test_by_default_nothing_is_known() -> None:
    """NumPy has no second derivatives, no batches, and knows of no hooks, modes or samplers."""
    function = made(numpy_function())
    theta = np.array([1.0, 2.0, 3.0])
    assert function.batch(theta[None]) is None
    assert function.jacobian(theta) is None
    assert function.gradient_along_paths(theta) is None
    assert function.moved is None
    assert [*function.hooks(), *function.undone(), *function.cautions(), *function.own_code_behind_inputs()] == []
    with pytest.raises(BackendError, match="second derivatives"):
        function.hessian_product(theta, theta)
