"""Modules called with other parameters: by torch.func.functional_call, so that they stay as they are.

Buffers are copied: batch normalisation writes its running statistics into them. Frozen parameters are copied, too, as
their dtype has to be that of the others.
"""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from xcheck.dtypes import widen
from xcheck.functions.function import Function

# Under which name the module that a loss takes itself is held for the time of a call.
_HELD = "module"


class _Handed(torch.nn.Module):  # type: ignore[misc]  # torch has no types here
    """Calls a loss with a module that is handed over, whose parameters functional_call exchanges for that time."""

    def __init__(self, module: torch.nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, loss: Callable[..., Any], *data: Any) -> Any:
        """Return the loss."""
        return loss(self.module, *data)


def call_module(function: Function, parameters: Mapping[str, Tensor], data: tuple[Any, ...], *, wide: bool) -> Any:
    """Return the loss of a function with a module, whose parameters these are.

    Args:
        function: with a module.
        parameters: by own name; those that are left out are the module's own.
        data: what the module is called with, then the targets; where the loss takes the module itself, its data.
        wide: whether floating buffers have 64 bits.
    """
    module = function.module
    parts = {**dict(module.named_buffers()), **dict(module.named_parameters())}
    state = {name: _copy(part, wide=wide) for name, part in parts.items() if name not in parameters}
    state |= parameters
    if function.handed:
        held = {f"{_HELD}.{name}": part for name, part in state.items()}
        return torch.func.functional_call(_Handed(module), held, (function.loss, *data))
    outputs = torch.func.functional_call(module, state, data[: function.inputs])
    return outputs if function.loss is None else function.loss(outputs, *data[function.inputs :])


def _copy(part: Tensor, *, wide: bool) -> Tensor:
    dtype = str(part.dtype).removeprefix("torch.")
    return part.detach().to(getattr(torch, widen(dtype) if wide else dtype), copy=True)
