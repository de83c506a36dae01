"""Stand-ins for what would lose a tracer: functions of `math`, NumPy and SciPy, and the type `float`.

Some things turn an array into plain numbers and ask nobody: the module `math`; `float(x)`; arrays that a program makes
itself, to write into them (`np.zeros`) or of a list (`np.array`). Their stand-ins do the same with plain numbers, and
keep a tracer. `xcheck_numpy.copies` puts them into copies of a person's functions.
"""

import builtins
import functools
import math
import sys
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import scipy.fft
from scipy import linalg, special

from xcheck_numpy.tracing import fourier
from xcheck_numpy.tracing.moves import OF_SEVERAL, recorder_of
from xcheck_numpy.tracing.recorded import cast, emit, is_inexact
from xcheck_numpy.tracing.recorder import Recorder
from xcheck_numpy.tracing.statistics import logsumexp
from xcheck_numpy.tracing.tracer import FUNCTIONS, Tracer, lift

# To these a list is several arrays, not one.
_OF_LISTS_OF_ARRAYS = frozenset({*OF_SEVERAL, "select", "broadcast_arrays", "meshgrid", "einsum"})


def _has_tracer(*values: Any) -> bool:
    try:
        recorder_of(values)
    except LookupError:
        return False
    return True


# --- NumPy ------------------------------------------------------------------------------------------------------------


