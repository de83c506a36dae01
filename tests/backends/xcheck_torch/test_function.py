"""Functions of torch tensors: modules, single components, what depends on nothing."""

from typing import Any

import jax
import numpy as np
import pytest
import torch

import xcheck
from xcheck.backend import registry
from xcheck.backend.function_objective import FunctionObjective
from xcheck.functions.arguments import read_arguments

X = torch.arange(12.0).reshape(3, 4)


def made(function: Any, params: Any, data: tuple[Any, ...] = ()) -> FunctionObjective:
    """The objective of a function or a module."""
    objective = registry.get("torch").function_objective(function, read_arguments(params, data, registry.read))
    assert isinstance(objective, FunctionObjective)
    return objective


def test_layers_that_are_random_or_look_at_the_batch_are_named() -> None:
    """In training mode only, and only where they do something."""
    module = torch.nn.Sequential(torch.nn.Dropout(0.5), torch.nn.Dropout(0.0), torch.nn.BatchNorm1d(2))
    objective = made(xcheck.objective(module, "torch"), dict(module.named_parameters()), (torch.ones(3, 2),))
    assert [caution.partition(" ")[0] for caution in objective.cautions()] == ["0", "2"]
    module.eval()
    assert objective.cautions() == []


def test_a_module_keeps_its_statistics() -> None:
    """Batch normalisation writes into copies of its buffers."""
    module = torch.nn.BatchNorm1d(2).double()
    function = xcheck.objective(module, "torch", loss=lambda outputs: outputs.square().sum())
    objective = made(function, dict(module.named_parameters()), (torch.arange(6.0).double().reshape(3, 2),))
    objective.loss_and_gradient(objective.arguments.theta)
    assert module.running_mean is not None
    assert module.running_mean.tolist() == [0.0, 0.0]


def test_single_components_are_moved_without_whole_thetas() -> None:
    """The losses are those of whole θ; so they are where vmap cannot be used."""
    params, data = {"w": X.double(), "b": torch.ones(3).double()}, (torch.ones(4).double(),)
    objective = made(xcheck.objective(lambda p, x: (p["w"] @ x + p["b"]).square().sum(), "torch"), params, data)
    theta, places = objective.arguments.theta, np.array([0, 3, 7])
    values = theta[places] + np.array([0.5, -1.0, 2.0])
    points = np.repeat(theta[None], 3, axis=0)
    points[np.arange(3), places] = values
    assert objective.moved is not None
    np.testing.assert_allclose(objective.moved(theta, places, values), objective.losses(points), rtol=1e-14)
    np.testing.assert_allclose(objective.moved(theta, places[:1], values[:1]), objective.losses(points[:1]), rtol=1e-14)


def test_a_loss_that_was_detached_depends_on_nothing() -> None:
    """Its gradient is None, and taken for zero."""
    objective = made(xcheck.objective(lambda p: p.detach().sum(), "torch"), X)
    _, gradient = objective.loss_and_gradient(objective.arguments.theta)
    assert gradient.tolist() == [0.0] * 12
    assert objective.unused == {"params"}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_frozen_parameters_are_not_checked(dtype: torch.dtype) -> None:
    """They are not trained, and have the dtype of the others where the oracle widens these."""
    module = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.Tanh(), torch.nn.Linear(2, 1)).to(dtype)
    module[0].weight.requires_grad_(False)
    function = xcheck.objective(module, "torch", loss=lambda outputs: outputs.square().sum())
    report = xcheck.check(function, None, (torch.ones(4, 3, dtype=dtype),))
    assert report.ok
    assert [tensor.name for tensor in report.tensors] == ["0.bias", "2.weight", "2.bias"]
    # Handed over all the same, or frozen as a whole, they are checked.
    everything = xcheck.check(function, dict(module.named_parameters()), (torch.ones(4, 3, dtype=dtype),))
    assert (everything.ok, everything.parameters) == (True, 11)
    module.requires_grad_(False)
    assert xcheck.check(function, None, (torch.ones(4, 3, dtype=dtype),)).parameters == 11


NAMES = {"a.k": "0.weight", "a.b": "0.bias", "c.*": "1.*"}


@pytest.mark.parametrize("how", ["same names", "renamed", "like"])
@pytest.mark.parametrize("first", ["module", "module as params"])
def test_frozen_parameters_are_handed_to_the_others(how: str, first: str) -> None:
    """A function of another framework needs them; once it failed with KeyError, and a rename of them was refused."""
    torch.manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.Linear(2, 1)).double()
    module[0].weight.requires_grad_(False)
    names = {"a.k": "0.weight", "a.b": "0.bias", "c.weight": "1.weight", "c.bias": "1.bias"}

    def loss(p: Any, x: Any) -> Any:
        W, b, V, c = (jax.tree.leaves(p[own] if own in p else p[there]) for own, there in names.items())
        return jax.numpy.sum((x @ W[0].T + b[0]) @ V[0].T + c[0]) ** 2

    def nested(p: Any, x: Any) -> Any:
        return loss({f"{part}.{name}": array for part, arrays in p.items() for name, array in arrays.items()}, x)

    like = {"a": {"k": np.zeros((2, 3)), "b": np.zeros(2)}, "c": {"weight": np.zeros((1, 2)), "bias": np.zeros(1)}}
    port = {
        "same names": lambda: xcheck.objective(loss, "jax"),
        "renamed": lambda: xcheck.objective(nested, "jax", rename=NAMES),
        "like": lambda: xcheck.objective(nested, "jax", rename=NAMES, like=like),
    }[how]()
    functions = {"torch": xcheck.objective(module, "torch", loss=lambda outputs: outputs.sum() ** 2), "jax": port}
    report = xcheck.check(functions, module if first == "module as params" else None, (torch.ones(4, 3).double(),))
    assert report.ok, report
    assert [tensor.name for tensor in report.tensors] == ["0.bias", "1.weight", "1.bias"]


@pytest.mark.parametrize("loss", [lambda _: True, lambda p: p.detach().sum()], ids=["no tensor", "detached"])
def test_second_derivatives_of_what_depends_on_nothing(loss: Any) -> None:
    """They are zero, like the first."""
    objective = made(xcheck.objective(loss, "torch"), X)
    theta = objective.arguments.theta
    assert objective.hessian_product(theta, np.ones_like(theta)).tolist() == [0.0] * 12
