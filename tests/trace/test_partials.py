"""Partial derivatives beside differences of the operations themselves."""

from typing import Any

import numpy as np
import pytest

from xcheck.trace.in_numpy import FUNCTIONS
from xcheck.trace.partials import HANDED, PARTIALS

X = np.array([0.3, 0.7, 0.45, 0.9])
Y = np.array([0.8, 0.2, 1.3, 0.6])
OTHERS: dict[str, Any] = {
    "div": lambda attributes, a, b: np.divide(a, b),
    "logaddexp": lambda attributes, a, b: np.logaddexp(a, b),
    "hypot": lambda attributes, a, b: np.hypot(a, b),
    "select": lambda attributes, which, a, b: np.where(which, b, a),
    "round": lambda attributes, x: np.round(x),
    "rint": lambda attributes, x: np.rint(x),
    "trunc": lambda attributes, x: np.trunc(x),
}
TWO = ("add", "sub", "mul", "div", "pow", "max", "min", "logaddexp", "hypot")
STEP = 1e-6


@pytest.mark.parametrize("name", [name for name in PARTIALS if name != "stop_gradient"])
def test_partials_are_slopes(name: str) -> None:
    """Each moved by itself, up and down."""
    function, attributes = {**FUNCTIONS, **OTHERS}[name], {"y": 3}
    given = [X, Y] if name in TWO else [np.array([0, 1, 1, 0]), X, Y] if name == "select" else [X]
    partials = PARTIALS[name](attributes, given, function(attributes, *given))
    assert len(partials) == len(given)
    for place, partial in enumerate(partials):
        if partial is None:
            assert given[place].dtype.kind == "i"
            continue
        up, down = ([x + sign * STEP * (n == place) for n, x in enumerate(given)] for sign in (1, -1))
        slope = (function(attributes, *up) - function(attributes, *down)) / (2 * STEP)
        np.testing.assert_allclose(np.broadcast_to(partial, X.shape), slope, rtol=1e-7, atol=1e-8)


def test_a_stopped_gradient_is_zero() -> None:
    """Whatever the function does."""
    assert not PARTIALS["stop_gradient"]({}, [X], X)[0].any()  # type: ignore[union-attr] # it has one


@pytest.mark.parametrize("name", ["sum", "reduce_max", "reduce_min", "logsumexp", "cumsum", "dot"])
@pytest.mark.parametrize("reverse", [False, True])
def test_what_is_handed_down_is_the_slope_of_a_weighted_sum(name: str, reverse: bool) -> None:
    """Of what comes in and the operation's result, along a random move."""
    rng = np.random.default_rng(0)
    attributes = {"axes": (1,), "axis": 1, "reverse": reverse}
    given = [rng.standard_normal((2, 3, 4))] + ([rng.standard_normal((2, 4, 5))] if name == "dot" else [])

    def function(*arrays: Any) -> Any:
        return np.log(np.exp(arrays[0]).sum(1)) if name == "logsumexp" else FUNCTIONS[name](attributes, *arrays)

    y = function(*given)
    weights, moves = rng.standard_normal(y.shape), [rng.standard_normal(x.shape) for x in given]
    found = HANDED[name](attributes, given, y, weights)
    up, down = ([x + sign * STEP * u for x, u in zip(given, moves, strict=True)] for sign in (1, -1))
    slope = (weights * (function(*up) - function(*down))).sum() / (2 * STEP)
    claimed = sum(float((x * u).sum()) for x, u in zip(found, moves, strict=True) if x is not None)
    assert claimed == pytest.approx(slope, rel=1e-7)
