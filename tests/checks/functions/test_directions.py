"""scope="directions": a screen of few losses, and the names of what is wrong; whatever the framework."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

import xcheck
from tests.checks.functions.layer import codes
from xcheck import Report, Verdict

ROWS, COLUMNS = 250, 400
FAULT = {"W": ((123, 45), 20.0), "b": ((3,), -0.5)}


def parameters(dtype: Any = np.float64) -> dict[str, Any]:
    """A hundred thousand, in two tensors of a tree."""
    rng = np.random.default_rng(0)
    return {
        "enc": [{"W": rng.standard_normal((ROWS, COLUMNS)).astype(dtype)}],
        "b": rng.standard_normal(7).astype(dtype),
    }


def loss(params: Any, np: Any = np) -> Any:
    """Depends on everything, in whatever framework `np` is."""
    return np.sin(params["enc"][0]["W"]).sum() / 1000 + np.cos(params["b"]).sum()


def gradient(params: Any, *faulty: str) -> Any:
    """By hand; with a fault in some tensors."""
    g = {"W": np.cos(params["enc"][0]["W"]) / 1000, "b": -np.sin(params["b"])}
    for name in faulty:
        place, factor = FAULT[name]
        g[name][place] *= factor
    return {"enc": [{"W": g["W"]}], "b": g["b"]}


class _TorchFault(torch.autograd.Function):  # type: ignore[misc] # torch is not analysed
    """Spoils one component of the gradient that passes through."""

    @staticmethod
    def forward(ctx: Any, W: torch.Tensor) -> torch.Tensor:  # noqa: ARG004 - torch calls it so
        return W.clone()

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> Any:  # noqa: ARG004 - torch calls it so
        spoiled = grads[0].clone()
        spoiled[FAULT["W"][0]] *= FAULT["W"][1]
        return spoiled


_jax_fault = jax.custom_vjp(lambda W: W)
_jax_fault.defvjp(lambda W: (W, None), lambda _, g: (g.at[FAULT["W"][0]].multiply(FAULT["W"][1]),))


def numpy_check(wrong: bool, **settings: Any) -> Report:
    """NumPy, by hand."""
    by_hand = gradient if not wrong else lambda params: gradient(params, "W")
    return xcheck.check(loss, parameters(), gradient=by_hand, scope="directions", **settings)


def torch_check(wrong: bool, dtype: Any = np.float64) -> Report:
    """Torch, by autograd."""

    def own(params: Any) -> Any:
        W = params["enc"][0]["W"]
        return loss({"enc": [{"W": _TorchFault.apply(W) if wrong else W}], "b": params["b"]}, torch)

    params = jax.tree.map(torch.tensor, parameters(dtype))
    return xcheck.check(own, params, scope="directions")


def jax_check(wrong: bool) -> Report:
    """JAX, by jax.grad."""

    def own(params: Any) -> Any:
        W = params["enc"][0]["W"]
        return loss({"enc": [{"W": _jax_fault(W) if wrong else W}], "b": params["b"]}, jnp)

    with jax.enable_x64(True):
        params = jax.tree.map(jnp.asarray, parameters())
    return xcheck.check(own, params, scope="directions")


CHECKS = [numpy_check, torch_check, jax_check]


@pytest.mark.parametrize("check", CHECKS)
def test_a_right_gradient_is_accepted_in_forty_losses(check: Callable[[bool], Report]) -> None:
    """And the report says what would have been seen."""
    report = check(False)
    assert report.ok, report
    assert report.oracle.evaluations <= 40
    assert report.parameters == ROWS * COLUMNS + 7
    warning = next(warning for warning in report.warnings if warning.code == "XC420")
    assert "0 of 100007 components were measured, and the slopes along 6 random directions" in warning.text
    assert "would have been seen with probability 1 − 10⁻⁶" in warning.text


@pytest.mark.parametrize("check", CHECKS)
def test_a_wrong_component_is_named(check: Callable[[bool], Report]) -> None:
    """With its value, what it should be, and a bar; in the first line, not one of the directions."""
    report = check(True)
    assert report.verdict is Verdict.DISAGREE
    assert "enc.0.W[123, 45]" in report.headline
    assert report.oracle.evaluations <= 200
    worst = report.pairs[0].worst[0]
    assert str(worst.location) == "enc.0.W[123, 45]"
    assert worst.a == pytest.approx(20 * worst.b, rel=1e-6)
    assert 0 < worst.error_bar < 1e-7
    located = next(finding for finding in report.findings if finding.code == "XC113")
    assert "1 wrong component located in" in located.text
    assert "no other error of norm" in located.text
    assert located.tensor == "enc.0.W"


def test_float32_is_judged_by_its_own_rounding() -> None:
    """Right in float32, and wrong in it; asked again in float64 the same component is wrong."""
    assert torch_check(False, np.float32).ok
    report = torch_check(True, np.float32)
    assert [pair.a for pair in report.pairs] == ["torch", "torch in float64"]
    assert all(str(pair.worst[0].location) == "enc.0.W[123, 45]" for pair in report.pairs)


def test_every_witness_is_searched_and_slopes_are_shared() -> None:
    """Two witnesses with a fault each, one without: each fault is found where it is, the right one stays right."""
    objectives = {
        name: xcheck.objective(loss, "numpy", gradient=lambda params, faulty=faulty: gradient(params, *faulty))
        for name, faulty in {"right": (), "first": ("W",), "second": ("W", "b")}.items()
    }
    report = xcheck.check(objectives, parameters(), scope="directions")
    verdicts = {pair.a: pair for pair in report.pairs if pair.b == "oracle"}
    assert verdicts["right"].verdict is Verdict.AGREE
    assert "first: 1 wrong component located" in str([finding.text for finding in report.findings])
    assert {str(one.location) for one in verdicts["second"].worst[:2]} == {"enc.0.W[123, 45]", "b[3]"}
    assert report.oracle.evaluations <= 250


def test_what_is_dense_is_named_and_sampled() -> None:
    """A tensor that is twice as large as it should be: its name, and components to recognise the factor by."""

    def doubled(params: Any) -> Any:
        g = gradient(params)
        g["enc"][0]["W"] *= 2
        return g

    report = xcheck.check(loss, parameters(), gradient=doubled, scope="directions")
    dense = next(finding for finding in report.findings if finding.code == "XC114")
    assert "most components of enc.0.W are wrong" in dense.text
    components = [one for one in report.pairs[0].worst if one.location.name == "enc.0.W"]
    assert len(components) == 10
    assert all(one.a == pytest.approx(2 * one.b) for one in components)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_is_named_without_a_search(value: float) -> None:
    """It hides everything else, and says where it is itself."""

    def spoiled(params: Any) -> Any:
        g = gradient(params)
        g["enc"][0]["W"][7, 8] = value
        return g

    report = xcheck.check(loss, parameters(), gradient=spoiled, scope="directions")
    assert report.verdict is Verdict.DISAGREE
    assert "enc.0.W[7, 8]" in report.headline
    assert "not finite in 1 component" in next(one for one in report.findings if one.code == "XC113").text


def test_a_kink_at_every_step_is_undecided() -> None:
    """|θ| at 0: any slope between −1 and 1 along each component is right, and none is confirmed."""
    report = xcheck.check(lambda x: x.abs().sum(), torch.zeros(50, dtype=torch.float64), scope="directions")
    assert report.verdict is Verdict.UNDECIDED


def test_part_of_a_loss_in_float32_is_noticed() -> None:
    """Noise that shorter steps do not make less, and steps that do not move at all."""
    x = torch.linspace(-3, 3, 30_000, dtype=torch.float64)
    report = xcheck.check(lambda x: x.float().sin().square().mean().double(), x, scope="directions")
    assert report.verdict is not Verdict.DISAGREE
    assert "XC417" in codes(report)


def test_a_loss_near_zero_is_not_taken_for_float32() -> None:
    """The sum of an odd function: what cancels is noisy beside what is left."""
    x = torch.linspace(-3, 3, 3_000, dtype=torch.float64)
    report = xcheck.check(lambda x: x.sin().sum(), x, scope="directions")
    assert report.ok, report
    assert "XC417" not in codes(report)


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_the_scale_of_the_parameters_does_not_matter(scale: float) -> None:
    """Very small ones, with steep slopes, and very large ones."""
    x = scale * torch.linspace(-3, 3, 3_000, dtype=torch.float64)
    report = xcheck.check(lambda x: (x / scale).sin().square().sum(), x, scope="directions")
    assert report.ok, report


def test_a_loss_that_is_nowhere_finite_is_undecided() -> None:
    """There is nothing to go by."""
    report = xcheck.check(lambda x: x.sum() * float("nan"), torch.ones(50, dtype=torch.float64), scope="directions")
    assert report.verdict is Verdict.UNDECIDED


def test_a_fixed_step_is_used_as_it_is() -> None:
    """Directions are differenced with it, and nothing is located with steps of our own."""
    report = numpy_check(True, epsilon=1e-4)
    assert report.oracle.epsilon == 1e-4
    assert report.verdict is Verdict.DISAGREE
    assert "XC113" not in codes(report)


def test_another_loss_is_not_searched_for_wrong_components() -> None:
    """Different functions have different gradients everywhere."""
    objectives = {
        "one": xcheck.objective(loss, "numpy", gradient=gradient),
        "other": xcheck.objective(lambda params: 2 * loss(params), "numpy", gradient=gradient),
    }
    report = xcheck.check(objectives, parameters(), scope="directions")
    assert report.verdict is Verdict.DISAGREE
    assert "XC113" not in codes(report)


def test_what_does_not_fit_even_a_sample_is_screened() -> None:
    """A budget of nothing at all: directions alone, and the fault is found all the same if time allows."""
    report = xcheck.check(loss, parameters(), gradient=gradient, budget=1e-9)
    assert report.ok, report
    assert "0 of 100007 components" in next(one for one in report.warnings if one.code == "XC420").text


def test_a_sample_names_components_outside_of_it() -> None:
    """A direction tells of an error that is in no sampled component; bisection finds it."""
    report = xcheck.check(loss, parameters(), gradient=lambda p: gradient(p, "W"), scope="sample", budget=0.3)
    assert "enc.0.W[123, 45]" in report.headline
    assert "XC113" in codes(report)


def test_a_million_parameters() -> None:
    """The number of losses of the screen does not depend on how many there are; that of the search hardly."""
    with jax.enable_x64(True):
        x = jnp.linspace(-3, 3, 1_000_000)

    spoiled = jax.custom_vjp(lambda x: x)
    spoiled.defvjp(lambda x: (x, None), lambda _, g: (g.at[765_432].multiply(9),))
    right = xcheck.check(lambda x: jnp.sin(x).mean() + jnp.cos(x[:7]).sum(), x, scope="directions")
    assert right.ok, right
    assert right.oracle.evaluations <= 40
    wrong = xcheck.check(lambda x: jnp.sin(spoiled(x)).mean() + jnp.cos(x[:7]).sum(), x, scope="directions")
    assert "x[765432]" in wrong.headline
    assert wrong.oracle.evaluations <= 200


def test_the_same_seed_gives_the_same_numbers() -> None:
    """Directions are drawn anew each time, from the seed."""
    one, again, other = (numpy_check(True, seed=seed).pairs[0] for seed in (1, 1, 2))
    assert one == again
    assert one != other


def test_the_command_line_knows_the_scope(tmp_path: Path) -> None:
    """`--scope directions`."""
    from click.testing import CliRunner

    from xcheck.cli.main import cli

    (tmp_path / "model.py").write_text(
        "import numpy as np\nimport xcheck\n"
        "def gradient(x):\n    g = np.cos(x)\n    g[77] += 1\n    return g\n"
        "case = xcheck.Case(lambda x: np.sin(x).sum(), np.linspace(0, 1, 1000), settings={'gradient': gradient})\n"
    )
    done = CliRunner().invoke(cli, ["check", str(tmp_path / "model.py"), "--scope", "directions"])
    assert done.exit_code == 1, done.output
    assert "[77]" in done.output
    assert "XC113" in done.output
