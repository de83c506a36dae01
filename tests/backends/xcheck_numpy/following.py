"""Traces of losses in tests: made at one θ, carried out at another."""

from collections.abc import Callable
from typing import Any

import numpy as np

from xcheck.backend import registry
from xcheck.functions.arguments import read_arguments
from xcheck.functions.function import Function
from xcheck.trace import Trace, replay


def objective_of(loss: Callable[..., Any] | None, params: Any, *data: Any, **more: Any) -> Any:
    """Return a function of NumPy with its parameters."""
    function = Function(loss=loss, backend="numpy", forms=more)
    return registry.get("numpy").function_objective(function, read_arguments(params, data, registry.read))


def trace_of(loss: Callable[..., Any], params: Any, *data: Any) -> Trace:
    """Return the trace of a loss."""
    trace: Trace = objective_of(loss, params, *data).trace()
    return trace


def assert_followed(function: Callable[..., Any], x: Any) -> None:
    """Assert that the trace made at x gives what the function does also beside x: nothing that matters is a constant.

    What the function returns is weighed by numbers of its own, so that every element counts.
    """

    def loss(x: Any) -> Any:
        found = np.ravel(function(x))
        return np.sum(found * np.cos(1.0 + np.arange(found.size)))

    trace = trace_of(loss, x)
    for factor in (1.0, 1.0 + 2**-10):
        given = np.asarray(x) * factor
        [found] = replay(trace, [given])
        np.testing.assert_allclose(found, loss(given), rtol=1e-12, atol=1e-12)
    assert trace.operations
