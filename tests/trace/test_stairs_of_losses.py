"""Whether huge numbers make a staircase of a loss in 64 bits."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import xcheck
from xcheck.backend import registry
from xcheck.backend.function_objective import FunctionObjective
from xcheck.dtypes import FLOAT64
from xcheck.functions.arguments import read_arguments
from xcheck.trace.absorption import roundoff_of_stairs


def fails_to_be_traced(x: Any) -> Any:
    """A loss whose numbers leave as text."""
    return float(str(float(x[0]))) * x.sum()


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (lambda x: ((x + 1e9) - 1e9).sum(), FLOAT64),
        (lambda x: (x + 1.0).sum(), 0.0),
        (lambda x: np.round((x + 1e9) - 1e9, 3).sum(), None),
        (fails_to_be_traced, 0.0),
    ],
    ids=["huge", "plain", "rounded as well", "not traced"],
)
def test_stairs_beside_huge_numbers(loss: Callable[[Any], Any], expected: float | None) -> None:
    """They are known where the loss can be traced, and where nothing else is flat."""
    x = np.array([0.7, 1.3])
    arguments = read_arguments(x, (), registry.read)
    function = xcheck.objective(loss, "numpy", gradient=np.ones_like)
    made = registry.get("numpy").function_objective(function, arguments)
    assert isinstance(made, FunctionObjective)
    assert roundoff_of_stairs(made.trace, made.traced_arrays, x) == expected
