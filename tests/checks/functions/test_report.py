"""Reports on functions: the head, the scope, and what a check does not prove."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
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
    told = [finding for finding in report.findings if finding.tensor == "b" and "moving b changes" in finding.text]
    assert len(told) == 1
    assert report.consensus == "one computes one loss, two another"


@pytest.mark.parametrize(("exponent", "odd"), [({"jax": 3.1}, ("jax",)), ({"torch": 3.1}, ("torch",))])
def test_of_three_losses_the_one_that_differs_is_odd(exponent: dict[str, float], odd: tuple[str, ...]) -> None:
    """Whichever the oracle differences: here that of jax."""

    def loss_in(name: str) -> Any:
        return lambda p: (p ** exponent.get(name, 3.0)).sum()

    objectives: dict[str, Any] = {name: xcheck.objective(loss_in(name), name) for name in ("torch", "jax")}
    objectives["numpy"] = xcheck.objective(loss_in("numpy"), "numpy", gradient=lambda p: 3 * p**2)
    report = xcheck.check(objectives, np.array([1.0, 2.0]))
    assert report.oracle.engine.startswith("jax")
    assert report.odd_one_out == odd
    assert "XC111" not in codes(report)


def test_a_derivative_rule_with_another_forward_pass_is_told() -> None:
    """Not another function than the oracle's: it is the oracle's own."""

    @jax.custom_vjp  # type: ignore[untyped-decorator]  # JAX has no types here
    def square(x: Any) -> Any:
        return (x**2).sum()

    square.defvjp(lambda x: (1.1 * (x**2).sum(), x), lambda x, g: (2 * x * g,))
    report = xcheck.check(square, jnp.array([1.0, 2.0, 3.0]))
    assert [finding.code for finding in report.findings] == ["XC110", "XC119"]
    assert "where it is differentiated, and 14 where it is only called" in report.headline
    assert "nobody agrees" not in str(report)


def test_a_gradient_of_none_is_no_proof_that_the_loss_does_not_depend_on_it() -> None:
    """What is detached has None as well; the differences tell which it is."""
    params = {name: torch.ones(2, dtype=torch.float64) for name in ("a", "b")}
    report = xcheck.check(lambda p: (p["a"] ** 2).sum() + (p["b"].detach() ** 2).sum(), params)
    (text,) = [warning.text for warning in report.warnings if warning.code == "XC421"]
    assert text == "torch: the gradient of b is None, which is taken for zero, although the loss depends on it"


def test_what_is_wrong_is_not_called_kinked() -> None:
    """A mistake at a smooth point has no remark on kinks."""
    report = xcheck.check(lambda p: (p**3).sum(), np.ones(3), gradient=lambda p: 2 * p)
    assert not report.ok
    assert "XC404" not in codes(report)
