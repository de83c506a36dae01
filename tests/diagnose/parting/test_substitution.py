"""Values that stand for each other are found by exchanging them."""

import numpy as np
import pytest

from tests.diagnose.parting.flows import Step, flow, number_of, numbers
from xcheck.diagnose.parting import substitution
from xcheck.diagnose.parting.frontier import Parted, part_of
from xcheck.diagnose.parting.matching import match_flows
from xcheck.diagnose.parting.substitution import arrangements, find_place, goes_on
from xcheck.trace.flow import Flow
from xcheck.trace.model import Array

W, V = numbers(3, 5), numbers(4, 4, seed=1)


def sides_of(one: Flow, other: Flow) -> tuple[Parted, Parted]:
    """Both sides."""
    mine, theirs = match_flows(one, other)
    return part_of(mine), part_of(theirs)


def program(file: str, scale: float, share: float, *, early: bool) -> Flow:
    """A loss with a penalty, which is divided by a number in another step where it is early."""
    steps: list[Step] = [("ssw", lambda v: (v**2).sum(), ["v"])]
    steps += [("penalty", lambda s: s * 0.3, ["ssw"])] if early else [("penalty", lambda s: s * 0.3 / 7, ["ssw"])]
    steps += [
        ("scaled", lambda w: w * scale, ["w"]),
        ("tanh", np.tanh, ["scaled"]),
        ("data", lambda x: (x**3).sum(), ["tanh"]),
    ]
    if early:
        steps += [("whole", np.add, ["data", "penalty"]), ("loss", lambda x: x / 7 * share, ["whole"])]
    else:
        steps += [("part", lambda x: x / 7, ["data"]), ("loss", lambda a, b: (a + b) * share, ["part", "penalty"])]
    return flow(file, {"w": W, "v": V}, {}, steps)


def test_another_way_to_the_same_is_not_taken_for_the_place() -> None:
    """Both penalties come first and have no match, and yet the other values stand for each other."""
    one, other = program("a.py", 1.0, 1.0, early=True), program("b.py", 1.5, 1.0, early=False)
    sides = sides_of(one, other)
    assert [side.matched.node(side.frontier[0]).name for side in sides] == ["penalty", "penalty"]
    place = find_place(*sides)
    # A product with 1 is what it was.
    assert place.first == (number_of(one, "tanh"), number_of(other, "scaled"))


def test_one_side_may_have_nothing_that_differs() -> None:
    """Its loss is a step on the way of the other."""
    end: Step = ("loss", lambda w: (w**2).sum(), ["w"])
    one = flow("a.py", {"w": W}, {}, [end])
    other = flow("b.py", {"w": W}, {}, [end, ("twice", lambda x: 2 * x, ["loss"])])
    assert find_place(*sides_of(one, other)).first == (None, other.loss)


def test_values_in_another_order_are_exchanged() -> None:
    """With their axes as the other side has them."""
    one = flow(
        "a.py",
        {"w": W},
        {},
        [("cos", np.cos, ["w"]), ("row", lambda x: np.exp(x.sum(0)), ["cos"]), ("loss", np.sum, ["row"])],
    )
    other = flow(
        "b.py",
        {"w": W},
        {},
        [
            ("sin", lambda w: np.sin(w).T, ["w"]),
            ("row", lambda x: np.exp(x.sum(1)), ["sin"]),
            ("loss", np.sum, ["row"]),
        ],
    )
    sides = sides_of(one, other)
    assert goes_on(sides[0], number_of(one, "cos"), sides[1], number_of(other, "sin"))
    assert not goes_on(sides[0], one.loss, sides[1], other.loss)


def test_arrangements_have_the_shape_that_is_asked_for() -> None:
    """All orders of the axes that fit; numbers as they lie where none does."""
    square = np.array([[1, 2], [3, 4]])
    assert [one.tolist() for one in arrangements(square, (2, 2))] == [[[1, 2], [3, 4]], [[1, 3], [2, 4]]]
    assert [one.tolist() for one in arrangements(square, (4,))] == [[1, 2, 3, 4]]


def test_an_operation_that_fails_with_other_numbers_ends_the_trial() -> None:
    """It may check what it is given."""

    def refuse(x: Array) -> Array:
        if x.max() > 2:
            raise ValueError("too large")
        return np.sin(x)

    one = flow("a.py", {"w": W}, {}, [("cos", np.cos, ["w"]), ("sin", refuse, ["cos"]), ("loss", np.sum, ["sin"])])
    other = flow("b.py", {"w": W}, {}, [("exp", lambda w: 9 * np.exp(w), ["w"]), ("loss", np.sum, ["exp"])])
    sides = sides_of(one, other)
    assert not goes_on(sides[0], number_of(one, "cos"), sides[1], number_of(other, "exp"))


def test_values_far_behind_are_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a value that stands for another, the first operations of both are named."""
    monkeypatch.setattr(substitution, "_MOST_STEPS", 0)
    one, other = program("a.py", 1.0, 1.0, early=True), program("b.py", 1.5, 1.0, early=False)
    place = find_place(*sides_of(one, other))
    assert place.first == (number_of(one, "penalty"), number_of(other, "penalty"))
    assert place.value is None
