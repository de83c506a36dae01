"""What JAX has traced, in the words of `xcheck.trace`.

Calls are entered, so are the functions that have rules for derivatives of their own (custom_jvp, custom_vjp): their
operations stand in the trace, never those rules. Loops and branches are one operation with bodies.
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
from jax.extend import core

from xcheck.trace import Constant, Operation, Place, Trace, UntraceableError, Value
from xcheck.trace.model import Array, Source
from xcheck.trace.parts import in_real_parts
from xcheck_jax.lowered import Lowered
from xcheck_jax.lowering import LOWERINGS, MOVES, SAME, move
from xcheck_jax.operations import place_of, runner

# Operations that call another trace; a custom rule for a derivative does not change the value.
_BODIES = ("jaxpr", "call_jaxpr", "fun_jaxpr")
_CALLS = frozenset(
    {
        *("jit", "pjit", "closed_call", "core_call", "remat", "remat2", "checkpoint", "custom_lin"),
        *("custom_jvp_call", "custom_vjp_call", "custom_vjp_call_jaxpr"),
    }
)


def trace_of(closed: Any) -> Trace:
    """Return the operations of a ClosedJaxpr, complex numbers as pairs of real ones.

    Raises:
        UntraceableError: numbers leave JAX on the way.
    """
    inputs = tuple(_value(variable) for variable in closed.jaxpr.invars)
    operations: list[Operation] = []
    outputs = _follow(closed.jaxpr, list(map(_constant, closed.consts)), inputs, operations)
    return in_real_parts(Trace(inputs=inputs, outputs=tuple(outputs), operations=tuple(operations)))


def _value(variable: Any) -> Value:
    return Value(tuple(variable.aval.shape), str(variable.aval.dtype))


def _constant(value: Any) -> Constant:
    dtype = getattr(value, "dtype", None)
    if dtype is not None and jax.dtypes.issubdtype(dtype, jax.dtypes.extended):
        return Constant(value)  # a random key: no array of NumPy, and only operations of JAX's own read it
    return Constant(np.asarray(value))


def _follow(
    jaxpr: Any,
    constants: Sequence[Source],
    inputs: Sequence[Source],
    operations: list[Operation],
    caller: Place | None = None,
) -> list[Source]:
    """Append the operations of a trace to those that are known, and return its outputs.

    Args:
        jaxpr: the trace.
        constants: of it.
        inputs: of it.
        operations: those that are known.
        caller: the person's line that calls it: functions of JAX itself know no other.
    """
    known: dict[Any, Source] = dict(zip((*jaxpr.constvars, *jaxpr.invars), (*constants, *inputs), strict=True))

    def read(variable: Any) -> Source:
        return _constant(variable.val) if isinstance(variable, core.Literal) else known[variable]

    for equation in jaxpr.eqns:
        given = [read(variable) for variable in equation.invars]
        if equation.primitive.name in _CALLS:
            inner = next(equation.params[key] for key in _BODIES if key in equation.params)
            found = _enter(inner, given, operations, place_of(equation) or caller)
        elif equation.primitive.name == "custom_linear_solve":
            of_solve = _of_solve(equation.params["const_lengths"], given)
            found = _enter(equation.params["jaxprs"].solve, of_solve, operations, place_of(equation) or caller)
        else:
            found = _lower(equation, given, operations, place_of(equation) or caller)
        known.update(zip(equation.outvars, found, strict=True))
    return [read(variable) for variable in jaxpr.outvars]


def _enter(inner: Any, given: Sequence[Source], operations: list[Operation], caller: Place | None) -> list[Source]:
    consts = list(map(_constant, getattr(inner, "consts", ())))
    return _follow(getattr(inner, "jaxpr", inner), consts, given, operations, caller)


def _of_solve(counts: Any, given: Sequence[Source]) -> list[Source]:
    """Return what the solver of a linear equation reads: its constants stand between others, before the right side."""
    start = counts.matvec + counts.vecmat
    return [*given[start : start + counts.solve], *given[sum(counts) :]]


def _lower(equation: Any, given: list[Source], operations: list[Operation], place: Place | None) -> list[Source]:
    """Append what an operation of JAX is, and return its outputs."""
    name, outputs = equation.primitive.name, [_value(variable) for variable in equation.outvars]
    if "callback" in name:
        raise UntraceableError(f"numbers leave JAX at `{name}`{'' if place is None else f' at {place}'}")
    lowered = _lowered(equation)

    def emit(step: Lowered, inputs: Sequence[Source], results: Sequence[Value]) -> None:
        operations.append(
            Operation(
                name=step.name,
                inputs=tuple(inputs),
                outputs=tuple(results),
                run=_in_64_bits(step.run),
                attributes=step.attributes,
                label=name,
                place=place,
            )
        )

    for step in lowered[:-1]:
        between = [Value(shape, outputs[0].dtype) for shape in step.shapes]
        emit(step, given, between)
        given = list(between)
    emit(lowered[-1], given, outputs)
    return list(outputs)


def _lowered(equation: Any) -> list[Lowered]:
    """Return the operations, one after the other, that an operation of JAX is."""
    name, run = equation.primitive.name, _runner(equation)
    if name in LOWERINGS:
        return LOWERINGS[name](equation, run)
    if name in _LOOPS:
        return [Lowered(name, run, _LOOPS[name](equation.params))]
    if name in MOVES:
        return [move(equation, run)]
    # What is not known is no word of `xcheck.trace`, even if JAX's name for it is one; its label says it.
    return [Lowered(SAME.get(name, f"jax {name}"), run, _plain(equation.params) if name in SAME else {})]


def _in_64_bits(run: Callable[..., Sequence[Array]]) -> Callable[..., Sequence[Array]]:
    """Return an operation that keeps float64 whatever flag the caller has set when it is carried out."""

    def wide(*given: Array) -> Sequence[Array]:
        with jax.enable_x64(True):
            return run(*given)

    return wide


def _plain(params: Any) -> dict[str, Any]:
    return {key: params[key] for key in ("axes", "axis", "reverse", "y", "dimension") if key in params}


def _runner(equation: Any) -> Callable[..., Sequence[Array]]:
    """Return JAX's own operation, on arrays."""
    run = runner(equation)
    return lambda *given: tuple(run(*map(jax.numpy.asarray, given)))


def _scan(params: Any) -> dict[str, Any]:
    return {
        "body": trace_of(params["jaxpr"]),
        "constants": params["num_consts"],
        "carry": params["num_carry"],
        "length": params["length"],
        "reverse": params["reverse"],
    }


def _while(params: Any) -> dict[str, Any]:
    return {
        "condition": trace_of(params["cond_jaxpr"]),
        "body": trace_of(params["body_jaxpr"]),
        "constants": (params["cond_nconsts"], params["body_nconsts"]),
    }


_LOOPS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "scan": _scan,
    "while": _while,
    "cond": lambda params: {"branches": [trace_of(branch) for branch in params["branches"]]},
}
