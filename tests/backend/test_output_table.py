"""All outputs of a loss at once: what the first is answered with answers the others."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import xcheck
from xcheck import Verdict
from xcheck.backend.output_table import OutputTable


class Doubles:
    """Two outputs, 2 θ, which counts how often it is called."""

    def __init__(self, *, able: bool = True) -> None:
        self.cotangent, self.able, self.calls = np.array([1.0, 0.0]), able, 0

    def outputs(self, thetas: Any) -> Any:
        """Both outputs at each θ."""
        self.calls += 1
        return 2 * thetas if self.able else None

    def rows(self, theta: Any) -> Any:
        """Both outputs and both gradients; another one in each call."""
        self.calls += 1
        return (2 * theta, self.calls * np.eye(2)) if self.able else None


def asked(table: OutputTable, function: Any, output: int, theta: Any) -> Any:
    """The answer for one output."""
    function.cotangent = np.eye(2)[output]
    return table.gradient(function, theta)


def test_losses_are_called_for_once() -> None:
    """For both outputs, at the same θ; at others again."""
    table, function, thetas = OutputTable(2, 2), Doubles(), np.array([[1.0, 3.0], [2.0, 5.0]])
    for output, expected in enumerate([[2.0, 4.0], [6.0, 10.0]]):
        function.cotangent = np.eye(2)[output]
        np.testing.assert_array_equal(table.losses(function, thetas), expected)  # type: ignore[arg-type]
    assert function.calls == 1
    table.losses(function, thetas + 1)  # type: ignore[arg-type]
    assert function.calls == 2


def test_the_second_call_for_an_output_is_a_second_call() -> None:
    """A function that gives another answer each time is not hidden by the table."""
    table, function, theta = OutputTable(2, 2), Doubles(), np.array([1.0, 3.0])
    first, second = asked(table, function, 0, theta), asked(table, function, 0, theta)
    assert function.calls == 2
    assert (first[1][0], second[1][0]) == (1.0, 2.0)
    assert asked(table, function, 1, theta)[1].tolist() == [0.0, 1.0]
    assert asked(table, function, 1, theta + 1) is None  # the first was asked for elsewhere: called for itself
    assert function.calls == 2


def test_what_cannot_give_all_at_once_is_asked_no_more() -> None:
    """None, and one call each."""
    table, function = OutputTable(2, 2), Doubles(able=False)
    for _ in range(2):
        assert table.losses(function, np.ones((2, 2))) is None  # type: ignore[arg-type]
        assert asked(table, function, 0, np.ones(2)) is None
    assert function.calls == 2


def test_all_outputs_and_all_calls_can_be_had() -> None:
    """For those that look at all outputs together: no call is made for them."""
    table, function, theta = OutputTable(2, 2), Doubles(), np.array([1.0, 3.0])
    table.losses(function, theta[None])  # type: ignore[arg-type]
    np.testing.assert_array_equal(table.all_losses(function, theta[None]), [[2.0, 6.0]])  # type: ignore[arg-type]
    assert table.calls == []
    asked(table, function, 0, theta)
    ((where, outputs, gradients),) = table.calls
    assert (where.tolist(), outputs.tolist(), gradients.tolist()) == ([1.0, 3.0], [2.0, 6.0], [[2.0, 0.0], [0.0, 2.0]])
    assert function.calls == 2
    assert OutputTable(2, 2).all_losses(Doubles(able=False), theta[None]) is None  # type: ignore[arg-type]


@jax.custom_vjp  # type: ignore[untyped-decorator]  # JAX says nothing of what it returns
def _square(x: Any) -> Any:
    return x**2


def _square_forward(x: Any) -> Any:
    return x**2, x


def _square_backward(x: Any, v: Any) -> Any:
    # Wrong in the third output alone.
    return (2 * x * v * jnp.array([1.0, 1.0, 1.001, 1.0]),)


_square.defvjp(_square_forward, _square_backward)


@pytest.mark.parametrize("batched", [True, False], ids=["at once", "a function that cannot be traced"])
def test_a_wrong_output_is_found_among_right_ones(batched: bool) -> None:
    """And only that one is called wrong."""

    def loss(p: Any) -> Any:
        if not batched and p[0] > 1e6:  # looks at a value
            return p
        return _square(p)

    with jax.enable_x64(True):
        report = xcheck.check(loss, jnp.array([0.5, 1.5, 2.5, 3.5]), scope="jacobian")
    assert report.verdict is Verdict.DISAGREE
    assert [str(one.location) for one in report.pairs[0].worst if abs(one.a - one.b) > 1e-6] == ["y[2] p[2]"]


def test_a_jacobian_is_traced_a_few_times_whatever_its_outputs() -> None:
    """Eight outputs and eighty take as many traces."""
    traces = []

    def loss(p: Any, x: Any) -> Any:
        traces.append(1)
        return p[0] * jnp.exp(p[1] * x)

    counts = []
    with jax.enable_x64(True):
        for outputs in (8, 80):
            traces.clear()
            assert xcheck.check(loss, jnp.array([0.5, 1.5]), (jnp.linspace(0.1, 1, outputs),), scope="jacobian").ok
            counts.append(len(traces))
    assert counts[0] == counts[1] < 20
