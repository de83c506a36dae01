"""Names of the functions of torch, as people call them, and of their arguments; what is written in Python is opened."""

import inspect
from collections.abc import Callable
from types import FunctionType
from typing import Any

import torch

# Attributes that are tensors computed from a tensor; all others tell of it.
_PROPERTIES = frozenset({"T", "mT", "H", "mH", "data", "real", "imag"})
# Namespaces of torch's own operators.
_NAMESPACES = ("aten", "prim", "prims")
# What is done to the tensor itself, which an alias is not.
_UNTOUCHED = frozenset({"requires_grad_", "retain_grad", "__set__", "__delete__", "__deepcopy__"})


def name_of(function: Any) -> str | None:
    """Return what people call a function of torch; None where it computes no tensor from one, or is to have its own."""
    name = str(getattr(function, "__name__", ""))
    if name == "__get__":
        attribute = str(function.__self__.__name__)
        return attribute if attribute in _PROPERTIES else None
    if isinstance(function, torch._ops.OpOverload | torch._ops.OpOverloadPacket):  # noqa: SLF001 - they have no public name
        namespace, _, short = str(function).partition(".")
        name = short.split(".")[0]
        return name if namespace in _NAMESPACES else f"{namespace}::{name}"
    if name in _UNTOUCHED:
        return None
    return name.removeprefix("__").removesuffix("__") if name.startswith("__") else name


def argument_names(function: Any) -> list[str]:
    """Return how the arguments of a function are called, as far as that is known."""
    own: Any = getattr(function, "__self__", None)
    if inspect.isclass(own) and issubclass(own, torch.autograd.Function):
        rule: Any = own
        names = _signature(rule.forward)
        return names if rule.setup_context is not torch.autograd.Function.setup_context else names[1:]
    if isinstance(function, FunctionType):
        return _signature(function)
    # Methods and functions in C++ have no signature; the operator of that name has. Those of Python are others.
    name = function.__name__
    operator = None if name.startswith("__") else getattr(torch.ops.aten, name, None)
    operator = function if hasattr(function, "_schema") else operator
    if isinstance(operator, torch._ops.OpOverloadPacket):  # noqa: SLF001 - it has no public name
        operator = getattr(operator, operator.overloads()[0])
    return [] if operator is None else [one.name for one in operator._schema.arguments]  # noqa: SLF001 - as above


def _signature(function: Callable[..., Any]) -> list[str]:
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [name for name, one in inspect.signature(function).parameters.items() if one.kind in kinds]


def opened(function: Any) -> Callable[..., Any] | None:
    """Return a function of torch that a mode sees the inner calls of, and not itself; None where it is no Python.

    It asks at its beginning whether a mode wants to carry it out. In the copy that is returned nobody does.
    """
    if not isinstance(function, FunctionType) or not function.__module__.startswith("torch."):
        return None
    answers = {name: lambda *_: False for name in function.__code__.co_names if name.startswith("has_torch_function")}
    if not answers:
        return None
    names = {**function.__globals__, **answers}
    copy = FunctionType(function.__code__, names, function.__name__, function.__defaults__, function.__closure__)
    copy.__kwdefaults__ = function.__kwdefaults__
    return copy
