"""Tensors of a person: their numbers, copies that lie in memory like them, and the hooks on their gradients."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from xcheck.backend.cotangents import WEIGHT
from xcheck.errors import Complaint, DefinitionError
from xcheck.functions.arguments import Leaf, Numbers


def read_leaf(value: Tensor) -> Leaf:
    """Return the numbers of a tensor."""
    if value.is_nested:
        raise DefinitionError(Complaint("a nested tensor has no shape: hand over the tensors in it as a list"))
    if value.dtype is torch.float64 and _is_plain(value):
        return Leaf(
            value.detach().numpy().copy(), "float64", "torch", value
        )  # the usual case, tens of times in a check
    tensor, stored = value.detach(), None
    # To fill a sparse tensor with its zeros could take any amount of memory; what is stored is all that can differ.
    if tensor.layout is not torch.strided:
        tensor, stored = _stored_values(tensor), str(tensor.layout).removeprefix("torch.")
    if tensor._is_zerotensor():  # noqa: SLF001 - what autograd stands in for zeros has no public name
        tensor = torch.zeros_like(tensor)
    # Narrow dtypes are read as float64, which holds their numbers exactly; NumPy has no bfloat16.
    if tensor.is_floating_point() or tensor.is_complex():
        tensor = tensor.to(torch.complex128 if tensor.is_complex() else torch.float64)
    dtype = str(value.dtype).removeprefix("torch.")
    return Leaf(tensor.resolve_conj().cpu().numpy().copy(), dtype, "torch", value, stored)


def view_numbers(value: Tensor) -> Numbers:
    """Return the numbers of a tensor where they lie, if NumPy can read them there: they are not to be written into."""
    if value.dtype is torch.float64 and not value.is_nested and _is_plain(value):
        numbers: Numbers = value.detach().numpy()
        return numbers
    return read_leaf(value).values


def _is_plain(value: Tensor) -> bool:
    """Return whether NumPy can read the numbers of a tensor where they lie."""
    return (
        value.layout is torch.strided
        and value.device.type == "cpu"
        and not value.is_neg()
        and not value._is_zerotensor()  # noqa: SLF001 - see read_leaf
    )


def _stored_values(tensor: Tensor) -> Tensor:
    if tensor.layout is torch.sparse_coo:
        tensor = tensor.coalesce()
    return tensor.values()


def fill_in(gradient: Tensor) -> Numbers:
    """Return a gradient as numbers, its zeros included: that of a sparse embedding is a sparse tensor.

    They may be those of the tensor itself, and are not to be written into.
    """
    return view_numbers(gradient if gradient.layout is torch.strided else gradient.to_dense())


def pull_back(value: Tensor, tensors: Mapping[str, Tensor], weights: Tensor) -> dict[str, Numbers | None]:
    """Return by name the gradient of Σ w y/WEIGHT with respect to tensors, None where y does not depend on one."""
    parts = torch.autograd.grad(
        value, list(tensors.values()), weights, retain_graph=value.numel() > 1, allow_unused=True
    )
    named = zip(tensors, parts, strict=True)
    return {name: None if part is None else fill_in(part) / WEIGHT for name, part in named}


def gradient_hooks(source: object) -> list[Callable[[Tensor], Any]]:
    """Return what was registered on a tensor by `register_hook`: it changes what training sees of its gradient."""
    # torch has no public way to ask for them.
    hooks = source._backward_hooks if isinstance(source, Tensor) else None  # noqa: SLF001
    return list((hooks or {}).values())


def describe_hooks(name: str, source: object) -> list[str]:
    """Say which hooks a parameter has: those on the gradient are part of it, those that run later are not."""
    said = []
    if gradient_hooks(source):
        said.append(f"the gradient of {name} passes through a hook that was registered on it, and is checked so")
    if isinstance(source, Tensor) and source._post_accumulate_grad_hooks:  # noqa: SLF001 - see gradient_hooks
        said.append(f"{name} has a hook that runs after its gradient is accumulated, which is not checked")
    return said


def lay_out(tensor: Tensor, source: Tensor) -> Tensor:
    """Return a copy that lies in memory like the source: transposed, with gaps like a slice, not from the beginning.

    A function that reads strides, a hand-written kernel for instance, is so checked as it will be called.
    """
    # A stride of 0 is an expanded tensor: one number that stands for many cannot hold a θ of its own for each.
    if 0 in source.stride() or source.shape != tensor.shape or (source.is_contiguous() and not source.storage_offset()):
        return tensor.clone(memory_format=torch.contiguous_format)
    offset = min(source.storage_offset(), 1)
    # One byte each, whatever the default dtype is.
    whole = (
        torch.empty_strided(source.shape, source.stride(), dtype=torch.uint8, device="meta").untyped_storage().nbytes()
    )
    storage = torch.empty(whole + offset, dtype=tensor.dtype, device=tensor.device)
    return storage.as_strided(source.shape, source.stride(), offset).copy_(tensor)
