"""Statistics, and other sums along axes that are made of reductions."""

from typing import Any

import numpy as np

from xcheck_numpy.tracing.moves import recorder_of
from xcheck_numpy.tracing.recorded import cast
from xcheck_numpy.tracing.reductions import NO_VALUE, Axes, axes_of, keep
from xcheck_numpy.tracing.tracer import FUNCTIONS, OF_REAL, Tracer, lift


def _ptp(x: Any, axis: Axes = None, **kwargs: Any) -> Any:
    return np.max(x, axis=axis, **kwargs) - np.min(x, axis=axis, **kwargs)


def _average(x: Any, axis: Axes = None, weights: Any = None, returned: bool = False, *, keepdims: Any = False) -> Any:
    recorder = recorder_of(x, weights)
    x = lift(recorder, x)
    if weights is None:
        return np.mean(x, axis=axis, keepdims=keepdims)
    weight = lift(recorder, weights)
    if weight.shape != x.shape and isinstance(axis, int):
        weight = weight.reshape([-1 if number == axis % x.ndim else 1 for number in range(x.ndim)])
    whole = np.sum(np.broadcast_to(weight, x.shape), axis=axis, keepdims=keepdims is True)
    found = np.sum(x * weight, axis=axis, keepdims=keepdims is True) / whole
    return (found, whole) if returned else found


def _quantile(x: Any, q: Any, axis: Any = None, out: Any = None, *args: Any, **kwargs: Any) -> Any:
    """Linear between neighbours, NumPy's default."""
    recorder = recorder_of(x)
    if args or kwargs.pop("method", "linear") != "linear" or isinstance(q, Tracer) or isinstance(axis, tuple):
        raise recorder.refuse("`np.quantile` with these arguments")
    x = lift(recorder, x)
    ordered = np.sort(np.ravel(x) if axis is None else np.moveaxis(x, axis, 0), axis=0)
    at = np.asarray(q) * (ordered.shape[0] - 1)
    low = np.floor(at).astype(int)
    high = np.minimum(low + 1, ordered.shape[0] - 1)
    share = (at - low).reshape(at.shape + (1,) * (ordered.ndim - 1))
    found = np.take(ordered, low, 0) * (1.0 - share) + np.take(ordered, high, 0) * share
    if kwargs.get("keepdims") is True:
        found = np.expand_dims(found, tuple(range(x.ndim)) if axis is None else axis)
    return found


def _median(x: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False, keepdims: Any = False) -> Any:
    x = lift(recorder_of(x), x)
    ordered = np.sort(np.ravel(x) if axis is None else np.moveaxis(x, axis, 0), axis=0)
    count = ordered.shape[0]
    found = ordered[count // 2] if count % 2 else 0.5 * (ordered[count // 2 - 1] + ordered[count // 2])
    return keep(found, x, axes_of(x, axis), keepdims)


def _diff(x: Any, n: int = 1, axis: int = -1, **kwargs: Any) -> Any:
    x = lift(recorder_of(x), x)
    ends = [kwargs.get("prepend", NO_VALUE), kwargs.get("append", NO_VALUE)]
    parts = [ends[0], x, ends[1]]
    if any(end is not NO_VALUE for end in ends):
        shape = list(x.shape)
        shape[axis] = 1
        x = np.concatenate(
            [np.broadcast_to(one, shape) if np.ndim(one) == 0 else one for one in parts if one is not NO_VALUE], axis
        )
    for _ in range(n):
        turned = np.moveaxis(x, axis, -1)
        x = np.moveaxis(turned[..., 1:] - turned[..., :-1], -1, axis)
    return x


def _count_nonzero(x: Any, axis: Axes = None, *, keepdims: bool = False) -> Any:
    return np.sum(cast(lift(recorder_of(x), x), np.dtype(bool)), axis=axis, keepdims=keepdims)


def _trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, **kwargs: Any) -> Any:
    return np.sum(np.diagonal(x, offset, axis1, axis2), axis=-1)


def logsumexp(x: Any, axis: Axes = None, keepdims: bool = False, **kwargs: Any) -> Any:
    """Return log Σ exp, relative to the largest number as it is at θ, which is a constant."""
    x = lift(recorder_of(x), x)
    largest = np.max(x.array, axis=axes_of(x, axis), keepdims=True)
    largest = np.where(np.isfinite(largest), largest, 0.0)
    found = np.log(np.sum(np.exp(x - largest), axis=axis, keepdims=True)) + largest
    return found if keepdims else np.squeeze(found, axes_of(x, axis))


def _partition(x: Any, kth: Any, axis: int | None = -1, **kwargs: Any) -> Any:
    """What is ordered wholly is a partition, too; sums of the parts are the same."""
    return np.sort(x, axis=axis)


def _without_nan(function: Any, neutral: float) -> Any:
    def apply(x: Any, axis: Axes = None, **kwargs: Any) -> Any:
        x = lift(recorder_of(x), x)
        return function(np.where(np.isnan(x), neutral, x), axis=axis, **kwargs)

    return apply


def _nanmean(x: Any, axis: Axes = None, **kwargs: Any) -> Any:
    x = lift(recorder_of(x), x)
    return np.mean(x, axis=axis, where=~np.isnan(x), **kwargs)


def _nanvar(x: Any, axis: Axes = None, **kwargs: Any) -> Any:
    x = lift(recorder_of(x), x)
    return np.var(np.where(np.isnan(x), 0.0, x), axis=axis, where=~np.isnan(x), **kwargs)


OF_REAL.update(("quantile", "percentile", "median", "logsumexp", "partition", "ptp", "nanmax", "nanmin"))
FUNCTIONS.update(
    {
        "nansum": _without_nan(np.sum, 0.0),
        "nanprod": _without_nan(np.prod, 1.0),
        "nanmax": _without_nan(np.max, -np.inf),
        "nanmin": _without_nan(np.min, np.inf),
        "nanmean": _nanmean,
        "nanvar": _nanvar,
        "nanstd": lambda *args, **kwargs: np.sqrt(_nanvar(*args, **kwargs)),
        "ptp": _ptp,
        "average": _average,
        "logsumexp": logsumexp,
        "quantile": _quantile,
        "percentile": lambda x, q, *args, **kwargs: _quantile(x, np.asarray(q) / 100.0, *args, **kwargs),
        "median": _median,
        "diff": _diff,
        "count_nonzero": _count_nonzero,
        "trace": _trace,
        "linalg.trace": lambda x, offset=0: _trace(x, offset, -2, -1),
        "partition": _partition,
    }
)
