"""Tracer: an array that holds NumPy's numbers and records what is done to them.

NumPy hands over its universal functions (`__array_ufunc__`) and most others (`__array_function__`); what they do is
looked up in `UFUNCS` and `FUNCTIONS`, which the other modules of this package fill.

Where Python asks for a number, it decides: `if x > 0`, `int(x)`, `range(n)`. What it decides is recorded as a `guard`.
A `float` carries nothing on, so none is given.
"""

from collections.abc import Callable, Iterator, Sequence
from numbers import Real
from typing import Any, NoReturn

import numpy as np

from xcheck.trace.model import Array
from xcheck_numpy.tracing.recorded import Recorded, cast, emit, is_inexact
from xcheck_numpy.tracing.recorder import Recorder, who_asks

UFUNCS: dict[str, Callable[..., Any]] = {}
FUNCTIONS: dict[str, Callable[..., Any]] = {}
# Functions that are followed as what they are of real numbers alone.
OF_REAL: set[str] = set()
# Modules whose functions share names with others.
_FAMILIES = {"numpy.linalg": "linalg.", "numpy.fft": "fft."}
# Methods of arrays that are functions of the module `numpy`, with the array as their first argument.
_METHODS = frozenset(
    {
        *("sum", "mean", "max", "min", "prod", "var", "std", "dot", "clip", "ravel", "squeeze", "cumsum", "cumprod"),
        *("argmax", "argmin", "argsort", "take", "repeat", "swapaxes", "trace", "diagonal", "round", "any", "all"),
        *("compress", "nonzero", "searchsorted", "ptp", "copy", "conj", "conjugate"),
    }
)


