"""In what two operations differ."""

from typing import Any

import numpy as np
import pytest
from scipy import special

from tests.diagnose.parting.flows import Step, flow, numbers
from xcheck.diagnose.parting.frontier import part_of
from xcheck.diagnose.parting.matching import match_flows
from xcheck.diagnose.parting.reasons import factor_of, reasons_of
from xcheck.diagnose.parting.substitution import find_place
from xcheck.trace.model import Array

PARAMETERS = {"w": numbers(4, 6), "v": numbers(4, 6, seed=1), "b": numbers(6, seed=2)}
CONSTANTS = {"small": 1e-5, "large": 1e-3, "half": 0.5}
END: Step = ("loss", lambda x: (np.cos(x) ** 2).sum(), ["out"])


def reasons(one: list[Step], other: list[Step], constants: dict[str, Any] = CONSTANTS) -> list[str]:
    """What differs between two programs."""
    sides = [
        part_of(side)
        for side in match_flows(
            *(flow(file, PARAMETERS, constants, [*steps, END]) for file, steps in (("a.py", one), ("b.py", other)))
        )
    ]
    return list(reasons_of(("a", "b"), sides, find_place(*sides)))


def step(function: Any, *reads: str) -> list[Step]:
    """One step."""
    return [("out", function, reads)]


def test_another_number() -> None:
    """An epsilon, for one."""
    assert "it computes with 1e-05 in a, with 0.001 in b" in reasons(
        step(np.add, "w", "small"), step(np.add, "w", "large")
    )


def test_another_parameter() -> None:
    """Of two that are there on both sides."""
    found = reasons(
        [*step(np.tanh, "w"), ("loss2", np.add, ["out", "v"])], [*step(np.tanh, "v"), ("loss2", np.add, ["out", "w"])]
    )
    assert "it reads `w` in a, `v` in b" in found


def test_a_parameter_that_is_not_read() -> None:
    """A bias that is missing."""
    found = reasons(step(np.tanh, "w"), [("sum", np.add, ["w", "b"]), ("out", np.tanh, ["sum"])])
    assert "the loss of a does not depend on `b`, that of b does" in found


def test_a_factor() -> None:
    """Whatever the operation that it is a part of."""
    found = reasons(step(lambda w: w @ w.T, "w"), step(lambda w: w @ w.T / 8, "w"))
    assert found == ["that of b is 0.125 times that of a"]


def test_a_parameter_on_one_side_alone() -> None:
    """Where nothing else is known."""
    product, exp = ("product", np.multiply, ["w", "v"]), ("exp", np.exp, ["product"])
    found = reasons([product, exp, ("out", np.cos, ["exp"])], [product, exp, ("out", np.add, ["exp", "v"])])
    assert found[0] == "it reads `v` in b"


def test_other_data() -> None:
    """As of a batch that one side has normalised."""
    data = {"one": numbers(4, 6, seed=5), "other": numbers(4, 6, seed=6)}
    one, other = (step(np.multiply, "w", name) for name in data)
    assert "what it reads of the data, or computes of them alone, is something else in both" in reasons(
        one, other, data
    )


def test_another_formula() -> None:
    """The approximation of gelu, or another axis."""
    erf = step(lambda x: x * special.ndtr(x), "w")
    approximate = step(lambda x: x / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))), "w")
    assert reasons(erf, approximate) == ["it is gelu by erf in a, the tanh approximation of gelu in b"]
    found = reasons(step(lambda x: special.softmax(x, 0), "w"), step(lambda x: special.softmax(x, 1), "w"))
    assert found == ["it is the softmax along axis 0 in a, the softmax along axis 1 in b"]


def test_another_mask() -> None:
    """Which holds for other numbers."""
    ones = np.ones((4, 6), dtype=bool)
    masks = {"one": np.tril(ones), "other": np.tril(ones, 2)}
    one, other = (step(lambda x, mask: np.where(mask, x, 0.3), "w", name) for name in masks)
    found = reasons(one, other, masks)
    assert "the mask holds for 10 of 24 in a, for 18 in b" in found


def test_what_is_not_known_has_a_difference() -> None:
    """The largest one; or other shapes."""
    [text] = reasons(step(np.cos, "w"), step(np.exp, "w"))
    assert text.startswith("the largest difference is ")
    assert reasons(step(lambda x: np.cos(x[:3]), "w"), step(np.cos, "w")) == ["shapes are (3, 6) and (4, 6)"]


@pytest.mark.parametrize(
    ("one", "other", "factor"),
    [
        ([1.0, 3.0], [6.0, 2.0], 2.0),
        ([1.0, 3.0], [-1.0, -3.0], -1.0),
        ([1.0, 3.0], [1.0, 3.0], None),
        ([1.0, 3.0], [1.0, 3.1], None),
        ([2.0], [0.5], 0.25),
        ([2.0], [0.7], None),
        ([0.0], [0.7], None),
        ([1.0, np.inf], [2.0, np.inf], None),
    ],
)
def test_factors(one: Array, other: Array, factor: float | None) -> None:
    """Of one number only what may be a count."""
    assert factor_of(np.array(one), np.array(other)) == (None if factor is None else pytest.approx(factor))
