"""Operations on elements: functions of one number or two, and arithmetic with its factors."""

import math

import torch

from xcheck.trace import Constant, Value
from xcheck.trace.model import Source
from xcheck_torch.lowering.arrays import dtype_of, shape_of
from xcheck_torch.lowering.builder import Builder
from xcheck_torch.lowering.call import Call, Lowering, floating, lowers

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
    "i0": "i0",
    "special_i1": "i1",
    "special_i0e": "bessel_i0e",
    "special_i1e": "bessel_i1e",
    "special_entr": "entr",
    "sinc": "sinc",
    "special_erfcx": "erfcx",
    "special_ndtri": "ndtri",
    "special_log_ndtr": "log_ndtr",
    "special_bessel_j0": "j0",
    "special_bessel_j1": "j1",
    "special_bessel_y0": "y0",
    "special_bessel_y1": "y1",
    "special_modified_bessel_i0": "i0",
    "special_modified_bessel_i1": "i1",
    "special_modified_bessel_k0": "k0",
    "special_modified_bessel_k1": "k1",
}
# The same, where torch calls the argument x.
_OF_X = {
    "special_airy_ai": "airy_ai",
    "special_spherical_bessel_j0": "spherical_bessel_j0",
    "special_scaled_modified_bessel_k0": "k0e",
    "special_scaled_modified_bessel_k1": "k1e",
}
_OF_TWO = {
    "maximum": "max",
    "minimum": "min",
    "atan2": "atan2",
    "special_zeta": "zeta",
    "xlogy": "xlogy",
    "special_xlog1py": "xlog1py",
    "logaddexp": "logaddexp",
    "logaddexp2": "logaddexp2",
    "hypot": "hypot",
    "remainder": "remainder",
    "fmod": "fmod",
    "floor_divide": "floor_divide",
    "igamma": "igamma",
    "igammac": "igammac",
}


def _of_one(name: str, argument: str = "self") -> Lowering:
    def apply(b: Builder, call: Call) -> Source:
        (x,) = floating(b, call, argument)
        return b.apply(name, x)

    return apply


def _of_two(name: str) -> Lowering:
    def apply(b: Builder, call: Call) -> Source:
        return b.apply(name, *floating(b, call, "self", "other"))

    return apply


for _name, _ours in _OF_ONE.items():
    lowers(_name)(_of_one(_ours))
for _name, _ours in _OF_X.items():
    lowers(_name)(_of_one(_ours, "x"))
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
    x, y = floating(b, call, "self", "other")
    mode = call.get("rounding_mode")
    if mode == "floor":
        return b.apply("floor_divide", x, y)
    return b.div(x, y) if mode is None else b.apply(mode, b.div(x, y))


@lowers("frac")
def _fraction(b: Builder, call: Call) -> Source:
    (x,) = floating(b, call, "self")
    return b.sub(x, b.apply("trunc", x))


@lowers("frexp")
def _mantissa_and_exponent(b: Builder, call: Call) -> list[Source]:
    """x = m 2^e with |m| from 1/2 to 1, by e = ⌊log₂|x|⌋ + 1."""
    (x,) = floating(b, call, "self")
    exponent = b.add(b.apply("floor", b.apply("log2", b.apply("abs", x))), 1.0)
    return [b.div(x, b.apply("exp2", exponent)), b.cast(exponent, call.outputs[1].dtype)]


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


@lowers("copysign")
def _copy_sign(b: Builder, call: Call) -> Source:
    x, y = floating(b, call, "self", "other")
    size = b.apply("abs", x)
    return b.select(b.compare("lt", y, 0.0), size, b.apply("neg", size))


@lowers("logit")
def _logit(b: Builder, call: Call) -> Source:
    """log(x / (1 - x)), of x between eps and 1 - eps."""
    (x,), eps = floating(b, call, "self"), call.arguments["eps"]
    if eps is not None and eps >= 0:
        x = b.apply("min", b.apply("max", x, eps), 1 - eps)
    return b.apply("logit", x)


@lowers("polygamma")
def _polygamma(b: Builder, call: Call) -> Source:
    """The derivative number n of digamma."""
    (x,), order = floating(b, call, "self"), call.arguments["n"]
    numbers = b.constant(float(order), call.shape, call.dtype)
    return b.one("polygamma", lambda n, a: torch.polygamma(order, a), [numbers, x], Value(call.shape, call.dtype))


@lowers("deg2rad", "rad2deg")
def _degrees(b: Builder, call: Call) -> Source:
    (x,) = floating(b, call, "self")
    return b.mul(x, math.pi / 180 if call.name == "deg2rad" else 180 / math.pi)
