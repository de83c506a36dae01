"""Large functions: what is not looked at is said, and what the directions would have seen is seen."""

from typing import Any

import numpy as np
import torch

import xcheck
from tests.checks.functions.layer import codes
from xcheck import Verdict

RNG = np.random.default_rng(0)
LARGE = {"W": torch.tensor(RNG.standard_normal((200, 100))), "b": torch.tensor(RNG.standard_normal(7))}


def loss(p: Any) -> Any:
    """Depends on everything."""
    return p["W"].sin().square().mean() + p["b"].cos().sum()


class _Faulty(torch.autograd.Function):  # type: ignore[misc] # torch is not analysed
    """Adds a fault to the gradient that passes through; with a vmap rule, so that many θ are evaluated at a time."""

    generate_vmap_rule = True

    @staticmethod
    def forward(*tensors: torch.Tensor) -> torch.Tensor:
        return tensors[0].clone()

    @staticmethod
    def setup_context(ctx: Any, *of_forward: Any) -> None:
        ctx.save_for_backward(of_forward[0][1])

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> Any:
        return grads[0] + ctx.saved_tensors[0], None


def test_a_sample_is_never_silent() -> None:
    """The report says how many were looked at, and which error would have been seen."""
    report = xcheck.check(loss, LARGE, scope="sample", budget=0.05)
    assert report.ok, report
    assert report.oracle.scope == "sample"
    assert report.parameters == 20007
    assert report.components < 20007
    assert "sampled parameters and directions" in report.headline
    warning = next(warning for warning in report.warnings if warning.code == "XC420")
    assert "of 20007 components were measured" in warning.text
    assert "probability 1 − 10⁻⁶" in warning.text
    assert report.to_dict()["oracle"]["scope"] == "sample"


def test_the_promise_of_the_sample_is_kept() -> None:
    """An error of the norm that the report states, in components that are not in the sample, is found."""
    report = xcheck.check(loss, LARGE, scope="sample", budget=0.05)
    norm = next(warning.value for warning in report.warnings if warning.code == "XC420")
    assert norm is not None
    for seed in range(5):
        fault = torch.tensor(np.random.default_rng(seed).standard_normal((200, 100)))
        fault *= norm / fault.norm()

        def faulty(p: Any, fault: Any = fault) -> Any:
            return loss({**p, "W": _Faulty.apply(p["W"], fault)})

        found = xcheck.check(faulty, LARGE, scope="sample", budget=0.05)
        assert found.verdict is Verdict.DISAGREE


def test_within_the_budget_everything_is_looked_at() -> None:
    """And "all" does not ask for the time."""
    small = {"W": LARGE["W"][:4, :5], "b": LARGE["b"]}
    assert xcheck.check(loss, small).oracle.scope == "all"
    assert xcheck.check(loss, small, scope="all", budget=1e-9).oracle.scope == "all"
    assert xcheck.check(loss, small, budget=1e-9).oracle.scope == "directions"


def test_a_single_wrong_component_among_two_thousand() -> None:
    """Exhaustive means exhaustive: 1e-6 of the largest component, wherever it is."""
    params = {"W": LARGE["W"][:50, :40], "b": LARGE["b"]}
    report = xcheck.check(loss, params, scope="all")
    assert report.ok, report
    assert report.components == 2007
    gradient = np.abs(np.sin(2 * params["W"].numpy()) / 2000)
    place = np.unravel_index(np.argmax(gradient), gradient.shape)
    fault = torch.zeros(50, 40, dtype=torch.float64)
    fault[place] = 1e-6 * gradient[place]
    wrong = xcheck.check(lambda p: loss({**p, "W": _Faulty.apply(p["W"], fault)}), params, scope="all")
    assert wrong.pairs[0].wrong == 1
    assert wrong.pairs[0].worst[0].location.index == tuple(int(axis) for axis in place)
    assert "XC420" not in codes(wrong)


def test_what_does_not_fit_the_budget_is_sampled_by_itself() -> None:
    """Three hundred thousand parameters, whose Jacobian would take minutes."""
    report = xcheck.check(lambda p: p.sin().sum(), torch.linspace(-3, 3, 300_000, dtype=torch.float64), budget=0.5)
    assert report.ok, report
    assert report.oracle.scope in ("sample", "directions")  # by the speed of the machine


def test_stairs_that_a_sample_meets_are_said() -> None:
    """With how many of the components that were measured lie on one, and the name of that with the widest."""
    weights = torch.tensor(RNG.uniform(0.1, 0.9, (300, 100)))
    report = xcheck.check(lambda p: torch.round(p, decimals=2).sum(), weights, scope="sample", budget=0.05)
    assert report.oracle.scope == "sample"
    (stairs,) = [warning for warning in report.warnings if warning.code == "XC437"]
    assert "components of " in stairs.text
    assert " that were measured: within" in stairs.text
    assert "with p[" in stairs.text
