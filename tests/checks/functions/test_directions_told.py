"""What is said where directions were looked at and no components, or few."""

import numpy as np
import pytest

from xcheck import Report, check
from xcheck.layout import Vector

W = np.random.default_rng(0).standard_normal((100, 200))


def told(change: Vector | None = None) -> Report:
    """A check along directions; some of the gradient is multiplied."""
    factor = np.ones(W.shape) if change is None else change
    return check(
        lambda w: float((w**3).sum()), W, gradient=lambda w: 3 * w**2 * factor, scope="directions", name="cube"
    )


def test_agreement_is_about_directions() -> None:
    """No component was looked at, and none is spoken of."""
    text = " ".join(str(told()).split())
    assert "every random direction agrees to 1e-07 of the slope along it; no component was checked by itself" in text
    assert "every component" not in text


@pytest.mark.parametrize("places", [((3, 17),), ((3, 17), (50, 50), (99, 0))])
def test_what_was_located_is_the_cause(places: tuple[tuple[int, int], ...]) -> None:
    """No rule is asked about a tensor of which a few wrong components are all that is known."""
    change = np.ones(W.shape)
    for place in places:
        change[place] = 1.05
    report = told(change)
    assert [finding.code for finding in report.findings] == ["XC113"]
    assert f"({len(places)} of {len(places)} components looked at and 6 of 6 directions wrong)" in report.headline


def test_a_row_is_not_called_a_tensor() -> None:
    """Twice a row of a hundred is not twice the tensor."""
    change = np.ones(W.shape)
    change[9] = 2.0
    codes = {finding.code for finding in told(change).findings}
    assert "XC201" not in codes
    assert codes <= {"XC113", "XC114"}


def test_a_key_that_is_missing_is_told_as_such() -> None:
    """Of a gradient written by hand."""
    report = check(
        lambda p: float((p["a"] ** 2).sum() + p["b"].sum()),
        {"a": np.ones(3), "b": np.ones(2)},
        gradient=lambda p: {"a": 2 * p["a"]},
    )
    (warning,) = [warning for warning in report.warnings if warning.code == "XC421"]
    assert (
        warning.text
        == "numpy: the gradient that was returned has no b, which is taken for zero, although the loss depends on it"
    )
