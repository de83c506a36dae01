"""The proved slope along a component decides who is right there."""

from collections.abc import Callable

import numpy as np
import pytest

import xcheck
from xcheck.checks.explain.explanation import Explanation
from xcheck.layout import Vector
from xcheck.verdict import Verdict

pytest.importorskip("flint")


def explained(component: str, gradient: Callable[[Vector], Vector], *, proof: bool = True) -> Explanation:
    """Return what is said of a component of Σ tanh²(x)."""
    point = np.array([0.3, -1.2, 0.7])
    return xcheck.explain(lambda x: (np.tanh(x) ** 2).sum(), component, point, gradient=gradient, proof=proof)


def almost(x: Vector) -> Vector:
    """Return the gradient, but for 10⁻¹⁰ of its second component."""
    return 2 * np.tanh(x) * (1 - np.tanh(x) ** 2) * np.array([1.0, 1 + 1e-10, 1.0])


def test_an_error_too_small_for_differences_is_wrong_where_it_is_proved() -> None:
    """The headline gives the value and the slope; without a proof the component is right."""
    found = explained("x[1]", almost)
    [statement] = found.statements
    slope = 2 * np.tanh(-1.2) * (1 - np.tanh(-1.2) ** 2)
    assert found.verdict is statement.verdict is Verdict.DISAGREE
    assert found.headline == f"numpy is {statement.text}"
    assert statement.text.startswith("proved to be wrong: -0.50856")
    assert float(statement.text.split()[-1]) == pytest.approx(slope, rel=1e-14)
    assert explained("x[1]", almost, proof=False).verdict is Verdict.AGREE


def test_a_right_component_of_a_wrong_gradient_is_right() -> None:
    """And it is said that the gradient is wrong elsewhere."""
    found = explained("x[0]", almost)
    assert found.statements[0].verdict is Verdict.AGREE
    assert found.headline.startswith("numpy is right; numpy is proved to be wrong by ")
    assert "x[1] is " in found.headline


def test_both_slopes_at_a_kink_are_named() -> None:
    """A gradient outside of the two is wrong, one between them is not."""
    outside = xcheck.explain(lambda x: np.abs(x).sum(), 0, np.zeros(1), gradient=lambda x: x + 1.5, proof=True)
    assert outside.statements[0].text == "proved to be wrong: 1.5 for -1 or 1"
    between = xcheck.explain(lambda x: np.abs(x).sum(), 0, np.zeros(1), gradient=lambda x: x, proof=True)
    assert between.verdict is Verdict.AGREE
