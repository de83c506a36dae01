"""Comparisons, what is chosen by them, and casts."""

import numpy as np

from xcheck.trace import Constant, Value
from xcheck.trace.model import Source
from xcheck_torch.lowering.arrays import dtype_of, is_inexact, shape_of
from xcheck_torch.lowering.builder import Builder, Operand
from xcheck_torch.lowering.call import Call, NotLoweredError, floating, lowers

_COMPARISONS = ("lt", "le", "gt", "ge", "eq", "ne")


def _compare(b: Builder, call: Call) -> Source:
    alike = b.alike(call.arguments["self"], call.arguments["other"])
    return b.compare(call.name, *alike)


for _name in _COMPARISONS:
    lowers(_name)(_compare)


@lowers("where")
def _where(b: Builder, call: Call) -> Source:
    if "self" not in call.arguments or not is_inexact(call.dtype):
        raise NotLoweredError
    no, yes = floating(b, call, "other", "self")
    return b.select(b.truth(call.arguments["condition"], call.shape), no, yes)


@lowers("masked_fill")
def _fill_where(b: Builder, call: Call) -> Source:
    x, value = floating(b, call, "self", "value")
    return b.select(b.truth(call.arguments["mask"], call.shape), x, value)


@lowers("clamp", "clip", "hardtanh")
def _clamp(b: Builder, call: Call) -> Source:
    """Between two bounds, or on one side of one."""
    (x,) = floating(b, call, "self")
    return between(b, x, call.get("min", "min_val"), call.get("max", "max_val"))


def between(b: Builder, x: Source, low: Operand | None, high: Operand | None) -> Source:
    """Return min(max(x, low), high); a bound that is None is none."""
    if low is not None:
        x = b.apply("max", x, b.broadcast(low, shape_of(x), dtype_of(x)))
    return x if high is None else b.apply("min", x, b.broadcast(high, shape_of(x), dtype_of(x)))


@lowers("clamp_min", "clamp_max")
def _clamp_one(b: Builder, call: Call) -> Source:
    (x,) = floating(b, call, "self")
    return between(b, x, call.get("min"), call.get("max"))


@lowers("fmax", "fmin")
def _extreme_of_numbers(b: Builder, call: Call) -> Source:
    """The larger or smaller one; of nan and a number the number."""
    x, y = floating(b, call, "self", "other")
    found = b.apply(call.name[1:], x, y)
    found = b.select(b.compare("ne", y, y), found, x)
    return b.select(b.compare("ne", x, x), found, y)


@lowers("isnan", "isfinite")
def _test(b: Builder, call: Call) -> Source:
    x = call.arguments["self"]
    name = "is_nan" if call.name == "isnan" else "is_finite"
    return b.one(name, lambda a: call.invoke([a]), [x], Value(call.shape, "bool"))


@lowers("logical_not", "logical_and", "logical_or", "logical_xor")
def _logic(b: Builder, call: Call) -> Source:
    given = [b.cast(source, "bool") for source in call.sources]
    return b.one("exact", lambda *tensors: call.invoke(tensors), given, call.outputs[0])


@lowers("_to_copy", "convert_element_type", "to")
def _cast(b: Builder, call: Call) -> Source:
    return b.cast(call.get("self", "a"), call.dtype)


@lowers("fill")
def _fill(b: Builder, call: Call) -> Source:
    return b.broadcast(call.arguments["value"], call.shape, call.dtype)


@lowers("copy")
def _copy(b: Builder, call: Call) -> Source:
    return b.broadcast(call.arguments["src"], call.shape, call.dtype)


@lowers("clone", "alias", "detach", "lift_fresh_copy", "contiguous", "positive")
def _same(b: Builder, call: Call) -> Source:
    found: Source = call.arguments["self"]
    return found


@lowers("native_dropout")
def _dropout(b: Builder, call: Call) -> list[Source | None]:
    """Without training nothing is dropped."""
    if call.arguments["train"]:
        raise NotLoweredError
    return [call.arguments["input"], Constant(np.ones(call.shape, bool))]
