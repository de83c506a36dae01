"""Hand-written gradients: calling them, and reading whatever a person returns as named arrays."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np

from xcheck.functions.arguments import Leaf, Numbers, Reader
from xcheck.functions.function import Function
from xcheck.functions.tree import leaves


def call_by_hand(function: Function, loss: Callable[[], Any], tree: Any, data: tuple[Any, ...]) -> tuple[Any, Any]:
    """Return the loss and the gradient as a person's code returns them.

    Args:
        function: with its `gradient`, or its `value_and_gradient`.
        loss: computes the loss at the same parameters and data.
        tree: the parameters.
        data: further arguments.
    """
    if "value_and_gradient" in function.forms:
        value, gradient = function.forms["value_and_gradient"](tree, *data)
        return value, gradient
    # The loss comes first: a backward pass may use what the forward pass has left behind.
    value = loss()
    return value, function.forms["gradient"](tree, *data)


def name_gradient(
    returned: Any, given: Mapping[str, Numbers], read: Reader, carried: Collection[str]
) -> dict[str, Numbers | None]:
    """Return what a hand-written gradient returned as arrays by name; None for a parameter that it leaves out.

    Args:
        returned: a tree like the parameters, a dict of names, or the gradient itself if there is one parameter; lists
            of numbers will do for arrays of one axis, and an array of one axis for parameters that are numbers.
        given: the parameters.
        read: returns the numbers of any framework's array.
        carried: names of leaves that are no parameters, whose gradient is of no interest.

    Raises:
        ValueError: it is None as a whole, has names that are not those of parameters, or is no array.
    """
    if returned is None:
        raise ValueError("the gradient returned None: is a return missing?")
    if len(given) == 1 and (nameless := _read_nameless(returned, next(iter(given.values())), read)) is not None:
        return {next(iter(given)): nameless}
    parts = leaves(returned)
    if len(parts) == 1 and (numbers := _read_numbers(next(iter(parts.values())), given, read)) is not None:
        return numbers
    unknown = [name for name in parts if name not in given and name not in carried and read(parts[name]) is not None]
    if unknown:
        raise ValueError(f"the gradient has {', '.join(unknown)}, the parameters are {', '.join(given)}")
    # A parameter that is left out is not an error: the loss may not depend on it, and reports say so.
    named: dict[str, Numbers | None] = {}
    for name in given:
        part = parts.get(name)
        leaf = None if part is None else read(part)
        if leaf is None and part is not None:
            raise ValueError(f"the gradient of {name} is a {type(part).__name__}, not an array")
        if leaf is not None and leaf.stored:
            raise ValueError(f"the gradient of {name} is stored as {leaf.stored}: return a dense array")
        named[name] = None if leaf is None else leaf.values
    return named


def _read_numbers(returned: Any, given: Mapping[str, Numbers], read: Reader) -> dict[str, Numbers | None] | None:
    """Return the gradient of several parameters that are a number each, if it was returned as one array of numbers."""
    leaf = read(returned)
    if leaf is None or leaf.values.shape != (len(given),) or any(parameter.ndim for parameter in given.values()):
        return None
    return {name: np.asarray(number) for name, number in zip(given, leaf.values, strict=True)}


def _read_nameless(returned: Any, parameter: Numbers, read: Reader) -> Numbers | None:
    """Return the gradient of the only parameter, if it was returned without its name."""
    parts = leaves(returned)
    if len(parts) == 1:
        leaf = read(next(iter(parts.values())))
        return None if leaf is None or leaf.stored else leaf.values
    values: list[Leaf | None] = [read(part) for part in parts.values()]
    numbers = [leaf.values for leaf in values if leaf is not None]
    # A list of numbers, one for each component: what a person who writes loops returns.
    single = all(number.size == 1 for number in numbers)
    if isinstance(returned, list | tuple) and single and len(numbers) == len(parts) == parameter.size:
        return np.array([number.reshape(()) for number in numbers]).reshape(parameter.shape)
    return None
