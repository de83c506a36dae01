"""Functions of torch tensors: what is read, and copies that lie in memory like the person's tensors."""

from typing import Any

import numpy as np
import pytest
import torch

import xcheck
from xcheck.backend import registry
from xcheck.backend.function_objective import FunctionObjective
from xcheck.functions.arguments import read_arguments
from xcheck_torch.function import lay_out, read_leaf

X = torch.arange(12.0).reshape(3, 4)


def made(function: Any, params: Any, data: tuple[Any, ...] = ()) -> FunctionObjective:
    """The objective of a function or a module."""
    objective = registry.get("torch").function_objective(function, read_arguments(params, data, registry.read))
    assert isinstance(objective, FunctionObjective)
    return objective


@pytest.mark.parametrize(
    ("value", "dtype", "numbers"),
    [
        (torch.tensor([1.5], dtype=torch.bfloat16), "bfloat16", [1.5]),
        (torch.tensor([1 + 2j]).conj(), "complex64", [1 - 2j]),
        (torch.tensor([1.0, 0.0]).to_sparse(), "float32", [1.0]),
        (torch.tensor([3], dtype=torch.int8), "int8", [3]),
        (torch.tensor([1.0], requires_grad=True), "float32", [1.0]),
    ],
    ids=["bfloat16", "conjugated", "sparse", "integers", "with a gradient"],
)
def test_numbers_are_read(value: torch.Tensor, dtype: str, numbers: list[Any]) -> None:
    """However torch keeps them."""
    leaf = read_leaf(value)
    assert (leaf.dtype, leaf.values.tolist()) == (dtype, numbers)


@pytest.mark.parametrize(
    "source", [X, X.T, X[:, ::2], X[1:], torch.tensor(3.0)], ids=["plain", "transposed", "gaps", "offset", "scalar"]
)
def test_a_copy_lies_like_its_source(source: torch.Tensor) -> None:
    """The same strides, and not at the beginning of its storage where the source is not; nothing is shared."""
    copy = lay_out(source + 1, source)
    assert torch.equal(copy, source + 1)
    assert copy.stride() == source.stride()
    assert bool(copy.storage_offset()) == bool(source.storage_offset())
    assert copy.untyped_storage().data_ptr() != source.untyped_storage().data_ptr()


def test_an_expanded_tensor_gets_numbers_of_its_own() -> None:
    """One number that stands for many could not be moved for one of them alone."""
    source = torch.ones(1, 4).expand(3, 4)
    copy = lay_out(source, source)
    copy[0, 0] = 7.0
    assert copy.sum().item() == 18.0


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


class _SparseProduct(torch.autograd.Function):  # type: ignore[misc]  # torch has no types here
    """A x, with a backward pass that is wrong where A is sparse, and right where it is dense."""

    @staticmethod
    def forward(ctx: Any, A: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(A)
        return A @ x

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> Any:
        (A,) = ctx.saved_tensors
        return None, (2 if A.layout is not torch.strided else 1) * (A.to_dense().T @ grads[0])


# torch says once in a process that its compressed layouts are in beta.
@pytest.mark.filterwarnings("ignore:Sparse CSR tensor support:UserWarning")
@pytest.mark.parametrize("layout", [torch.sparse_coo, torch.sparse_csr])
def test_sparse_data_stay_sparse(layout: torch.layout) -> None:
    """Once they were filled with their zeros, or failed, and a backward pass wrong for sparse tensors alone passed."""
    A = torch.tensor([[0.0, 2.0], [3.0, 0.0]], dtype=torch.float64)
    x = torch.tensor([[1.0], [2.0]], dtype=torch.float64)

    def loss(x: torch.Tensor, A: torch.Tensor) -> torch.Tensor:
        return (_SparseProduct.apply(A, x) ** 2).sum()

    assert xcheck.check(loss, x, (A,)).ok
    report = xcheck.check(loss, x, (A.to_sparse(layout=layout),))
    assert report.verdict is xcheck.Verdict.DISAGREE
    assert report.headline.startswith("torch disagrees: params[")
    assert "2 x the oracle (2 of 2 wrong)" in report.headline


def test_a_sparse_tensor_is_made_of_its_numbers() -> None:
    """So a backward pass for sparse parameters is checked."""
    places = torch.tensor([[0, 1, 1], [1, 0, 1]])

    def loss(values: torch.Tensor) -> torch.Tensor:
        return (
            torch.sparse.mm(torch.sparse_coo_tensor(places, values, (2, 2)), torch.ones(2, 1).double()).square().sum()
        )

    assert xcheck.check(loss, torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64)).ok


def test_sparse_data_are_for_their_own_framework() -> None:
    """Another one has no such array."""
    with pytest.raises(
        xcheck.DefinitionError, match="the data hold a sparse_coo array of torch: numpy needs a dense one"
    ):
        xcheck.check(lambda p, _: (p**2).sum(), np.ones(2), (X.to_sparse(),), gradient=lambda p, _: 2 * p)


def test_a_gradient_may_be_sparse() -> None:
    """That of an embedding is, if it is asked to be."""
    rows = torch.tensor([0, 2, 2])
    assert xcheck.check(lambda W: torch.nn.functional.embedding(rows, W, sparse=True).pow(2).sum(), X.double() + 1).ok
