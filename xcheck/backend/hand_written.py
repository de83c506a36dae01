"""Hand-written gradients: whatever a person returns, as named arrays."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np

from xcheck.functions.arguments import Leaf, Numbers
from xcheck.functions.tree import leaves


def named_gradient(
    returned: Any, given: Mapping[str, Numbers], read: Callable[[Any], Leaf | None], carried: Collection[str]
) -> dict[str, Numbers | None]:
    """Return what a hand-written gradient returned, by name; None where it says nothing.

    Args:
        returned: a tree like the parameters, a dict of names, or the gradient itself if there is one parameter; lists
            of numbers will do for arrays of one axis.
        given: the parameters.
        read: returns the numbers of any framework's array.
        carried: names of leaves that are no parameters, whose gradient is of no interest.

    Raises:
        ValueError: it is None as a whole, has names that nobody knows, or is no array.
    """
    if returned is None:
        raise ValueError("the gradient returned None: is a return missing?")
    if len(given) == 1 and (whole := _whole(returned, next(iter(given.values())), read)) is not None:
        return {next(iter(given)): whole}
    parts = leaves(returned)
    unknown = [name for name in parts if name not in given and name not in carried and read(parts[name]) is not None]
    if unknown:
        raise ValueError(f"the gradient has {', '.join(unknown)}, the parameters are {', '.join(given)}")
    found: dict[str, Numbers | None] = {}
    for name in given:
        part = parts.get(name)
        leaf = None if part is None else read(part)
        if leaf is None and part is not None:
            raise ValueError(f"the gradient of {name} is a {type(part).__name__}, not an array")
        found[name] = None if leaf is None else leaf.values
    return found


def _whole(returned: Any, parameter: Numbers, read: Callable[[Any], Leaf | None]) -> Numbers | None:
    """Return the gradient of the only parameter, if it was returned without its name."""
    parts = leaves(returned)
    if len(parts) == 1:
        leaf = read(next(iter(parts.values())))
        return None if leaf is None else leaf.values
    values = [read(part) for part in parts.values()]
    numbers = [leaf.values for leaf in values if leaf is not None]
    if isinstance(returned, list | tuple) and len(numbers) == len(parts) == parameter.size:
        return np.array(numbers).reshape(parameter.shape)
    return None
