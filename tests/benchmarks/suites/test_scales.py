"""The battery of scales: its gradients are right, and a few cases of each kind are decided, right and with an error."""

import numpy as np
import pytest
import torch

from benchmarks.suites.scale_cases import KINDS
from benchmarks.suites.scales import (
    FRAMEWORKS,
    ScaleRow,
    check_case,
    drawn,
    measure_scales,
    planted_error,
    scale_table,
)
from benchmarks.suites.stationary_cases import STATIONARY
from tests.breadth.entry import Framework

EVERYTHING = [*KINDS, *STATIONARY]


@pytest.mark.parametrize("kind", [kind for kind in EVERYTHING if kind != "raising"])
def test_the_gradients_by_hand_are_right(kind: str) -> None:
    """They are those of autograd, to what cancels in them."""
    for seed in range(3):
        case = drawn(kind, seed)
        theta = torch.tensor(case.theta, requires_grad=True)
        case.loss(torch, theta, *[torch.tensor(part) for part in case.data]).backward()
        assert theta.grad is not None
        apart = np.abs(theta.grad.numpy() - case.gradient(case.theta, *case.data))
        # Next to the edge of a domain autograd's own formulas lose digits.
        assert (apart <= 1e-6 * np.maximum(case.terms, 1e-9 * case.terms.max())).all(), kind


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("kind", STATIONARY)
def test_a_stationary_point_agrees_and_an_error_of_its_terms_is_found(kind: str, framework: Framework) -> None:
    """Maximum likelihood, a trained network, an output seen along itself; an error from 1e-7 of the terms on."""
    case = drawn(kind, 1)
    error, _ = planted_error(case, kind, 1)
    report = check_case(case, framework, np.zeros_like(error))
    assert report.verdict == "AGREE", str(report)
    assert {"XC408", "XC409", "XC433"} & {warning.code for warning in report.warnings}
    smallest = 1e-7 * np.sign(error) * case.terms
    for planted in (error, smallest):
        assert check_case(case, framework, planted).verdict == "DISAGREE"


# Kinds of which everything is decided; a huge constant, or a sine of 1e8 θ, leaves too much noise in some cases.
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("large constant", "fast sine")])
def test_a_scale_that_nobody_could_guess_is_found(kind: str) -> None:
    """No right gradient is called wrong, no error is missed, and some of each at least are decided."""
    rows = [row for row in measure_scales([kind], range(20, 23), lambda text: None) if row.framework == "numpy"]
    right, planted = [row for row in rows if not row.planted], [row for row in rows if row.planted]
    assert "DISAGREE" not in {row.verdict for row in right}
    assert "AGREE" not in {row.verdict for row in planted}
    assert "AGREE" in {row.verdict for row in right}
    assert "DISAGREE" in {row.verdict for row in planted}


def test_the_table_counts() -> None:
    """Right ones, undecided ones with their share, and errors that were missed."""
    verdicts = [(0.0, "AGREE"), (0.0, "UNDECIDED"), (1e-3, "DISAGREE"), (1e-3, "AGREE")]
    rows = [
        ScaleRow(kind="steep", framework="numpy", seed=0, planted=planted, verdict=verdict, seconds=0.5)
        for planted, verdict in verdicts
    ]
    table = scale_table(rows)
    assert [next(iter(column.cells)) for column in table.columns] == [
        *("steep", "2", "1 (50.0%)", "0", "2", "1", "0", "1", "2.0")
    ]
