"""Backward passes of traces: right as they are, and with a step replaced."""

import numpy as np
import pytest

from tests.backends.xcheck_numpy.following import trace_of
from tests.trace.made import cubes, operation, powers, value
from xcheck.trace import Constant, Trace, UntraceableError
from xcheck.trace.tape import Cotangents, Tape, spread_out

X = np.array([0.3, -1.7, 2.5])


def test_the_gradient_is_right() -> None:
    """Of Σ 2 x³ it is 6 x²."""
    np.testing.assert_allclose(Tape(cubes(), [X]).gradient(), 6 * X**2)


def test_a_step_is_replaced() -> None:
    """The factor 2 is forgotten, and what is below it changes."""
    tape = Tape(cubes(), [X])
    product = tape.trace.operations[1].outputs[0]
    steps = {1: lambda cotangents: [cotangents(product), None]}
    np.testing.assert_allclose(tape.gradient(steps), 3 * X**2)
    np.testing.assert_allclose(tape.gradient(), 6 * X**2)


def test_two_steps_are_replaced_together() -> None:
    """The lower one sees what the upper one has handed down."""
    tape = Tape(cubes(), [X])
    first, product = (operation.outputs[0] for operation in tape.trace.operations[:2])

    def nothing_of_two(cotangents: Cotangents) -> list[np.ndarray | None]:
        return [cotangents(product), None]

    np.testing.assert_allclose(tape.gradient({1: nothing_of_two, 0: lambda cotangents: [cotangents(first)]}), 1.0)


def test_a_step_that_hands_nothing_down() -> None:
    """None is a zero."""
    assert not Tape(cubes(), [X]).gradient({0: lambda cotangents: [None]}).any()


def test_elements_that_are_moved_keep_their_cotangents() -> None:
    """Transposed, padded, joined, repeated, and picked by number, some of them twice."""
    weights = np.arange(1.0, 10.0)

    def loss(p: dict[str, np.ndarray]) -> float:
        whole = np.concatenate([np.pad(p["x"].T, 1)[1:-1].ravel(), np.broadcast_to(p["y"], (2, 2)).ravel()[:1]])
        return float(np.sum(whole[[1, 2, 1, 5, 6, 8, 0, 3, 8]] ** 2 * weights))

    params = {"x": np.array([[0.3, -0.7], [1.1, 0.9]]), "y": np.array([0.4, 0.2])}
    trace = trace_of(loss, params)
    arrays = [params["x"], params["y"]]
    found, step = Tape(trace, arrays).gradient(), 1e-6
    for number in range(4):
        up, down = (params["x"] + sign * step * np.eye(4)[number].reshape(2, 2) for sign in (1, -1))
        slope = (loss({**params, "x": up}) - loss({**params, "x": down})) / (2 * step)
        assert found[number] == pytest.approx(slope, abs=1e-8)


def test_what_an_operation_repeats_on_its_own_is_summed() -> None:
    """JAX adds a row to every row of a matrix without a move: there is one for it."""
    x, row, both, total = value(2, 3), value(1, 3), value(2, 3), value()
    trace = Trace(
        inputs=(x, row),
        outputs=(total,),
        operations=(
            operation("mul", [x, row], both, np.multiply),
            operation("add", [both, Constant(np.ones((1, 3)))], (shifted := value(2, 3)), np.add),
            operation("sum", [shifted], total, np.sum, axes=(0, 1)),
        ),
    )
    matrix = np.arange(6.0).reshape(2, 3)
    found = Tape(trace, [matrix, X[None]]).gradient()
    np.testing.assert_allclose(found, np.concatenate([np.tile(X, 2), matrix.sum(0)]))
    assert [one.name for one in spread_out(trace).operations] == ["move", "mul", "add", "sum"]


def test_numbers_and_cotangents_are_kept() -> None:
    """What each operation reads, writes, gets and hands down."""
    tape = Tape(cubes(), [X])
    cubed = tape.trace.operations[0].outputs[0]
    np.testing.assert_allclose(tape.array(cubed), X**3)
    np.testing.assert_allclose(tape.cotangent(cubed), 2.0)
    np.testing.assert_allclose(tape.given[1][0], X**3)
    np.testing.assert_allclose(tape.written[1][0], 2 * X**3)


def test_loops_have_no_backward_pass() -> None:
    """They are not opened."""
    with pytest.raises(UntraceableError, match="no derivative"):
        Tape(powers(3), [np.array(1.1)])


def test_unknown_operations_have_no_backward_pass() -> None:
    """And none is made up."""
    with pytest.raises(UntraceableError, match="no derivative"):
        Tape(trace_of(np.linalg.det, np.eye(3) + 0.1), [np.eye(3) + 0.1])


def test_a_constant_has_no_backward_pass() -> None:
    """The loss does not depend on θ."""
    with pytest.raises(UntraceableError, match="does not depend"):
        Tape(
            Trace(
                inputs=cubes().inputs, outputs=(trace_of(lambda x: np.sum(0.0 * x.shape[0]), X).outputs), operations=()
            ),
            [X],
        )
