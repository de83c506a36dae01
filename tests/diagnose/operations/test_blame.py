"""Which calls are to blame for a wrong gradient."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from tests.trace.chains import STEPS, Chain, Rule, Step, with_rule
from xcheck.diagnose.operations.blame import find_blamed
from xcheck.trace import BackwardPass, Call, Read, Written
from xcheck.trace.model import Array

X = np.random.default_rng(0).normal(size=12)


def times(factor: float) -> Callable[[Rule], Rule]:
    """A rule that is off by a factor."""
    return lambda rule: lambda x, y, g: factor * rule(x, y, g)


def off_in_one(rule: Rule) -> Rule:
    """A rule that is off in one number, by 10⁻⁵ of the largest."""

    def changed(x: Array, y: Array, g: Array) -> Array:
        down = rule(x, y, g)
        return down + (np.arange(x.size) == 3).reshape(x.shape) * 1e-5 * np.abs(down).max()

    return changed


@pytest.mark.parametrize("size", [1, 2, 12, 1001])
def test_nobody_is_blamed_where_all_is_right(size: int) -> None:
    """Whatever the sizes."""
    assert find_blamed(Chain(STEPS, np.random.default_rng(size).normal(size=size))) == []


@pytest.mark.parametrize("number", range(len(STEPS)))
@pytest.mark.parametrize("change", [times(1.001), times(0.0), times(1 + 1e-7), off_in_one])
def test_a_wrong_rule_is_blamed_and_nothing_else(number: int, change: Callable[[Rule], Rule]) -> None:
    """Those before it, which are handed a wrong cotangent, do the right thing with that."""
    found = find_blamed(Chain(with_rule(number, change), X))
    assert [each.number for each in found] == [number]
    assert found[0].reads == (0,)
    assert found[0].call.name == STEPS[number].name


def test_several_faults_are_told_apart() -> None:
    """All at once."""
    steps = with_rule(1, times(2.0))
    steps[3] = Step(steps[3].name, steps[3].function, times(0.5)(steps[3].rule))
    assert [each.number for each in find_blamed(Chain(steps, X))] == [1, 3]


def test_either_side_of_a_kink_will_do() -> None:
    """At 0 a relu may hand down all, nothing or half; but not twice of it."""
    x = np.array([0.0, 0.5, -1.0, 0.0])

    def chain(share: float) -> Chain:
        relu = Step("relu", lambda x: np.maximum(x, 0.0), lambda x, y, g: g * ((x > 0) + share * (x == 0)))
        return Chain([relu, Step("sum", lambda x: np.asarray(x.sum()), lambda x, y, g: g * np.ones_like(x))], x)

    assert [find_blamed(chain(share)) for share in (0.0, 0.5, 1.0)] == [[], [], []]
    assert [each.call.name for each in find_blamed(chain(2.0))] == ["relu"]


def test_a_loop_is_opened() -> None:
    """Of iterations that are all wrong the one that errs most is named; what is right inside leaves the loop itself."""
    inner = Chain(with_rule(2, times(1.5)), X, step=7)
    outer = Chain(with_rule(0, times(1.5)), X, inner)
    (found,) = find_blamed(outer)
    assert (found.call.name, found.call.step, found.within) == ("tanh", 7, 1)
    (found,) = find_blamed(Chain(with_rule(0, times(1.5)), X, Chain(STEPS, X)))
    assert found.call.name == "exp"


def test_what_has_no_value_is_not_blamed() -> None:
    """A rule that gives nan where the function does is no finding of its own."""
    steps = [Step("log", lambda x: np.log(x - 10), lambda x, y, g: g / (x - 10)), *STEPS[4:]]
    with np.errstate(all="ignore"):
        assert find_blamed(Chain(steps, X)) == []


def test_infinite_numbers_stay_where_they_are() -> None:
    """A mask of −inf is no reason to say nothing of the softmax that reads it."""
    x = np.array([0.3, -np.inf, 0.7, -np.inf])

    def softmax(x: Array) -> Array:
        e = np.exp(x - x.max())
        return np.asarray(e / e.sum())

    def chain(factor: float) -> Chain:
        rule = Step("softmax", softmax, lambda x, y, g: factor * y * (g - (g * y).sum()))
        return Chain([rule, STEPS[4]], x)

    assert find_blamed(chain(1.0)) == []
    assert [each.call.name for each in find_blamed(chain(1.5))] == ["softmax"]


def test_of_narrow_calls_no_more_is_asked_than_they_can_tell() -> None:
    """Rounding of float32 is no mistake of a call that computes in it; of bfloat16 nothing is said."""
    run = Chain(with_rule(2, times(1 + 1e-6)), X)
    assert [each.number for each in find_blamed(run)] == [2]
    for roundoff, factor in ((2.0**-24, 1 + 1e-6), (2.0**-8, 1.5)):
        run = Chain(with_rule(2, times(factor)), X)
        calls = list(run.calls)
        calls[2] = replace(calls[2], roundoff=roundoff)
        run.calls = calls
        assert find_blamed(run) == []


def test_two_reads_of_one_of_two_calls() -> None:
    """As many moves as there are calls are not moves of these calls."""
    x, w = np.array([0.5, -1.5, 2.0]), np.array([[1.0, 2.0, 0.5], [0.3, -0.7, 1.1]])
    y = w @ x

    class Product(BackwardPass):
        calls = (
            Call(
                name="matmul",
                reads=(Read("w", w, np.outer(2 * y, x)), Read("x", x, 1.5 * w.T @ (2 * y))),
                writes=(Written(y, 2 * y, y),),
            ),
            Call(name="sum of squares", reads=(Read("", y, 2 * y),), writes=(Written(np.sum(y**2), np.ones(()), y),)),
        )

        def run(self, number: int, inputs: Sequence[Array]) -> list[Array]:
            return [inputs[0] @ inputs[1] if number == 0 else np.sum(inputs[0] ** 2)]

    (blamed,) = find_blamed(Product())
    assert (blamed.call.name, blamed.reads) == ("matmul", (1,))
