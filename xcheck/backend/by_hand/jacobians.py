"""Jacobians written by hand, dense or sparse, whole or column by column, as rows: one gradient for each output.

The outputs come first, as in `jax.jacobian`, `scipy.optimize.least_squares` and `scipy.integrate.solve_ivp`: y of shape
(m,) and x of shape (n,) have a Jacobian of shape (m, n). Outputs or parameters with several axes keep them, or are
counted in C order.
"""

import math
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from xcheck.functions.arguments import Numbers, Reader
from xcheck.functions.tree import leaves

# Bytes of a Jacobian: a guess, so that a check stays below a few gigabytes.
_MOST_BYTES = 1 << 30


def read_jacobian(
    returned: Any, given: Mapping[str, Numbers], outputs: tuple[int, ...], read: Reader
) -> dict[str, Numbers]:
    """Return the Jacobian with respect to each parameter by name, shape (outputs, *shape of the parameter).

    Args:
        returned: a tree like the parameters, a dict of names, or the Jacobian itself if there is one parameter. Each of
            shape (*outputs, *parameter), or (m, n) with as many rows as outputs and as many columns as components; a
            sparse matrix of SciPy of shape (m, n) will do.
        given: the parameters.
        outputs: shape of the value.
        read: returns the numbers of any framework's array.

    Raises:
        ValueError: a part is missing, is no array, or has another shape; the text says both shapes.
    """
    if returned is None:
        raise ValueError("the Jacobian returned None: is a return missing?")
    if len(given) == 1 and (whole := _as_array(returned, read)) is not None:
        parts: Mapping[str, Any] = {next(iter(given)): whole}
    else:
        parts = {name: _as_array(part, read) for name, part in leaves(returned).items()}
    missing = [name for name in given if parts.get(name) is None]
    if missing:
        raise ValueError(f"the Jacobian has no array for {', '.join(missing)}; it has {', '.join(parts)}")
    return {name: _shaped(name, parts[name], parameter.shape, outputs) for name, parameter in given.items()}


def _as_array(part: Any, read: Reader) -> Numbers | None:
    """Return a dense array of what is one, or a sparse matrix; None of what is neither."""
    # Whoever returns a sparse matrix has imported it.
    sparse = sys.modules.get("scipy.sparse")
    if sparse is not None and sparse.issparse(part):
        size = 8 * math.prod(part.shape)
        if size > _MOST_BYTES:
            text = (
                f"the sparse Jacobian of shape {part.shape} takes {size / 2**30:.1f} GiB as a dense one, in which "
                "every entry is checked: give vjp= or jvp=, which are checked along random directions"
            )
            raise ValueError(text)
        return np.asarray(part.toarray())
    if isinstance(part, list | tuple):
        try:
            part = np.asarray(part, dtype=np.float64)
        except (TypeError, ValueError):
            return None
    leaf = read(part)
    return None if leaf is None or leaf.stored else leaf.values


def _shaped(name: str, part: Numbers, shape: tuple[int, ...], outputs: tuple[int, ...]) -> Numbers:
    """Return a part of the Jacobian, shape (outputs, *shape)."""
    count, size = math.prod(outputs), math.prod(shape)
    if part.shape in ((*outputs, *shape), (count, size)):
        return part.reshape(count, *shape)
    text = f"the Jacobian of {name} has shape {part.shape}, expected {(*outputs, *shape)}"
    if len(outputs) != 1 or len(shape) != 1:
        text += f" or {(count, size)}"
    if part.shape in ((*shape, *outputs), (size, count)):
        text += ": it is transposed, the outputs come first"
    raise ValueError(text)
