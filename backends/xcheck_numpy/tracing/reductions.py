"""What NumPy sums, orders or picks along axes."""

import math
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import numpy as np

from xcheck.trace.model import Array
from xcheck_numpy.tracing.moves import recorder_of
from xcheck_numpy.tracing.recorded import cast, emit, is_inexact
from xcheck_numpy.tracing.tracer import FUNCTIONS, Tracer, lift

Axes = int | Sequence[int] | None
NO_VALUE = np._NoValue  # noqa: SLF001 - how NumPy says that an argument is missing


def axes_of(x: Any, axis: Axes) -> tuple[int, ...]:
    """Return axes counted from 0, all of them for None."""
    if axis is None:
        return tuple(range(x.ndim))
    given = axis if isinstance(axis, tuple | list) else (axis,)
    return tuple(sorted(int(one) % x.ndim for one in given))


def keep(found: Any, x: Any, axes: Sequence[int], keepdims: Any) -> Any:
    """Return a result with axes of length 1 where they were reduced, if that is wanted."""
    return np.expand_dims(found, tuple(axes)) if keepdims is True else found


def _reduction(function: Callable[..., Any]) -> Callable[..., Any]:
    """Read the arguments that all reductions share: lists of tracers, `where`, `out`, `dtype`."""

    @wraps(function)
    def apply(x: Any, axis: Axes = None, dtype: Any = None, out: Any = None, **kwargs: Any) -> Any:
        if dtype is not None and not isinstance(dtype, type | np.dtype | str):
            raise recorder_of(x).refuse(f"`np.{function.__name__}` with these arguments")
        kwargs = {key: value for key, value in kwargs.items() if value is not NO_VALUE}
        x = lift(recorder_of(x, kwargs), x)
        keepdims, where = kwargs.pop("keepdims", False), kwargs.pop("where", True)
        axes = axes_of(x, axis)
        found = keep(function(x, axes, where=where, **kwargs), x, axes, keepdims)
        found = found if dtype is None else cast(found, np.dtype(dtype))
        if out is not None:
            out[...] = found
        return found if out is None else out

    return apply


def _only(x: Any, where: Any, neutral: float) -> Any:
    """Return x with what changes nothing where it does not count."""
    found: Any = x if where is True else np.where(where, x, neutral)
    return found


def _reduce(name: str, function: Any, x: Any, axes: tuple[int, ...]) -> Any:
    if not is_inexact(x.dtype):
        return emit("exact", [x], lambda array: (function(array, axis=axes),))[0]
    return emit(name, [x], lambda array: (function(array, axis=axes),), axes=axes)[0]


@_reduction
def _sum(x: Any, axes: tuple[int, ...], where: Any = True, initial: Any = None) -> Any:
    found = _reduce("sum", np.sum, _only(x, where, 0.0), axes)
    return found if initial is None else found + initial


@_reduction
def _prod(x: Any, axes: tuple[int, ...], where: Any = True, initial: Any = None) -> Any:
    found = _reduce("prod", np.prod, _only(x, where, 1.0), axes)
    return found if initial is None else found * initial


def _extreme(name: str, function: Any, pick: Any, neutral: float) -> Callable[..., Any]:
    def apply(x: Any, axis: Axes = None, out: Any = None, **kwargs: Any) -> Any:
        return reduced(x, axis, None, out, **kwargs)

    @_reduction
    def reduced(x: Any, axes: tuple[int, ...], where: Any = True, initial: Any = None) -> Any:
        found = _reduce(name, function, _only(x, where, neutral), axes)
        return found if initial is None else pick(found, initial)

    return apply


def _truth(function: Any) -> Callable[..., Any]:
    def apply(x: Any, axis: Axes = None, out: Any = None, **kwargs: Any) -> Any:
        return reduced(x, axis, None, out, **kwargs)

    @_reduction
    def reduced(x: Any, axes: tuple[int, ...], where: Any = True) -> Any:
        return _reduce("exact", function, cast(x, np.dtype(bool)), axes)

    return apply


def _count(x: Any, axes: Sequence[int], where: Any) -> Any:
    if where is not True:
        return np.sum(np.broadcast_to(where, x.shape), axis=tuple(axes))
    return math.prod(x.shape[axis] for axis in axes)


@_reduction
def _mean(x: Any, axes: tuple[int, ...], where: Any = True) -> Any:
    return np.sum(x, axis=axes, where=where) / _count(x, axes, where)


