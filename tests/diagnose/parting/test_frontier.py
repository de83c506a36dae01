"""The first operations that differ are those from which no way to the loss comes back."""

import numpy as np

from tests.diagnose.parting.flows import Step, flow, number_of, numbers
from xcheck.diagnose.parting.frontier import part_of
from xcheck.diagnose.parting.matching import match_flows
from xcheck.trace.flow import Flow

W = numbers(3, 5)
_EXP = ("exp", np.exp, ["w"])
_SUM = ("sum", lambda x: x.sum(1, keepdims=True), ["exp"])
_IN_STEPS: list[Step] = [_EXP, _SUM, ("softmax", np.divide, ["exp", "sum"])]
_IN_ONE: list[Step] = [("softmax", lambda x: np.exp(x) / np.exp(x).sum(1, keepdims=True), ["w"])]


def first(one: Flow, other: Flow) -> list[list[str]]:
    """The names of the first operations that differ on both sides."""
    sides = map(part_of, match_flows(one, other))
    return [[side.matched.node(number).name for number in side.frontier] for side in sides]


def test_other_steps_to_the_same_are_not_named() -> None:
    """Those of a softmax are not, though the other side calls it in one; what comes after it is."""
    one = flow(
        "a.py", {"w": W}, {"c": 2.0}, [*_IN_STEPS, ("mul", np.multiply, ["softmax", "c"]), ("loss", np.max, ["mul"])]
    )
    other = flow(
        "b.py", {"w": W}, {"c": 3.0}, [*_IN_ONE, ("times", np.multiply, ["softmax", "c"]), ("loss", np.max, ["times"])]
    )
    assert first(one, other) == [["mul"], ["times"]]


def test_nothing_is_named_where_losses_are_the_same() -> None:
    """Whatever the steps are."""
    end: Step = ("loss", lambda x: (x**2).sum(), ["softmax"])
    one, other = (flow("a.py", {"w": W}, {}, [*steps, end]) for steps in (_IN_STEPS, _IN_ONE))
    assert first(one, other) == [[], []]


def test_what_stands_aside_is_not_named() -> None:
    """A value that the loss does not depend on may be whatever it is."""
    end: Step = ("loss", lambda x: (x**2).sum(), ["softmax"])
    one = flow("a.py", {"w": W}, {}, [*_IN_ONE, ("aside", np.cos, ["w"]), end])
    other = flow(
        "b.py", {"w": W}, {}, [*_IN_ONE, ("aside", np.sin, ["w"]), ("loss", lambda x: (x**3).sum(), ["softmax"])]
    )
    assert first(one, other) == [["loss"], ["loss"]]


def test_moves_are_not_named() -> None:
    """What takes the wrong numbers is named by what computes with them."""
    one = flow(
        "a.py", {"w": W}, {}, [("moved", lambda x: x[:2], ["w"]), ("loss", lambda x: np.exp(x).sum(), ["moved"])]
    )
    other = flow(
        "b.py", {"w": W}, {}, [("moved", lambda x: x[1:], ["w"]), ("loss", lambda x: np.exp(x).sum(), ["moved"])]
    )
    assert first(one, other) == [["loss"], ["loss"]]


def test_beginnings_are_above() -> None:
    """Of the first operations those that a value depends on."""
    one = flow(
        "a.py",
        {"w": W},
        {},
        [("cos", np.cos, ["w"]), ("sin", np.sin, ["w"]), ("loss", lambda a, b: (a * b).sum(), ["cos", "sin"])],
    )
    other = flow("b.py", {"w": W}, {}, [("loss", np.sum, ["w"])])
    side = part_of(match_flows(one, other)[0])
    assert side.begins(number_of(one, "sin")) == [number_of(one, "sin")]
    assert side.begins(one.loss) == [number_of(one, "cos"), number_of(one, "sin")]
