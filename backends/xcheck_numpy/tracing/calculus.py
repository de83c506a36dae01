"""Functions of NumPy that look numbers up in a table, or sum over a grid: made of what is followed already."""

from typing import Any

import numpy as np

from xcheck_numpy.tracing.moves import recorder_of
from xcheck_numpy.tracing.recorded import cast, emit
from xcheck_numpy.tracing.tracer import FUNCTIONS, OF_REAL, Tracer, lift
from xcheck_numpy.tracing.ufuncs import scatter_add


def _searchsorted(a: Any, v: Any, side: str = "left", sorter: Any = None) -> Any:
    """How many stand before: a comparison with each."""
    recorder = recorder_of(a, v)
    a, v = lift(recorder, a), lift(recorder, v)
    below = a < v[..., None] if side == "left" else a <= v[..., None]
    return np.sum(below, axis=-1)


def _digitize(x: Any, bins: Any, right: bool = False) -> Any:
    return _searchsorted(bins, x, "left" if right else "right")


def _interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None) -> Any:
    recorder = recorder_of(x, xp, fp)
    if period is not None:
        raise recorder.refuse("`np.interp` with a period")
    x, xp, fp = (lift(recorder, one) for one in (x, xp, fp))
    low = np.clip(_searchsorted(xp, x, "right") - 1, 0, len(xp) - 2)
    start, end = np.take(xp, low), np.take(xp, low + 1)
    first, last = np.take(fp, low), np.take(fp, low + 1)
    inside = first + (last - first) / (end - start) * (x - start)
    inside = np.where(x < xp[0], fp[0] if left is None else left, inside)
    return np.where(x > xp[-1], fp[-1] if right is None else right, inside)


def _trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    recorder = recorder_of(y, x, dx)
    heights = np.moveaxis(lift(recorder, y), axis, -1)
    if x is not None:
        points = lift(recorder, x)
        dx = np.diff(points if points.ndim == 1 else np.moveaxis(points, axis, -1))
    return np.sum(dx * (heights[..., 1:] + heights[..., :-1]) / 2.0, axis=-1)


def _bincount(x: Any, weights: Any = None, minlength: int = 0) -> Any:
    recorder = recorder_of(x, weights)
    numbers = np.asarray(x)
    if weights is None:
        return np.bincount(numbers, minlength=minlength)
    parts = lift(recorder, weights)
    count = max(minlength, int(numbers.max(initial=-1)) + 1)

    def add_up(array: Any, new: Any) -> Any:
        found = np.array(array)
        np.add.at(found, numbers, new)
        return (found,)

    return scatter_add(Tracer(recorder, np.zeros(count)), numbers, cast(parts, np.dtype(np.float64)), add_up)


def _polyval(p: Any, x: Any) -> Any:
    recorder = recorder_of(p, x)
    p, x = lift(recorder, p), lift(recorder, x)
    found: Any = np.zeros(x.shape)
    for coefficient in p:
        found = found * x + coefficient
    return found


def _cov(m: Any, y: Any = None, rowvar: bool = True, bias: bool = False, ddof: Any = None, **kwargs: Any) -> Any:
    recorder = recorder_of(m, y)
    if kwargs:
        raise recorder.refuse("`np.cov` with weights")
    rows = np.atleast_2d(lift(recorder, m))
    rows = rows if rowvar or rows.shape[0] == 1 else rows.T
    if y is not None:
        other = np.atleast_2d(lift(recorder, y))
        rows = np.concatenate([rows, other if rowvar or other.shape[0] == 1 else other.T])
    centered = rows - np.mean(rows, axis=1, keepdims=True)
    freedom = (0 if bias else 1) if ddof is None else ddof
    return np.squeeze(centered @ centered.T / (rows.shape[1] - freedom))


def _corrcoef(x: Any, y: Any = None, rowvar: bool = True, **kwargs: Any) -> Any:
    found = _cov(x, y, rowvar)
    if not found.ndim:
        return found / found
    spread = np.sqrt(np.diagonal(found))
    # NumPy clips to [-1, 1] what only rounding leads out of it.
    return found / spread[:, None] / spread[None, :]


def _nan_to_num(x: Any, copy: bool = True, nan: float = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    x = lift(recorder_of(x), x)
    limits = np.finfo(x.dtype)
    found = np.where(np.isnan(x), nan, x)
    found = np.where(found == np.inf, limits.max if posinf is None else posinf, found)
    return np.where(found == -np.inf, limits.min if neginf is None else neginf, found)


def _close(a: Any, b: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
    return np.abs(a - b) <= atol + rtol * np.abs(b)


def _sinc(x: Any) -> Any:
    x = lift(recorder_of(x), x)
    return emit("sinc", [x], lambda a: (np.sinc(a),))[0]


def _angle(z: Any, deg: bool = False) -> Any:
    z = lift(recorder_of(z), z)
    found = np.arctan2(z.imag, z.real)
    return found * (180.0 / np.pi) if deg else found


def _gradient(f: Any, *spacing: Any, axis: int | None = None, edge_order: int = 1) -> Any:
    """Central differences along an axis, one-sided at the ends."""
    recorder = recorder_of(f, spacing)
    f = lift(recorder, f)
    if (f.ndim > 1 and axis is None) or edge_order != 1 or len(spacing) > 1 or any(np.ndim(one) for one in spacing):
        raise recorder.refuse("`np.gradient` with these arguments")
    step = spacing[0] if spacing else 1.0
    y = np.moveaxis(f, axis or 0, 0)
    inner = (y[2:] - y[:-2]) / (2.0 * step)
    found = np.concatenate([(y[1:2] - y[:1]) / step, inner, (y[-1:] - y[-2:-1]) / step])
    return np.moveaxis(found, 0, axis or 0)


OF_REAL.update(("cov", "corrcoef", "nan_to_num", "bincount", "searchsorted", "digitize", "interp"))
FUNCTIONS.update(
    {
        "searchsorted": _searchsorted,
        "digitize": _digitize,
        "interp": _interp,
        "trapezoid": _trapezoid,
        "trapz": _trapezoid,
        "bincount": _bincount,
        "polyval": _polyval,
        "cov": _cov,
        "corrcoef": _corrcoef,
        "nan_to_num": _nan_to_num,
        "isclose": _close,
        "allclose": lambda *args, **kwargs: bool(np.all(_close(*args, **kwargs))),
        "array_equal": lambda a, b, **kwargs: bool(np.all(a == b)),
        "sinc": _sinc,
        "angle": _angle,
        "gradient": _gradient,
    }
)
