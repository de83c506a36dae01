"""What a program decides by its numbers: ties of single numbers, jumps, and guards of branches that Python takes."""

from typing import Any

import numpy as np
import pytest

from xcheck.certificates.balls import Balls
from xcheck.certificates.decisions import Decisions, NotProvedError
from xcheck.certificates.slopes import Slopes, prove_slopes
from xcheck.trace import Constant, Operation, Trace, Value


def slope_of(*steps: tuple[str, tuple[Any, ...], dict[str, Any]], at: float) -> Slopes:
    """Return what is proved of operations, one after the other, of x and constants at a number.

    Args:
        steps: name, inputs and attributes; "x" stands for the input, a number for the result of that step.
        at: x.
    """
    x = Value((), "float64")
    results: list[Value] = []
    operations = []
    for name, inputs, attributes in steps:
        given = tuple(
            x if one == "x" else results[one] if isinstance(one, int) else Constant(np.asarray(one)) for one in inputs
        )
        output = Value((), "bool" if name in ("lt", "gt") else "float64")
        outputs = () if name == "guard" else (output,)
        operations.append(Operation(name=name, inputs=given, outputs=outputs, run=lambda *_: [], attributes=attributes))
        results.append(output)
    trace = Trace(inputs=(x,), outputs=(results[-1],), operations=tuple(operations))
    return prove_slopes(trace, [np.array(at)], [[np.array(1.0)]])


def test_a_tie_of_single_numbers_is_decided() -> None:
    """Without axes as with them: the kink of max(x, 1) at 1."""
    assert Decisions(at_zero=True).signs(Balls(np.array(1.0)), Balls(np.array(1.0))) == 0
    found = slope_of(("max", ("x", 1.0), {}), at=1.0)
    assert (found.slopes[0], found.left) == (1, (0,))


def test_at_a_jump_nothing_is_proved() -> None:
    """floor(x) at an integer: an error that says so, and no kink that nobody waits for."""
    with pytest.raises(NotProvedError, match="jumps at θ itself"):
        slope_of(("floor", ("x",), {}), at=2.0)
    assert slope_of(("floor", ("x",), {}), at=2.5).slopes == (0,)


@pytest.mark.parametrize(("at", "holds"), [(0.5, True), (1.5, False)])
def test_a_guard_holds_where_the_branch_is_taken_for_certain(at: float, holds: bool) -> None:
    """And says nothing more."""
    guard = ("guard", (0,), {"expected": np.array(holds)})
    assert slope_of(("lt", ("x", 1.0), {}), guard, ("square", ("x",), {}), at=at).slopes == (2 * at,)


@pytest.mark.parametrize(("at", "expected"), [(1.0, False), (1.0, True), (0.5, False)])
def test_a_guard_refuses_an_edge_and_another_branch(at: float, expected: bool) -> None:
    """At the edge one side is another program; a branch that rounding alone takes is one, too."""
    guard = ("guard", (0,), {"expected": np.array(expected)})
    with pytest.raises(NotProvedError, match="a branch that Python takes is decided exactly at its edge"):
        slope_of(("lt", ("x", 1.0), {}), guard, ("square", ("x",), {}), at=at)


@pytest.mark.parametrize("at", [-800.0, -0.25, 0.0, 3.0, 800.0])
def test_logarithms_of_sums_and_hypotenuses(at: float) -> None:
    """d log(eˣ + 1) = 1 / (1 + e⁻ˣ), d log2(2ˣ + 1) the same of 2, d √(x² + 1) = x / √(x² + 1)."""
    for name, expected in (
        ("logaddexp", 0.5 + 0.5 * np.tanh(at / 2)),
        ("logaddexp2", 0.5 + 0.5 * np.tanh(at * np.log(2) / 2)),
        ("hypot", at / np.hypot(at, 1)),
    ):
        other = 1.0 if name == "hypot" else 0.0
        found = slope_of((name, ("x", other), {}), at=at)
        assert float(found.value.mid()) == pytest.approx(getattr(np, name)(at, other), rel=1e-14)
        assert float(found.slopes[0].mid()) == pytest.approx(expected, rel=1e-13, abs=1e-15)


def test_rests_of_divisions_have_the_slopes_of_their_numbers() -> None:
    """x - q y: slope 1 in x, and the quotient has none; q is that of exact numbers, 4 for 2 / 0.4 in float64."""
    for at in (2.0, -2.0):
        for name in ("remainder", "fmod"):
            found = slope_of((name, ("x", 0.4), {}), at=at)
            assert found.slopes == (1,)
            assert float(found.value.mid()) == getattr(np, name)(at, 0.4)
        found = slope_of(("floor_divide", ("x", 0.4), {}), at=at)
        assert (found.value, found.slopes) == (np.floor_divide(at, 0.4), (0,))
