"""Inputs of a module: what of a person's own code their gradient passes through, and whether it reaches them at all.

The gradient of the parameters may be right where that of the inputs is wrong: an own backward pass may return a wrong
one for its inputs alone, a hook of a module may change it, and what detaches its inputs has none. Where all of a module
is torch's own, there is nothing to suspect.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from xcheck.backend.contract import wrap_errors
from xcheck.errors import XcheckError
from xcheck.functions.tree import leaves
from xcheck_torch.cotangents import name_of, own_backward_passes


def own_code_behind(module: torch.nn.Module, inputs: tuple[Any, ...], call: Callable[[], Any]) -> list[str]:
    """Name own backward passes and hooks between the outputs of a module and its inputs, and a cut where there is one.

    Args:
        module: what is called.
        inputs: copies of what it takes, which will ask for gradients.
        call: calls it on them.
    """
    tensors = [part for part in leaves(inputs).values() if isinstance(part, Tensor) and part.dtype.is_floating_point]
    for tensor in tensors:
        tensor.requires_grad_()
    try:
        with wrap_errors("torch"):
            value = call()
    except XcheckError:
        # As where it writes into its inputs: nothing is known then.
        return ["a call that fails where inputs ask for gradients"]
    hooked = [f"hooks of {name or 'the module'}" for name, part in module.named_modules() if _changes_gradients(part)]
    found = list(dict.fromkeys([*(name_of(node) for node in own_backward_passes(value)), *hooked]))
    return found if _reaches(value, tensors) else [*found, "a cut that autograd does not cross, such as detach()"]


def _changes_gradients(module: torch.nn.Module) -> bool:
    """Return whether hooks of a module may change the gradient that passes through it."""
    # torch has no public way to ask for them.
    return bool(module._backward_hooks or module._backward_pre_hooks)  # noqa: SLF001 - see above


def _reaches(value: Any, tensors: list[Tensor]) -> bool:
    """Return whether autograd knows a way from a value to one of the tensors."""
    if not isinstance(value, Tensor) or value.grad_fn is None:
        return False
    seen, left = set(), [value.grad_fn]
    while left:
        node = left.pop()
        if node in seen:
            continue
        seen.add(node)
        if any(getattr(node, "variable", None) is tensor for tensor in tensors):
            return True
        left += [below for below, _ in node.next_functions if below is not None]
    return False
