"""What is said of operations whose backward pass is wrong."""

from dataclasses import replace
from typing import NoReturn

import numpy as np

from tests.trace.chains import STEPS, Chain, with_rule
from xcheck.diagnose.operations import operation_findings
from xcheck.findings import NOT_LOOKED_INTO, OTHER_VALUE, WRONG_OPERATION, Where
from xcheck.trace import BackwardPass, UntraceableError

X = np.random.default_rng(0).normal(size=12)


def test_operation_line_and_cause_are_named() -> None:
    """In one sentence, and for machines."""
    run = Chain(with_rule(2, lambda rule: lambda x, y, g: 1.5 * rule(x, y, g)), X)
    (finding,) = operation_findings("mine", lambda: run)
    assert finding.code == WRONG_OPERATION
    assert finding.text.startswith("mine: the backward pass of `tanh` (by hand) at chain.py:3 is wrong: what it hands ")
    assert "1.5 x what it should be" in finding.text
    assert finding.where == Where(operation="tanh", file="chain.py", line=3)
    assert finding.where.short == "`tanh` at chain.py:3"


def test_what_hands_nothing_down() -> None:
    """As `detach` does."""
    run = Chain(with_rule(0, lambda rule: lambda x, y, g: 0 * x), X)
    (finding,) = operation_findings("mine", lambda: run)
    assert "nothing is handed down for `x`, on which the loss depends" in finding.text


def test_calls_of_one_line_are_one_finding() -> None:
    """A layer that is used twice is mended once."""
    steps = with_rule(2, lambda rule: lambda x, y, g: 1.5 * rule(x, y, g))
    run = Chain([*steps[:3], *steps[2:]], X)
    calls = list(run.calls)
    calls[3] = replace(calls[3], place=calls[2].place)
    run.calls = calls
    (finding,) = operation_findings("mine", lambda: run)
    assert "so in 2 calls of that line" in finding.text


def test_another_value_where_it_is_differentiated() -> None:
    """The first call that computes one is named: what follows only passes it on."""
    run = Chain(STEPS, X)
    calls = list(run.calls)
    for number in (1, 2):
        (written,) = calls[number].writes
        calls[number] = replace(calls[number], writes=(replace(written, differentiated=written.array * 1.01),))
    run.calls = calls
    (finding,) = operation_findings("mine", lambda: run)
    assert finding.code == OTHER_VALUE
    assert "`rms_norm` (by hand) at chain.py:2 computes another value where it is differentiated: off by 0.01" in (
        finding.text
    )


def test_equal_infinities_are_the_same_value() -> None:
    """A mask of −inf is what it is, differentiated or not; and no warning of NumPy is left behind."""
    run = Chain(STEPS, X)
    masked = np.where(X > 0, X, -np.inf)
    run.calls = [
        replace(call, writes=(replace(call.writes[0], array=masked, differentiated=masked.copy()),))
        for call in run.calls
    ]
    assert [one for one in operation_findings("mine", lambda: run) if one.code == OTHER_VALUE] == []


def test_what_cannot_be_looked_into_is_said() -> None:
    """With the reason, and no more."""

    def fails() -> BackwardPass:
        raise UntraceableError("it leaves the framework at loss.py:3")

    (finding,) = operation_findings("mine", fails)
    assert finding.code == NOT_LOOKED_INTO
    assert finding.text.endswith("was not looked for: it leaves the framework at loss.py:3")
    assert operation_findings("mine", lambda: None) == []


def test_what_breaks_on_the_way_does_not_break_the_check() -> None:
    """Whatever an operation of a person's raises."""

    class Broken(Chain):
        def responses(self, moves: object, steps: object) -> NoReturn:
            raise RuntimeError("no more memory")

    (finding,) = operation_findings("mine", lambda: Broken(STEPS, X))
    assert finding.code == NOT_LOOKED_INTO
    assert "it cannot be followed: RuntimeError: no more memory" in finding.text


def test_places_that_are_not_known() -> None:
    """The operation alone."""
    run = Chain(with_rule(2, lambda rule: lambda x, y, g: 1.5 * rule(x, y, g)), X)
    run.calls = [replace(call, place=None) for call in run.calls]
    (finding,) = operation_findings("mine", lambda: run)
    assert finding.where == Where(operation="tanh")
    assert finding.where.short == "`tanh`"
