"""Traces of losses of NumPy arrays: the same loss, slopes that differences confirm, and the person's lines."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.backends.xcheck_numpy.following import objective_of, trace_of
from tests.backends.xcheck_numpy.losses_people_write import CASES
from xcheck.backend import registry
from xcheck.certificates.decisions import NotProvedError
from xcheck.certificates.slopes import Slopes, prove_slopes
from xcheck.functions.arguments import read_arguments
from xcheck.functions.function import Function
from xcheck.trace import UntraceableError, replay

X = np.array([0.5, -1.0, 2.0])


def slopes_of(loss: Callable[..., Any], x: Any, direction: Any) -> Slopes:
    """Return what is proved of a loss of one array along a direction."""
    objective = objective_of(loss, x)
    flat = np.asarray(direction, np.float64).ravel()
    return prove_slopes(
        objective.trace(), objective.traced_arrays(objective.arguments.theta), [objective.traced_arrays(flat)]
    )


@pytest.mark.parametrize("name", CASES)
def test_losses_are_followed(name: str) -> None:
    """The trace gives NumPy's loss; its proved slope is that of fourth-order differences, to the digits they have."""
    loss, params = CASES[name]
    objective = objective_of(loss, params)
    theta = objective.arguments.theta
    arrays = objective.traced_arrays(theta)
    trace = objective.trace()
    own = objective.evaluate(theta)
    assert float(np.reshape(replay(trace, arrays)[0], ())) == pytest.approx(own, rel=1e-12, abs=1e-12)
    direction = np.random.default_rng(1).normal(size=theta.size)
    direction /= np.linalg.norm(direction)
    found = prove_slopes(trace, arrays, [objective.traced_arrays(direction)])
    assert not found.kinks
    assert float(found.value.mid()) == pytest.approx(own, rel=1e-12, abs=1e-12)
    step = 1e-3
    near, far = (
        objective.evaluate(theta + k * step * direction) - objective.evaluate(theta - k * step * direction)
        for k in (1, 2)
    )
    assert float(found.slopes[0].mid()) == pytest.approx((8 * near - far) / (12 * step), rel=1e-7, abs=1e-8 * abs(own))


def test_a_line_of_the_person_is_the_place() -> None:
    """Also where NumPy or this backend calls NumPy in between, and where a tracer's method is called."""

    def loss(x: Any) -> Any:
        spread = x.std()
        return np.var(x) * spread

    places = {operation.place for operation in trace_of(loss, X).operations}
    first = loss.__code__.co_firstlineno
    assert {place.line for place in places if place is not None} == {first + 1, first + 2}
    assert {place.file for place in places if place is not None} == {__file__}
    assert {place.function for place in places if place is not None} == {"loss"}


def _written_into_a_part(z: Any) -> Any:
    z.real[0] = 3.0
    return np.abs(z).sum()


@pytest.mark.parametrize(
    ("loss", "what"),
    [
        (lambda x: np.fft.rfftn(x, axes=(0, 0)).real.sum(), "a Fourier transform with these arguments"),
        (lambda x: np.linalg.eigvals(np.outer(x, x)).real.sum(), "`np.linalg.eigvals` cannot be followed"),
        (lambda x: np.abs(np.median(x + 1j)), "`np.median` of complex numbers cannot be followed"),
        (lambda x: (x * {"W": 1.0}).sum(), "an array with an object of type `dict` cannot be followed"),
        (lambda x: np.pad(x + 1j, 1, constant_values=2j).real.sum(), "a complex constant cannot be followed"),
        (lambda x: sum(map(complex, x)).real, r"`complex\(x\)` cannot be followed"),
        (lambda x: float(f"{x[0]:.2f}"), "could not convert string to float"),
        (lambda x: _written_into_a_part(x + 1j), "read-only"),
        (lambda x: x.tobytes()[0] * 1.0, "the method `tobytes` of an array cannot be followed"),
    ],
    ids=["fft", "eigenvalues", "a median", "an object", "a constant", "complex", "a text", "a part", "bytes"],
)
def test_what_cannot_be_followed_is_named(loss: Callable[..., Any], what: str) -> None:
    """By the function that NumPy was asked for, with the person's line."""
    with pytest.raises(UntraceableError, match=what):
        trace_of(loss, X)


def test_what_a_person_catches_is_said_all_the_same() -> None:
    """A loss that goes on without what could not be followed is another loss."""

    def loss(x: Any) -> Any:
        try:
            return complex(x[0]).real
        except Exception:  # noqa: BLE001 - what the test is about
            return x[1]

    with pytest.raises(UntraceableError, match="complex"):
        trace_of(loss, X)


def test_a_branch_is_proved_to_be_taken() -> None:
    """Away from its edge the slope is that of the branch."""

    def loss(x: Any) -> Any:
        return 3 * x[0] if x[1] < x[2] else x[0] ** 2

    found = slopes_of(loss, X, [1.0, 0.0, 0.0])
    assert found.slopes[0] == 3
    assert [operation.name for operation in trace_of(loss, X).operations].count("guard") == 1


