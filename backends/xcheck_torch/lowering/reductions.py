"""Reductions along axes: sums, means, variances, norms, extremes, cumulative ones; softmax and its kind."""

import math
from typing import Any

import torch

from xcheck.trace import Value
from xcheck.trace.model import Source
from xcheck_torch.lowering.arrays import dtype_of, shape_of
from xcheck_torch.lowering.builder import Builder
from xcheck_torch.lowering.call import Call, lowers
from xcheck_torch.lowering.elementwise import power_of


def _in_own_dtype(b: Builder, call: Call) -> Source:
    return b.cast(call.arguments["self"], call.dtype)


@lowers("sum", "mean")
def _sum(b: Builder, call: Call) -> Source:
    x, keep = _in_own_dtype(b, call), bool(call.get("keepdim"))
    return (b.sum if call.name == "sum" else b.mean)(x, call.axes(), keep=keep)


@lowers("prod")
def _product(b: Builder, call: Call) -> Source:
    return b.reduce("prod", _in_own_dtype(b, call), call.axes(), keep=bool(call.get("keepdim")))


def variance(b: Builder, x: Source, axes: tuple[int, ...], correction: float, *, keep: bool) -> tuple[Source, Source]:
    """Return Σ (x - mean)² / (count - correction) and the mean."""
    shape = shape_of(x)
    mean = b.mean(x, axes, keep=True)
    count = math.prod(shape[axis] for axis in axes)
    total = b.sum(b.power(b.sub(x, mean), 2), axes, keep=keep)
    kept = mean if keep else b.reshape(mean, shape_of(total))
    return b.div(total, max(count - correction, 0)), kept


@lowers("var", "std", "var_mean", "std_mean")
def _variance(b: Builder, call: Call) -> list[Source]:
    given = call.arguments
    correction = given.get("correction", float(given.get("unbiased", True)))
    correction = 1 if correction is None else correction
    found, mean = variance(b, _in_own_dtype(b, call), call.axes(), correction, keep=bool(call.get("keepdim")))
    if call.name.startswith("std"):
        found = b.apply("sqrt", found)
    return [found, mean][: len(call.outputs)]


@lowers("linalg_vector_norm", "norm")
def _norm(b: Builder, call: Call) -> Source:
    """(Σ |x|^p)^(1/p), and what it tends to."""
    order, keep, axes = call.get("ord", "p"), bool(call.get("keepdim")), call.axes()
    x = _in_own_dtype(b, call)
    order = 2.0 if order is None else float(order)
    if order == 2:
        return b.apply("sqrt", b.sum(b.power(x, 2), axes, keep=keep))
    if order == 0:
        return b.sum(b.cast(b.compare("ne", x, 0.0), dtype_of(x)), axes, keep=keep)
    size = b.apply("abs", x)
    if math.isinf(order):
        return b.reduce("reduce_max" if order > 0 else "reduce_min", size, axes, keep=keep)
    if order == 1:
        return b.sum(size, axes, keep=keep)
    return power_of(b, b.sum(power_of(b, size, order), axes, keep=keep), 1 / order)


@lowers("amax", "amin")
def _extreme(b: Builder, call: Call) -> Source:
    name = {"amax": "reduce_max", "amin": "reduce_min"}[call.name]
    return b.reduce(name, _in_own_dtype(b, call), call.axes(), keep=call.arguments["keepdim"])


@lowers("max", "min")
def _extreme_and_index(b: Builder, call: Call) -> list[Source | None]:
    if call.get("other") is not None:
        x, y = (b.broadcast(call.arguments[name], call.shape, call.dtype) for name in ("self", "other"))
        return [b.apply(call.name, x, y)]
    x, axes, keep = _in_own_dtype(b, call), call.axes(), bool(call.get("keepdim"))
    found = b.reduce(f"reduce_{call.name}", x, axes, keep=keep)
    return [found] if len(call.outputs) == 1 else [found, index_of_extreme(b, x, axes, call.outputs[1], call.name)]


@lowers("aminmax")
def _both_extremes(b: Builder, call: Call) -> list[Source | None]:
    x = _in_own_dtype(b, call)
    return [b.reduce(name, x, call.axes(), keep=call.arguments["keepdim"]) for name in ("reduce_min", "reduce_max")]


def index_of_extreme(b: Builder, x: Source, axes: tuple[int, ...], output: Value, name: str) -> Source:
    """Return where the first extreme is, along one axis or among all elements."""
    shape = shape_of(x)
    rest = tuple(length for axis, length in enumerate(shape) if axis not in axes)
    find = torch.argmax if name == "max" else torch.argmin

    def run(a: Any) -> Any:
        return find(a) if len(axes) > 1 or not shape else find(a, axes[0])

    found = b.one(f"arg{name}", run, [x], Value(rest, "int64"), axes=axes if shape else ())
    if rest == output.shape:
        return found
    return b.one("exact", lambda a: a.reshape(output.shape), [found], Value(output.shape, "int64"))


@lowers("argmax", "argmin")
def _index(b: Builder, call: Call) -> Source:
    return index_of_extreme(b, call.arguments["self"], call.axes(), call.outputs[0], call.name.removeprefix("arg"))


_CUMULATIVE = {
    "cumsum": "cumsum",
    "cumprod": "cumprod",
    "cummax": "cummax",
    "cummin": "cummin",
    "logcumsumexp": "cumlogsumexp",
}


@lowers(*_CUMULATIVE)
def _cumulative(b: Builder, call: Call) -> list[Source | None]:
    x = _in_own_dtype(b, call)
    if not shape_of(x):
        return [x, None][: len(call.outputs)]
    axis = call.axes()[0]
    function = getattr(torch, call.name)

    def run(a: Any) -> Any:
        found = function(a, axis)
        return found if isinstance(found, torch.Tensor) else found[0]

    values = b.one(_CUMULATIVE[call.name], run, [x], Value(call.shape, call.dtype), axis=axis, reverse=False)
    return [values, None][: len(call.outputs)]


# --- softmax ----------------------------------------------------------------------------------------------------------


@lowers("_softmax", "_log_softmax", "_safe_softmax")
def _softmax(b: Builder, call: Call) -> Source:
    """x - log Σ eˣ, and e to it: without the largest x, at whose ties there is no kink.

    The safe one is 0 where all x are -∞.
    """
    x, axes = _in_own_dtype(b, call), call.axes()
    logs = b.sub(x, b.reduce("logsumexp", x, axes, keep=True))
    if "log" in call.name:
        return logs
    found = b.apply("exp", logs)
    if call.name == "_softmax":
        return found
    masked = b.compare("eq", x, -math.inf)
    kept = tuple(1 if axis in axes else length for axis, length in enumerate(call.shape))
    (nothing,) = b.emit("exact", lambda a: a.all(axes[0], keepdim=True), [masked], [Value(kept, "bool")])
    return b.select(b.truth(nothing, call.shape), found, 0.0)


@lowers("logsumexp")
def _log_sum(b: Builder, call: Call) -> Source:
    return b.reduce("logsumexp", _in_own_dtype(b, call), call.axes(), keep=call.arguments["keepdim"])


@lowers("any", "all")
def _truth(b: Builder, call: Call) -> Source:
    x = b.cast(call.arguments["self"], "bool")
    return b.one("exact", lambda a: call.invoke([a]), [x], call.outputs[0])
