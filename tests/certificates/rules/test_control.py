"""Loops and branches: their bodies are evaluated as the trace around them is."""

from typing import Any

import numpy as np
import pytest

from tests.certificates.programs import Program, floats
from tests.certificates.rules.reference import along
from xcheck.certificates.balls import Balls, constant
from xcheck.certificates.decisions import Decisions, KinkError
from xcheck.certificates.evaluate import evaluate
from xcheck.trace import Operation, Trace, Value


def run(name: str, given: list[Any], outputs: tuple[Value, ...], **attributes: Any) -> list[Any]:
    """Evaluate one operation that has bodies."""
    inputs = tuple(
        Value(one.shape, "float64" if isinstance(one, Balls) else str(np.asarray(one).dtype)) for one in given
    )
    operation = Operation(name=name, inputs=inputs, outputs=outputs, run=lambda: (), attributes=attributes)
    return evaluate(Trace(inputs=inputs, outputs=outputs, operations=(operation,)), given, Decisions(), {})


def body(build: Any, *shapes: tuple[int, ...]) -> Trace:
    """A body on floats."""
    program = Program(*shapes)
    return program.trace(*build(program, *program.inputs))


@pytest.mark.parametrize("reverse", [True, False])
def test_scan(reverse: bool) -> None:
    """c -> a c + x, for each x, from either end; what is stacked is in the order of the inputs."""

    def step(p: Program, a: Value, c: Value, x: Value) -> Any:
        after = p.do("add", p.do("mul", a, c), x)
        return after, p.do("mul", after, 1.0)

    outputs = (Value((), "float64"), Value((3,), "float64"))
    given = [along(2.0, 1.0), along(1.0, 0.0), along([1.0, 2.0, 3.0], 0.0)]
    carry, stacked = run(
        "scan", given, outputs, body=body(step, (), (), ()), constants=1, carry=1, length=3, reverse=reverse
    )
    rows, a, c, slope = [], 2.0, 1.0, 0.0
    for x in (3.0, 2.0, 1.0) if reverse else (1.0, 2.0, 3.0):
        c, slope = a * c + x, c + a * slope
        rows.append(c)
    assert floats([carry.values[()], carry.slopes[0][()]]) == [c, slope]
    assert floats(stacked.values) == (rows[::-1] if reverse else rows)


def test_scan_without_steps() -> None:
    """The carry as it was, and nothing stacked."""
    outputs = (Value((), "float64"), Value((0,), "float64"), Value((0,), "int32"))
    carry, stacked, numbers = run(
        "scan",
        [along(1.0, 2.0)],
        outputs,
        body=body(lambda p, c: (c, c, c), ()),
        constants=0,
        carry=1,
        length=0,
        reverse=False,
    )
    assert (float(carry.values), stacked.shape, numbers.dtype) == (1.0, (0,), np.int32)


def doubling(limit: float, shape: tuple[int, ...] = ()) -> dict[str, Any]:
    """Twice as much, as long as it is below a limit."""
    condition = Program(shape)
    holds = condition.test("lt", condition.inputs[0], np.full(shape, limit), shape=shape)
    twice = body(lambda p, x: (p.do("mul", x, np.full(shape, 2.0), shape=shape),), shape)
    return {"condition": condition.trace(holds), "body": twice, "constants": (0, 0)}


def test_while() -> None:
    """As long as the condition holds for certain."""
    [found] = run("while", [along(3.0, 1.0)], (Value((), "float64"),), **doubling(20.0))
    assert (float(found.values), float(found.slopes[0])) == (24.0, 8.0)


def test_a_condition_that_is_a_tie() -> None:
    """How often the loop runs depends on the side."""
    with pytest.raises(KinkError):
        run("while", [along(3.0, 1.0)], (Value((), "float64"),), **doubling(24.0))


def test_a_batch_stops_one_by_one() -> None:
    """What has stopped stays as it is."""
    [found] = run("while", [along([3.0, 15.0, 50.0], 1.0)], (Value((3,), "float64"),), **doubling(20.0, (3,)))
    assert floats(found.values) == [24.0, 30.0, 50.0]
    assert floats(found.slopes[0]) == [8.0, 2.0, 1.0]


def test_a_batch_of_integers_stops_one_by_one() -> None:
    """The same for numbers that count."""
    condition, count = Program((2,), dtype="int64"), Program((2,), dtype="int64")
    holds = condition.do("lt", *condition.inputs, shape=(2,), dtype="bool", run=lambda x: (x < np.array([2, 5]),))
    more = count.do("add", *count.inputs, shape=(2,), dtype="int64", run=lambda x: (x + 1,))
    attributes = {"condition": condition.trace(holds), "body": count.trace(more), "constants": (0, 0)}
    inputs = (Value((2,), "int64"), Value((), "float64"))
    # A floating input beside them: integers alone are the framework's own business.
    through = Trace(inputs=(*count.inputs, inputs[1]), outputs=(more, inputs[1]), operations=tuple(count.operations))
    held = Trace(inputs=(*condition.inputs, inputs[1]), outputs=(holds,), operations=tuple(condition.operations))
    outputs = (Value((2,), "int64"), Value((), "float64"))
    attributes |= {"body": through, "condition": held}
    operation = Operation(name="while", inputs=inputs, outputs=outputs, run=lambda: (), attributes=attributes)
    trace = Trace(inputs=inputs, outputs=outputs, operations=(operation,))
    found = evaluate(trace, [np.zeros(2, int), constant(1.0)], Decisions(), {})
    assert np.asarray(found[0]).tolist() == [2, 5]


@pytest.mark.parametrize(("number", "slope"), [(0, 2.0), (1, 3.0), (7, 3.0), (-1, 2.0)])
def test_branches(number: int, slope: float) -> None:
    """A number outside is the nearest that there is."""
    branches = [body(lambda p, x, f=f: (p.do("mul", x, f),), ()) for f in (2.0, 3.0)]
    [found] = run("cond", [np.array(number), along(1.0, 1.0)], (Value((), "float64"),), branches=branches)
    assert float(found.slopes[0]) == slope
