"""Loops of numbers: the order of what is carried and stacked, and what stops."""

from typing import Any

import numpy as np

from tests.trace.made import operation, powers, value
from xcheck.trace import Operation, Trace, replay
from xcheck.trace.loops import Loops

LOOPS: Loops[Any] = Loops(
    run=replay,
    item=lambda one, number: one[number],
    stack=np.stack,
    nothing=lambda output: np.zeros(output.shape),
    where=np.where,
)


def summing(length: int, *, reverse: bool) -> Operation:
    """A scan that carries sums, and stacks them."""
    carry, x, total = value(), value(), value()
    body = Trace(inputs=(carry, x), outputs=(total, total), operations=(operation("add", [carry, x], total, np.add),))
    return Operation(
        name="scan",
        inputs=(),
        outputs=(value(), value(length)),
        run=lambda: (),
        attributes={"body": body, "constants": 0, "carry": 1, "length": length, "reverse": reverse},
    )


def test_a_scan_goes_forwards_or_backwards() -> None:
    """What is stacked stands where it was made."""
    given = [np.array(10.0), np.array([1.0, 2.0, 3.0])]
    total, sums = LOOPS.scan(summing(3, reverse=False), given)
    assert (float(total), sums.tolist()) == (16.0, [11.0, 13.0, 16.0])
    total, sums = LOOPS.scan(summing(3, reverse=True), given)
    assert (float(total), sums.tolist()) == (16.0, [16.0, 15.0, 13.0])


def test_a_scan_without_steps_stacks_nothing() -> None:
    """And carries on what it was given."""
    total, sums = LOOPS.scan(summing(0, reverse=False), [np.array(10.0), np.zeros(0)])
    assert (float(total), sums.shape) == (10.0, (0,))


def test_a_loop_stops_element_by_element() -> None:
    """What has stopped stays as it is."""
    x, y, holds = value(3), value(3), value(3, dtype="bool")
    attributes = {
        "condition": Trace(inputs=(x,), outputs=(holds,), operations=(operation("lt", [x], holds, lambda a: a < 10),)),
        "body": Trace(inputs=(x,), outputs=(y,), operations=(operation("mul", [x], y, lambda a: 2 * a),)),
        "constants": (0, 0),
    }
    (found,) = LOOPS.repeat(attributes, [np.array([1.0, 6.0, 20.0])])
    assert found.tolist() == [16.0, 12.0, 20.0]


def test_a_branch_is_taken_by_its_number() -> None:
    """A number outside is the nearest there is."""
    bodies = {"branches": [powers(1), powers(2)]}
    assert [float(LOOPS.branch(bodies, number, [np.array(3.0)])[0]) for number in (0, 1, 7)] == [9.0, 81.0, 81.0]
