"""A Jacobian seen as one array for each tensor: rows, columns and a transposed matrix are named as such."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import xcheck
from tests.checks.functions.layer import codes
from xcheck.verdict import Verdict

A = np.random.default_rng(2).standard_normal((4, 4))
X = np.array([0.3, -1.2, 0.8, 2.0])


def loss(x: Any) -> Any:
    """Four outputs of four parameters."""
    return A @ np.sin(x)


def jacobian(x: Any) -> Any:
    """Its Jacobian."""
    return A * np.cos(x)


def with_row(found: Any) -> Any:
    """A Jacobian whose third output is doubled."""
    found[2] *= 2
    return found


def with_column(found: Any) -> Any:
    """A Jacobian with a wrong multiple of one parameter."""
    found[:, 1] *= 1.001
    return found


@pytest.mark.parametrize(
    ("mistake", "words"),
    [
        (with_row, "∂y/∂x: row 2 is 2 x what it should be"),
        (with_column, "∂y/∂x: column 1 is 1.001 x what it should be"),
        (np.transpose, "∂y/∂x: transposed"),
        (np.negative, "∂y/∂x: the opposite sign"),
        (lambda found: found[::-1], "∂y/∂x: its rows are in reverse order"),
    ],
    ids=["an output", "a parameter", "transposed", "sign", "outputs reversed"],
)
def test_what_is_wrong_with_the_matrix_is_named(mistake: Callable[[Any], Any], words: str) -> None:
    """Each is one cause, of all outputs together."""
    report = xcheck.check(loss, X, jacobian=lambda x: mistake(jacobian(x)))
    assert report.verdict is Verdict.DISAGREE
    causes = [finding for finding in report.findings if finding.code.startswith("XC2")]
    assert len(causes) == 1, report
    assert words in causes[0].text


def test_several_tensors_have_an_array_each() -> None:
    """Of two tensors the one that is wrong is named, whatever the order of the components."""

    def both(p: Any) -> Any:
        return A @ np.sin(p["x"]) + p["c"] ** 2

    def rows(p: Any) -> Any:
        return {"x": with_column(jacobian(p["x"])), "c": np.diag(2 * p["c"])}

    report = xcheck.check(both, {"c": X + 3, "x": X}, jacobian=rows)
    assert "∂y/∂x: column 1 is 1.001 x what it should be" in " ".join(str(report).split())


def test_complex_outputs_are_two_each() -> None:
    """Real and imaginary parts are rows of their own."""
    turn = np.array([1.0, 1j, 2 - 1j, 0.5j])
    report = xcheck.check(lambda x: turn * loss(x), X, jacobian=lambda x: with_column(turn[:, None] * jacobian(x)))
    assert report.verdict is Verdict.DISAGREE
    assert "XC234" in codes(report)
