"""Why the backward pass of an operation is wrong."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from tests.trace.chains import Chain, Rule, with_rule
from xcheck.diagnose.operations.blame import find_blamed
from xcheck.diagnose.operations.causes import OperationLoss, causes_of
from xcheck.trace import BackwardPass, Call, Read, Written
from xcheck.trace.model import Array

X = np.random.default_rng(0).normal(size=12)


def causes(number: int, change: Callable[[Rule], Rule]) -> list[str]:
    """What is said of the one call that is wrong."""
    (blamed,) = find_blamed(Chain(with_rule(number, change), X))
    return [finding.text for finding in causes_of(blamed)]


def test_a_factor() -> None:
    """As of whole gradients."""
    (text,) = causes(2, lambda rule: lambda x, y, g: 1.5 * rule(x, y, g))
    assert "1.5 x what it should be" in text


def test_a_missing_term() -> None:
    """That of the root mean square is a multiple of what is read."""
    (text,) = causes(1, lambda _: lambda x, y, g: g / np.sqrt((x**2).mean()))
    assert "it lacks a term" in text
    assert "x what it reads" in text


def test_one_number() -> None:
    """Where only one number is wrong it is named."""

    def change(rule: Rule) -> Rule:
        def changed(x: Array, y: Array, g: Array) -> Array:
            down = np.array(rule(x, y, g))
            down[3] *= 2
            return down

        return changed

    (text,) = causes(0, change)
    assert "x[3]" in text


@pytest.mark.parametrize(("factor", "words"), [(0.0, "are 0 x"), (1 + 1e-6, "are 1.000001 x")])
def test_numbers_side_by_side(factor: float, words: str) -> None:
    """A part that is no row, as where too few numbers are computed: the last seven of twelve."""
    mask = np.where(np.arange(12) < 5, 1.0, factor)
    (text,) = causes(2, lambda rule: lambda x, y, g: mask * rule(x, y, g))
    assert "numbers 6 to 12 of 12" in text
    assert words in text


@pytest.mark.parametrize(
    "change",
    [
        lambda rule: lambda x, y, g: 0 * x,
        lambda rule: lambda x, y, g: rule(x, y, g) + np.random.default_rng(1).normal(size=x.shape),
    ],
    ids=["zero", "anything"],
)
def test_nothing_is_said_where_no_rule_says_it(change: Callable[[Rule], Rule]) -> None:
    """That nothing is handed down is said already; of random numbers there is nothing to say."""
    assert causes(2, change) == []


def test_the_loss_of_an_operation() -> None:
    """Its losses move as ȳ says."""
    (blamed,) = find_blamed(Chain(with_rule(2, lambda rule: lambda x, y, g: 2 * rule(x, y, g)), X))
    loss = OperationLoss(blamed)
    assert loss.layout.size == loss.theta.size == loss.gradient.size == 12
    moved = loss.theta.copy()
    moved[4] += 1e-3
    written = blamed.call.writes[0]
    expected = written.cotangent[4] * (np.tanh(moved[4]) - written.array[4])
    assert loss.losses(np.stack([loss.theta, moved])) == pytest.approx([0.0, expected], rel=1e-12)
    assert set(loss.data()) == {"output 0"}


def test_an_array_that_is_read_twice() -> None:
    """Both reads have one name, and are two."""
    x = np.array([0.5, -1.5, 2.0])

    class Square(BackwardPass):
        calls = (
            Call(
                name="multiply",
                reads=(Read("x", x, 1.5 * x), Read("x", x, 0.5 * x)),
                writes=(Written(x * x, np.ones(3), x * x),),
            ),
        )

        def run(self, number: int, inputs: Sequence[Array]) -> list[Array]:
            return [inputs[0] * inputs[1]]

    (blamed,) = find_blamed(Square())
    assert blamed.reads == (0, 1)
    loss = OperationLoss(blamed)
    assert loss.layout.size == loss.theta.size == 6
    assert [tensor.name for tensor in loss.layout] == ["x", "x, read 2"]
    assert " ".join(one.text for one in causes_of(blamed)).count("x what it should be") == 2
