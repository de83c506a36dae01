"""NumPy's and SciPy's universal functions in the words of `xcheck.trace`."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

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


# Functions that are made of others, and those of them that mean the same of complex numbers; `composed` fills both.
COMPOSED: dict[str, Callable[..., Any]] = {}
OF_COMPLEX: set[str] = set()


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


def floating(recorder: Recorder, values: Sequence[Any]) -> list[Any]:
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
    if name in COMPOSED:
        lifted = [lift(recorder, one) for one in inputs]
        if name not in OF_COMPLEX and any(one.dtype.kind == "c" for one in lifted):
            raise recorder.refuse(f"`np.{name}` of complex numbers")
        return COMPOSED[name](*lifted)
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
        given = floating(recorder, given)
    return emit(_NAMES.get(name, name), given, lambda *arrays: (ufunc(*arrays),))[0]


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

__all__ = ["align", "broadcast", "call", "compute", "floating", "lift", "move", "scatter_add", "write"]
