"""What NumPy does by moving elements about: the function itself, on arrays of any dtype, is the operation."""

from collections.abc import Callable
from typing import Any

import numpy as np

from xcheck.trace.model import Array
from xcheck_numpy.tracing.recorded import cast, emit, is_inexact, move
from xcheck_numpy.tracing.recorder import Recorder
from xcheck_numpy.tracing.tracer import FUNCTIONS, Tracer, lift
from xcheck_numpy.tracing.ufuncs import broadcast

# Of one array, which comes first; all other arguments are settings.
_OF_ONE = (
    *("reshape", "transpose", "ravel", "squeeze", "expand_dims", "broadcast_to", "swapaxes", "moveaxis", "rollaxis"),
    *("roll", "flip", "fliplr", "flipud", "rot90", "repeat", "tile", "diag", "diagflat", "diagonal", "tril", "triu"),
    *("split", "array_split", "hsplit", "vsplit", "dsplit", "resize", "delete", "unstack", "permute_dims"),
    *("matrix_transpose", "linalg.diagonal", "linalg.matrix_transpose", "trim_zeros"),
)
# Of a list of arrays.
OF_SEVERAL = ("concatenate", "concat", "stack", "vstack", "hstack", "dstack", "column_stack", "block")


def recorder_of(*values: Any) -> Recorder:
    """Return the recorder of the first tracer among arguments, also in lists."""
    for value in values:
        if isinstance(value, Tracer):
            return value.recorder
        if isinstance(value, list | tuple | dict):
            inside = value.values() if isinstance(value, dict) else value
            try:
                return recorder_of(*inside)
            except LookupError:
                continue
        if isinstance(value, np.ndarray) and value.dtype == object:
            return recorder_of(*value.ravel())
    raise LookupError("no tracer")


def _of_one(function: Callable[..., Any]) -> Callable[..., Any]:
    def apply(x: Any, *args: Any, **kwargs: Any) -> Any:
        lifted = lift(recorder_of(x, args, kwargs), x)
        args, kwargs = _settings(args), dict(zip(kwargs, _settings(kwargs.values()), strict=True))
        return move(lambda array: function(array, *args, **kwargs), lifted)

    return apply


def _settings(values: Any) -> tuple[Any, ...]:
    """Return arguments that are no arrays: tracers among them are integers that Python decides upon."""
    return tuple(np.asarray(value) if isinstance(value, Tracer) else value for value in values)


def _of_several(function: Callable[..., Any]) -> Callable[..., Any]:
    def apply(parts: Any, *args: Any, **kwargs: Any) -> Any:
        flat: list[Any] = []
        recorder = recorder_of(parts)

        def number(part: Any) -> Any:
            if isinstance(part, list | tuple):
                return [number(one) for one in part]
            flat.append(lift(recorder, part))
            return len(flat) - 1

        tree = number(list(parts))
        dtype = np.result_type(*[one.dtype for one in flat])
        flat = [cast(one, dtype) for one in flat]

        def join(*arrays: Array) -> Any:
            def pick(node: Any) -> Any:
                return [pick(one) for one in node] if isinstance(node, list) else arrays[node]

            return function(pick(tree), *args, **kwargs)

        return emit("move", flat, lambda *arrays: (join(*arrays),))[0]

    return apply


FUNCTIONS.update({name: _of_one(getattr(np, name)) for name in _OF_ONE if "." not in name and hasattr(np, name)})
FUNCTIONS.update({name: _of_one(getattr(np.linalg, name[7:])) for name in _OF_ONE if "." in name})
FUNCTIONS.update({name: _of_several(getattr(np, name)) for name in OF_SEVERAL if hasattr(np, name)})


def _pad(x: Any, width: Any, mode: Any = "constant", **kwargs: Any) -> Any:
    if mode not in ("constant", "edge", "reflect", "symmetric", "wrap"):
        raise x.recorder.refuse(f"`np.pad` with mode={mode!r}")
    fill = kwargs.pop("constant_values", 0)
    if np.ndim(fill):
        raise x.recorder.refuse("`np.pad` with several constants")
    if mode != "constant":
        return move(lambda array: np.pad(array, width, mode, **kwargs), x)

    # Among the numbers of elements 0 stands for what is filled in.
    def run(array: Array) -> Array:
        return np.pad(array, width, constant_values=fill if is_inexact(array.dtype) or array.dtype == x.dtype else 0)

    if isinstance(fill, complex):
        raise x.recorder.refuse("`np.pad` with a complex constant")
    return move(run, x, fill=float(fill))


