"""What is said of the operations at which two forward passes part."""

import numpy as np

from tests.diagnose.parting.flows import Step, flow, numbers
from xcheck.diagnose.parting import operation_parting
from xcheck.findings import NOT_LOOKED_INTO, OPERATIONS_PART, Where
from xcheck.trace import UntraceableError
from xcheck.trace.flow import Flow

W = numbers(3, 5)
END: Step = ("loss", lambda x: (x**2).sum(), ["out"])


def flow_with(file: str, *steps: Step) -> Flow:
    """A forward pass of one parameter."""
    return flow(file, {"w": W}, {}, list(steps))


def test_both_places_are_named() -> None:
    """With operation, file and line."""
    flows = [flow_with("a.py", ("out", np.tanh, ["w"]), END), flow_with("b.py", ("out", np.sin, ["w"]), END)]
    [finding] = operation_parting(("mine", "theirs"), [lambda: flows[0], lambda: flows[1]])
    assert finding.code == OPERATIONS_PART
    assert finding.where == Where(operation="out", file="a.py", line=1)
    assert finding.beside == Where(operation="out", file="b.py", line=1)
    assert finding.text.startswith(
        "mine and theirs compute the same up to `out` at a.py:1 in mine, `out` at b.py:1 in theirs"
    )


def test_a_step_more_is_named_beside_the_loss_of_the_other() -> None:
    """Which ends there."""
    out: Step = ("out", np.tanh, ["w"])
    flows = [flow_with("a.py", out, END), flow_with("b.py", out, END, ("half", lambda x: x / 2, ["loss"]))]
    [finding] = operation_parting(("mine", "theirs"), [lambda: flows[0], lambda: flows[1]])
    assert finding.where == Where(operation="loss", file="a.py", line=2)
    assert finding.beside == Where(operation="half", file="b.py", line=3)
    assert "mine takes that for its loss, and theirs goes on" in finding.text


def test_calls_of_one_line_are_counted() -> None:
    """A layer that is called twice is one line."""
    first, again = flow_with("a.py", ("out", np.tanh, ["w"]), END), flow_with("b.py", ("out", np.sin, ["w"]), END)
    repeated = type(first)([*first.nodes, first.nodes[1]], first.loss)
    [finding] = operation_parting(("mine", "theirs"), [lambda: repeated, lambda: again])
    assert "`out` at a.py:1, call 1 of 2" in finding.text


def test_nothing_is_said_of_equal_losses() -> None:
    """Nor is anything computed anew."""
    same = flow_with("a.py", ("out", np.tanh, ["w"]), END)
    assert operation_parting(("mine", "theirs"), [lambda: same, lambda: same]) == []


def test_what_cannot_be_followed_says_why() -> None:
    """A reason of the framework's own, or whatever a person's program raises."""

    def refuses() -> Flow:
        raise UntraceableError("numbers leave torch")

    def fails() -> Flow:
        raise ZeroDivisionError("division by zero")

    good = flow_with("a.py", ("out", np.tanh, ["w"]), END)
    for bad, reason in ((refuses, "numbers leave torch"), (fails, "ZeroDivisionError: division by zero")):
        [finding] = operation_parting(("mine", "theirs"), [lambda: good, bad])
        assert finding.code == NOT_LOOKED_INTO
        assert finding.text.endswith(f"was not looked for: theirs: {reason}")
