"""Batches: losses at many θ, one by one where a framework cannot take them at once, and whether a batch is right."""

from collections.abc import Callable, Sequence

import numpy as np

from xcheck.errors import BackendError, DefinitionError, quote
from xcheck.layout import Vector

# How far a loss from a batch may be from that of a call of its own. Batched products sum in another order, so the last
# digits differ; a function that mixes the rows of a batch, as a normalisation does, is off by far more. Guesses, chosen
# so that the cancellation of many digits still passes: float64 has 1e-16, the narrow dtypes down to 4e-3.
_CLOSE, _CLOSE_IF_NARROW = 1e-6, 1e-3
# The θ of a batch that are evaluated by calls of their own as well: the first, and the last. Batches of steps from one
# point end with that point itself, where the function has a value though a step may lead where it has none.
ENDS = [0, -1]


def evaluate_one_by_one(loss: Callable[[Vector], float], thetas: Vector, backend: str) -> Vector:
    """Return the loss at each row of `thetas`, shape (k, n) -> (k,); nan where the function raises.

    Args:
        loss: the function of one θ.
        thetas: where it is asked.
        backend: name of the framework, for the error.

    Raises:
        BackendError: it raises everywhere (the first cause is chained).
        DefinitionError: its value is no loss.
    """
    losses, failures = np.full(len(thetas), np.nan), []
    for row, theta in enumerate(thetas):
        try:
            losses[row] = loss(theta)
        except DefinitionError:
            raise
        except Exception as error:  # noqa: BLE001 - a step may lead out of the function's domain
            failures.append(error)
    if len(failures) == len(thetas):
        first = failures[0]
        raise BackendError(backend, quote(first)) from first
    return losses


def confirms(batched: Vector, singly: Sequence[float] | Vector, *, wide: bool) -> bool:
    """Return whether the losses of a batch are those of calls one by one, but for rounding."""
    close = _CLOSE if wide else _CLOSE_IF_NARROW
    return np.allclose(batched, singly, rtol=close, atol=0.0, equal_nan=True)
