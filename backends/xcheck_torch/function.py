"""A person's own function of torch tensors, or a module: the gradient by autograd, many θ at once by torch.func.vmap.

A module is called by torch.func.functional_call with parameters of ours and copies of its buffers: it is not touched.
"""

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from xcheck.arguments import Arguments, Leaf, Numbers
from xcheck.function import Function
from xcheck.function_objective import FunctionObjective, widened
from xcheck.parameters import Vector
from xcheck_torch.modes import own_modes

_DEVICES = {"cpu": "cpu", "gpu": "cuda"}


def numbers(value: Tensor) -> Leaf:
    """Return the numbers of a tensor."""
    tensor = value.detach()
    if tensor.is_sparse or tensor.layout is not torch.strided:
        tensor = tensor.to_dense()
    if tensor.is_floating_point() or tensor.is_complex():
        tensor = tensor.to(torch.complex128 if tensor.is_complex() else torch.float64)
    return Leaf(tensor.resolve_conj().cpu().numpy().copy(), str(value.dtype).removeprefix("torch."), "torch", value)


def laid_out(tensor: Tensor, source: Tensor) -> Tensor:
    """Return a copy that lies in memory like the source: transposed, or with gaps like a slice."""
    if source.is_contiguous() or 0 in source.stride() or source.shape != tensor.shape:
        return tensor.clone(memory_format=torch.contiguous_format)
    copy = torch.empty_strided(source.shape, source.stride(), dtype=tensor.dtype, device=tensor.device)
    return copy.copy_(tensor)


