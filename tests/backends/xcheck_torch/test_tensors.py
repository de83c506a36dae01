"""Tensors of a person: their numbers, copies that lie in memory like them, sparse ones, hooks on gradients."""

from typing import Any

import numpy as np
import pytest
import torch

import xcheck
from xcheck_torch.tensors import lay_out, read_leaf

X = torch.arange(12.0).reshape(3, 4)


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
    assert report.headline.startswith("torch disagrees: x[")
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


def twice(grad: torch.Tensor) -> torch.Tensor:
    """A hook that doubles a gradient."""
    return 2 * grad


def layers() -> torch.nn.Module:
    """A small network."""
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Tanh(), torch.nn.Linear(3, 2)).double()


def checked(module: torch.nn.Module) -> xcheck.Report:
    """The report on the mean square of a module's outputs."""
    function = xcheck.objective(module, "torch", loss=lambda outputs: outputs.square().mean())
    return xcheck.check(function, data=(X.double(),), inputs=True)


def test_hooks_on_gradients_are_part_of_them() -> None:
    """Training sees what they return; once the check did not."""
    module = layers()
    assert checked(module).ok
    handle = module[0].weight.register_hook(twice)
    report = checked(module)
    assert report.verdict is xcheck.Verdict.DISAGREE
    assert "0.weight: 2 x what it should be" in str(report.findings)
    assert [warning.code for warning in report.warnings] == ["XC434"]
    assert "the gradient of 0.weight passes through a hook" in report.warnings[0].text
    handle.remove()
    assert not checked(module).warnings


def test_a_hook_on_a_bare_tensor_is_part_of_its_gradient() -> None:
    """One that only looks on changes nothing, and is named."""
    seen: list[torch.Tensor] = []
    tensor = X.double().requires_grad_()
    tensor.register_hook(seen.append)
    report = xcheck.check(lambda p: (p**3).sum(), tensor)
    assert report.ok
    assert seen
    assert [warning.code for warning in report.warnings] == ["XC434"]
    tensor.register_hook(twice)
    assert xcheck.check(lambda p: (p**3).sum(), tensor).verdict is xcheck.Verdict.DISAGREE


def test_hooks_of_modules_are_part_of_the_gradient() -> None:
    """They belong to the call of the module."""
    module = layers()
    module[1].register_full_backward_hook(lambda _, inputs, __: tuple(2 * grad for grad in inputs))
    assert checked(module).verdict is xcheck.Verdict.DISAGREE


def test_hooks_after_accumulation_are_named_and_not_run() -> None:
    """They may take steps of an optimiser."""
    module = layers()
    module[0].weight.register_post_accumulate_grad_hook(lambda _: pytest.fail("the hook was run"))
    report = checked(module)
    assert report.ok
    assert [warning.code for warning in report.warnings] == ["XC434"]
    assert (
        "0.weight has a hook that runs after its gradient is accumulated, which is not checked"
        in report.warnings[0].text
    )