def _makers(recorder: Recorder) -> dict[Any, Callable[..., Any]]:
    """Return what stands for the functions that make arrays."""

    def new(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def make(*args: Any, **kwargs: Any) -> Any:
            if _has_tracer(args, kwargs):
                return np.copy(np.broadcast_to(*_shape_and_fill(recorder, *args, **kwargs)))
            made = function(*args, **kwargs)
            return Tracer(recorder, made, scalar=False) if is_inexact(made.dtype) else made

        return make

    def read(function: Callable[..., Any], *, copies: bool) -> Callable[..., Any]:
        @functools.wraps(function)
        def make(value: Any, dtype: Any = None, **kwargs: Any) -> Any:
            if not _has_tracer(value):
                made = function(value, dtype, **kwargs)
                # A new array may be written into; one that is handed on is the person's own.
                is_new = is_inexact(made.dtype) and made is not value
                return Tracer(recorder, made, scalar=False) if is_new else made
            found = lift(recorder, value)
            found = found if dtype is None else cast(found, np.dtype(dtype))
            found = np.copy(found) if copies and found is value else found
            return np.reshape(found, (1,) * (kwargs.get("ndmin", 0) - found.ndim) + found.shape)

        return make

    made = {function: new(function) for function in (np.zeros, np.ones, np.empty, np.full, np.eye, np.identity)}
    copying: dict[Any, bool] = {np.array: True, np.asarray: False, np.asanyarray: False, np.ascontiguousarray: False}
    return {**made, **{function: read(function, copies=copies) for function, copies in copying.items()}}


def _shape_and_fill(recorder: Recorder, shape: Any, fill_value: Any, **kwargs: Any) -> tuple[Any, Any]:
    """Return the arguments of `np.full` with a tracer as those of `np.broadcast_to`."""
    return lift(recorder, fill_value), shape


class _OfLists:
    """A function of NumPy or SciPy to which a list of tracers is an array."""

    def __init__(self, recorder: Recorder, function: Any) -> None:
        self._recorder, self._function = recorder, function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._function(*map(self._read, args), **kwargs)

    def _read(self, value: Any) -> Any:
        listed = isinstance(value, list | tuple) or (isinstance(value, np.ndarray) and value.dtype == object)
        return lift(self._recorder, value) if listed and _has_tracer(value) else value

    def __getattr__(self, name: str) -> Any:
        return getattr(self._function, name)


class StandInModule:
    """A module in which some names stand for others.

    Attributes:
        of: returns what stands for a value.
    """

    def __init__(self, module: Any, of: Callable[[Any], Any]) -> None:
        self.of = of
        self._module = module

    def __getattr__(self, name: str) -> Any:
        return self.of(getattr(self._module, name))


def stand_in(value: Any, others: Mapping[Any, Any]) -> Any:
    """Return what stands for a value, or the value."""
    try:
        return others.get(value, value)
    except TypeError:  # what has no hash stands for itself
        return value


# --- Python -----------------------------------------------------------------------------------------------------------


class _OfNumbers(type):
    """The type of `float` and of `np.float64` as they stand in a copy: called with a tracer they leave it one."""

    dtype = np.dtype(np.float64)  # what NumPy asks of a type that is to be a dtype

    def __call__(cls, value: Any = 0.0) -> Any:
        if not _has_tracer(value):
            return cls.__bases__[0](value)
        found = cast(lift(recorder_of(value), value), np.dtype(np.float64))
        return found.item() if found.size == 1 else found

    def __instancecheck__(cls, value: Any) -> bool:
        return isinstance(value, cls.__bases__[0])

    def __subclasscheck__(cls, other: type) -> bool:
        return issubclass(other, cls.__bases__[0])


class _Float(builtins.float, metaclass=_OfNumbers):
    pass


class _Float64(np.float64, metaclass=_OfNumbers):
    pass


_IN_NUMPY: Mapping[str, Any] = {
    **{name: getattr(np, name) for name in ("exp", "log2", "log10", "log1p", "expm1", "exp2", "sqrt", "cbrt", "sin")},
    **{name: getattr(np, name) for name in ("cos", "tan", "sinh", "cosh", "tanh", "hypot", "copysign", "fmod")},
    **{name: getattr(np, name) for name in ("degrees", "radians", "fabs", "isfinite", "isnan", "isinf", "trunc")},
    **{f"a{name}": getattr(np, f"arc{name}") for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh")},
    "atan2": np.arctan2,
    "pow": np.power,
    "fsum": np.sum,
    "prod": np.prod,
    "erf": special.erf,
    "erfc": special.erfc,
    "lgamma": special.gammaln,
    "gamma": special.gamma,
    "log": lambda x, *base: np.log(x) / np.log(*base or (np.e,)),
    "dist": lambda p, q: np.sqrt(np.sum((np.asarray(p) - np.asarray(q)) ** 2)),
}


def _of_math(recorder: Recorder, name: str, function: Any) -> Callable[..., Any]:
    def apply(*args: Any, **kwargs: Any) -> Any:
        if not _has_tracer(args):
            return function(*args, **kwargs)
        if name == "log" and len(args) == 1:
            return np.log(args[0])
        with recorder.calling(f"math.{name}"):
            return _IN_NUMPY[name](*[lift(recorder, one) for one in args], **kwargs)

    return apply


# --- SciPy ------------------------------------------------------------------------------------------------------------


def _softmax(x: Any, axis: Any = None) -> Any:
    return np.exp(_log_softmax(x, axis))


def _log_softmax(x: Any, axis: Any = None) -> Any:
    return x - logsumexp(x, axis=axis, keepdims=True)


def _logsumexp(a: Any, axis: Any = None, b: Any = None, keepdims: bool = False, **kwargs: Any) -> Any:
    return logsumexp(a if b is None else a + np.log(b), axis=axis, keepdims=keepdims)


def _cholesky(a: Any, lower: bool = False, **kwargs: Any) -> Any:
    return np.linalg.cholesky(a, upper=not lower)


def _solve_triangular(a: Any, b: Any, trans: Any = 0, lower: bool = False, **kwargs: Any) -> Any:
    half = np.tril(a) if lower else np.triu(a)
    turned = {1: half.T, "T": half.T, 2: np.conj(half.T), "C": np.conj(half.T)}
    return np.linalg.solve(turned.get(trans, half), b)


def _cho_solve(factor: Any, b: Any, **kwargs: Any) -> Any:
    half = np.tril(factor[0]) if factor[1] else np.conj(np.triu(factor[0]).T)
    return np.linalg.solve(np.conj(half.T), np.linalg.solve(half, b))


def _expm(a: Any) -> Any:
    a = lift(recorder_of(a), a)
    a = a if is_inexact(a.dtype) else cast(a, np.dtype(np.float64))
    return emit("expm", [a], lambda x: (linalg.expm(x),))[0]


_IN_SCIPY: dict[Any, Callable[..., Any]] = {
    **fourier.IN_SCIPY,
    special.softmax: _softmax,
    special.log_softmax: _log_softmax,
    special.logsumexp: _logsumexp,
    linalg.cholesky: _cholesky,
    linalg.cho_factor: lambda a, lower=False, **kwargs: (_cholesky(a, lower), lower),
    linalg.cho_solve: _cho_solve,
    linalg.solve_triangular: _solve_triangular,
    linalg.solve: lambda a, b, **kwargs: np.linalg.solve(a, b),
    linalg.expm: _expm,
    linalg.inv: lambda a, **kwargs: np.linalg.inv(a),
    linalg.det: lambda a, **kwargs: np.linalg.det(a),
    linalg.norm: lambda a, ord=None, axis=None, keepdims=False, **kwargs: np.linalg.norm(a, ord, axis, keepdims),  # noqa: A006 - SciPy's own name
}


def _of_scipy(recorder: Recorder, function: Any, other: Any) -> Callable[..., Any]:
    def apply(x: Any, *args: Any, **kwargs: Any) -> Any:
        if not _has_tracer(x, args, kwargs):
            return function(x, *args, **kwargs)
        with recorder.calling(f"scipy.{function.__module__.split('.')[1]}.{function.__name__}"):
            # A factor of Cholesky's is handed on as a pair.
            return other(x if isinstance(x, tuple) else lift(recorder, x), *args, **kwargs)

    return apply


# By z = (x - loc) / scale, and the scale.
_NORMAL: Mapping[str, Callable[[Any, Any], Any]] = {
    "logpdf": lambda z, scale: -0.5 * z * z - np.log(scale) - 0.5 * math.log(2 * math.pi),
    "pdf": lambda z, scale: np.exp(-0.5 * z * z) / scale / math.sqrt(2 * math.pi),
    "cdf": lambda z, scale: special.ndtr(z),
    "logcdf": lambda z, scale: special.log_ndtr(z),
    "sf": lambda z, scale: special.ndtr(-z),
    "logsf": lambda z, scale: special.log_ndtr(-z),
}


class _Normal:
    """`scipy.stats.norm`, the distribution that stands in most likelihoods."""

    def __init__(self, recorder: Recorder, original: Any) -> None:
        self._recorder, self._original = recorder, original

    def __getattr__(self, name: str) -> Any:
        function = getattr(self._original, name)

        def apply(x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
            if not _has_tracer(x, loc, scale):
                return function(x, loc, scale)
            with self._recorder.calling(f"scipy.stats.norm.{name}"):
                point, center, width = (lift(self._recorder, one) for one in (x, loc, scale))
                return _NORMAL[name]((point - center) / width, width)

        return apply if name in _NORMAL else function


def stand_ins(recorder: Recorder) -> dict[Any, Any]:
    """Return what stands for what in the globals of a function that is followed."""
    found: dict[Any, Any] = _makers(recorder)
    for name in FUNCTIONS:
        function = getattr(np, name, None)
        if callable(function) and function not in found and name not in _OF_LISTS_OF_ARRAYS:
            found[function] = _OfLists(recorder, function)
    ufuncs = [one for module in (np, special) for one in vars(module).values() if isinstance(one, np.ufunc)]
    found |= {ufunc: _OfLists(recorder, ufunc) for ufunc in ufuncs}
    found |= {function: _of_scipy(recorder, function, other) for function, other in _IN_SCIPY.items()}
    found |= {
        getattr(math, name): _of_math(recorder, name, getattr(math, name)) for name in _IN_NUMPY if hasattr(math, name)
    }
    found |= {builtins.float: _Float, np.float64: _Float64}

    def of(value: Any) -> Any:
        return stand_in(value, found)

    if "scipy.stats" in sys.modules:  # it takes long to import, and who uses it has imported it
        stats = sys.modules["scipy.stats"]
        found |= {stats.norm: _Normal(recorder, stats.norm), stats: StandInModule(stats, of)}
    found |= {module: StandInModule(module, of) for module in (np, math, special, linalg, scipy.fft, scipy)}
    return found
