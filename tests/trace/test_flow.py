"""Every value of one forward pass, with what it was made of."""

import numpy as np
import pytest

from tests.trace.made import cubes
from xcheck.trace import Constant, Operation, Trace, UntraceableError, Value, flow
from xcheck.trace.flow import Flow, flow_of, recompute


def counting() -> Flow:
    """A loop that adds x three times to 1, and stacks what it has."""
    carry, x = Value((), "float64"), Value((), "float64")
    out = Value((), "float64")
    body = Trace(
        inputs=(carry, x),
        outputs=(out, out),
        operations=(Operation(name="add", inputs=(carry, x), outputs=(out,), run=lambda a, b: (a + b,)),),
    )
    xs, last, stacked = Value((3,), "float64"), Value((), "float64"), Value((3,), "float64")
    attributes = {"body": body, "constants": 0, "carry": 1, "length": 3, "reverse": False}
    scan = Operation(
        name="scan",
        inputs=(Constant(np.array(1.0)), xs),
        outputs=(last, stacked),
        run=lambda *_: (),
        attributes=attributes,
    )
    return flow_of(Trace(inputs=(xs,), outputs=(last,), operations=(scan,)), [np.array([1.0, 2.0, 4.0])], ["xs"])


def test_nothing_is_thrown_away() -> None:
    """x, its cubes, twice them, and their sum; constants are nodes, too."""
    found = flow_of(cubes(), [np.array([1.0, 2.0, 3.0])], ["x"])
    assert [node.kind for node in found.nodes if node.kind] == ["integer_pow", "mul", "sum"]
    assert found.nodes[0].parameter == "x"
    assert float(found.nodes[found.loss].array) == 72.0
    assert [node.depends for node in found.nodes].count(False) == 1


def test_iterations_have_values_of_their_own() -> None:
    """1 + 1 + 2 + 4."""
    found = counting()
    sums = [node for node in found.nodes if node.kind == "add"]
    assert [float(node.array) for node in sums] == [2.0, 4.0, 8.0]
    assert found.loss == sums[-1].number
    assert sums[0].number in sums[1].reads


def test_what_depends_on_a_node_is_below_it() -> None:
    """And what it depends on is above."""
    found = counting()
    first, second, _ = (node.number for node in found.nodes if node.kind == "add")
    assert {first, second} & found.below(first) == {second}
    assert {0, first} <= found.above(first)
    assert second in found.readers()[first]


def test_what_follows_from_another_value() -> None:
    """Is computed without the rest."""
    found = counting()
    first, *others = (node.number for node in found.nodes if node.kind == "add")
    known = recompute(found, {first: np.array(10.0)}, others)
    assert float(known[found.loss]) == 16.0


def test_too_many_numbers_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """They would not fit."""
    monkeypatch.setattr(flow, "_MOST_NUMBERS", 4)
    with pytest.raises(UntraceableError, match="more than 4 numbers"):
        counting()