def _copy(x: Any, *args: Any, **kwargs: Any) -> Any:
    return emit("move", [lift(recorder_of(x), x)], lambda array: (np.array(array),))[0]


def _atleast(dimensions: int) -> Callable[..., Any]:
    function = (np.atleast_1d, np.atleast_2d, np.atleast_3d)[dimensions - 1]

    def apply(*given: Any) -> Any:
        recorder = recorder_of(given)
        found = [move(function, lift(recorder, one)) for one in given]
        return found[0] if len(found) == 1 else tuple(found)

    return apply


def _broadcast_arrays(*given: Any, subok: bool = False) -> tuple[Any, ...]:
    recorder = recorder_of(given)
    parts = [lift(recorder, one) for one in given]
    shape = np.broadcast_shapes(*[one.shape for one in parts])
    return tuple(broadcast(one, shape) for one in parts)


def _append(x: Any, values: Any, axis: int | None = None) -> Any:
    recorder = recorder_of(x, values)
    parts = [lift(recorder, x), lift(recorder, values)]
    return np.concatenate([one.ravel() for one in parts]) if axis is None else np.concatenate(parts, axis)


def _insert(x: Any, where: Any, values: Any, axis: int | None = None) -> Any:
    recorder = recorder_of(x, values)
    parts = align_dtypes(recorder, x, values)
    return move(lambda array, new: np.insert(array, where, new, axis), *parts)


def align_dtypes(recorder: Recorder, *values: Any) -> list[Any]:
    """Return tracers of one dtype."""
    parts = [lift(recorder, one) for one in values]
    dtype = np.result_type(*[one.dtype for one in parts])
    return [cast(one, dtype) for one in parts]


def _filled(value: float | None) -> Callable[..., Any]:
    def make(x: Any, fill: Any = value, dtype: Any = None, shape: Any = None, **kwargs: Any) -> Any:
        """Return a new array that can be written into."""
        if value is not None:
            fill, dtype = value, fill if fill is not value else dtype
        size = x.shape if shape is None else shape
        number = lift(x.recorder, fill)
        made = broadcast(cast(number, np.dtype(dtype or x.dtype)), size if isinstance(size, tuple) else (size,))
        return Tracer(x.recorder, np.array(made.array), made.value, scalar=False)

    return make


def _meshgrid(*given: Any, indexing: Any = "xy", **kwargs: Any) -> list[Any]:
    recorder = recorder_of(given)
    parts = [lift(recorder, one) for one in given]
    return [
        move(lambda *arrays, n=number: np.meshgrid(*arrays, indexing=indexing)[n], *parts)
        for number in range(len(parts))
    ]


FUNCTIONS.update(
    {
        "pad": _pad,
        "copy": _copy,
        "atleast_1d": _atleast(1),
        "atleast_2d": _atleast(2),
        "atleast_3d": _atleast(3),
        "broadcast_arrays": _broadcast_arrays,
        "append": _append,
        "insert": _insert,
        "zeros_like": _filled(0.0),
        "empty_like": _filled(0.0),
        "ones_like": _filled(1.0),
        "full_like": _filled(None),
        "meshgrid": _meshgrid,
        "shape": lambda x: x.shape,
        "ndim": lambda x: x.ndim,
        "size": lambda x, axis=None: x.size if axis is None else x.shape[axis],
        "real": lambda x: lift(recorder_of(x), x).real,
        "imag": lambda x: lift(recorder_of(x), x).imag,
        "iscomplexobj": lambda x: lift(recorder_of(x), x).dtype.kind == "c",
        "isrealobj": lambda x: lift(recorder_of(x), x).dtype.kind != "c",
        "isscalar": lambda x: False,
    }
)

__all__ = ["OF_SEVERAL", "align_dtypes", "recorder_of"]
