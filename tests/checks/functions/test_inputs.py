"""Inputs: what a layer hands down to the layer below it is checked when asked for, and called out when not."""

from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
import torch

import xcheck
from tests.checks.functions.layer import codes
from xcheck import Verdict
from xcheck.errors import DefinitionError

X = np.random.default_rng(0).normal(size=(5, 3))
W = np.random.default_rng(1).normal(size=(3, 2))


class _Product(torch.autograd.Function):  # type: ignore[misc]  # torch has no types here
    """X W, with a gradient of X that is three times too large."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(x, weight)
        return x @ weight

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> Any:
        x, weight = ctx.saved_tensors
        return 3 * grads[0] @ weight.T, x.T @ grads[0]


class _Layer(torch.nn.Module):  # type: ignore[misc]  # torch has no types here
    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.tensor(W))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return _Product.apply(x, self.weight)


@pytest.mark.parametrize("loss", [None, lambda outputs: outputs.square().mean()], ids=["layer", "with a loss"])
def test_a_layer_with_a_wrong_gradient_of_its_inputs(loss: Any) -> None:
    """It passes at its parameters, with a word on what was not looked at; it is found when asked for."""
    layer = xcheck.objective(_Layer(), "torch", loss=loss)
    passed = xcheck.check(layer, data=(torch.tensor(X),))
    assert passed.ok
    assert "XC435" in codes(passed)
    found = xcheck.check(layer, data=(torch.tensor(X),), inputs=True)
    assert found.verdict is Verdict.DISAGREE
    assert [tensor.name for tensor in found.pairs[0].tensors if tensor.wrong] == ["data[0]"]
    assert "3 x the oracle (15 of 21 wrong)" in found.headline
    assert "XC435" not in codes(found)


@pytest.mark.parametrize("settings", [{}, {"order": 2}, {"scope": "jacobian"}, {"scope": "directions"}])
def test_a_right_layer_agrees_at_its_inputs(settings: Any) -> None:
    """In every scope and order."""
    torch.manual_seed(0)
    layer = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.Tanh()).double()
    assert xcheck.check(layer, data=(torch.tensor(X),), inputs=True, **settings).ok


def test_targets_of_a_module_are_no_inputs() -> None:
    """The loss takes them, not the module."""
    function = xcheck.objective(torch.nn.Linear(3, 2).double(), "torch", loss=torch.nn.functional.mse_loss)
    report = xcheck.check(function, data=(torch.tensor(X), torch.ones(5, 2).double()), inputs=True)
    assert report.ok
    assert [tensor.name for tensor in report.tensors] == ["weight", "bias", "data[0]"]


def test_floating_data_of_functions_are_inputs() -> None:
    """Inside trees, too, in all frameworks, whatever names the parameters have there; whole numbers are none."""
    functions = {
        "jax": xcheck.objective(lambda p, d, n: jnp.sum(jnp.tanh(d["x"] @ p["W"]) * n), "jax"),
        "torch": xcheck.objective(
            lambda p, d, n: torch.tanh(d["x"] @ p["kernel"].T).sum() * n,
            "torch",
            rename={"kernel": "W"},
            layout={"kernel": "transpose"},
        ),
    }
    report = xcheck.check(functions, {"W": W}, ({"x": X, "steps": np.arange(3)}, 3), inputs=True)
    assert report.ok
    assert [tensor.name for tensor in report.tensors] == ["W", "data[0].x"]


def test_a_hand_written_gradient_has_no_inputs() -> None:
    """It is one of the parameters."""
    with pytest.raises(DefinitionError, match="numpy: a hand-written gradient is that of params: hand the data"):
        xcheck.check(lambda p, x: (x @ p).sum(), W, (X,), gradient=lambda p, _: p, inputs=True)


class _Doubles(torch.nn.Module):  # type: ignore[misc]  # torch has no types here
    """A linear layer behind something of a person's own."""

    def __init__(self, change: Any) -> None:
        super().__init__()
        self.linear, self.change = torch.nn.Linear(3, 2).double(), change

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.linear(self.change(x))


class _Wrong(torch.autograd.Function):  # type: ignore[misc]  # torch has no types here
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        ctx.factor = 3
        return 2 * x

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> Any:
        return ctx.factor * grads[0]


def _hooked(change: Any) -> torch.nn.Module:
    layer = _Doubles(change)
    layer.linear.register_full_backward_hook(lambda module, grad_input, grad_output: grad_input)
    return layer


def test_a_module_that_fails_has_no_gradient_of_its_inputs() -> None:
    """It fails with its own words, and nothing else does."""
    layer = xcheck.objective(torch.nn.Linear(3, 2).double(), "torch", loss=torch.nn.functional.mse_loss)
    report = xcheck.check(layer, data=(torch.tensor(X),))
    assert report.verdict is Verdict.ERROR
    assert codes(report) == {"XC104"}


# torch warns of a hook on a module whose inputs ask for no gradients.
@pytest.mark.filterwarnings("ignore:Full backward hook")
@pytest.mark.parametrize(
    ("layer", "through"),
    [
        (_Doubles(_Wrong.apply), "_Wrong"),
        (_hooked(torch.tanh), "hooks of linear"),
        (_Doubles(torch.detach), "a cut that autograd does not cross"),
        (_Doubles(lambda x: x.mul_(2.0)), "a call that fails where inputs ask for gradients"),
        (_Doubles(torch.tanh), ""),
    ],
)
def test_inputs_are_called_out_where_own_code_computes_their_gradient(layer: torch.nn.Module, through: str) -> None:
    """A module made of torch's own layers alone has nothing to hide."""
    report = xcheck.check(layer, data=(torch.tensor(X),))
    texts = [warning.text for warning in report.warnings if warning.code == "XC435"]
    assert len(texts) == bool(through)
    assert all(f"(data[0]) passes through {through}" in text for text in texts)
