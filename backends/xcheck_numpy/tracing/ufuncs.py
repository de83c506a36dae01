"""NumPy's and SciPy's universal functions in the words of `xcheck.trace`."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from scipy import special

from xcheck_numpy.tracing.recorded import cast, emit, is_inexact, move
from xcheck_numpy.tracing.recorder import Recorder
from xcheck_numpy.tracing.tracer import FUNCTIONS, UFUNCS, Tracer, lift

# NumPy's or SciPy's name -> ours. Functions of one or two arguments that are not here keep their name: whoever has no
# rule for it says so by that name.
_NAMES: Mapping[str, str] = {
    "add": "add",
    "subtract": "sub",
    "multiply": "mul",
    "divide": "div",
    "true_divide": "div",
    "arctan2": "atan2",
    "maximum": "max",
    "minimum": "min",
    "fmax": "max",
    "fmin": "min",
    "negative": "neg",
    "absolute": "abs",
    "fabs": "abs",
    "rint": "round",
    "arcsin": "asin",
    "arccos": "acos",
    "arctan": "atan",
    "arcsinh": "asinh",
    "arccosh": "acosh",
    "arctanh": "atanh",
    "expit": "logistic",
    "erfinv": "erf_inv",
    "gammaln": "lgamma",
    "loggamma": "lgamma",
    "psi": "digamma",
    "gammainc": "igamma",
    "gammaincc": "igammac",
    "betainc": "regularized_incomplete_beta",
    "i0e": "bessel_i0e",
    "i1e": "bessel_i1e",
}
_COMPARISONS = {"less": "lt", "less_equal": "le", "greater": "gt", "greater_equal": "ge", "equal": "eq"}
_COMPARISONS = {**_COMPARISONS, "not_equal": "ne"}
_PRODUCTS = ("matmul", "vecdot", "matvec", "vecmat")
_TESTS = {"isfinite": "is_finite", "isnan": "is_nan"}


def align(recorder: Recorder, values: Sequence[Any], dtype: np.dtype[Any] | None = None) -> list[Any]:
    """Return tracers of one shape and one dtype, by default the one that NumPy would compute in."""
    given = [lift(recorder, value) for value in values]
    if dtype is None:
        # A number of Python takes the dtype of the arrays that it meets.
        weak = [
            value if type(value) in (int, float, complex, bool) else one.dtype
            for value, one in zip(values, given, strict=True)
        ]
        dtype = np.result_type(*weak)
    shape = np.broadcast_shapes(*[one.shape for one in given])
    return [broadcast(cast(one, dtype), shape) for one in given]


def broadcast(x: Any, shape: tuple[int, ...]) -> Any:
    """Return x in a larger shape."""
    return x if x.shape == shape else emit("move", [x], lambda a: (np.broadcast_to(a, shape),))[0]


def _floating(recorder: Recorder, values: Sequence[Any]) -> list[Any]:
    """Return tracers of one shape and one floating dtype."""
    given = align(recorder, values)
    if is_inexact(given[0].dtype):
        return given
    return [cast(one, np.dtype(np.float64)) for one in given]


def call(recorder: Recorder, ufunc: Any, *inputs: Any, **kwargs: Any) -> Any:
    """Return what a universal function gives, in `out` where that is wanted."""
    outs, where, dtype = kwargs.pop("out", None), kwargs.pop("where", True), kwargs.pop("dtype", None)
    kwargs.pop("casting", None)
    if kwargs:
        raise recorder.refuse(f"`np.{ufunc.__name__}` with {', '.join(kwargs)}=")
    found = compute(recorder, ufunc, inputs)
    if dtype is not None:
        found = cast(found, np.dtype(dtype))
    out = outs[0] if isinstance(outs, tuple) else outs
    if where is not True:
        found = np.where(where, found, 0.0 if out is None else out)
    return found if out is None else write(recorder, out, found)


def write(recorder: Recorder, out: Any, found: Any) -> Any:
    """Write into a tracer; or into an array of NumPy, for which the result then stands."""
    found = lift(recorder, found)
    if isinstance(out, Tracer):
        out.assign(broadcast(cast(found, out.dtype), out.shape))
        return out
    result = broadcast(cast(found, out.dtype), out.shape)
    # An array of NumPy cannot take it in. Whoever still reads that array gets nan, and not what it held before.
    if is_inexact(out.dtype):
        out[...] = np.nan
    return Tracer(recorder, np.array(result.array), result.value, scalar=False)


def compute(recorder: Recorder, ufunc: Any, inputs: Sequence[Any]) -> Any:
    """Return what a universal function gives."""
    name = ufunc.__name__
    if name in _PRODUCTS:
        return FUNCTIONS[name](*inputs)
    if name in _COMPOSED:
        lifted = [lift(recorder, one) for one in inputs]
        if name not in _OF_COMPLEX and any(one.dtype.kind == "c" for one in lifted):
            raise recorder.refuse(f"`np.{name}` of complex numbers")
        return _COMPOSED[name](*lifted)
    if ufunc.nout > 1 or ufunc.signature is not None:
        raise recorder.refuse(f"`np.{name}`")
    given = align(recorder, inputs)
    inexact = is_inexact(given[0].dtype)
    if name in _COMPARISONS or (name in _TESTS and inexact):
        neutral = {**_COMPARISONS, **_TESTS}[name]
        return emit(neutral if inexact else "exact", given, lambda *arrays: (ufunc(*arrays),))[0]
    if not inexact:
        # Integers and truth values: counting is exact, and so are their logical functions.
        if np.result_type(ufunc(*[one.array for one in given])).kind != "f":
            return emit("exact", given, lambda *arrays: (ufunc(*arrays),))[0]
        given = _floating(recorder, given)
    return emit(_NAMES.get(name, name), given, lambda *arrays: (ufunc(*arrays),))[0]


# --- functions that are made of others ------------------------------------------------------------------------------


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
    return emit("pow", _floating(x.recorder, (x, y)), lambda a, b: (np.power(a, b),))[0]


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
    [x] = _floating(x.recorder, [x])
    names = ("fresnel_s", "fresnel_c")
    first, second = (
        emit(name, [x], lambda a, n=number: (special.fresnel(a)[n],))[0] for number, name in enumerate(names)
    )
    return first, second


def _lambert_w(x: Any, branch: Any, tolerance: Any) -> Any:
    """A real number of the principal branch, which SciPy returns as a complex one."""
    [x] = _floating(x.recorder, [x])
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


_COMPOSED: dict[str, Callable[..., Any]] = {
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


# Those of them that mean the same of complex numbers.
_OF_COMPLEX = frozenset({"power", "float_power", "positive", "isinf", "conjugate"})
_OF_COMPLEX |= {name for name in _COMPOSED if name.startswith("logical_")}


# --- methods of universal functions -----------------------------------------------------------------------------------

_REDUCTIONS: Mapping[str, Callable[..., Any]] = {
    "add": np.sum,
    "multiply": np.prod,
    "maximum": np.max,
    "minimum": np.min,
    "fmax": np.max,
    "fmin": np.min,
    "logical_and": np.all,
    "logical_or": np.any,
}
_ACCUMULATIONS = {"add": "cumsum", "multiply": "cumprod", "maximum": "cummax", "minimum": "cummin"}
_ACCUMULATIONS = {**_ACCUMULATIONS, "logaddexp": "cumlogsumexp"}


def _reduce(
    recorder: Recorder, ufunc: Any, x: Any, axis: Any = 0, dtype: Any = None, out: Any = None, **more: Any
) -> Any:
    name = ufunc.__name__
    if name not in _REDUCTIONS and name != "logaddexp":
        raise recorder.refuse(f"`np.{name}.reduce`")
    reduce = FUNCTIONS["logsumexp"] if name == "logaddexp" else _REDUCTIONS[name]
    found = reduce(lift(recorder, x), axis=axis, **more)
    return found if out is None else write(recorder, out[0] if isinstance(out, tuple) else out, found)


def _accumulate(recorder: Recorder, ufunc: Any, x: Any, axis: int = 0, **more: Any) -> Any:
    if ufunc.__name__ not in _ACCUMULATIONS:
        raise recorder.refuse(f"`np.{ufunc.__name__}.accumulate`")
    return FUNCTIONS["accumulate"](_ACCUMULATIONS[ufunc.__name__], lift(recorder, x), axis)


def _outer(recorder: Recorder, ufunc: Any, x: Any, y: Any, **more: Any) -> Any:
    left, right = lift(recorder, x), lift(recorder, y)
    return ufunc(left.reshape(*left.shape, *[1] * right.ndim), right, **more)


def _at(recorder: Recorder, ufunc: Any, x: Any, indices: Any, values: Any = None) -> None:
    """Add to elements, also to one several times: `np.add.at`."""
    if ufunc.__name__ not in ("add", "subtract") or not isinstance(x, Tracer):
        raise recorder.refuse(f"`np.{ufunc.__name__}.at`")
    updates = lift(recorder, values)
    numbers = np.arange(x.size).reshape(x.shape)[indices]
    updates = broadcast(cast(updates, x.dtype), numbers.shape)
    signed = updates if ufunc.__name__ == "add" else -updates

    def add_up(array: Any, new: Any) -> Sequence[Any]:
        found = np.array(array, order="C")
        np.add.at(found.reshape(-1), numbers, new)
        return (found,)

    x.assign(scatter_add(x, numbers, signed, add_up))


def scatter_add(x: Any, numbers: Any, updates: Any, add_up: Callable[..., Any]) -> Any:
    """Return x with updates added to its elements of these numbers, shapes of both alike."""
    indices = Tracer(x.recorder, np.asarray(numbers))

    def run(array: Any, at: Any, new: Any) -> Any:
        return add_up(array, new)

    return emit("scatter_add", [x, indices, updates], run, positions=np.asarray)[0]


UFUNCS.update({"__call__": call, "reduce": _reduce, "accumulate": _accumulate, "outer": _outer, "at": _at})

__all__ = ["align", "broadcast", "call", "compute", "lift", "move", "scatter_add", "write"]
