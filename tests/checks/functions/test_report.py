"""Reports on functions: the head, the scope, and what a check does not prove."""

import numpy as np
import torch

import xcheck
from tests.checks.functions.layer import codes


def test_the_summary_says_what_was_checked() -> None:
    """Parameters, tensors, whose gradient, and the dtype where it is not float64."""
    by_hand = xcheck.check(
        lambda p: float((p["a"] ** 2).sum()), {"a": np.ones(3)}, gradient=lambda p: {"a": 2 * p["a"]}
    )
    assert by_hand.summary == "3 parameters, 1 tensor, hand-written gradient"
    narrow = xcheck.check(lambda p: (p**2).sum(), torch.ones(1))
    assert narrow.summary == "1 parameter, 1 tensor, float32"
    rows = xcheck.check(torch.sin, torch.ones(2, dtype=torch.float64), scope="jacobian")
    assert rows.summary == "2 parameters, 1 tensor, 2 outputs"
    assert rows.oracle.scope == "jacobian"


def test_the_scope_that_was_taken() -> None:
    """All components, or directions alone."""
    x = torch.linspace(0.5, 1.5, 40, dtype=torch.float64)
    assert xcheck.check(lambda p: (p**3).sum(), x).oracle.scope == "all"
    assert xcheck.check(lambda p: (p**3).sum(), x, scope="directions").oracle.scope == "directions"


def test_where_losses_part_is_said_once() -> None:
    """Of the function that is not the oracle's, with the tensors in which it differs."""
    a, b = torch.ones(2, dtype=torch.float64), torch.ones(2, dtype=torch.float64)
    report = xcheck.check(
        {
            "one": lambda p: (p["a"] ** 2).sum() + (p["b"] ** 2).sum(),
            "two": lambda p: (p["a"] ** 2).sum() + (p["b"] ** 3).sum() * 1.5,
        },
        {"a": a, "b": b},
    )
    told = [finding for finding in report.findings if finding.tensor == "b" and "part" in finding.text]
    assert len(told) == 1


def test_what_is_wrong_is_not_called_kinked() -> None:
    """A mistake at a smooth point has no remark on kinks."""
    report = xcheck.check(lambda p: (p**3).sum(), np.ones(3), gradient=lambda p: 2 * p)
    assert not report.ok
    assert "XC404" not in codes(report)
