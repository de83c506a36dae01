"""Operations of JAX in the words of `xcheck.trace`.

Some have the same meaning, some only move elements, and the others are put together of several.

What an operation means is written in https://docs.jax.dev/en/latest/jax.lax.html.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from xcheck.trace.model import Array
from xcheck_jax import in_numpy, linear_algebra
from xcheck_jax.lowered import Lowered, Run

# The same in both languages: JAX's name -> ours.
SAME: Mapping[str, str] = {
    **{
        name: name
        for name in (
            *("add", "sub", "mul", "div", "max", "min", "pow", "atan2", "neg", "abs", "sign", "floor", "ceil"),
            *("exp", "exp2", "expm1", "log", "log1p", "sqrt", "rsqrt", "cbrt", "square", "sin", "cos", "tan", "asin"),
            *("acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "logistic", "erf", "erfc", "erf_inv"),
            *("lgamma", "digamma", "integer_pow", "lt", "le", "gt", "ge", "eq", "ne", "is_finite", "argmax", "argmin"),
            *("bessel_i0e", "bessel_i1e", "igamma", "igammac", "regularized_incomplete_beta", "zeta", "polygamma"),
            *("cumsum", "cumprod", "cummax", "cummin", "cumlogsumexp", "reduce_max", "reduce_min", "stop_gradient"),
            *("real", "imag", "conj", "complex"),
        )
    },
    "add_any": "add",
    "lt_to": "total_lt",
    "le_to": "total_le",
    "select_n": "select",
    "reduce_sum": "sum",
    "reduce_prod": "prod",
}

# What only moves elements, or leaves them where they are.
MOVES = frozenset(
    {
        *("reshape", "transpose", "squeeze", "expand_dims", "broadcast_in_dim", "slice", "concatenate", "stack", "rev"),
        *("pad", "dynamic_slice", "dynamic_update_slice", "scatter", "split", "tile", "roll", "copy", "copy_p"),
        *("optimization_barrier", "device_put", "sharding_constraint"),
    }
)


def move(equation: Any, run: Run) -> Lowered:
    """Return a move, carried out by NumPy where that can: JAX compiles each operation that is called by itself."""
    name = equation.primitive.name
    if name not in in_numpy.WITH_PARAMETERS:
        return Lowered("move", run)

    def go(*given: Array) -> Sequence[Array]:
        try:
            return (in_numpy.WITH_PARAMETERS[name](equation.params, *map(np.asarray, given)),)
        except in_numpy.UnsupportedError:
            return run(*given)

    return Lowered("move", go)


def _in_jax(function: Callable[..., Any]) -> Run:
    return lambda *given: (function(*map(jnp.asarray, given)),)


# --- products -------------------------------------------------------------------------------------------------------


def _dot(equation: Any, run: Run) -> list[Lowered]:
    """Batch axes first, then those of the left, then those of the right, as `dot_general` orders its result."""
    (over_a, over_b), (batch_a, batch_b) = equation.params["dimension_numbers"]
    a, b = (variable.aval for variable in equation.invars)
    free_a = [axis for axis in range(a.ndim) if axis not in (*over_a, *batch_a)]
    free_b = [axis for axis in range(b.ndim) if axis not in (*over_b, *batch_b)]
    batch = math.prod(a.shape[axis] for axis in batch_a)
    inner = math.prod(a.shape[axis] for axis in over_a)
    rows, columns = math.prod(a.shape[axis] for axis in free_a), math.prod(b.shape[axis] for axis in free_b)

    def arrange(left: Array, right: Array) -> Sequence[Array]:
        return (
            np.transpose(left, (*batch_a, *free_a, *over_a)).reshape(batch, rows, inner),
            np.transpose(right, (*batch_b, *over_b, *free_b)).reshape(batch, inner, columns),
        )

    return _product(equation, arrange, (batch, rows, inner), (batch, inner, columns))


def _product(equation: Any, arrange: Run, left: tuple[int, ...], right: tuple[int, ...]) -> list[Lowered]:
    """Return two arrays arranged as matrices, multiplied, and arranged as the result."""
    shape, dtype = equation.outvars[0].aval.shape, equation.outvars[0].aval.dtype
    found = (left[0], left[1], right[2])
    return [
        Lowered("move", arrange, shapes=(left, right)),
        Lowered("dot", _in_jax(lambda a, b: jnp.matmul(a, b).astype(dtype)), shapes=(found,)),
        Lowered("move", lambda product: (np.reshape(product, shape),)),
    ]


def _convolution(equation: Any, run: Run) -> list[Lowered]:
    """Return the windows of the left array as columns, times the kernels, group by group.

    The windows are those of JAX's own `conv_general_dilated_patches`, asked for the numbers of the elements.
    """
    params, numbers = equation.params, equation.params["dimension_numbers"]
    if params["batch_group_count"] != 1:
        return [Lowered("conv_general_dilated with batch groups", run)]
    x, w = (variable.aval.shape for variable in equation.invars)
    groups = params["feature_group_count"]
    kernel = tuple(w[axis] for axis in numbers.rhs_spec[2:])
    outputs, channels = w[numbers.rhs_spec[0]], w[numbers.rhs_spec[1]]
    result = equation.outvars[0].aval.shape
    spatial = [result[axis] for axis in numbers.out_spec[2:]]
    count, taps = x[numbers.lhs_spec[0]], math.prod(kernel)
    windows = _windows(
        tuple(x[axis] for axis in numbers.lhs_spec[2:]),
        kernel,
        params["window_strides"],
        params["padding"],
        params["lhs_dilation"],
        params["rhs_dilation"],
    )

    def arrange(left: Array, right: Array) -> Sequence[Array]:
        flat = np.transpose(left, numbers.lhs_spec).reshape(count, groups * channels, -1)
        columns = _pick(flat, windows, 0.0).reshape(count, groups, channels, -1, taps)
        columns = columns.transpose(1, 2, 4, 0, 3).reshape(groups, channels * taps, -1)
        rows = np.transpose(right, numbers.rhs_spec).reshape(groups, outputs // groups, channels * taps)
        return rows, columns

    def back(product: Array) -> Sequence[Array]:
        whole = np.reshape(product, (outputs, count, *spatial)).swapaxes(0, 1)
        return (np.transpose(whole, np.argsort(numbers.out_spec)),)

    left = (groups, outputs // groups, channels * taps)
    right = (groups, channels * taps, count * math.prod(spatial))
    steps = _product(equation, arrange, left, right)
    return [*steps[:-1], Lowered("move", back)]


def _windows(
    shape: Sequence[int],
    window: Sequence[int],
    strides: Sequence[int],
    padding: Sequence[tuple[int, int]],
    base_dilation: Sequence[int],
    window_dilation: Sequence[int],
) -> Array:
    """Return the flat number of every element of every window, shape (places, taps); the size for what is outside."""
    numbers: Any = 0
    inside: Any = True
    every = zip(shape, window, strides, padding, base_dilation, window_dilation, strict=True)
    for axis, (length, width, stride, (low, high), base, between) in enumerate(every):
        dilated = (length - 1) * base + 1
        places = (dilated + low + high - ((width - 1) * between + 1)) // stride + 1
        at = np.arange(max(places, 0))[:, None] * stride + np.arange(width) * between - low
        # All axes of the places come before all axes of the taps.
        view = [1] * (2 * len(shape))
        view[axis], view[len(shape) + axis] = at.shape
        numbers = numbers * length + (at // base).reshape(view)
        inside = inside & ((at >= 0) & (at < dilated) & (at % base == 0)).reshape(view)
    return np.where(inside, numbers, math.prod(shape)).reshape(-1, math.prod(window))


def _pick(flat: Array, numbers: Array, fill: float) -> Array:
    """Return elements along the last axis by number; the last number but one more stands for what is filled in.

    The numbers of elements, which are integers, are filled in with 0.
    """
    outside = np.full((*flat.shape[:-1], 1), fill if flat.dtype.kind == "f" else 0, flat.dtype)
    return np.asarray(np.concatenate([flat, outside], axis=-1)[..., numbers])


_OF_WINDOWS = {
    "reduce_window_max": ("reduce_max", -np.inf),
    "reduce_window_min": ("reduce_min", np.inf),
    "reduce_window_sum": ("sum", 0.0),
}
_REDUCTIONS: Mapping[str, Callable[..., Any]] = {"reduce_max": jnp.max, "reduce_min": jnp.min, "sum": jnp.sum}


def _reduce_windows(equation: Any, run: Run) -> list[Lowered]:
    """Return all windows, and what each is reduced to."""
    params, aval = equation.params, equation.invars[0].aval
    name, fill = _OF_WINDOWS[equation.primitive.name]
    reduce = _REDUCTIONS[name]
    if not jnp.issubdtype(aval.dtype, jnp.inexact):
        return [Lowered("exact", run)]
    windows = _windows(
        aval.shape,
        params["window_dimensions"],
        params["window_strides"],
        params["padding"],
        params["base_dilation"],
        params["window_dilation"],
    )
    shape = equation.outvars[0].aval.shape
    whole = (*shape, windows.shape[-1])
    axis = len(shape)
    return [
        Lowered(
            "move",
            lambda x: (_pick(np.reshape(x, -1), windows, fill).reshape(whole),),
            {"fill": fill},
            (whole,),
        ),
        Lowered(name, _in_jax(lambda x: reduce(x, axis=axis)), {"axes": (axis,)}),
    ]


# --- moves that need a word more ------------------------------------------------------------------------------------


def _gather(equation: Any, run: Run) -> list[Lowered]:
    """An index outside is filled in with nan, as JAX does; among the numbers of elements 0 stands for that."""
    fill = equation.params.get("fill_value")
    filled = math.nan if fill is None else float(fill)

    def move(x: Array, indices: Array) -> Sequence[Array]:
        x = jnp.asarray(x)
        params = {**equation.params, "fill_value": 0 if jnp.issubdtype(x.dtype, jnp.integer) else fill}
        return (equation.primitive.bind(x, jnp.asarray(indices), **params),)

    if not jnp.issubdtype(equation.invars[0].aval.dtype, jnp.inexact):
        return [Lowered("exact", run)]
    return [Lowered("move", move, {"fill": filled})]


def _scatter_add(equation: Any, run: Run) -> list[Lowered]:
    """Where each update goes is where `gather`, of the same indices, would take it from."""
    params = equation.params
    numbers, operand, updates = params["dimension_numbers"], equation.invars[0].aval, equation.invars[2].aval
    taken = jax.lax.GatherDimensionNumbers(
        offset_dims=numbers.update_window_dims,
        collapsed_slice_dims=numbers.inserted_window_dims,
        start_index_map=numbers.scatter_dims_to_operand_dims,
        operand_batching_dims=numbers.operand_batching_dims,
        start_indices_batching_dims=numbers.scatter_indices_batching_dims,
    )
    # The axes of a window, in the operand's order: those that are not inserted have the updates' lengths.
    lengths = iter([updates.shape[axis] for axis in numbers.update_window_dims])
    inserted = {*numbers.inserted_window_dims, *numbers.operand_batching_dims}
    sizes = tuple(1 if axis in inserted else next(lengths) for axis in range(operand.ndim))

    def positions(indices: Array) -> Array:
        mode = params["mode"]
        dropped = mode in (None, jax.lax.GatherScatterMode.FILL_OR_DROP)
        with jax.enable_x64(True):
            flat = jnp.arange(math.prod(operand.shape), dtype=jnp.int64).reshape(operand.shape)
            found = jax.lax.gather(
                flat,
                jnp.asarray(indices),
                taken,
                sizes,
                mode=jax.lax.GatherScatterMode.FILL_OR_DROP if dropped else mode,
                fill_value=-1 if dropped else None,
            )
        return np.asarray(found)

    return [Lowered("scatter_add", run, {"positions": positions})]


def _sort(equation: Any, run: Run) -> list[Lowered]:
    if equation.params["num_keys"] != 1:
        return [Lowered("sort by several keys", run)]
    return [Lowered("sort", run, {"axis": equation.params["dimension"]})]


def _top_k(equation: Any, run: Run) -> list[Lowered]:
    """The largest come first, with the places that they had."""
    return [Lowered("top_k", run, {"k": equation.params["k"]})]


def _cast(equation: Any, run: Run) -> list[Lowered]:
    """From floating to floating it may round; from integers it is exact, and to integers it cuts off.

    Of complex numbers real ones are the real part.
    """
    old, new = equation.invars[0].aval.dtype, equation.outvars[0].aval.dtype
    floats = [jnp.issubdtype(dtype, jnp.inexact) for dtype in (old, new)]
    if all(floats):
        narrower = jnp.finfo(new).bits < jnp.finfo(old).bits or jnp.finfo(new).nmant < jnp.finfo(old).nmant
        if jnp.issubdtype(old, jnp.complexfloating) and not jnp.issubdtype(new, jnp.complexfloating):
            return [Lowered("real", lambda z: (np.real(z).astype(new),))]
        return [Lowered("cast" if narrower else "move", run if narrower else lambda x: (x,))]
    if floats[0] and new != np.bool_:
        return [Lowered("to_integer", run)]
    return [Lowered("is_nonzero" if floats[0] else "exact", run)]


def _round(equation: Any, run: Run) -> list[Lowered]:
    """Ties go to the even neighbour, or away from 0."""
    to_even = equation.params["rounding_method"] == jax.lax.RoundingMethod.TO_NEAREST_EVEN
    return [Lowered("round" if to_even else "round away from zero", run)]


def _fourier(equation: Any, run: Run) -> list[Lowered]:
    """Over the last axes; the inverse transforms divide by the number of points."""
    kind, lengths = equation.params["fft_type"].name.lower(), equation.params["fft_lengths"]
    axes = tuple(range(equation.invars[0].aval.ndim))[-len(lengths) :]
    norm = "n" if kind in ("ifft", "irfft") else "none"
    return [Lowered("fft", run, {"kind": kind, "axes": axes, "length": lengths[-1], "norm": norm})]


def _clamp(equation: Any, run: Run) -> list[Lowered]:
    return [Lowered("clamp", run)]


LOWERINGS: Mapping[str, Callable[[Any, Run], list[Lowered]]] = {
    "dot_general": _dot,
    "conv_general_dilated": _convolution,
    **dict.fromkeys(_OF_WINDOWS, _reduce_windows),
    "gather": _gather,
    "scatter-add": _scatter_add,
    "scatter_add": _scatter_add,
    "sort": _sort,
    "top_k": _top_k,
    "convert_element_type": _cast,
    "clamp": _clamp,
    "fft": _fourier,
    "round": _round,
    "cholesky": linear_algebra.cholesky,
    "triangular_solve": linear_algebra.triangular_solve,
    "lu": linear_algebra.lu,
    "qr": linear_algebra.qr,
    "eigh": linear_algebra.eigh,
    "svd": linear_algebra.svd,
}
