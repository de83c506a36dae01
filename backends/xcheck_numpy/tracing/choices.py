"""What chooses among numbers, element by element, and what rounds them."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from xcheck_numpy.tracing.moves import recorder_of
from xcheck_numpy.tracing.recorded import cast, emit
from xcheck_numpy.tracing.tracer import FUNCTIONS, lift
from xcheck_numpy.tracing.ufuncs import align, broadcast


def _where(condition: Any, *cases: Any) -> Any:
    recorder = recorder_of(condition, cases)
    truth = cast(lift(recorder, condition), np.dtype(bool))
    if not cases:
        return np.nonzero(np.asarray(truth))
    yes, no = align(recorder, cases)
    shape = np.broadcast_shapes(truth.shape, yes.shape)
    parts = [broadcast(one, shape) for one in (truth, no, yes)]
    return emit("select", parts, lambda which, a, b: (np.where(which, b, a),))[0]


def _select(conditions: Sequence[Any], cases: Sequence[Any], default: Any = 0) -> Any:
    found = default
    for condition, case in zip(reversed(conditions), reversed(cases), strict=True):
        found = np.where(condition, case, found)
    return found


def _clip(x: Any, low: Any = None, high: Any = None, out: Any = None, **kwargs: Any) -> Any:
    low, high = kwargs.get("min", low), kwargs.get("max", high)
    found = x if low is None else np.maximum(x, low)
    found = found if high is None else np.minimum(found, high)
    if out is None:
        return found
    out[...] = found
    return out


def _round(x: Any, decimals: int = 0, out: Any = None) -> Any:
    scale = 10.0**decimals
    return np.rint(x * scale) / scale if decimals else np.rint(x)


FUNCTIONS.update(
    {
        "where": _where,
        "select": _select,
        "clip": _clip,
        "round": _round,
        "around": _round,
    }
)
