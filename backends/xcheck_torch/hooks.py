"""Hooks that people put on gradients: identities whose backward pass may do anything."""

import sys
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils.hooks import BackwardHook

from xcheck.trace import Place
from xcheck_torch.noted import Noted
from xcheck_torch.recorded import Recorded, flatten
from xcheck_torch.taps import Cotangents

Hook = Callable[[Tensor], Tensor | None]
# What modules with full backward hooks pass what they read and return through.
MODULE_HOOK = torch.nn.modules._functions.BackwardHookFunction  # noqa: SLF001 - it has no public name


def name_of_hook(hook: Any) -> str:
    """Return what people call a hook."""
    return str(getattr(hook, "__name__", type(hook).__name__))


def place_of_hook(hook: Any) -> Place | None:
    """Return where a hook is defined; None where that is not known, as of objects."""
    code = getattr(hook, "__code__", None)
    return None if code is None else Place(code.co_filename, code.co_firstlineno, code.co_qualname)


def hooks_of_module() -> list[Any]:
    """Return the hooks that torch is just putting on a module: those on what it returns, or on what it reads.

    Without any, where both sides are watched for the sake of the other.
    """
    frame: Any = sys._getframe(1)  # noqa: SLF001 - they are known to the object alone that puts them there
    while frame is not None:
        owner = frame.f_locals.get("self")
        if isinstance(owner, BackwardHook) and frame.f_code is BackwardHook.setup_output_hook.__code__:
            return list(owner.user_pre_hooks)
        if isinstance(owner, BackwardHook) and frame.f_code is BackwardHook.setup_input_hook.__code__:
            return list(owner.user_hooks)
        frame = frame.f_back
    return []


def note_hook(hook: Hook, tensor: Tensor, place: Place | None, cotangents: Cotangents) -> tuple[Hook, Noted]:
    """Return a hook that does the same, and what is noted of it: it reads x and returns x.

    Args:
        hook: of a person.
        tensor: x, on which it is going to be.
        place: where the person does so.
        cotangents: what arrives at the hook, and what it returns, is noted here.
    """
    arriving, leaving = cotangents.new_key(), cotangents.new_key()

    def watched(cotangent: Tensor) -> Tensor | None:
        # The hook may write into it.
        cotangents.put(arriving, cotangent)
        found = hook(cotangent)
        cotangents.put(leaving, cotangent if found is None else found)
        return found

    x = tensor.detach().clone()
    leaves, layout = flatten([x], {})
    recorded = Recorded(torch.clone, tuple(leaves), layout)
    noted = Noted(name_of_hook(hook), "hook", place, recorded, (((0,), leaving),), ((x, x, arriving),), True)
    return watched, noted