@_reduction
def _var(
    x: Any,
    axes: tuple[int, ...],
    where: Any = True,
    ddof: float = 0,
    mean: Any = None,
    correction: float | None = None,
) -> Any:
    center = np.mean(x, axis=axes, where=where, keepdims=True) if mean is None else mean
    freedom = ddof if correction is None else correction
    deviation = x - center
    squares = (deviation * np.conj(deviation)).real if x.dtype.kind == "c" else deviation**2
    return np.sum(squares, axis=axes, where=where) / (_count(x, axes, where) - freedom)


def _std(*args: Any, **kwargs: Any) -> Any:
    return np.sqrt(_var(*args, **kwargs))


def write_out(found: Any, out: Any) -> Any:
    """Return a result, in `out` where there is one."""
    if out is None:
        return found
    out[...] = found
    return out


# --- along one axis ---------------------------------------------------------------------------------------------------

_STEPS: dict[str, Any] = {
    "cumsum": np.add.accumulate,
    "cumprod": np.multiply.accumulate,
    "cummax": np.maximum.accumulate,
    "cummin": np.minimum.accumulate,
    "cumlogsumexp": np.logaddexp.accumulate,
}


def _accumulate(name: str, x: Any, axis: int | None) -> Any:
    x = np.ravel(x) if axis is None else x
    axis = 0 if axis is None else axis % x.ndim
    step = _STEPS[name]
    if not is_inexact(x.dtype):
        return emit("exact", [x], lambda array: (step(array, axis),))[0]
    return emit(name, [x], lambda array: (step(array, axis),), axis=axis, reverse=False)[0]


def _cumulative(name: str) -> Callable[..., Any]:
    def apply(x: Any, axis: int | None = None, dtype: Any = None, out: Any = None) -> Any:
        found = _accumulate(name, lift(recorder_of(x), x), axis)
        if out is None:
            return found
        out[...] = found
        return out

    return apply


def _index_of(name: str, function: Any) -> Callable[..., Any]:
    def apply(x: Any, axis: int | None = None, out: Any = None, *, keepdims: Any = False) -> Any:
        x = lift(recorder_of(x), x)
        flat: Any = np.ravel(x) if axis is None else x
        at = 0 if axis is None else axis % x.ndim
        if not is_inexact(flat.dtype):
            return emit("exact", [flat], lambda array: (function(array, axis=at),))[0]
        found = emit(name, [flat], lambda array: (function(array, axis=at),), axes=(at,))[0]
        return keep(found, x, range(x.ndim) if axis is None else (at,), keepdims)

    return apply


def _sort(x: Any, axis: int | None = -1, kind: Any = None, order: Any = None, *, stable: Any = None) -> Any:
    x = lift(recorder_of(x), x)
    x, axis = (np.ravel(x), 0) if axis is None else (x, axis % x.ndim)
    name = "sort" if is_inexact(x.dtype) else "exact"
    return emit(name, [x], lambda array: (np.sort(array, axis),), axis=axis)[0]


def _argsort(x: Any, axis: int | None = -1, kind: Any = None, order: Any = None, *, stable: Any = None) -> Any:
    x = lift(recorder_of(x), x)
    x, axis = (np.ravel(x), 0) if axis is None else (x, axis % x.ndim)
    places = np.broadcast_to(np.expand_dims(np.arange(x.shape[axis]), [a for a in range(x.ndim) if a != axis]), x.shape)

    def run(array: Array, numbers: Array) -> Sequence[Array]:
        order = np.argsort(array, axis, kind="stable")
        return np.take_along_axis(array, order, axis), np.take_along_axis(numbers, order, axis)

    return emit("sort", [x, Tracer(x.recorder, np.array(places))], run, axis=axis)[1]


FUNCTIONS.update(
    {
        "sum": _sum,
        "prod": _prod,
        "max": (_max := _extreme("reduce_max", np.max, np.maximum, -np.inf)),
        "amax": _max,
        "min": (_min := _extreme("reduce_min", np.min, np.minimum, np.inf)),
        "amin": _min,
        "any": _truth(np.any),
        "all": _truth(np.all),
        "mean": _mean,
        "var": _var,
        "std": _std,
        "accumulate": _accumulate,
        "cumsum": _cumulative("cumsum"),
        "cumprod": _cumulative("cumprod"),
        "cumulative_sum": lambda x, axis=None: _accumulate("cumsum", x, axis),
        "argmax": _index_of("argmax", np.argmax),
        "argmin": _index_of("argmin", np.argmin),
        "sort": _sort,
        "argsort": _argsort,
    }
)

__all__ = ["NO_VALUE", "Axes", "axes_of", "keep"]
