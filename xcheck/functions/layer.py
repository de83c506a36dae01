"""layer: a layer that is written as `forward(x, W, b) -> (output, cache)` and `backward(dout, cache) -> (dx, dW, db)`.

As people write them who write backpropagation by hand (Stanford's CS231n among them): the forward pass leaves in its
cache what the backward pass needs. A layer is a function with a vjp; all that comes out of `backward` is checked, the
gradient of the input as well.
"""

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from xcheck.errors import Complaint, DefinitionError
from xcheck.functions.function import Function, objective

# What stands before or behind the name of an argument in a dict of its gradients.
_PREFIXES, _SUFFIXES = ("d", "d_", "grad_", "g_"), ("_grad",)


def layer(forward: Callable[..., Any], backward: Callable[..., Any], backend: str = "numpy") -> Function:
    """Return a layer as a function that `xcheck.check` takes: params are arguments of `forward`.

    Args:
        forward: `forward(x, W, b, ...) -> (output, cache)`; with NumPy also `(output, second output, ..., cache)`.
        backward: `backward(dout, cache)`, with one cotangent for each output, returns the gradients of those arguments
            that are given as params, as a tuple in their order, or as a dict: `x`, `dx`, `grad_x` and `x_grad` are
            names of the same.
        backend: whose arrays these are.

    Raises:
        DefinitionError: one of the two is no function, or `forward` does not tell its arguments.

    A tuple of params stands for the first arguments of `forward`, a dict for those with its names; what is left is
    taken from data, in order.

    >>> import xcheck
    >>> def forward(x, w):
    ...     return x * w, (x, w)
    >>> def backward(dout, cache):
    ...     x, w = cache
    ...     return dout * w, dout * x
    >>> xcheck.check(xcheck.layer(forward, backward), (np.array([1.0, 2.0]), np.array([3.0, 5.0]))).ok
    True
    """
    for name, given in (("forward", forward), ("backward", backward)):
        if not callable(given):
            raise DefinitionError(Complaint(f"expected a function, {type(given).__name__} came", (name,)))
    pair = _Pair(forward, backward, _names_of(forward))
    function = objective(pair.value, backend, vjp=pair.pull_back)
    name = getattr(forward, "__name__", "layer")
    return function.named("layer" if name == "<lambda>" else name, pair.names)


class _Pair:
    """A forward and a backward pass.

    Args:
        forward: see `layer`.
        backward: see `layer`.
        names: of the arguments of `forward`.
    """

    def __init__(self, forward: Callable[..., Any], backward: Callable[..., Any], names: tuple[str, ...]) -> None:
        self._forward, self._backward = forward, backward
        self.names = names

    def value(self, params: Any, *data: Any) -> Any:
        """Return the output; several ones, one after the other."""
        outputs, _ = self._run(self._by_name(params), data)
        return outputs[0] if len(outputs) == 1 else np.concatenate([np.ravel(output) for output in outputs])

    def pull_back(self, params: Any, *rest: Any) -> dict[str, Any]:
        """Return the gradients by name; the last argument is the cotangent of `value`."""
        *data, cotangent = rest
        given = self._by_name(params)
        outputs, cache = self._run(given, data)
        returned = self._backward(*_split(cotangent, outputs), cache)
        return _gradients(returned, list(given))

    def _by_name(self, params: Any) -> dict[str, Any]:
        """Return those arguments that are parameters by name, in the order of the signature."""
        if isinstance(params, Mapping):
            unknown = [str(name) for name in params if name not in self.names]
            if unknown:
                text = f"forward has no argument {', '.join(unknown)}; it takes {', '.join(self.names)}"
                raise DefinitionError(Complaint(text, ("params",)))
            return {name: params[name] for name in self.names if name in params}
        given = params if isinstance(params, tuple | list) else (params,)
        return dict(zip(self.names, given, strict=False))

    def _run(self, given: Mapping[str, Any], data: Sequence[Any]) -> tuple[tuple[Any, ...], Any]:
        """Return the outputs and the cache."""
        rest = iter(data)
        arguments = []
        for name in self.names:
            try:
                arguments.append(given[name] if name in given else next(rest))
            except StopIteration:
                break  # it has a default, or Python says what is missing
        returned = self._forward(*arguments, *rest)
        if not isinstance(returned, tuple) or len(returned) < 2:
            text = f"forward returns a {type(returned).__name__}; expected a tuple of the output and the cache"
            raise DefinitionError(Complaint(text))
        return returned[:-1], returned[-1]


def _names_of(forward: Callable[..., Any]) -> tuple[str, ...]:
    try:
        parameters = inspect.signature(forward).parameters.values()
    except (TypeError, ValueError) as error:
        text = "forward does not tell what its arguments are called: wrap it into a function of yours"
        raise DefinitionError(Complaint(text, ("forward",))) from error
    named = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return tuple(parameter.name for parameter in parameters if parameter.kind in named)


def _split(cotangent: Any, outputs: Sequence[Any]) -> list[Any]:
    """Return the cotangent of each output."""
    if len(outputs) == 1:
        return [cotangent]
    ends = np.cumsum([math.prod(np.shape(output)) for output in outputs])[:-1]
    parts = np.split(np.asarray(cotangent), ends)
    return [part.reshape(np.shape(output)) for part, output in zip(parts, outputs, strict=True)]


def _gradients(returned: Any, names: Sequence[str]) -> dict[str, Any]:
    """Return what a backward pass has returned by name of the argument.

    Raises:
        DefinitionError: there are more or fewer arrays than parameters, or names that stand for none.
    """
    if isinstance(returned, Mapping):
        stands_for = {alias: name for name in names for alias in _aliases(name)}
        unknown = [str(key) for key in returned if key not in stands_for]
        if len(unknown) == len(returned):
            text = f"backward returns a dict with {', '.join(unknown)}; expected gradients of {', '.join(names)}"
            raise DefinitionError(Complaint(text))
        return {stands_for[key]: part for key, part in returned.items() if key in stands_for}
    parts = returned if isinstance(returned, tuple | list) else (returned,)
    if len(parts) != len(names):
        text = f"backward returns {len(parts)} arrays; params are {', '.join(names)}: expected one for each"
        raise DefinitionError(Complaint(text))
    return dict(zip(names, parts, strict=True))


def _aliases(name: str) -> list[str]:
    return [name, *(f"{prefix}{name}" for prefix in _PREFIXES), *(f"{name}{suffix}" for suffix in _SUFFIXES)]