@pytest.mark.parametrize(
    "loss",
    [
        lambda x: x[0] if x[0] > 0.5 else 2 * x[0],
        lambda x: max(x[0], 0.5),
        lambda x: np.sum(x[x > 0.5]),
        lambda x: x[0] * int(2 * x[0]),
    ],
    ids=["if", "max of Python", "a mask", "int"],
)
def test_nothing_is_proved_where_python_decides_at_an_edge(loss: Callable[..., Any]) -> None:
    """What a program would do just beside θ is not in the trace."""
    with pytest.raises(NotProvedError, match=r"exactly at (its edge|a jump)"):
        slopes_of(loss, X, [1.0, 0.0, 0.0])


def test_a_kink_of_numpys_own_functions_has_two_slopes() -> None:
    """Of `np.maximum` both sides are in the trace."""
    found = slopes_of(lambda x: np.maximum(x[0], 0.5), X, [1.0, 0.0, 0.0])
    assert (found.slopes[0], found.left) == (1, (0,))
    assert Path(__file__).name in found.kinks[0]


def test_python_numbers_are_parameters() -> None:
    """In a dict, with what Python does with them."""
    objective = objective_of(lambda p: p["a"] ** 2 / (1 + abs(p["b"])), {"a": 1.5, "b": -0.5})
    [found] = replay(objective.trace(), objective.traced_arrays(objective.arguments.theta))
    assert found == 1.5


def test_numbers_are_not_written_into() -> None:
    """`t = s; s += 1` leaves t as it was where s is a number of NumPy, and not where it is an array."""

    def of_numbers(x: Any) -> Any:
        s = x.sum()
        t = s
        s += x[0]
        return s * 10 + t

    def of_arrays(x: Any) -> Any:
        s = x * 1
        t = s
        s += x[0]
        return (s * 10 + t).sum()

    for loss in (of_numbers, of_arrays):
        [found] = replay(trace_of(loss, X), [X])
        assert found == loss(X)


def test_views_see_what_is_written() -> None:
    """Into the array that they look into, and the other way round, through any number of views."""

    def loss(x: Any) -> Any:
        y = (x * 2)[None, :]
        view = y.T[1:, 0]
        y[0, 1] = x[0] ** 2
        view *= 3
        view[1:][0] = x[1]
        return np.sum(y**2) + view.prod()

    [found] = replay(trace_of(loss, X), [X])
    assert found == loss(X)


def test_a_cotangent_makes_one_number_of_a_loss_that_is_an_array() -> None:
    """Σ v y."""
    function = Function(loss=lambda x: x**2, backend="numpy")
    weights = np.array([1.0, 0.0, -2.0])
    objective: Any = registry.get("numpy").function_objective(
        function, read_arguments(X, (), registry.read), cotangent=weights
    )
    [found] = replay(objective.trace(), [X])
    assert found == weights @ X**2


@pytest.mark.parametrize(
    "returned",
    [
        lambda W, b: {"b": b, "W": W},
        lambda W, b: {"W": W},
    ],
    ids=["named", "one is left out"],
)
def test_gradients_written_by_hand_are_followed(returned: Callable[..., Any]) -> None:
    """Their outputs stand in the order of the parameters, whatever the person's order; zeros for what is left out."""
    A = np.arange(6.0).reshape(3, 2)

    def loss(p: Any) -> Any:
        return np.sum((A @ p["W"] + p["b"]) ** 2)

    def gradient(p: Any) -> Any:
        r = 2 * (A @ p["W"] + p["b"])
        return returned(A.T @ r, r.sum(0))

    params = {"W": np.ones((2, 2)), "b": np.array([0.5, -1.0])}
    objective = objective_of(loss, params, gradient=gradient)
    trace = objective.gradient_trace()
    arrays = objective.traced_arrays(objective.arguments.theta)
    found = np.concatenate([np.ravel(one) for one in replay(trace, arrays)])
    assert np.allclose(found, objective.gradient_alone(objective.arguments.theta), rtol=1e-14)
    assert [one.shape for one in replay(trace, arrays)] == [(2, 2), (2,)]


def test_a_gradient_beside_its_loss_is_followed() -> None:
    """`value_and_gradient`, of one array."""
    objective = objective_of(None, X, value_and_gradient=lambda x: (np.sum(np.sin(x)), np.cos(x)))
    [found] = replay(objective.gradient_trace(), [X])
    assert np.array_equal(found, np.cos(X))


def test_without_a_gradient_there_is_no_trace_of_it() -> None:
    """NumPy has none of its own."""
    with pytest.raises(UntraceableError, match="no gradient written by hand"):
        objective_of(np.sum, X).gradient_trace()