class TorchFunction(FunctionObjective):
    """Loss and gradient of a function in PyTorch."""

    def __init__(self, function: Function, arguments: Arguments, device: str, *, wide: bool, cotangent: Any) -> None:
        self._device = torch.device(_DEVICES[device])
        super().__init__("torch", function, arguments, wide=wide, cotangent=cotangent)
        self._vmaps = True
        self._tried: set[frozenset[str]] = set()

    def parameters(self) -> Mapping[str, Any] | None:
        """Return the parameters of the module."""
        module = self.function.module
        return None if module is None else dict(module.named_parameters())

    def array(self, values: Numbers, leaf: Leaf, dtype: str) -> Any:
        """Return a tensor, where the source is one, and like it."""
        source = leaf.source
        device = source.device if isinstance(source, Tensor) else self._device
        tensor = torch.as_tensor(values, device=device).to(getattr(torch, dtype))
        return laid_out(tensor, source) if isinstance(source, Tensor) else tensor.clone()

    def called(self, given: Mapping[str, Any], data: tuple[Any, ...]) -> Any:
        """Call the loss; a module first."""
        function = self.function
        if function.module is None:
            return super().called(given, data)
        state = {name: self._buffer(buffer) for name, buffer in function.module.named_buffers()}
        inputs, targets = data[: function.inputs], data[function.inputs :]
        outputs = torch.func.functional_call(function.module, {**state, **given}, inputs)
        return outputs if function.loss is None else function.loss(outputs, *targets)

    def _buffer(self, buffer: Tensor) -> Tensor:
        dtype = str(buffer.dtype).removeprefix("torch.")
        return buffer.detach().to(getattr(torch, widened(dtype) if self.wide else dtype), copy=True)

    def value(self, params: Mapping[str, Any], data: tuple[Any, ...]) -> Any:
        """Return the loss."""
        with own_modes(self._device):
            value = self.called(params, data)
            return value.detach() if isinstance(value, Tensor) else value

    def value_and_gradient(
        self, params: Mapping[str, Any], data: tuple[Any, ...]
    ) -> tuple[float, Mapping[str, Numbers | None]]:
        """Return the loss and what autograd says."""
        with own_modes(self._device):
            tensors = {name: tensor.requires_grad_() for name, tensor in params.items()}
            value = self.called(tensors, data)
            scalar = self._scalar(value) if isinstance(value, Tensor) else value
            number = self.number(value)
            if not isinstance(scalar, Tensor) or not scalar.requires_grad:
                return number, dict.fromkeys(tensors)
            found = torch.autograd.grad(scalar, list(tensors.values()), allow_unused=True)
        return number, {
            name: None if part is None else numbers(part).values for name, part in zip(tensors, found, strict=True)
        }

    def second(
        self, params: Mapping[str, Any], vector: Mapping[str, Any], data: tuple[Any, ...]
    ) -> Mapping[str, Numbers | None]:
        """Return H v: the gradient of Re ⟨g, v⟩."""
        with own_modes(self._device):
            tensors = {name: tensor.requires_grad_() for name, tensor in params.items()}
            scalar = self._scalar(self.called(tensors, data))
            inputs = list(tensors.values())
            first = torch.autograd.grad(scalar, inputs, create_graph=True, allow_unused=True)
            along = [
                torch.real((part.conj() * vector[name]).sum() + 0j)
                for name, part in zip(tensors, first, strict=True)
                if part is not None and part.requires_grad
            ]
            if not along:
                return dict.fromkeys(tensors)
            found = torch.autograd.grad(sum(along), inputs, allow_unused=True)
        return {name: None if part is None else numbers(part).values for name, part in zip(tensors, found, strict=True)}

    def _scalar(self, value: Tensor) -> Tensor:
        """Return Re Σ v̄ y, or the one number that there is."""
        if self.cotangent is None:
            return value.reshape(()) if value.numel() == 1 else value
        cotangent = torch.as_tensor(np.conj(self.cotangent), device=value.device)
        kind = torch.promote_types(value.dtype, torch.complex64) if cotangent.is_complex() else value.dtype
        product = (cotangent.to(kind) * value).sum()
        return torch.real(product) if product.is_complex() else product

    # --- many θ at once ---------------------------------------------------------------------------------------------

    def batch(self, thetas: Vector) -> Vector | None:
        """Return the losses by torch.func.vmap; None where an operation has no batching rule.

        What vmap can do depends on which parameters differ: each such case is tried once against single calls.
        """
        if not self._vmaps:
            return None
        stacked = self.stacked(thetas)
        varied = frozenset(name for name, (_, differs) in stacked.items() if differs)
        if not varied:
            return None
        try:
            found = self._mapped(stacked)
        except Exception as error:  # noqa: BLE001 - whatever vmap cannot do, a loop can
            self._vmaps, self.engine = False, f"loop (torch.func.vmap: {type(error).__name__})"
            return None
        if varied not in self._tried:
            self._tried.add(varied)
            if not self._confirmed(thetas[:2], found[:2]):
                self._vmaps, self.engine = False, "loop (torch.func.vmap gives other losses)"
                return None
        self.engine = "torch.func.vmap"
        return found

    def _confirmed(self, thetas: Vector, found: Vector) -> bool:
        plain = [self.number(self.value(self.own(theta), self._shared())) for theta in thetas]
        return np.allclose(found, plain, rtol=1e-6 if self.wide else 1e-3, atol=0.0, equal_nan=True)

    def _mapped(self, stacked: Mapping[str, tuple[Numbers, bool]]) -> Vector:
        """Return the losses at all θ; what does not differ between them is not batched."""
        given = {name: self.array(part, self.source(name), self.dtype(name)) for name, (part, _) in stacked.items()}
        over = {name: 0 if differs else None for name, (_, differs) in stacked.items()}
        with own_modes(self._device), torch.no_grad(), warnings.catch_warnings():
            # "there is a performance drop": the loop would be slower still.
            warnings.filterwarnings("ignore", message="There is a performance drop", category=UserWarning)
            found = torch.func.vmap(self._loss_of, in_dims=(over,), randomness="error")(given)
        return found.to(device="cpu", dtype=torch.float64).numpy()

    def _loss_of(self, given: dict[str, Tensor]) -> Tensor:
        value = self.called(given, self._shared())
        scalar = self._scalar(value)
        if scalar.numel() != 1:
            self.number(scalar)
        return scalar
