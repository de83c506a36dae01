"""Small functions of JAX, evaluated by NumPy: what JAX has traced is carried out operation by operation.

To compile the losses of a function of a few parameters takes a hundred times longer than to evaluate them. A trace of
`jax.vmap` has all θ of a batch in it, so that each operation is one call of NumPy, whatever their number. Only what is
computed in float64 throughout, and by the operations below, is evaluated here; XLA compiles everything else. The
gradient that is checked is always that of JAX.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import jax
import numpy as np
from jax.extend import core
from numpy.typing import NDArray

from xcheck.trace.in_numpy import ELEMENTWISE, FUNCTIONS
from xcheck_jax.convolution import convolve
from xcheck_jax.indexing import gather, scatter_add

Values = NDArray[Any]

# A call of NumPy takes as long as so many additions; of an operation in a loop there is one in each iteration. A guess,
# for batches of a hundred.
_CALL = 2.0**8


class UnsupportedError(Exception):
    """An operation, or an arithmetic, that is not known here."""


def evaluate(closed: Any, arguments: Sequence[Any]) -> list[Values]:
    """Return the outputs of a trace at its arguments.

    Args:
        closed: a ClosedJaxpr.
        arguments: one array for each of its inputs.

    Raises:
        UnsupportedError: it holds what is not known here, or a random key is among the arguments.
    """
    given = [*closed.consts, *arguments]
    if any(jax.dtypes.issubdtype(getattr(value, "dtype", np.float64), jax.dtypes.extended) for value in given):
        raise UnsupportedError("random keys")
    with np.errstate(all="ignore"):  # a step may lead out of the domain of a function: the loss is nan there
        return _run(closed.jaxpr, [np.asarray(value) for value in given])


def work_of(jaxpr: Any) -> float:
    """Return about how many additions and multiplications a trace takes; infinitely many where none knows how often.

    >>> import jax
    >>> work_of(jax.make_jaxpr(lambda x: x @ x + 1.0)(np.ones((2, 2), "f4")).jaxpr)
    12.0
    """
    total = 0.0
    for equation in jaxpr.eqns:
        if equation.primitive.name == "while":
            return math.inf
        if equation.primitive.name == "cond":
            total += max(work_of(branch.jaxpr) for branch in equation.params["branches"])
            continue
        inside = _inside(equation)
        if equation.primitive.name == "scan":
            total += equation.params["length"] * (work_of(inside) + _CALL * len(inside.eqns))
            continue
        if inside is not None:
            total += work_of(inside)
            continue
        size = sum(math.prod(variable.aval.shape) for variable in equation.outvars)
        if equation.primitive.name == "dot_general":
            (contracted, _), _ = equation.params["dimension_numbers"]
            size *= math.prod(equation.invars[0].aval.shape[axis] for axis in contracted)
        if equation.primitive.name == "conv_general_dilated":
            kernel = equation.invars[1].aval.shape
            size *= math.prod(kernel) // kernel[equation.params["dimension_numbers"].rhs_spec[0]]
        total += size
    return total


def _inside(equation: Any) -> Any:
    """Return the trace that an operation calls, or repeats; None if there is none."""
    for name in ("jaxpr", "call_jaxpr"):
        found = equation.params.get(name)
        if found is not None:
            return getattr(found, "jaxpr", found)
    return None


def _run(jaxpr: Any, arguments: Sequence[Any]) -> list[Values]:
    known: dict[Any, Any] = {}

    def read(variable: Any) -> Any:
        return np.asarray(variable.val) if isinstance(variable, core.Literal) else known[variable]

    if jaxpr.effects:
        raise UnsupportedError("effects")
    known.update(zip((*jaxpr.constvars, *jaxpr.invars), arguments, strict=True))
    for equation in jaxpr.eqns:
        given = [read(variable) for variable in equation.invars]
        known.update(zip(equation.outvars, _outputs(equation, given), strict=True))
    return [read(variable) for variable in jaxpr.outvars]


def _outputs(equation: Any, given: Sequence[Any]) -> Iterator[Values]:
    name = equation.primitive.name
    # Narrow and complex numbers are rounded otherwise, or have conventions of their own.
    if any(variable.aval.dtype not in _DTYPES for variable in equation.outvars):
        raise UnsupportedError(f"{name} in another dtype than float64")
    if name in _CALLS:
        inside = next(equation.params[key] for key in ("jaxpr", "call_jaxpr") if key in equation.params)
        yield from _run(getattr(inside, "jaxpr", inside), [*getattr(inside, "consts", ()), *given])
    elif name in _ELEMENTWISE:
        yield _ELEMENTWISE[name](*given)
    elif name in WITH_PARAMETERS:
        yield WITH_PARAMETERS[name](equation.params, *given)
    elif name == "split":
        yield from np.split(given[0], np.cumsum(equation.params["sizes"])[:-1], equation.params["axis"])
    elif name == "scan":
        yield from _scan(equation.params, given)
    elif name == "cond":
        branches = equation.params["branches"]
        # As JAX does: a number that is too large, or too small, takes the branch that is nearest.
        branch = branches[min(max(int(given[0]), 0), len(branches) - 1)]
        yield from _run(branch.jaxpr, [*branch.consts, *given[1:]])
    else:
        raise UnsupportedError(name)


def _scan(parameters: Any, given: Sequence[Any]) -> list[Values]:
    body, held, carried = parameters["jaxpr"], parameters["num_consts"], parameters["num_carry"]
    constants, carry, stacked = given[:held], list(given[held : held + carried]), given[held + carried :]
    length = parameters["length"]
    rows: list[list[Values]] = [[] for _ in body.jaxpr.outvars[carried:]]
    for row in reversed(range(length)) if parameters["reverse"] else range(length):
        found = _run(body.jaxpr, [*body.consts, *constants, *carry, *(array[row] for array in stacked)])
        carry = found[:carried]
        for collected, one in zip(rows, found[carried:], strict=True):
            collected.append(one)
    ordered = [collected[::-1] if parameters["reverse"] else collected for collected in rows]
    nothing = [np.zeros((0, *variable.aval.shape), variable.aval.dtype) for variable in body.jaxpr.outvars[carried:]]
    return [*carry, *(np.stack(one) if one else empty for one, empty in zip(ordered, nothing, strict=True))]


_DTYPES = frozenset(map(np.dtype, ("float64", "bool", "int32", "int64")))
# Operations that call another trace. A custom rule for a derivative does not change the value.
_CALLS = frozenset({"jit", "pjit", "closed_call", "custom_jvp_call", "custom_vjp_call", "checkpoint"})


def _divide(a: Values, b: Values) -> Values:
    if np.asarray(a).dtype.kind != "f":
        raise UnsupportedError("division of integers")
    return np.asarray(a / b)


# What JAX calls as `xcheck.trace` does; functions that are not among these are compiled by XLA.
_ALIKE = (
    *("add", "sub", "mul", "neg", "abs", "sign", "floor", "ceil", "max", "min", "pow", "square", "clamp"),
    *("exp", "exp2", "expm1", "log", "log1p", "sqrt", "rsqrt", "cbrt", "logistic", "erf", "erfc"),
    *("sin", "cos", "tan", "asin", "acos", "atan", "atan2", "sinh", "cosh", "tanh", "asinh"),
    *("eq", "ne", "lt", "le", "gt", "ge", "is_finite", "stop_gradient"),
)
_ELEMENTWISE: Mapping[str, Callable[..., Any]] = {
    **{name: ELEMENTWISE[name] for name in _ALIKE},
    "add_any": np.add,
    "div": _divide,
    "and": np.bitwise_and,
    "or": np.bitwise_or,
    "xor": np.bitwise_xor,
    "not": np.invert,
    "rem": np.fmod,
    "copy": np.asarray,
    "copy_p": np.asarray,
}


def _select(parameters: Any, which: Values, *cases: Values) -> Values:
    if len(cases) != 2 or which.dtype != np.bool_:
        raise UnsupportedError("select_n of more than two")
    return np.where(which, cases[1], cases[0])


def _broadcast(parameters: Any, x: Values, *dynamic: Any) -> Values:
    lengths = [1] * len(parameters["shape"])
    for axis, length in zip(parameters["broadcast_dimensions"], np.shape(x), strict=True):
        lengths[axis] = length
    return np.broadcast_to(np.reshape(x, lengths), parameters["shape"])


def _reshape(parameters: Any, x: Values) -> Values:
    order = parameters.get("dimensions")
    return np.reshape(x if order is None else np.transpose(x, order), parameters["new_sizes"])


def _contract(parameters: Any, a: Values, b: Values) -> Values:
    """Return the products of matrices that dot_general is: batch axes first, then those of a, then those of b."""
    (over_a, over_b), (batch_a, batch_b) = parameters["dimension_numbers"]
    free_a = [axis for axis in range(a.ndim) if axis not in (*over_a, *batch_a)]
    free_b = [axis for axis in range(b.ndim) if axis not in (*over_b, *batch_b)]
    batch, inner = [a.shape[axis] for axis in batch_a], math.prod(a.shape[axis] for axis in over_a)
    rows, columns = [a.shape[axis] for axis in free_a], [b.shape[axis] for axis in free_b]
    left = a.transpose(*batch_a, *free_a, *over_a).reshape((*batch, math.prod(rows), inner))
    right = b.transpose(*batch_b, *over_b, *free_b).reshape((*batch, inner, math.prod(columns)))
    return np.asarray((left @ right).reshape((*batch, *rows, *columns)))


def _pad(parameters: Any, x: Values, value: Values) -> Values:
    if any(low < 0 or high < 0 or inside for low, high, inside in parameters["padding_config"]):
        raise UnsupportedError("padding that cuts, or inside")
    return np.pad(x, [(low, high) for low, high, _ in parameters["padding_config"]], constant_values=value)


def _sort(parameters: Any, *given: Values) -> Values:
    if len(given) > 1:
        raise UnsupportedError("sort of several")
    return np.sort(given[0], axis=parameters["dimension"])


def _slice(parameters: Any, x: Values) -> Values:
    strides = parameters["strides"] or (1,) * x.ndim
    limits = zip(parameters["start_indices"], parameters["limit_indices"], strides, strict=True)
    return np.asarray(x[tuple(slice(start, stop, stride) for start, stop, stride in limits)])


def _dynamic_slice(parameters: Any, x: Values, *starts: Values) -> Values:
    # A slice that would not lie inside is moved inside.
    sizes = parameters["slice_sizes"]
    first = [min(max(int(at), 0), n - size) for at, n, size in zip(starts, x.shape, sizes, strict=True)]
    return np.asarray(x[tuple(slice(at, at + size) for at, size in zip(first, sizes, strict=True))])


WITH_PARAMETERS: Mapping[str, Callable[..., Any]] = {
    **{name: FUNCTIONS[name] for name in ("cumsum", "cumprod", "cummax", "cummin", "reduce_max", "reduce_min")},
    "reduce_sum": FUNCTIONS["sum"],
    "reduce_prod": FUNCTIONS["prod"],
    "select_n": _select,
    "broadcast_in_dim": _broadcast,
    "dot_general": _contract,
    "conv_general_dilated": convolve,
    "gather": gather,
    "scatter-add": scatter_add,
    "pad": _pad,
    "sort": _sort,
    "slice": _slice,
    "convert_element_type": lambda p, x: np.asarray(x).astype(p["new_dtype"]),
    "reshape": _reshape,
    "transpose": lambda p, x: np.transpose(x, p["permutation"]),
    "squeeze": lambda p, x: np.squeeze(x, p["dimensions"]),
    "expand_dims": lambda p, x: np.expand_dims(x, p["dimensions"]),
    "rev": lambda p, x: np.flip(x, p["dimensions"]),
    "concatenate": lambda p, *given: np.concatenate(given, p["dimension"]),
    "dynamic_slice": _dynamic_slice,
    "stack": lambda p, *given: np.stack(given, p["axis"]),
    "integer_pow": lambda p, x: x ** p["y"] if p["y"] >= 0 else 1 / x ** -p["y"],
    "reduce_and": lambda p, x: np.all(x, tuple(p["axes"])),
    "reduce_or": lambda p, x: np.any(x, tuple(p["axes"])),
    "iota": lambda p: np.broadcast_to(
        np.arange(p["shape"][p["dimension"]], dtype=p["dtype"]).reshape(
            [-1 if axis == p["dimension"] else 1 for axis in range(len(p["shape"]))]
        ),
        p["shape"],
    ),
}