class Tracer(np.lib.mixins.NDArrayOperatorsMixin, Recorded):
    """An array that behaves like one of NumPy."""

    __array_priority__ = 1000.0

    # --- what NumPy asks for ------------------------------------------------------------------------------------------

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        name = ufunc.__name__ if method == "__call__" else f"{ufunc.__name__}.{method}"
        with self.recorder.calling(f"{'np' if hasattr(np, ufunc.__name__) else 'scipy.special'}.{name}"):
            if method != "__call__" and method not in UFUNCS:
                raise self.recorder.refuse(f"`np.{name}`")
            return UFUNCS[method](self.recorder, ufunc, *inputs, **kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        module = function.__module__ or "numpy"
        name = _FAMILIES.get(module, "") + function.__name__
        full_name = f"np{module.removeprefix('numpy')}.{function.__name__}"
        with self.recorder.calling(full_name):
            if name in FUNCTIONS:
                if name in OF_REAL and any(one.dtype.kind == "c" for one in _tracers(args, kwargs)):
                    raise self.recorder.refuse(f"`{full_name}` of complex numbers")
                return FUNCTIONS[name](*args, **kwargs)
            if all(one.value is None for one in _tracers(args, kwargs)):
                # Of constants it may be whatever it is.
                return function(*_plain(args), **_plain(kwargs))
            implementation = getattr(function, "_implementation", None)
            if implementation is None or module in _FAMILIES:
                raise self.recorder.refuse(f"`{full_name}`")
            # Most of what NumPy writes in Python is made of what is followed.
            return implementation(*args, **kwargs)

    @property
    def __array__(self) -> Any:
        """Integers and truth values are what Python decides upon; floating numbers have no such method.

        Arrays that hold them become arrays of objects then, which carry them on. Constants are free to go.
        """
        if is_inexact(self.array.dtype) and self.value is not None:
            raise AttributeError("__array__")

        def decide(dtype: Any = None, copy: Any = None) -> Array:
            return np.array(self.decided(), dtype)

        return decide

    def __getattr__(self, name: str) -> Any:
        if name in _METHODS:
            return lambda *args, **kwargs: getattr(np, name)(self, *args, **kwargs)
        # Arrays of objects call the methods of their elements: np.exp(array) calls element.exp().
        if not name.startswith("_") and isinstance(ufunc := getattr(np, name, None), np.ufunc):
            return lambda *args: ufunc(self, *args)
        raise AttributeError(f"the method `{name}` of an array cannot be followed")

    @property  # type: ignore[misc]  # object's may be set
    def __class__(self) -> Any:
        """What `isinstance` is told beside the truth: an array, or a number of NumPy."""
        return self.array.dtype.type if self.scalar else np.ndarray

    # --- what belongs to an array -------------------------------------------------------------------------------------

    shape = property(lambda self: self.array.shape)
    ndim = property(lambda self: self.array.ndim)
    size = property(lambda self: self.array.size)
    dtype = property(lambda self: self.array.dtype)
    itemsize = property(lambda self: self.array.itemsize)
    flags = property(lambda self: self.array.flags)
    strides = property(lambda self: self.array.strides)
    T = property(np.transpose)
    mT = property(lambda self: np.swapaxes(self, -1, -2))  # noqa: N815 - NumPy's own name
    flat = property(np.ravel)

    @property
    def real(self) -> Any:
        """The real part; of complex numbers one that is not written into."""
        return self._part("real") if self.dtype.kind == "c" else self

    @property
    def imag(self) -> Any:
        """The imaginary part, which is not written into either; of real numbers zeros."""
        return self._part("imag") if self.dtype.kind == "c" else Tracer(self.recorder, np.zeros_like(self.array))

    def _part(self, name: str) -> Any:
        with self.recorder.calling(f"np.{name}"):
            found = emit(name, [self], lambda array: (np.array(getattr(array, name)),))[0]
        # NumPy writes through it into the complex numbers: here it raises.
        found.array.flags.writeable = False
        return found

    def reshape(self, *shape: Any, **kwargs: Any) -> Any:
        """Return `np.reshape`, of a shape or of lengths."""
        return np.reshape(self, shape[0] if len(shape) == 1 else shape, **kwargs)

    def transpose(self, *axes: Any) -> Any:
        """Return `np.transpose`, of axes in a tuple or by themselves."""
        return np.transpose(self, axes[0] if len(axes) == 1 else axes or None)

    def flatten(self, order: Any = "C") -> Any:
        """Return a copy with one axis."""
        return np.copy(np.ravel(self, order))

    def astype(self, dtype: Any, **kwargs: Any) -> Any:
        """Return the numbers in another dtype, a copy."""
        return np.copy(cast(self, np.dtype(dtype)))

    def item(self, *at: Any) -> Any:
        """Return one element: still a tracer, as a Python number would carry nothing on."""
        flat = np.ravel(self)
        return flat[at[0]] if len(at) == 1 else self[at] if at else flat[0]

    def tolist(self) -> Any:
        """Return nested lists of single elements."""
        return [part.tolist() for part in self] if self.ndim else self

    def sort(self, axis: int = -1, **kwargs: Any) -> None:
        """Sort in place."""
        self.assign(FUNCTIONS["sort"](self, axis=axis, **kwargs))

    def fill(self, value: Any) -> None:
        """Put one number everywhere."""
        self[...] = value

    def __len__(self) -> int:
        if not self.ndim:
            raise TypeError("len() of unsized object")
        return int(self.shape[0])

    def __iter__(self) -> Iterator[Any]:
        if not self.ndim:
            raise TypeError("iteration over a 0-d array")
        return (self[number] for number in range(len(self)))

    def __getitem__(self, key: Any) -> Any:
        return FUNCTIONS["getitem"](self, key)

    def __setitem__(self, key: Any, value: Any) -> None:
        FUNCTIONS["setitem"](self, key, value)

    def __copy__(self) -> Any:
        return np.copy(self)

    def __deepcopy__(self, memo: Any) -> Any:
        return np.copy(self)

    # A text for people: it is made such that no program reads a number from it.

    def __repr__(self) -> str:
        return f"tracer of {self.array!r}"

    def __format__(self, spec: str) -> str:
        return f"tracer of {format(self.array[()], spec)}"

    # --- what Python asks for -----------------------------------------------------------------------------------------

    def decided(self) -> Array:
        """Return the numbers after recording that the program goes on with exactly these."""
        if self.value is not None:
            expected = self.array.copy()
            with self.recorder.calling(f"{self.dtype.type.__name__.removesuffix('64')}(x)"):
                self.recorder.record("guard", [self.source], [], lambda array: (), {"expected": expected})
        return self.array

    def __bool__(self) -> bool:
        holds = cast(self, np.dtype(bool))
        return bool(holds.decided())

    def __int__(self) -> int:
        return int(cast(self, np.dtype(np.int64)).decided())

    def __index__(self) -> int:
        if self.dtype.kind not in "iu":
            raise TypeError("only integers can be an index")
        return int(self.decided())

    __trunc__ = __int__

    def __floor__(self) -> int:
        return int(np.floor(self))

    def __ceil__(self) -> int:
        return int(np.ceil(self))

    def __round__(self, digits: int | None = None) -> Any:
        return int(np.rint(self)) if digits is None else np.round(self, digits)

    def __float__(self) -> float:
        if self.value is None:
            return float(self.array)
        raise self.recorder.refuse(who_asks())

    def __complex__(self) -> NoReturn:
        raise self.recorder.refuse("`complex(x)`")

    def __contains__(self, value: Any) -> bool:
        return bool(np.any(self == value))


def _in_place(operator: str) -> Callable[[Tracer, Any], Any]:
    write = getattr(np.lib.mixins.NDArrayOperatorsMixin, f"__i{operator}__")

    def apply(self: Tracer, other: Any) -> Any:
        # NumPy's numbers are not written into: the name gets another one.
        return NotImplemented if self.scalar else write(self, other)

    return apply


for _operator in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor"):
    setattr(Tracer, f"__i{_operator}__", _in_place(_operator))


def _tracers(*values: Any) -> Iterator[Tracer]:
    for value in values:
        if isinstance(value, Tracer):
            yield value
        elif isinstance(value, list | tuple | dict):
            yield from _tracers(*(value.values() if isinstance(value, dict) else value))


def _plain(value: Any) -> Any:
    """Return arguments with constants as the arrays that they are, also in lists."""
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    # Copies: what is written into a tracer later must not be seen through a plain array.
    return value.array.copy() if isinstance(value, Tracer) else value


def lift(recorder: Recorder, value: Any) -> Any:
    """Return a tracer of whatever a person's program takes for an array.

    Raises:
        UntraceableError: it is none of numbers.
    """
    if isinstance(value, Tracer):
        return value
    if isinstance(value, list | tuple) and any(True for _ in _tracers(value)):
        return _stack([lift(recorder, one) for one in value])
    array = np.array(value)
    if array.dtype == object:
        parts = [lift(recorder, _number(recorder, one)) for one in array.ravel()]
        return emit("move", [_stack(parts)], lambda x: (x.reshape(array.shape),))[0]
    if array.dtype.kind not in "fciub":
        raise recorder.refuse(f"an array of {array.dtype}")
    return Tracer(recorder, array)


def _number(recorder: Recorder, value: Any) -> Any:
    """Return an element of an array of objects; of a fraction, or a large whole number, the float that NumPy makes."""
    if isinstance(value, Tracer) or np.array(value).dtype != object:
        return value
    if isinstance(value, Real):
        return float(value)
    raise recorder.refuse(f"an array with an object of type `{type(value).__name__}`")


def _stack(parts: Sequence[Any]) -> Any:
    dtype = np.result_type(*[one.dtype for one in parts])
    return emit("move", [cast(one, dtype) for one in parts], lambda *arrays: (np.stack(arrays),))[0]
