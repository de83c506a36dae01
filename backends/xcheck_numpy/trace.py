"""Traces of functions of NumPy, and of gradients that people write with it.

The function is called once, with tracers in the place of its parameters (`xcheck_numpy.tracing`), and what it does with
them is recorded: so loops are written out, and branches are those that Python takes at θ, each with a guard.
"""

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from xcheck.backend.by_hand.gradients import call_by_hand, name_gradient
from xcheck.errors import quote
from xcheck.functions.arguments import Leaf
from xcheck.functions.tree import leaves, rebuild
from xcheck.trace import Trace, UntraceableError, Value
from xcheck.trace.model import Source  # noqa: TC001 - a variable is annotated with it
from xcheck.trace.parts import in_real_parts
from xcheck_numpy.copies import Copies
from xcheck_numpy.tracing import (
    calculus,
    choices,
    composed,
    fourier,
    indexing,
    linear_algebra,
    moves,
    products,
    reductions,
    statistics,
    ufuncs,
)
from xcheck_numpy.tracing.recorded import cast
from xcheck_numpy.tracing.recorder import Recorder
from xcheck_numpy.tracing.tracer import Tracer, lift

if TYPE_CHECKING:
    from xcheck_numpy.function import NumpyFunction

# Each of them fills the tables that tracers look into.
TABLES = (
    calculus,
    choices,
    composed,
    fourier,
    indexing,
    linear_algebra,
    moves,
    products,
    reductions,
    statistics,
    ufuncs,
)


def _followed(function: "NumpyFunction", recorder: Recorder) -> tuple["NumpyFunction", tuple[Any, ...]]:
    """Return the function with copies of the person's code, and the data as tracers of constants."""
    copies, own = Copies(recorder), function.function
    followed = copy(function)
    followed.function = replace(
        own,
        loss=copies.of(own.loss),
        forms={name: copies.of(form) for name, form in own.forms.items()},
    )
    data = function.copy_data()
    return followed, tuple(
        rebuild(part, {name: copies.of(leaf) for name, leaf in leaves(part).items()}) for part in data
    )


def trace_of_loss(function: "NumpyFunction") -> Trace:
    """Return the operations of the loss at θ, of Re Σ v̄ y where there is a cotangent v.

    Raises:
        UntraceableError: it does what cannot be followed; the text says what and where.
    """

    def call(recorder: Recorder, given: Mapping[str, Any]) -> list[Any]:
        followed, data = _followed(function, recorder)
        loss = lift(recorder, followed.call_loss(given, data))
        return [_as_number(loss, function.cotangent)]

    return _trace(function, call)


def trace_of_gradient(function: "NumpyFunction") -> Trace:
    """Return the operations of the hand-written gradient at θ.

    Raises:
        UntraceableError: it does what cannot be followed, or there is none.
    """
    if not function.function.hand_written:
        raise UntraceableError("there is no gradient written by hand")
    if not function.function.of_one_number:
        raise UntraceableError("a derivative that is written as vjp, jvp or jacobian is not followed")

    def call(recorder: Recorder, given: Mapping[str, Any]) -> list[Any]:
        followed, data = _followed(function, recorder)
        tree = function.build_tree(given)
        _, returned = call_by_hand(followed.function, lambda: followed.call_loss(given, data), tree, data)
        return _gradients(function, recorder, returned)

    return _trace(function, call)


def _trace(function: "NumpyFunction", call: Callable[[Recorder, Mapping[str, Any]], list[Any]]) -> Trace:
    theta = function.arguments.theta
    recorder = Recorder()
    own = function.own(theta)
    given = {name: _parameter(recorder, array) for name, array in own.items()}
    inputs = tuple(Value(np.shape(array), given[name].dtype.name) for name, array in own.items())
    for tracer, value in zip(given.values(), inputs, strict=True):
        tracer.stand_for(value)
    try:
        with np.errstate(all="ignore"):
            found = call(recorder, given)
    except Exception as error:
        if isinstance(error, UntraceableError) or recorder.failure is not None:
            raise recorder.failure or error from None
        raise UntraceableError(f"it cannot be followed: {quote(error)}") from error
    if recorder.failure is not None:
        raise recorder.failure
    outputs: Sequence[Source] = [one.source for one in found]
    return in_real_parts(Trace(inputs=inputs, outputs=tuple(outputs), operations=tuple(recorder.operations)))


def _parameter(recorder: Recorder, array: Any) -> Any:
    # A number of Python or of NumPy is no array that could be written into.
    return Tracer(recorder, np.array(array), scalar=not isinstance(array, np.ndarray))


def _as_number(loss: Any, cotangent: Any) -> Any:
    if cotangent is None:
        if loss.size != 1:
            raise UntraceableError(f"the loss has shape {loss.shape}: expected one number")
        return loss if loss.dtype.kind == "f" else cast(loss, np.dtype(np.float64))
    found: Any = _weighted(loss.real, np.real(cotangent))
    return found + _weighted(loss.imag, np.imag(cotangent)) if loss.dtype.kind == "c" else found


def _weighted(part: Any, weights: Any) -> Any:
    return np.sum(np.where(weights == 0, 0.0, np.reshape(part, weights.shape) * weights))


def _gradients(function: "NumpyFunction", recorder: Recorder, returned: Any) -> list[Any]:
    """Return the gradient of each parameter, however it was returned.

    `name_gradient` reads arrays of numbers. It is given integers in their place, the numbers of all elements that the
    gradient has: what it makes of them says where each element belongs.
    """
    pool: list[Any] = []
    start = 0

    def read(value: Any) -> Leaf | None:
        nonlocal start
        leaf = function.arguments.read(value)
        if not isinstance(value, Tracer) and leaf is None:
            return None
        part = lift(recorder, value)
        pool.append(np.ravel(part))
        numbers = np.arange(start, start + part.size, dtype=np.float64).reshape(part.shape)
        start += part.size
        return Leaf(numbers, "float64", "numpy", value)

    own = function.parameters
    shapes = own.at(function.arguments.theta)
    named = name_gradient(returned, shapes, read, ())
    whole: Any | None = np.concatenate(pool) if pool else None
    found: list[Any] = []
    for name, values in shapes.items():
        numbers = named.get(name)
        if numbers is None or whole is None:
            found.append(Tracer(recorder, np.zeros(values.shape, values.dtype)))
        elif numbers.shape != values.shape:
            raise UntraceableError(f"the gradient of {name} has shape {numbers.shape}, {name} itself {values.shape}")
        else:
            # Of a real parameter the gradient is real, whatever stands beside it.
            found.append(cast(np.take(whole, numbers.astype(np.int64)), values.dtype))
    return found


__all__ = ["TABLES", "trace_of_gradient", "trace_of_loss"]
