"""Operations on elements: functions of one number, arithmetic with its factors, comparisons, choices, casts."""

import math

import numpy as np

from xcheck.trace import Constant, Value
from xcheck.trace.model import Source
from xcheck_torch.lowering.arrays import dtype_of, is_floating, shape_of
from xcheck_torch.lowering.builder import Builder, Operand
from xcheck_torch.lowering.call import Call, Lowering, NotLoweredError, floating, lowers

# torch's name -> that of a trace.
_OF_ONE = {
    **{
        name: name
        for name in (
            *("exp", "exp2", "expm1", "log", "log1p", "log2", "log10", "sqrt", "rsqrt", "sin", "cos", "tan", "asin"),
            *("acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "erf", "erfc", "lgamma", "digamma"),
            *("neg", "abs", "sign", "floor", "ceil", "trunc", "reciprocal"),
        )
    },
    "sigmoid": "logistic",
    "erfinv": "erf_inv",
    "sgn": "sign",
    "negative": "neg",
    "absolute": "abs",
    "special_i0e": "bessel_i0e",
    "special_i1e": "bessel_i1e",
}
_OF_TWO = {
    "maximum": "max",
    "minimum": "min",
    "atan2": "atan2",
    "special_zeta": "zeta",
    "igamma": "igamma",
    "igammac": "igammac",
    "nextafter": "nextafter",
}
_COMPARISONS = ("lt", "le", "gt", "ge", "eq", "ne")


def _of_one(name: str) -> Lowering:
    def apply(b: Builder, call: Call) -> Source:
        (x,) = floating(b, call, "self")
        return b.apply(name, x)

    return apply


def _of_two(name: str) -> Lowering:
    def apply(b: Builder, call: Call) -> Source:
        return b.apply(name, *floating(b, call, "self", "other"))

    return apply


for _name, _ours in _OF_ONE.items():
    lowers(_name)(_of_one(_ours))
for _name, _ours in _OF_TWO.items():
    lowers(_name)(_of_two(_ours))


# --- arithmetic ------------------------------------------------------------------------------------------------------


@lowers("add", "sub")
def _add(b: Builder, call: Call) -> Source:
    """self ± alpha other."""
    x, y = floating(b, call, "self", "other")
    return b.apply(call.name, x, b.mul(call.arguments.get("alpha", 1), y))


@lowers("rsub")
def _subtract_from(b: Builder, call: Call) -> Source:
    x, y = floating(b, call, "self", "other")
    return b.sub(y, b.mul(call.arguments["alpha"], x))


@lowers("mul")
def _multiply(b: Builder, call: Call) -> Source:
    return b.mul(*floating(b, call, "self", "other"))


@lowers("div", "true_divide")
def _divide(b: Builder, call: Call) -> Source:
    quotient = b.div(*floating(b, call, "self", "other"))
    mode = call.get("rounding_mode")
    return quotient if mode is None else b.apply(mode, quotient)


@lowers("floor_divide")
def _divide_down(b: Builder, call: Call) -> Source:
    return b.apply("floor", b.div(*floating(b, call, "self", "other")))


@lowers("remainder", "fmod")
def _remainder(b: Builder, call: Call) -> Source:
    """x - y floor(x/y), which has the sign of y, or x - y trunc(x/y), which has that of x."""
    x, y = floating(b, call, "self", "other")
    rounded = b.apply("floor" if call.name == "remainder" else "trunc", b.div(x, y))
    return b.sub(x, b.mul(y, rounded))


@lowers("frac")
def _fraction(b: Builder, call: Call) -> Source:
    (x,) = floating(b, call, "self")
    return b.sub(x, b.apply("trunc", x))


@lowers("round")
def _round(b: Builder, call: Call) -> Source:
    """To so many decimals: round(x 10^d) / 10^d."""
    (x,), decimals = floating(b, call, "self"), call.arguments.get("decimals", 0)
    scale = 10.0 ** abs(decimals)
    if decimals == 0:
        return b.apply("round", x)
    scaled = b.apply("round", b.mul(x, scale) if decimals > 0 else b.div(x, scale))
    return b.div(scaled, scale) if decimals > 0 else b.mul(scaled, scale)


@lowers("square")
def _square(b: Builder, call: Call) -> Source:
    (x,) = floating(b, call, "self")
    return b.power(x, 2)


@lowers("pow")
def _power(b: Builder, call: Call) -> Source:
    """Powers that the kernels know by themselves are integers, roots, and the rest."""
    exponent = call.arguments["exponent"]
    if isinstance(exponent, Value | Constant):
        return b.apply("pow", *floating(b, call, "self", "exponent"))
    (x,) = floating(b, call, "self")
    return power_of(b, x, exponent)


def power_of(b: Builder, x: Source, exponent: float) -> Source:
    """Return x to a number."""
    if exponent == 0:
        return b.constant(1.0, shape_of(x), dtype_of(x))
    if float(exponent).is_integer():
        return b.power(x, int(exponent))
    if exponent in (0.5, -0.5):
        return b.apply("sqrt" if exponent > 0 else "rsqrt", x)
    return b.apply("pow", x, exponent)


@lowers("addcmul", "addcdiv")
def _add_product(b: Builder, call: Call) -> Source:
    """self + value tensor1 tensor2, or value tensor1 / tensor2."""
    x, y, z = floating(b, call, "self", "tensor1", "tensor2")
    part = b.mul(y, z) if call.name == "addcmul" else b.div(y, z)
    return b.add(x, b.mul(call.arguments["value"], part))


@lowers("lerp")
def _between(b: Builder, call: Call) -> Source:
    x, y, weight = floating(b, call, "self", "end", "weight")
    return b.add(x, b.mul(weight, b.sub(y, x)))


@lowers("hypot")
def _hypotenuse(b: Builder, call: Call) -> Source:
    x, y = floating(b, call, "self", "other")
    return b.apply("sqrt", b.add(b.power(x, 2), b.power(y, 2)))


@lowers("copysign")
def _copy_sign(b: Builder, call: Call) -> Source:
    x, y = floating(b, call, "self", "other")
    size = b.apply("abs", x)
    return b.select(b.compare("lt", y, 0.0), size, b.apply("neg", size))


@lowers("xlogy", "special_xlog1py")
def _product_with_log(b: Builder, call: Call) -> Source:
    """x log(y), 0 where x is 0."""
    x, y = floating(b, call, "self", "other")
    product = b.mul(x, b.apply("log" if call.name == "xlogy" else "log1p", y))
    return b.select(b.compare("eq", x, 0.0), product, 0.0)


@lowers("special_entr")
def _entropy(b: Builder, call: Call) -> Source:
    """-x log(x), 0 at 0."""
    (x,) = floating(b, call, "self")
    inside = b.apply("neg", b.mul(x, b.apply("log", x)))
    return b.select(b.compare("eq", x, 0.0), inside, 0.0)


@lowers("logit")
def _logit(b: Builder, call: Call) -> Source:
    """log(x / (1 - x)), of x between eps and 1 - eps."""
    (x,), eps = floating(b, call, "self"), call.arguments["eps"]
    if eps is not None and eps >= 0:
        x = b.apply("min", b.apply("max", x, eps), 1 - eps)
    return b.apply("log", b.div(x, b.sub(1.0, x)))


@lowers("sinc")
def _sinc(b: Builder, call: Call) -> Source:
    (x,) = floating(b, call, "self")
    scaled = b.mul(x, math.pi)
    return b.select(b.compare("eq", x, 0.0), b.div(b.apply("sin", scaled), scaled), 1.0)


@lowers("deg2rad", "rad2deg")
def _degrees(b: Builder, call: Call) -> Source:
    (x,) = floating(b, call, "self")
    return b.mul(x, math.pi / 180 if call.name == "deg2rad" else 180 / math.pi)


# --- comparisons, choices, casts -----------------------------------------------------------------------------------


def _compare(b: Builder, call: Call) -> Source:
    alike = b.alike(call.arguments["self"], call.arguments["other"])
    return b.compare(call.name, *alike)


for _name in _COMPARISONS:
    lowers(_name)(_compare)


@lowers("where")
def _where(b: Builder, call: Call) -> Source:
    if "self" not in call.arguments or not is_floating(call.dtype):
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
