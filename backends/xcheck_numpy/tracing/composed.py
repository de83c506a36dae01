"""Universal functions of NumPy and SciPy that are made of others."""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special

from xcheck_numpy.tracing.recorded import cast, emit, is_inexact
from xcheck_numpy.tracing.tracer import Tracer
from xcheck_numpy.tracing.ufuncs import COMPOSED, OF_COMPLEX, align, broadcast, floating


def _power(x: Any, y: Any) -> Any:
    """A constant integer, and a root, have names of their own: nothing is asked of the logarithm of x."""
    if not is_inexact(x.dtype) and not is_inexact(y.dtype):
        return emit("exact", align(x.recorder, (x, y)), lambda a, b: (np.power(a, b),))[0]
    if y.value is None and y.size and y.dtype.kind != "c" and (y.array == y.array.flat[0]).all():
        power = float(y.array.flat[0])
        shape = np.broadcast_shapes(x.shape, y.shape)
        base = broadcast(x if is_inexact(x.dtype) else cast(x, np.dtype(np.float64)), shape)
        if power == 0:
            return Tracer(x.recorder, np.ones(shape, base.dtype))
        if power in (1.0, 0.5):
            return np.copy(base) if power == 1 else np.sqrt(base)
        if power.is_integer() and abs(power) < 2**31:
            return emit("integer_pow", [base], lambda a: (np.power(a, power),), y=int(power))[0]
    return emit("pow", floating(x.recorder, (x, y)), lambda a, b: (np.power(a, b),))[0]


def _logical(combine: Callable[..., Any]) -> Callable[..., Any]:
    def apply(*given: Any) -> Any:
        truths = align(given[0].recorder, [cast(one, np.dtype(bool)) for one in given])
        return emit("exact", truths, lambda *arrays: (combine(*arrays),))[0]

    return apply


def _divided(name: str) -> Callable[..., Any]:
    """`x // y` and its rest: of the exact quotient, which rounding may carry over an integer."""
    function = getattr(np, name)

    def apply(x: Any, y: Any) -> Any:
        given = align(x.recorder, (x, y))
        return emit(name if given[0].dtype.kind == "f" else "exact", given, lambda a, b: (function(a, b),))[0]

    return apply


def _heaviside(x: Any, at_zero: Any) -> Any:
    return np.where(x > 0, 1.0, np.where(x < 0, 0.0, at_zero))


def _log_beta(a: Any, b: Any) -> Any:
    return special.gammaln(a) + special.gammaln(b) - special.gammaln(a + b)


def _gamma(x: Any) -> Any:
    """The logarithm is that of |Γ|, which is Γ where x is positive."""
    if (x.array > 0).all():
        return np.exp(special.gammaln(x))
    return emit("gamma", [cast(x, np.dtype(np.float64))], lambda a: (special.gamma(a),))[0]


def _log_expit(x: Any) -> Any:
    return -np.logaddexp(0.0, -x)


def _conjugate(x: Any) -> Any:
    return emit("conj", [x], lambda a: (np.conj(a),))[0] if x.dtype.kind == "c" else np.copy(x)


def _sign_of(x: Any, y: Any) -> Any:
    return np.where(y < 0, -np.abs(x), np.abs(x))


def _fresnel(x: Any) -> tuple[Any, Any]:
    [x] = floating(x.recorder, [x])
    names = ("fresnel_s", "fresnel_c")
    first, second = (
        emit(name, [x], lambda a, n=number: (special.fresnel(a)[n],))[0] for number, name in enumerate(names)
    )
    return first, second


def _lambert_w(x: Any, branch: Any, tolerance: Any) -> Any:
    """A real number of the principal branch, which SciPy returns as a complex one."""
    [x] = floating(x.recorder, [x])
    if branch.array.any() or not (x.array > -np.exp(-1.0)).all():
        raise x.recorder.refuse("`scipy.special.lambertw` of another branch, or below -1/e,")
    return cast(emit("lambertw", [x], lambda a: (special.lambertw(a).real,))[0], np.dtype(complex))


def _mantissa_and_exponent(x: Any) -> tuple[Any, Any]:
    """x = m 2^e: between powers of two e stays what it is."""
    exponents = np.frexp(x.array)[1]
    mantissa = x * np.ldexp(1.0, -exponents)
    size = np.abs(mantissa)
    if not np.all((size > 0.5) & (size < 1)):
        raise x.recorder.refuse("`np.frexp` of 0 or a power of two")
    return mantissa, exponents


COMPOSED.update(
    {
        "power": _power,
        "float_power": _power,
        "positive": np.copy,
        "logical_and": _logical(np.logical_and),
        "logical_or": _logical(np.logical_or),
        "logical_xor": _logical(np.logical_xor),
        "logical_not": _logical(np.logical_not),
        "isinf": lambda x: ~np.isfinite(x) & ~np.isnan(x),
        **{name: _divided(name) for name in ("floor_divide", "remainder", "fmod")},
        "divmod": lambda x, y: (x // y, x % y),
        "modf": lambda x: (x - np.trunc(x), np.trunc(x)),
        "frexp": _mantissa_and_exponent,
        "fresnel": _fresnel,
        "_lambertw": _lambert_w,
        "heaviside": _heaviside,
        "copysign": _sign_of,
        "signbit": lambda x: x < 0,
        "deg2rad": lambda x: x * (np.pi / 180.0),
        "radians": lambda x: x * (np.pi / 180.0),
        "rad2deg": lambda x: x * (180.0 / np.pi),
        "degrees": lambda x: x * (180.0 / np.pi),
        "conjugate": _conjugate,
        "clip": lambda x, low, high: np.minimum(np.maximum(x, low), high),
        "rel_entr": lambda x, y: special.xlogy(x, x / y),
        "kl_div": lambda x, y: special.xlogy(x, x / y) - x + y,
        "betaln": _log_beta,
        "beta": lambda a, b: np.exp(_log_beta(a, b)),
        "gamma": _gamma,
        "softplus": lambda x: np.logaddexp(0.0, x),
        "log_expit": _log_expit,
    }
)


# Those of them that mean the same of complex numbers.
OF_COMPLEX.update(("power", "float_power", "positive", "isinf", "conjugate"))
OF_COMPLEX.update(name for name in COMPOSED if name.startswith("logical_"))
